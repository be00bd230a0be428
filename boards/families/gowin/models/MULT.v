// Body of the models of Gowin's multipliers: what MULT9X9 and MULT18X18 have in common.
//
// Written from Gowin UG287 (DSP user guide). Signed or unsigned; registers before the factors, in the middle
// and behind the product where their parameter is 1. Not modelled: the shift inputs (ASEL and BSEL must be low).
module MULT #(
  parameter BITS = 9,
  parameter AREG = 1'b0,
  parameter BREG = 1'b0,
  parameter OUT_REG = 1'b0,
  parameter PIPE_REG = 1'b0,
  parameter ASIGN_REG = 1'b0,
  parameter BSIGN_REG = 1'b0
) (
  input wire [BITS-1:0] A, B,
  input wire ASIGN, BSIGN, CE, CLK, RESET,
  output wire [2*BITS-1:0] DOUT,
  output wire [BITS-1:0] SOA, SOB
);
  reg [BITS-1:0] a_held, b_held;
  reg a_sign_held, b_sign_held;
  reg [2*BITS-1:0] middle_held, out_held;
  initial begin
    a_held = 0;
    b_held = 0;
    a_sign_held = 0;
    b_sign_held = 0;
    middle_held = 0;
    out_held = 0;
  end
  wire [BITS-1:0] a = AREG ? a_held : A;
  wire [BITS-1:0] b = BREG ? b_held : B;
  wire a_sign = ASIGN_REG ? a_sign_held : ASIGN;
  wire b_sign = BSIGN_REG ? b_sign_held : BSIGN;
  wire signed [BITS:0] left = {a_sign & a[BITS-1], a};
  wire signed [BITS:0] right = {b_sign & b[BITS-1], b};
  wire signed [2*BITS+1:0] full = left * right;
  wire [2*BITS-1:0] middle = PIPE_REG ? middle_held : full[2*BITS-1:0];
  always @(posedge CLK)
    if (RESET) begin
      a_held <= 0;
      b_held <= 0;
      a_sign_held <= 0;
      b_sign_held <= 0;
      middle_held <= 0;
      out_held <= 0;
    end else if (CE) begin
      a_held <= A;
      b_held <= B;
      a_sign_held <= ASIGN;
      b_sign_held <= BSIGN;
      middle_held <= full[2*BITS-1:0];
      out_held <= middle;
    end
  assign DOUT = OUT_REG ? out_held : middle;
  assign SOA = a;
  assign SOB = b;
endmodule
