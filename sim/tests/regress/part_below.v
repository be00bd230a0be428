// A part that reaches below the vector: the bits below are unknown, which is zero; the others are what they are.
// in a=1fff i=0 s=0 -> down=80 up=ff
// in a=1fff i=3 s=ff -> down=f0 up=fe
// in a=1fff i=7 s=f9 -> down=ff up=80
// in a=1fff i=f s=f8 -> down=1f up=0
// in a=1fff i=14 s=3 -> down=0 up=ff
module t(input wire [12:0] a, input wire [7:0] i, input wire signed [7:0] s, output wire [7:0] down, output wire [7:0] up);
  assign down = a[i -: 8];
  assign up = a[s +: 8];
endmodule
