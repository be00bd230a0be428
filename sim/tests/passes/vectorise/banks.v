// Registers whose names differ by a number: one vector each, with a condition of their own a lane, and one lane that
// another register takes out. The odd one of `other` keeps its four from being packed.
module top(input clock, input [3:0] load, input [7:0] data, output [7:0] out, output any);
  reg [7:0] a0, a1, a2, a3;
  reg [7:0] b0, b1, b2, b3;
  reg [7:0] other0, other1, other2, other3;
  reg full;
  always @(posedge clock) begin
    if (load[0]) a0 <= data + b0;
    if (load[1]) a1 <= data + b1;
    if (load[2]) a2 <= data + b2;
    if (load[3]) a3 <= data + b3;
    b0 <= a0 ^ 8'h11;
    b1 <= a1 ^ 8'h22;
    b2 <= a2 ^ 8'h33;
    b3 <= a3 ^ 8'h44;
    other0 <= data;
    other1 <= other0 - 8'd1;
    other2 <= other1 & data;
    other3 <= other2 | data;
    full <= b2 == data;
  end
  assign out = b0 ^ b1 ^ b2 ^ b3 ^ other3;
  assign any = full;
endmodule
