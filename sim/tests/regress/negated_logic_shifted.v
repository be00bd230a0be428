// Negation of a truth value, then a logical shift: zeros come in from above, whatever a C compiler would do.
// in a=1 b=1 n=1 -> y=7f z=7fffffff
// in a=1 b=1 n=4 -> y=f z=fffffff
// in a=0 b=1 n=4 -> y=0 z=0
module t(input wire [3:0] a, input wire [3:0] b, input wire [3:0] n, output wire [7:0] y, output wire [31:0] z);
  assign y = (-(a && b)) >> n;
  assign z = (-(a && b)) >> n;
endmodule
