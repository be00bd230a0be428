// Block RAM of the ECP5 with its output register on: DP16KD, port A writes, port B reads. A word of 36 bits lies across
// both ports' data pins, each with its port's output register; 18 and 9 bits leave port B's outputs to the read. Byte
// enables are the lowest address pins, which wide words do not use.
module weft_ram #(parameter WIDTH = 24, parameter WORDS = 512, parameter ADDRESS = 9) (
  input wire clock,
  input wire write_enable,
  input wire [ADDRESS-1:0] write_address,
  input wire [WIDTH-1:0] write_data,
  input wire [ADDRESS-1:0] read_address,
  output wire [WIDTH-1:0] read_data
);
  localparam BITS = WORDS <= 512 ? 36 : WORDS <= 1024 ? 18 : 9;
  localparam SHIFT = WORDS <= 512 ? 5 : WORDS <= 1024 ? 4 : 3;
  localparam SLICES = (WIDTH + BITS - 1) / BITS;
  wire [SLICES*BITS-1:0] padded = write_data;
  wire [SLICES*BITS-1:0] answer;
  assign read_data = answer[WIDTH-1:0];
  genvar i;
  generate
    for (i = 0; i < SLICES; i = i + 1) begin : slice
      weft_ram_slice #(.BITS(BITS), .SHIFT(SHIFT), .ADDRESS(ADDRESS)) ram (
        .clock(clock), .write_enable(write_enable), .write_address(write_address),
        .write_data(padded[i*BITS +: BITS]), .read_address(read_address), .read_data(answer[i*BITS +: BITS])
      );
    end
  endgenerate
endmodule

module weft_ram_slice #(parameter BITS = 36, parameter SHIFT = 5, parameter ADDRESS = 9) (
  input wire clock,
  input wire write_enable,
  input wire [ADDRESS-1:0] write_address,
  input wire [BITS-1:0] write_data,
  input wire [ADDRESS-1:0] read_address,
  output wire [BITS-1:0] read_data
);
  wire [13:0] enables = BITS == 36 ? 14'b1111 : BITS == 18 ? 14'b11 : 14'b0;
  wire [13:0] write_row = write_address;
  wire [13:0] read_row = read_address;
  wire [13:0] write_at = write_row << SHIFT | enables;
  wire [13:0] read_at = read_row << SHIFT;
  wire [35:0] in = write_data;
  wire [35:0] out;
  assign read_data = BITS == 36 ? out : out[35:18];
  DP16KD #(
    .DATA_WIDTH_A(BITS), .DATA_WIDTH_B(BITS), .REGMODE_A("OUTREG"), .REGMODE_B("OUTREG"),
    .WRITEMODE_A("NORMAL"), .WRITEMODE_B("NORMAL"), .RESETMODE("SYNC"), .ASYNC_RESET_RELEASE("SYNC"),
    .CSDECODE_A("0b000"), .CSDECODE_B("0b000"), .CLKAMUX("CLKA"), .CLKBMUX("CLKB"), .GSR("AUTO")
  ) inner (
    .CLKA(clock), .CEA(write_enable), .WEA(1'b1), .OCEA(1'b1), .RSTA(1'b0),
    .CSA0(1'b0), .CSA1(1'b0), .CSA2(1'b0),
    .CLKB(clock), .CEB(1'b1), .WEB(1'b0), .OCEB(1'b1), .RSTB(1'b0),
    .CSB0(1'b0), .CSB1(1'b0), .CSB2(1'b0),
    .DIA0(in[0]), .DIA1(in[1]), .DIA2(in[2]), .DIA3(in[3]), .DIA4(in[4]), .DIA5(in[5]), .DIA6(in[6]),
    .DIA7(in[7]), .DIA8(in[8]), .DIA9(in[9]), .DIA10(in[10]), .DIA11(in[11]), .DIA12(in[12]), .DIA13(in[13]),
    .DIA14(in[14]), .DIA15(in[15]), .DIA16(in[16]), .DIA17(in[17]), .DIB0(in[18]), .DIB1(in[19]),
    .DIB2(in[20]), .DIB3(in[21]), .DIB4(in[22]), .DIB5(in[23]), .DIB6(in[24]), .DIB7(in[25]), .DIB8(in[26]),
    .DIB9(in[27]), .DIB10(in[28]), .DIB11(in[29]), .DIB12(in[30]), .DIB13(in[31]), .DIB14(in[32]),
    .DIB15(in[33]), .DIB16(in[34]), .DIB17(in[35]), .DOA0(out[0]), .DOA1(out[1]), .DOA2(out[2]), .DOA3(out[3]),
    .DOA4(out[4]), .DOA5(out[5]), .DOA6(out[6]), .DOA7(out[7]), .DOA8(out[8]), .DOA9(out[9]), .DOA10(out[10]),
    .DOA11(out[11]), .DOA12(out[12]), .DOA13(out[13]), .DOA14(out[14]), .DOA15(out[15]), .DOA16(out[16]),
    .DOA17(out[17]), .DOB0(out[18]), .DOB1(out[19]), .DOB2(out[20]), .DOB3(out[21]), .DOB4(out[22]),
    .DOB5(out[23]), .DOB6(out[24]), .DOB7(out[25]), .DOB8(out[26]), .DOB9(out[27]), .DOB10(out[28]),
    .DOB11(out[29]), .DOB12(out[30]), .DOB13(out[31]), .DOB14(out[32]), .DOB15(out[33]), .DOB16(out[34]),
    .DOB17(out[35]), .ADA0(write_at[0]), .ADA1(write_at[1]), .ADA2(write_at[2]), .ADA3(write_at[3]),
    .ADA4(write_at[4]), .ADA5(write_at[5]), .ADA6(write_at[6]), .ADA7(write_at[7]), .ADA8(write_at[8]),
    .ADA9(write_at[9]), .ADA10(write_at[10]), .ADA11(write_at[11]), .ADA12(write_at[12]), .ADA13(write_at[13]),
    .ADB0(read_at[0]), .ADB1(read_at[1]), .ADB2(read_at[2]), .ADB3(read_at[3]), .ADB4(read_at[4]),
    .ADB5(read_at[5]), .ADB6(read_at[6]), .ADB7(read_at[7]), .ADB8(read_at[8]), .ADB9(read_at[9]),
    .ADB10(read_at[10]), .ADB11(read_at[11]), .ADB12(read_at[12]), .ADB13(read_at[13])
  );
endmodule
