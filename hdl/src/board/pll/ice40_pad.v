// iCE40: SB_PLL40_PAD, simple feedback, for the clock of the multiplier's own pin.
module weft_pll #(
  parameter DIVR = 0,
  parameter DIVF = 0,
  parameter DIVQ = 1,
  parameter FILTER_RANGE = 1
) (input wire in, output wire out, output wire locked);
  SB_PLL40_PAD #(
    .FEEDBACK_PATH("SIMPLE"),
    .DIVR(DIVR[3:0]),
    .DIVF(DIVF[6:0]),
    .DIVQ(DIVQ[2:0]),
    .FILTER_RANGE(FILTER_RANGE[2:0])
  ) pll (
    .PACKAGEPIN(in),
    .PLLOUTGLOBAL(out),
    .LOCK(locked),
    .RESETB(1'b1),
    .BYPASS(1'b0)
  );
endmodule
