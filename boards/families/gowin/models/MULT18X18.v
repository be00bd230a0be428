// Model of Gowin's multiplier MULT18X18, for simulating netlists; yosys has its ports only. 18 x 18 bits; the rest is in MULT.v.
module MULT18X18 #(
  parameter AREG = 1'b0,
  parameter BREG = 1'b0,
  parameter OUT_REG = 1'b0,
  parameter PIPE_REG = 1'b0,
  parameter ASIGN_REG = 1'b0,
  parameter BSIGN_REG = 1'b0,
  parameter SOA_REG = 1'b0,
  parameter MULT_RESET_MODE = "SYNC"
) (
  input wire [17:0] A, SIA, B, SIB,
  input wire ASIGN, BSIGN, ASEL, BSEL, CE, CLK, RESET,
  output wire [35:0] DOUT,
  output wire [17:0] SOA, SOB
);
  MULT #(
    .BITS(18), .AREG(AREG), .BREG(BREG), .OUT_REG(OUT_REG), .PIPE_REG(PIPE_REG), .ASIGN_REG(ASIGN_REG),
    .BSIGN_REG(BSIGN_REG)
  ) multiplier (
    .A(A), .B(B), .ASIGN(ASIGN), .BSIGN(BSIGN), .CE(CE), .CLK(CLK), .RESET(RESET), .DOUT(DOUT), .SOA(SOA), .SOB(SOB)
  );
endmodule
