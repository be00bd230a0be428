// Signed multiplier with registered factors and a registered product: the product of the factors at an edge stands
// on product two edges later.
module weft_multiplier #(parameter A = 8, parameter B = 8) (
  input wire clock,
  input wire [A-1:0] a,
  input wire [B-1:0] b,
  output wire [A+B-1:0] product
);
  reg signed [A-1:0] left;
  reg signed [B-1:0] right;
  reg signed [A+B-1:0] held;
  assign product = held;
  always @(posedge clock) begin
    left <= a;
    right <= b;
    held <= left * right;
  end
endmodule
