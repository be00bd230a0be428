// Model of Gowin's multiplier MULT9X9, for simulating netlists; yosys has its ports only. 9 x 9 bits; the rest is in MULT.v.
module MULT9X9 #(
  parameter AREG = 1'b0,
  parameter BREG = 1'b0,
  parameter OUT_REG = 1'b0,
  parameter PIPE_REG = 1'b0,
  parameter ASIGN_REG = 1'b0,
  parameter BSIGN_REG = 1'b0,
  parameter SOA_REG = 1'b0,
  parameter MULT_RESET_MODE = "SYNC"
) (
  input wire [8:0] A, SIA, B, SIB,
  input wire ASIGN, BSIGN, ASEL, BSEL, CE, CLK, RESET,
  output wire [17:0] DOUT,
  output wire [8:0] SOA, SOB
);
  MULT #(
    .BITS(9), .AREG(AREG), .BREG(BREG), .OUT_REG(OUT_REG), .PIPE_REG(PIPE_REG), .ASIGN_REG(ASIGN_REG),
    .BSIGN_REG(BSIGN_REG)
  ) multiplier (
    .A(A), .B(B), .ASIGN(ASIGN), .BSIGN(BSIGN), .CE(CE), .CLK(CLK), .RESET(RESET), .DOUT(DOUT), .SOA(SOA), .SOB(SOB)
  );
endmodule
