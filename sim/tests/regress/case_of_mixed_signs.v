// One unsigned label or subject makes all of them unsigned, so the short signed label is extended by zeros.
// in u=3 s=3 -> y=1 z=1 w=0
// in u=f s=f -> y=2 z=2 w=1
// in u=1 s=1 -> y=0 z=0 w=0
module t(input wire [3:0] u, input wire signed [3:0] s, output reg [1:0] y, output reg [1:0] z, output reg [1:0] w);
  always @(*) begin
    case (u) 2'sh3: y = 1; 4'shf: y = 2; default: y = 0; endcase
    case (s) 2'sh3: z = 1; 4'hf: z = 2; default: z = 0; endcase
    case (s) 2'sh3: w = 1; 4'sh7: w = 2; default: w = 0; endcase
  end
endmodule
