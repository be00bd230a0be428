// Checks the models of the ECP5's cells by what the vendor's guides say of them, number by number.
module bench;
  reg clock = 0;
  reg [13:0] write_at = 0, read_at = 0;
  reg [35:0] in = 0;
  reg write = 0;
  wire [35:0] wide, late, half;
  integer wrong = 0;
  DP16KD #(.DATA_WIDTH_A(36), .DATA_WIDTH_B(36), .REGMODE_B("NOREG"), .INITVAL_01(320'h3_2222_2_1111)) plain (
    .DIA0(in[0]), .DIA1(in[1]), .DIA2(in[2]), .DIA3(in[3]), .DIA4(in[4]), .DIA5(in[5]), .DIA6(in[6]), .DIA7(in[7]),
      .DIA8(in[8]), .DIA9(in[9]), .DIA10(in[10]), .DIA11(in[11]), .DIA12(in[12]), .DIA13(in[13]), .DIA14(in[14]),
      .DIA15(in[15]), .DIA16(in[16]), .DIA17(in[17]), .DIB0(in[18]), .DIB1(in[19]), .DIB2(in[20]), .DIB3(in[21]),
      .DIB4(in[22]), .DIB5(in[23]), .DIB6(in[24]), .DIB7(in[25]), .DIB8(in[26]), .DIB9(in[27]), .DIB10(in[28]),
      .DIB11(in[29]), .DIB12(in[30]), .DIB13(in[31]), .DIB14(in[32]), .DIB15(in[33]), .DIB16(in[34]),
      .DIB17(in[35]), .ADA0(write_at[0]), .ADA1(write_at[1]), .ADA2(write_at[2]), .ADA3(write_at[3]),
      .ADA4(write_at[4]), .ADA5(write_at[5]), .ADA6(write_at[6]), .ADA7(write_at[7]), .ADA8(write_at[8]),
      .ADA9(write_at[9]), .ADA10(write_at[10]), .ADA11(write_at[11]), .ADA12(write_at[12]), .ADA13(write_at[13]),
      .ADB0(read_at[0]), .ADB1(read_at[1]), .ADB2(read_at[2]), .ADB3(read_at[3]), .ADB4(read_at[4]),
      .ADB5(read_at[5]), .ADB6(read_at[6]), .ADB7(read_at[7]), .ADB8(read_at[8]), .ADB9(read_at[9]),
      .ADB10(read_at[10]), .ADB11(read_at[11]), .ADB12(read_at[12]), .ADB13(read_at[13]), .CLKA(clock),
      .CLKB(clock), .CEA(write), .WEA(1'b1), .OCEA(1'b0), .RSTA(1'b0), .CSA0(1'b0), .CSA1(1'b0), .CSA2(1'b0),
      .CEB(1'b1), .WEB(1'b0), .OCEB(1'b1), .RSTB(1'b0), .CSB0(1'b0), .CSB1(1'b0), .CSB2(1'b0), .DOA0(wide[0]),
      .DOA1(wide[1]), .DOA2(wide[2]), .DOA3(wide[3]), .DOA4(wide[4]), .DOA5(wide[5]), .DOA6(wide[6]),
      .DOA7(wide[7]), .DOA8(wide[8]), .DOA9(wide[9]), .DOA10(wide[10]), .DOA11(wide[11]), .DOA12(wide[12]),
      .DOA13(wide[13]), .DOA14(wide[14]), .DOA15(wide[15]), .DOA16(wide[16]), .DOA17(wide[17]), .DOB0(wide[18]),
      .DOB1(wide[19]), .DOB2(wide[20]), .DOB3(wide[21]), .DOB4(wide[22]), .DOB5(wide[23]), .DOB6(wide[24]),
      .DOB7(wide[25]), .DOB8(wide[26]), .DOB9(wide[27]), .DOB10(wide[28]), .DOB11(wide[29]), .DOB12(wide[30]),
      .DOB13(wide[31]), .DOB14(wide[32]), .DOB15(wide[33]), .DOB16(wide[34]), .DOB17(wide[35])
  );
  DP16KD #(.DATA_WIDTH_A(36), .DATA_WIDTH_B(36), .REGMODE_A("OUTREG"), .REGMODE_B("OUTREG")) registered (
    .DIA0(in[0]), .DIA1(in[1]), .DIA2(in[2]), .DIA3(in[3]), .DIA4(in[4]), .DIA5(in[5]), .DIA6(in[6]), .DIA7(in[7]),
      .DIA8(in[8]), .DIA9(in[9]), .DIA10(in[10]), .DIA11(in[11]), .DIA12(in[12]), .DIA13(in[13]), .DIA14(in[14]),
      .DIA15(in[15]), .DIA16(in[16]), .DIA17(in[17]), .DIB0(in[18]), .DIB1(in[19]), .DIB2(in[20]), .DIB3(in[21]),
      .DIB4(in[22]), .DIB5(in[23]), .DIB6(in[24]), .DIB7(in[25]), .DIB8(in[26]), .DIB9(in[27]), .DIB10(in[28]),
      .DIB11(in[29]), .DIB12(in[30]), .DIB13(in[31]), .DIB14(in[32]), .DIB15(in[33]), .DIB16(in[34]),
      .DIB17(in[35]), .ADA0(write_at[0]), .ADA1(write_at[1]), .ADA2(write_at[2]), .ADA3(write_at[3]),
      .ADA4(write_at[4]), .ADA5(write_at[5]), .ADA6(write_at[6]), .ADA7(write_at[7]), .ADA8(write_at[8]),
      .ADA9(write_at[9]), .ADA10(write_at[10]), .ADA11(write_at[11]), .ADA12(write_at[12]), .ADA13(write_at[13]),
      .ADB0(read_at[0]), .ADB1(read_at[1]), .ADB2(read_at[2]), .ADB3(read_at[3]), .ADB4(read_at[4]),
      .ADB5(read_at[5]), .ADB6(read_at[6]), .ADB7(read_at[7]), .ADB8(read_at[8]), .ADB9(read_at[9]),
      .ADB10(read_at[10]), .ADB11(read_at[11]), .ADB12(read_at[12]), .ADB13(read_at[13]), .CLKA(clock),
      .CLKB(clock), .CEA(write), .WEA(1'b1), .OCEA(1'b0), .RSTA(1'b0), .CSA0(1'b0), .CSA1(1'b0), .CSA2(1'b0),
      .CEB(1'b1), .WEB(1'b0), .OCEB(1'b1), .RSTB(1'b0), .CSB0(1'b0), .CSB1(1'b0), .CSB2(1'b0), .DOA0(late[0]),
      .DOA1(late[1]), .DOA2(late[2]), .DOA3(late[3]), .DOA4(late[4]), .DOA5(late[5]), .DOA6(late[6]),
      .DOA7(late[7]), .DOA8(late[8]), .DOA9(late[9]), .DOA10(late[10]), .DOA11(late[11]), .DOA12(late[12]),
      .DOA13(late[13]), .DOA14(late[14]), .DOA15(late[15]), .DOA16(late[16]), .DOA17(late[17]), .DOB0(late[18]),
      .DOB1(late[19]), .DOB2(late[20]), .DOB3(late[21]), .DOB4(late[22]), .DOB5(late[23]), .DOB6(late[24]),
      .DOB7(late[25]), .DOB8(late[26]), .DOB9(late[27]), .DOB10(late[28]), .DOB11(late[29]), .DOB12(late[30]),
      .DOB13(late[31]), .DOB14(late[32]), .DOB15(late[33]), .DOB16(late[34]), .DOB17(late[35])
  );
  DP16KD #(.DATA_WIDTH_A(36), .DATA_WIDTH_B(18), .REGMODE_B("NOREG")) narrow (
    .DIA0(in[0]), .DIA1(in[1]), .DIA2(in[2]), .DIA3(in[3]), .DIA4(in[4]), .DIA5(in[5]), .DIA6(in[6]), .DIA7(in[7]),
      .DIA8(in[8]), .DIA9(in[9]), .DIA10(in[10]), .DIA11(in[11]), .DIA12(in[12]), .DIA13(in[13]), .DIA14(in[14]),
      .DIA15(in[15]), .DIA16(in[16]), .DIA17(in[17]), .DIB0(in[18]), .DIB1(in[19]), .DIB2(in[20]), .DIB3(in[21]),
      .DIB4(in[22]), .DIB5(in[23]), .DIB6(in[24]), .DIB7(in[25]), .DIB8(in[26]), .DIB9(in[27]), .DIB10(in[28]),
      .DIB11(in[29]), .DIB12(in[30]), .DIB13(in[31]), .DIB14(in[32]), .DIB15(in[33]), .DIB16(in[34]),
      .DIB17(in[35]), .ADA0(write_at[0]), .ADA1(write_at[1]), .ADA2(write_at[2]), .ADA3(write_at[3]),
      .ADA4(write_at[4]), .ADA5(write_at[5]), .ADA6(write_at[6]), .ADA7(write_at[7]), .ADA8(write_at[8]),
      .ADA9(write_at[9]), .ADA10(write_at[10]), .ADA11(write_at[11]), .ADA12(write_at[12]), .ADA13(write_at[13]),
      .ADB0(read_at[0]), .ADB1(read_at[1]), .ADB2(read_at[2]), .ADB3(read_at[3]), .ADB4(read_at[4]),
      .ADB5(read_at[5]), .ADB6(read_at[6]), .ADB7(read_at[7]), .ADB8(read_at[8]), .ADB9(read_at[9]),
      .ADB10(read_at[10]), .ADB11(read_at[11]), .ADB12(read_at[12]), .ADB13(read_at[13]), .CLKA(clock),
      .CLKB(clock), .CEA(write), .WEA(1'b1), .OCEA(1'b0), .RSTA(1'b0), .CSA0(1'b0), .CSA1(1'b0), .CSA2(1'b0),
      .CEB(1'b1), .WEB(1'b0), .OCEB(1'b1), .RSTB(1'b0), .CSB0(1'b0), .CSB1(1'b0), .CSB2(1'b0), .DOA0(half[0]),
      .DOA1(half[1]), .DOA2(half[2]), .DOA3(half[3]), .DOA4(half[4]), .DOA5(half[5]), .DOA6(half[6]),
      .DOA7(half[7]), .DOA8(half[8]), .DOA9(half[9]), .DOA10(half[10]), .DOA11(half[11]), .DOA12(half[12]),
      .DOA13(half[13]), .DOA14(half[14]), .DOA15(half[15]), .DOA16(half[16]), .DOA17(half[17]), .DOB0(half[18]),
      .DOB1(half[19]), .DOB2(half[20]), .DOB3(half[21]), .DOB4(half[22]), .DOB5(half[23]), .DOB6(half[24]),
      .DOB7(half[25]), .DOB8(half[26]), .DOB9(half[27]), .DOB10(half[28]), .DOB11(half[29]), .DOB12(half[30]),
      .DOB13(half[31]), .DOB14(half[32]), .DOB15(half[33]), .DOB16(half[34]), .DOB17(half[35])
  );

  reg [17:0] a = 0, b = 0;
  reg a_signed = 0, b_signed = 0;
  wire [35:0] now, behind;
  MULT18X18D direct (
    .A0(a[0]), .A1(a[1]), .A2(a[2]), .A3(a[3]), .A4(a[4]), .A5(a[5]), .A6(a[6]), .A7(a[7]), .A8(a[8]), .A9(a[9]),
      .A10(a[10]), .A11(a[11]), .A12(a[12]), .A13(a[13]), .A14(a[14]), .A15(a[15]), .A16(a[16]), .A17(a[17]),
      .B0(b[0]), .B1(b[1]), .B2(b[2]), .B3(b[3]), .B4(b[4]), .B5(b[5]), .B6(b[6]), .B7(b[7]), .B8(b[8]), .B9(b[9]),
      .B10(b[10]), .B11(b[11]), .B12(b[12]), .B13(b[13]), .B14(b[14]), .B15(b[15]), .B16(b[16]), .B17(b[17]),
      .SIGNEDA(a_signed), .SIGNEDB(b_signed), .SOURCEA(1'b0), .SOURCEB(1'b0), .CLK0(clock), .CE0(1'b1), .RST0(1'b0),
      .P0(now[0]), .P1(now[1]), .P2(now[2]), .P3(now[3]), .P4(now[4]), .P5(now[5]), .P6(now[6]), .P7(now[7]),
      .P8(now[8]), .P9(now[9]), .P10(now[10]), .P11(now[11]), .P12(now[12]), .P13(now[13]), .P14(now[14]),
      .P15(now[15]), .P16(now[16]), .P17(now[17]), .P18(now[18]), .P19(now[19]), .P20(now[20]), .P21(now[21]),
      .P22(now[22]), .P23(now[23]), .P24(now[24]), .P25(now[25]), .P26(now[26]), .P27(now[27]), .P28(now[28]),
      .P29(now[29]), .P30(now[30]), .P31(now[31]), .P32(now[32]), .P33(now[33]), .P34(now[34]), .P35(now[35])
  );
  MULT18X18D #(.REG_INPUTA_CLK("CLK0"), .REG_INPUTB_CLK("CLK0"), .REG_OUTPUT_CLK("CLK0")) pipelined (
    .A0(a[0]), .A1(a[1]), .A2(a[2]), .A3(a[3]), .A4(a[4]), .A5(a[5]), .A6(a[6]), .A7(a[7]), .A8(a[8]), .A9(a[9]),
      .A10(a[10]), .A11(a[11]), .A12(a[12]), .A13(a[13]), .A14(a[14]), .A15(a[15]), .A16(a[16]), .A17(a[17]),
      .B0(b[0]), .B1(b[1]), .B2(b[2]), .B3(b[3]), .B4(b[4]), .B5(b[5]), .B6(b[6]), .B7(b[7]), .B8(b[8]), .B9(b[9]),
      .B10(b[10]), .B11(b[11]), .B12(b[12]), .B13(b[13]), .B14(b[14]), .B15(b[15]), .B16(b[16]), .B17(b[17]),
      .SIGNEDA(a_signed), .SIGNEDB(b_signed), .SOURCEA(1'b0), .SOURCEB(1'b0), .CLK0(clock), .CE0(1'b1), .RST0(1'b0),
      .P0(behind[0]), .P1(behind[1]), .P2(behind[2]), .P3(behind[3]), .P4(behind[4]), .P5(behind[5]),
      .P6(behind[6]), .P7(behind[7]), .P8(behind[8]), .P9(behind[9]), .P10(behind[10]), .P11(behind[11]),
      .P12(behind[12]), .P13(behind[13]), .P14(behind[14]), .P15(behind[15]), .P16(behind[16]), .P17(behind[17]),
      .P18(behind[18]), .P19(behind[19]), .P20(behind[20]), .P21(behind[21]), .P22(behind[22]), .P23(behind[23]),
      .P24(behind[24]), .P25(behind[25]), .P26(behind[26]), .P27(behind[27]), .P28(behind[28]), .P29(behind[29]),
      .P30(behind[30]), .P31(behind[31]), .P32(behind[32]), .P33(behind[33]), .P34(behind[34]), .P35(behind[35])
  );

  task tick;
    begin
      #1 clock = 1;
      #1 clock = 0;
    end
  endtask
  task same(input [8 * 24 - 1:0] what, input [35:0] got, input [35:0] wanted);
    if (got !== wanted) begin
      $display("%0s: %h, wanted %h", what, got, wanted);
      wrong = wrong + 1;
    end
  endtask

  initial begin
    // Sixteen words of 18 bits an INITVAL, twenty bits apart: INITVAL_01 begins at row 16.
    read_at = 14'd8 << 5;
    tick;
    same("initial words", wide, {18'h32222, 18'h21111});
    // A word of 36 bits, all four bytes enabled.
    write_at = (14'd3 << 5) | 14'b1111;
    in = 36'h9_8765_4321;
    write = 1;
    tick;
    write = 0;
    read_at = 14'd3 << 5;
    same("not read yet", wide, {18'h32222, 18'h21111});
    tick;
    same("read an edge later", wide, 36'h9_8765_4321);
    same("output register", late, 36'h0);
    tick;
    same("two edges later", late, 36'h9_8765_4321);
    // Bytes of nine bits: only the second and the fourth.
    write_at = (14'd3 << 5) | 14'b1010;
    in = 36'h0;
    write = 1;
    tick;
    write = 0;
    tick;
    same("bytes enabled", wide, 36'h9_8765_4321 & 36'h0_07fc_01ff);
    // The same memory seen 18 bits at a time: the low half is the even row. The answer is on port B.
    read_at = 14'd6 << 4;
    tick;
    same("even row", {18'h0, half[35:18]}, 36'h9_8765_4321 & 36'h0_0000_01ff);
    read_at = 14'd7 << 4;
    tick;
    same("odd row", {18'h0, half[35:18]}, (36'h9_8765_4321 & 36'h0_07fc_0000) >> 18);
    // What is read while it is written is wrong, not old and not new.
    write_at = (14'd3 << 5) | 14'b1111;
    read_at = 14'd3 << 5;
    in = 36'hf_0f0f_0f0f;
    write = 1;
    tick;
    if (wide === 36'hf_0f0f_0f0f || wide === (36'h9_8765_4321 & 36'h0_07fc_01ff)) begin
      $display("a collision is answered");
      wrong = wrong + 1;
    end
    write = 0;

    a = 18'h20000;
    b = 18'h20000;
    a_signed = 1;
    b_signed = 1;
    #1 same("-2^17 * -2^17", now, 36'h4_0000_0000);
    tick;
    a = 18'h3ffff;
    b = 18'h3ffff;
    a_signed = 0;
    b_signed = 0;
    #1 same("unsigned", now, 36'hf_fff8_0001);
    same("not through yet", behind, 36'h0);
    tick;
    same("through two registers", behind, 36'h4_0000_0000);
    a_signed = 1;
    #1 same("-1 * 2^18-1", now, -36'd262143);
    tick;
    same("unsigned, registered", behind, 36'hf_fff8_0001);
    tick;
    same("mixed, registered", behind, -36'd262143);
    if (wrong == 0) $display("all as documented");
    $finish;
  end
endmodule
