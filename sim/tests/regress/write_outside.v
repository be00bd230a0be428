// A write to a computed part changes the bits that exist and no others.
// in i=0 s=0 -> up=f down=1 one=1
// in i=2 s=ff -> up=3c down=7 one=4
// in i=a s=fd -> up=1c00 down=780 one=400
// in i=d s=80 -> up=0 down=1c00 one=0
// in i=f s=3 -> up=0 down=1000 one=0
// in i=10 s=3 -> up=0 down=0 one=0
module t(input wire [7:0] i, input wire signed [7:0] s, output reg [12:0] up, output reg [12:0] down, output reg [12:0] one);
  always @(*) begin
    up = 0; down = 0; one = 0;
    up[i +: 4] = 4'hf;
    down[i -: 4] = 4'hf;
    one[i] = 1;
  end
endmodule
