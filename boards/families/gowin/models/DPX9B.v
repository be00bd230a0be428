// Model of Gowin's block RAM DPX9B, for simulating netlists; yosys has its ports only.
//
// Written from Gowin UG285 (BSRAM and SSRAM user guide). 2048 bytes of 9 bits. Two ports that read and write. Wide ports have byte enables on the lowest
// address pins. READ_MODE 1 is a register behind the answer. Not modelled, and refused by what it answers: widths below a
// byte, asynchronous resets that are used, write modes other than 0 (the output rests while its port writes).
//
// What a port reads while the other one writes it is undefined on the part; here every bit of it is wrong.
module DPX9B #(
  parameter READ_MODE0 = 1'b0,
  parameter READ_MODE1 = 1'b0,
  parameter WRITE_MODE0 = 2'b00,
  parameter WRITE_MODE1 = 2'b00,
  parameter BIT_WIDTH_0 = 18,
  parameter BIT_WIDTH_1 = 18,
  parameter BLK_SEL_0 = 3'b000,
  parameter BLK_SEL_1 = 3'b000,
  parameter RESET_MODE = "SYNC",
  parameter [287:0] INIT_RAM_00 = 288'h0,
  parameter [287:0] INIT_RAM_01 = 288'h0,
  parameter [287:0] INIT_RAM_02 = 288'h0,
  parameter [287:0] INIT_RAM_03 = 288'h0,
  parameter [287:0] INIT_RAM_04 = 288'h0,
  parameter [287:0] INIT_RAM_05 = 288'h0,
  parameter [287:0] INIT_RAM_06 = 288'h0,
  parameter [287:0] INIT_RAM_07 = 288'h0,
  parameter [287:0] INIT_RAM_08 = 288'h0,
  parameter [287:0] INIT_RAM_09 = 288'h0,
  parameter [287:0] INIT_RAM_0A = 288'h0,
  parameter [287:0] INIT_RAM_0B = 288'h0,
  parameter [287:0] INIT_RAM_0C = 288'h0,
  parameter [287:0] INIT_RAM_0D = 288'h0,
  parameter [287:0] INIT_RAM_0E = 288'h0,
  parameter [287:0] INIT_RAM_0F = 288'h0,
  parameter [287:0] INIT_RAM_10 = 288'h0,
  parameter [287:0] INIT_RAM_11 = 288'h0,
  parameter [287:0] INIT_RAM_12 = 288'h0,
  parameter [287:0] INIT_RAM_13 = 288'h0,
  parameter [287:0] INIT_RAM_14 = 288'h0,
  parameter [287:0] INIT_RAM_15 = 288'h0,
  parameter [287:0] INIT_RAM_16 = 288'h0,
  parameter [287:0] INIT_RAM_17 = 288'h0,
  parameter [287:0] INIT_RAM_18 = 288'h0,
  parameter [287:0] INIT_RAM_19 = 288'h0,
  parameter [287:0] INIT_RAM_1A = 288'h0,
  parameter [287:0] INIT_RAM_1B = 288'h0,
  parameter [287:0] INIT_RAM_1C = 288'h0,
  parameter [287:0] INIT_RAM_1D = 288'h0,
  parameter [287:0] INIT_RAM_1E = 288'h0,
  parameter [287:0] INIT_RAM_1F = 288'h0,
  parameter [287:0] INIT_RAM_20 = 288'h0,
  parameter [287:0] INIT_RAM_21 = 288'h0,
  parameter [287:0] INIT_RAM_22 = 288'h0,
  parameter [287:0] INIT_RAM_23 = 288'h0,
  parameter [287:0] INIT_RAM_24 = 288'h0,
  parameter [287:0] INIT_RAM_25 = 288'h0,
  parameter [287:0] INIT_RAM_26 = 288'h0,
  parameter [287:0] INIT_RAM_27 = 288'h0,
  parameter [287:0] INIT_RAM_28 = 288'h0,
  parameter [287:0] INIT_RAM_29 = 288'h0,
  parameter [287:0] INIT_RAM_2A = 288'h0,
  parameter [287:0] INIT_RAM_2B = 288'h0,
  parameter [287:0] INIT_RAM_2C = 288'h0,
  parameter [287:0] INIT_RAM_2D = 288'h0,
  parameter [287:0] INIT_RAM_2E = 288'h0,
  parameter [287:0] INIT_RAM_2F = 288'h0,
  parameter [287:0] INIT_RAM_30 = 288'h0,
  parameter [287:0] INIT_RAM_31 = 288'h0,
  parameter [287:0] INIT_RAM_32 = 288'h0,
  parameter [287:0] INIT_RAM_33 = 288'h0,
  parameter [287:0] INIT_RAM_34 = 288'h0,
  parameter [287:0] INIT_RAM_35 = 288'h0,
  parameter [287:0] INIT_RAM_36 = 288'h0,
  parameter [287:0] INIT_RAM_37 = 288'h0,
  parameter [287:0] INIT_RAM_38 = 288'h0,
  parameter [287:0] INIT_RAM_39 = 288'h0,
  parameter [287:0] INIT_RAM_3A = 288'h0,
  parameter [287:0] INIT_RAM_3B = 288'h0,
  parameter [287:0] INIT_RAM_3C = 288'h0,
  parameter [287:0] INIT_RAM_3D = 288'h0,
  parameter [287:0] INIT_RAM_3E = 288'h0,
  parameter [287:0] INIT_RAM_3F = 288'h0
) (
  input wire CLKA, CEA, CLKB, CEB, OCEA, OCEB, RESETA, RESETB, WREA, WREB,
  input wire [13:0] ADA, ADB,
  input wire [17:0] DIA, DIB,
  input wire [2:0] BLKSELA, BLKSELB,
  output wire [17:0] DOA, DOB
);
  reg [8:0] bytes [0:2047];
  wire on_a = CEA && BLKSELA == BLK_SEL_0;
  wire [10:0] first_a = BIT_WIDTH_0 == 18 ? {ADA[13:4], 1'b0} : ADA[13:3];
  wire [1:0] enable_a = BIT_WIDTH_0 == 18 ? ADA[1:0] : 2'b01;
  wire write_a = on_a && WREA;
  wire on_b = CEB && BLKSELB == BLK_SEL_1;
  wire [10:0] first_b = BIT_WIDTH_1 == 18 ? {ADB[13:4], 1'b0} : ADB[13:3];
  wire [1:0] enable_b = BIT_WIDTH_1 == 18 ? ADB[1:0] : 2'b01;
  wire write_b = on_b && WREB;

  // Whether a byte at this place is being written by a port.
  function hit_a(input [10:0] place);
    reg [10:0] offset;
    begin
      offset = place - first_a;
      hit_a = write_a && offset < 11'd2 && enable_a[offset[0:0]];
    end
  endfunction
  function hit_b(input [10:0] place);
    reg [10:0] offset;
    begin
      offset = place - first_b;
      hit_b = write_b && offset < 11'd2 && enable_b[offset[0:0]];
    end
  endfunction

  reg [17:0] answer_a, held_a;
  integer i_a;
  always @(posedge CLKA) begin
    if (on_a && !WREA)
      for (i_a = 0; i_a < 2; i_a = i_a + 1)
        answer_a[9 * i_a +: 9] <=
          bytes[first_a + i_a[10:0]] ^ {9{hit_b(first_a + i_a[10:0])}};
    if (RESETA) answer_a <= 0;
    if (RESETA) held_a <= 0;
    else if (OCEA) held_a <= answer_a;
  end
  assign DOA = READ_MODE0 ? held_a : answer_a;

  integer j_a;
  always @(posedge CLKA)
    if (write_a)
      for (j_a = 0; j_a < 2; j_a = j_a + 1)
        if (enable_a[j_a[0:0]]) bytes[first_a + j_a[10:0]] <= DIA[9 * j_a +: 9];

  reg [17:0] answer_b, held_b;
  integer i_b;
  always @(posedge CLKB) begin
    if (on_b && !WREB)
      for (i_b = 0; i_b < 2; i_b = i_b + 1)
        answer_b[9 * i_b +: 9] <=
          bytes[first_b + i_b[10:0]] ^ {9{hit_a(first_b + i_b[10:0])}};
    if (RESETB) answer_b <= 0;
    if (RESETB) held_b <= 0;
    else if (OCEB) held_b <= answer_b;
  end
  assign DOB = READ_MODE1 ? held_b : answer_b;

  integer j_b;
  always @(posedge CLKB)
    if (write_b)
      for (j_b = 0; j_b < 2; j_b = j_b + 1)
        if (enable_b[j_b[0:0]]) bytes[first_b + j_b[10:0]] <= DIB[9 * j_b +: 9];

  integer i;
  reg [18431:0] start;
  initial begin
    start = {INIT_RAM_3F, INIT_RAM_3E, INIT_RAM_3D, INIT_RAM_3C, INIT_RAM_3B, INIT_RAM_3A, INIT_RAM_39, INIT_RAM_38,
      INIT_RAM_37, INIT_RAM_36, INIT_RAM_35, INIT_RAM_34, INIT_RAM_33, INIT_RAM_32, INIT_RAM_31, INIT_RAM_30,
      INIT_RAM_2F, INIT_RAM_2E, INIT_RAM_2D, INIT_RAM_2C, INIT_RAM_2B, INIT_RAM_2A, INIT_RAM_29, INIT_RAM_28,
      INIT_RAM_27, INIT_RAM_26, INIT_RAM_25, INIT_RAM_24, INIT_RAM_23, INIT_RAM_22, INIT_RAM_21, INIT_RAM_20,
      INIT_RAM_1F, INIT_RAM_1E, INIT_RAM_1D, INIT_RAM_1C, INIT_RAM_1B, INIT_RAM_1A, INIT_RAM_19, INIT_RAM_18,
      INIT_RAM_17, INIT_RAM_16, INIT_RAM_15, INIT_RAM_14, INIT_RAM_13, INIT_RAM_12, INIT_RAM_11, INIT_RAM_10,
      INIT_RAM_0F, INIT_RAM_0E, INIT_RAM_0D, INIT_RAM_0C, INIT_RAM_0B, INIT_RAM_0A, INIT_RAM_09, INIT_RAM_08,
      INIT_RAM_07, INIT_RAM_06, INIT_RAM_05, INIT_RAM_04, INIT_RAM_03, INIT_RAM_02, INIT_RAM_01, INIT_RAM_00};
    for (i = 0; i < 2048; i = i + 1) bytes[i] = start[9 * i +: 9];
    answer_a = 0;
    held_a = 0;
    answer_b = 0;
    held_b = 0;
  end
endmodule
