// Bits of a part beyond the vector are unknown, which is zero; the others are what they are. An index is not cut.
// in a=1fff i=0 -> up=ff fixed=1f far=0 one=1
// in a=1fff i=6 -> up=7f fixed=1f far=0 one=1
// in a=1fff i=c -> up=1 fixed=1f far=0 one=1
// in a=1fff i=d -> up=0 fixed=1f far=0 one=0
// in a=1fff i=10 -> up=0 fixed=1f far=0 one=0
// in a=1fff i=ff -> up=0 fixed=1f far=0 one=0
module t(input wire [12:0] a, input wire [7:0] i, output wire [7:0] up, output wire [7:0] fixed, output wire [7:0] far, output wire one);
  assign up = a[i +: 8];
  assign fixed = a[8 +: 8];
  assign far = a[20 +: 8];
  assign one = a[i];
endmodule
