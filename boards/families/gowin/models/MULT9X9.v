// Model of Gowin's multiplier MULT9X9, for simulating netlists; yosys has its ports only.
//
// Written from Gowin UG287 (DSP user guide). Signed or unsigned 9 x 9 bits; registers before the factors, in the middle
// and behind the product where their parameter is 1. Not modelled: the shift inputs (ASEL and BSEL must be low).
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
  reg [8:0] a_held, b_held;
  reg a_sign_held, b_sign_held;
  reg [17:0] middle_held, out_held;
  initial begin
    a_held = 0;
    b_held = 0;
    a_sign_held = 0;
    b_sign_held = 0;
    middle_held = 0;
    out_held = 0;
  end
  wire [8:0] a = AREG ? a_held : A;
  wire [8:0] b = BREG ? b_held : B;
  wire a_sign = ASIGN_REG ? a_sign_held : ASIGN;
  wire b_sign = BSIGN_REG ? b_sign_held : BSIGN;
  wire signed [9:0] left = {a_sign & a[8], a};
  wire signed [9:0] right = {b_sign & b[8], b};
  wire signed [19:0] full = left * right;
  wire [17:0] middle = PIPE_REG ? middle_held : full[17:0];
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
      middle_held <= full[17:0];
      out_held <= middle;
    end
  assign DOUT = OUT_REG ? out_held : middle;
  assign SOA = a;
  assign SOB = b;
endmodule
