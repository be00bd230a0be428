// Checks the models of Gowin's cells by what the vendor's guides say of them, number by number.
module bench;
  reg clock = 0;
  reg [13:0] write_at = 0, read_at = 0;
  reg [35:0] in = 0;
  reg write = 0, other = 0;
  wire [35:0] wide, late;
  wire [31:0] narrow;
  wire [17:0] left, right;
  integer wrong = 0;
  SDPX9B #(.INIT_RAM_01(288'h3_2222_1111)) plain (
    .CLKA(clock), .CEA(write), .CLKB(clock), .CEB(1'b1), .OCE(1'b1), .RESETA(1'b0), .RESETB(1'b0), .ADA(write_at),
    .ADB(read_at), .DI(in), .BLKSELA(3'b0), .BLKSELB(3'b0), .DO(wide)
  );
  SDPX9B #(.READ_MODE(1'b1)) registered (
    .CLKA(clock), .CEA(write), .CLKB(clock), .CEB(1'b1), .OCE(1'b1), .RESETA(1'b0), .RESETB(1'b0), .ADA(write_at),
    .ADB(read_at), .DI(in), .BLKSELA(3'b0), .BLKSELB(3'b0), .DO(late)
  );
  SDPB #(.BIT_WIDTH_1(16)) halves (
    .CLKA(clock), .CEA(write), .CLKB(clock), .CEB(1'b1), .OCE(1'b1), .RESETA(1'b0), .RESETB(1'b0), .ADA(write_at),
    .ADB(read_at), .DI(in[31:0]), .BLKSELA(3'b0), .BLKSELB(3'b0), .DO(narrow)
  );
  DPX9B both (
    .CLKA(clock), .CEA(1'b1), .WREA(write), .OCEA(1'b1), .RESETA(1'b0), .ADA(write_at), .DIA(in[17:0]), .BLKSELA(3'b0),
    .DOA(left), .CLKB(clock), .CEB(1'b1), .WREB(other), .OCEB(1'b1), .RESETB(1'b0), .ADB(read_at), .DIB(in[35:18]),
    .BLKSELB(3'b0), .DOB(right)
  );
  reg [17:0] a = 0, b = 0;
  reg a_signed = 0, b_signed = 0;
  wire [35:0] now;
  wire [17:0] behind;
  MULT18X18 direct (
    .A(a), .SIA(18'b0), .B(b), .SIB(18'b0), .ASIGN(a_signed), .BSIGN(b_signed), .ASEL(1'b0), .BSEL(1'b0), .CE(1'b0),
    .CLK(1'b0), .RESET(1'b0), .DOUT(now)
  );
  MULT9X9 #(.AREG(1'b1), .BREG(1'b1), .ASIGN_REG(1'b1), .BSIGN_REG(1'b1), .OUT_REG(1'b1)) pipelined (
    .A(a[8:0]), .SIA(9'b0), .B(b[8:0]), .SIB(9'b0), .ASIGN(a_signed), .BSIGN(b_signed), .ASEL(1'b0), .BSEL(1'b0),
    .CE(1'b1), .CLK(clock), .RESET(1'b0), .DOUT(behind)
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
    // 288 bits an INIT_RAM: INIT_RAM_01 begins at word 8 of 36 bits.
    read_at = 14'd8 << 5;
    tick;
    same("initial words", wide, 36'h3_2222_1111);
    write_at = (14'd3 << 5) | 14'b1111;
    in = 36'h9_8765_4321;
    write = 1;
    tick;
    write = 0;
    read_at = 14'd3 << 5;
    same("not read yet", wide, 36'h3_2222_1111);
    tick;
    same("read an edge later", wide, 36'h9_8765_4321);
    same("pipeline register", late, 36'h0);
    tick;
    same("two edges later", late, 36'h9_8765_4321);
    write_at = (14'd3 << 5) | 14'b1010;
    in = 36'h0;
    write = 1;
    tick;
    write = 0;
    tick;
    same("bytes of nine enabled", wide, 36'h9_8765_4321 & 36'h0_07fc_01ff);
    // The eight-bit form: the same two bytes of eight went.
    read_at = 14'd6 << 4;
    tick;
    same("even half", {20'h0, narrow[15:0]}, 36'h0_0000_0021);
    read_at = 14'd7 << 4;
    tick;
    same("odd half", {20'h0, narrow[15:0]}, 36'h0_0000_0065);
    // Two ports of eighteen bits: each writes, each reads, an output rests while its port writes.
    write_at = (14'd20 << 4) | 14'b11;
    in = {18'h15555, 18'h2aaaa};
    write = 1;
    tick;
    write = 0;
    other = 1;
    read_at = (14'd21 << 4) | 14'b11;
    tick;
    other = 0;
    same("left reads", {18'h0, left}, 36'h2aaaa);
    write_at = 14'd21 << 4;
    read_at = 14'd20 << 4;
    tick;
    same("left reads the other", {18'h0, left}, 36'h15555);
    same("right reads the other", {18'h0, right}, 36'h2aaaa);

    a = 18'h20000;
    b = 18'h20000;
    a_signed = 1;
    b_signed = 1;
    #1 same("-2^17 * -2^17", now, 36'h4_0000_0000);
    a = 18'h3ffff;
    b = 18'h3ffff;
    a_signed = 0;
    b_signed = 0;
    #1 same("unsigned", now, 36'hf_fff8_0001);
    tick;
    same("not through yet", {18'h0, behind}, 36'h0);
    a = 18'h100;
    b = 18'h0ff;
    a_signed = 1;
    b_signed = 1;
    tick;
    same("511 * 511", {18'h0, behind}, 36'd261121);
    tick;
    same("-256 * 255", {18'h0, behind}, {18'h0, -18'd65280});
    if (wrong == 0) $display("all as documented");
    $finish;
  end
endmodule
