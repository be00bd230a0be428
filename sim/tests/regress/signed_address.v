// A negative address selects no word.
// in a=3 -> y=9
// in a=d -> y=0
module t(input wire signed [3:0] a, output wire [7:0] y);
  reg [7:0] m [0:15];
  integer k;
  initial for (k = 0; k < 16; k = k + 1) m[k] = k * 3;
  assign y = m[a];
endmodule
