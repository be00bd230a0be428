// Multiplier of the iCE40 UltraPlus with its input and output registers on: SB_MAC16 as one 16 x 16 multiplier.
module weft_multiplier #(parameter A = 8, parameter B = 8) (
  input wire clock,
  input wire [A-1:0] a,
  input wire [B-1:0] b,
  output wire [A+B-1:0] product
);
  wire [15:0] left = {{16 - A{a[A-1]}}, a};
  wire [15:0] right = {{16 - B{b[B-1]}}, b};
  wire [31:0] wide;
  assign product = wide[A+B-1:0];
  SB_MAC16 #(
    .A_REG(1'b1), .B_REG(1'b1), .PIPELINE_16x16_MULT_REG2(1'b1),
    .TOPOUTPUT_SELECT(2'b11), .BOTOUTPUT_SELECT(2'b11), .A_SIGNED(1'b1), .B_SIGNED(1'b1)
  ) inner (
    .CLK(clock), .CE(1'b1), .A(left), .B(right), .C(16'b0), .D(16'b0),
    .AHOLD(1'b0), .BHOLD(1'b0), .CHOLD(1'b0), .DHOLD(1'b0),
    .IRSTTOP(1'b0), .IRSTBOT(1'b0), .ORSTTOP(1'b0), .ORSTBOT(1'b0),
    .OLOADTOP(1'b0), .OLOADBOT(1'b0), .ADDSUBTOP(1'b0), .ADDSUBBOT(1'b0), .OHOLDTOP(1'b0), .OHOLDBOT(1'b0),
    .CI(1'b0), .ACCUMCI(1'b0), .SIGNEXTIN(1'b0), .O(wide)
  );
endmodule
