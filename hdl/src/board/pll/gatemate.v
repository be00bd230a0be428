// GateMate: CC_PLL, internal feedback, for a core supply of 1.0 V.
module weft_pll #(
  parameter REF_CLK = "10.0",
  parameter OUT_CLK = "25.0"
) (input wire in, output wire out, output wire locked);
  CC_PLL #(
    .REF_CLK(REF_CLK),
    .OUT_CLK(OUT_CLK),
    .PERF_MD("ECONOMY"),
    .LOW_JITTER(1),
    .CI_FILTER_CONST(2),
    .CP_FILTER_CONST(4),
    .LOCK_REQ(1)
  ) pll (
    .CLK_REF(in),
    .USR_CLK_REF(1'b0),
    .CLK_FEEDBACK(1'b0),
    .USR_LOCKED_STDY_RST(1'b0),
    .CLK0(out),
    .USR_PLL_LOCKED(locked)
  );
endmodule
