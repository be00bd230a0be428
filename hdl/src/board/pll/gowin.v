// Gowin: rPLL, internal feedback.
module weft_pll #(
  parameter FCLKIN = "27",
  parameter DEVICE = "GW1NR-9C",
  parameter IDIV_SEL = 0,
  parameter FBDIV_SEL = 0,
  parameter ODIV_SEL = 8
) (input wire in, output wire out, output wire locked);
  rPLL #(
    .FCLKIN(FCLKIN),
    .DEVICE(DEVICE),
    .IDIV_SEL(IDIV_SEL),
    .FBDIV_SEL(FBDIV_SEL),
    .ODIV_SEL(ODIV_SEL),
    .DYN_IDIV_SEL("false"),
    .DYN_FBDIV_SEL("false"),
    .DYN_ODIV_SEL("false"),
    .DYN_DA_EN("false"),
    .DYN_SDIV_SEL(2),
    .PSDA_SEL("0000"),
    .DUTYDA_SEL("1000"),
    .CLKFB_SEL("internal"),
    .CLKOUT_FT_DIR(1'b1),
    .CLKOUTP_FT_DIR(1'b1),
    .CLKOUT_DLY_STEP(0),
    .CLKOUTP_DLY_STEP(0),
    .CLKOUT_BYPASS("false"),
    .CLKOUTP_BYPASS("false"),
    .CLKOUTD_BYPASS("false"),
    .CLKOUTD_SRC("CLKOUT"),
    .CLKOUTD3_SRC("CLKOUT")
  ) pll (
    .CLKIN(in),
    .CLKFB(1'b0),
    .RESET(1'b0),
    .RESET_P(1'b0),
    .FBDSEL(6'b0),
    .IDSEL(6'b0),
    .ODSEL(6'b0),
    .PSDA(4'b0),
    .DUTYDA(4'b0),
    .FDLY(4'b0),
    .CLKOUT(out),
    .LOCK(locked)
  );
endmodule
