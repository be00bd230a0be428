// A register on a long way: what stands on d at an edge stands on q behind it.
module weft_relay #(parameter WIDTH = 8) (
  input wire clock,
  input wire [WIDTH-1:0] d,
  output reg [WIDTH-1:0] q
);
  initial q = 0;
  always @(posedge clock) q <= d;
endmodule
