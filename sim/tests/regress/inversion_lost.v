// Found by a random module: a | ~a is all ones, through an instance and under exclusive or.
// in a=0 b=0 -> y=1
// in a=1 b=0 -> y=1
module leaf #(parameter W = 8, parameter signed [15:0] K = -40, parameter S = 3)
(input wire [W-1:0] a, input wire [W-1:0] b, output wire [W-1:0] y);
  assign y = ((a | b) <<< S) ^ {W{b == K}} ^ a[W-1 -: 1];
endmodule
module t(input wire [0:0] a, input wire [0:0] b, output wire [0:0] y);
  wire [0:0] wide, first, swapped;
  assign wide = a;
  leaf #(.S(0), .W(1)) one(.a(wide), .b(~wide), .y(swapped));
  leaf #(1, -21) two(.a(a), .b(b), .y(first));
  assign y = first ^ swapped;
endmodule
