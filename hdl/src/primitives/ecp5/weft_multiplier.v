// Multiplier of the ECP5 with its input and output registers on: MULT18X18D. Synthesis infers the same cell with every
// register off and leaves them in the fabric.
module weft_multiplier #(parameter A = 8, parameter B = 8) (
  input wire clock,
  input wire [A-1:0] a,
  input wire [B-1:0] b,
  output wire [A+B-1:0] product
);
  // The factors lie at the top, so that no sign has to reach the pins above it.
  wire [17:0] left = a << 18 - A;
  wire [17:0] right = b << 18 - B;
  wire [35:0] wide;
  assign product = wide[35:36-A-B];
  MULT18X18D #(
    .REG_INPUTA_CLK("CLK0"), .REG_INPUTA_CE("CE0"), .REG_INPUTA_RST("RST0"),
    .REG_INPUTB_CLK("CLK0"), .REG_INPUTB_CE("CE0"), .REG_INPUTB_RST("RST0"),
    .REG_OUTPUT_CLK("CLK0"), .REG_OUTPUT_CE("CE0"), .REG_OUTPUT_RST("RST0")
  ) inner (
    .CLK0(clock), .CE0(1'b1), .RST0(1'b0),
    .SIGNEDA(1'b1), .SIGNEDB(1'b1), .SOURCEA(1'b0), .SOURCEB(1'b0),
    .A0(left[0]), .A1(left[1]), .A2(left[2]), .A3(left[3]), .A4(left[4]), .A5(left[5]), .A6(left[6]),
    .A7(left[7]), .A8(left[8]), .A9(left[9]), .A10(left[10]), .A11(left[11]), .A12(left[12]), .A13(left[13]),
    .A14(left[14]), .A15(left[15]), .A16(left[16]), .A17(left[17]), .B0(right[0]), .B1(right[1]),
    .B2(right[2]), .B3(right[3]), .B4(right[4]), .B5(right[5]), .B6(right[6]), .B7(right[7]), .B8(right[8]),
    .B9(right[9]), .B10(right[10]), .B11(right[11]), .B12(right[12]), .B13(right[13]), .B14(right[14]),
    .B15(right[15]), .B16(right[16]), .B17(right[17]), .C0(1'b0), .C1(1'b0), .C2(1'b0), .C3(1'b0), .C4(1'b0),
    .C5(1'b0), .C6(1'b0), .C7(1'b0), .C8(1'b0), .C9(1'b0), .C10(1'b0), .C11(1'b0), .C12(1'b0), .C13(1'b0),
    .C14(1'b0), .C15(1'b0), .C16(1'b0), .C17(1'b0), .P0(wide[0]), .P1(wide[1]), .P2(wide[2]), .P3(wide[3]),
    .P4(wide[4]), .P5(wide[5]), .P6(wide[6]), .P7(wide[7]), .P8(wide[8]), .P9(wide[9]), .P10(wide[10]),
    .P11(wide[11]), .P12(wide[12]), .P13(wide[13]), .P14(wide[14]), .P15(wide[15]), .P16(wide[16]),
    .P17(wide[17]), .P18(wide[18]), .P19(wide[19]), .P20(wide[20]), .P21(wide[21]), .P22(wide[22]),
    .P23(wide[23]), .P24(wide[24]), .P25(wide[25]), .P26(wide[26]), .P27(wide[27]), .P28(wide[28]),
    .P29(wide[29]), .P30(wide[30]), .P31(wide[31]), .P32(wide[32]), .P33(wide[33]), .P34(wide[34]),
    .P35(wide[35])
  );
endmodule
