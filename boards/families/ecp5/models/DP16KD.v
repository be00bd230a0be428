// Model of the ECP5's block RAM DP16KD, for simulating netlists; yosys has its ports only.
//
// Written from Lattice FPGA-TN-02204 (ECP5 and ECP5-5G memory usage guide) and Project Trellis's documentation of the
// cell. 1024 rows of 18 bits. A port of width 36 takes two rows, low half on the A pins and high half on the B pins;
// one of width 18 a row; one of width 9 half a row. The lowest address pins of wide ports enable bytes of nine bits.
// Not modelled, and refused: widths 1, 2 and 4, asynchronous resets that are used, inverted clocks.
//
// What a port reads while the other one writes it is undefined on the part; here every bit of it is wrong.
module DP16KD #(
  parameter DATA_WIDTH_A = 18,
  parameter DATA_WIDTH_B = 18,
  parameter REGMODE_A = "NOREG",
  parameter REGMODE_B = "NOREG",
  parameter RESETMODE = "SYNC",
  parameter ASYNC_RESET_RELEASE = "SYNC",
  parameter CSDECODE_A = "0b000",
  parameter CSDECODE_B = "0b000",
  parameter CLKAMUX = "CLKA",
  parameter CLKBMUX = "CLKB",
  parameter GSR = "ENABLED",
  parameter WRITEMODE_A = "NORMAL",
  parameter WRITEMODE_B = "NORMAL",
  parameter INIT_DATA = "STATIC",
  parameter [319:0] INITVAL_00 = 320'h0,
  parameter [319:0] INITVAL_01 = 320'h0,
  parameter [319:0] INITVAL_02 = 320'h0,
  parameter [319:0] INITVAL_03 = 320'h0,
  parameter [319:0] INITVAL_04 = 320'h0,
  parameter [319:0] INITVAL_05 = 320'h0,
  parameter [319:0] INITVAL_06 = 320'h0,
  parameter [319:0] INITVAL_07 = 320'h0,
  parameter [319:0] INITVAL_08 = 320'h0,
  parameter [319:0] INITVAL_09 = 320'h0,
  parameter [319:0] INITVAL_0A = 320'h0,
  parameter [319:0] INITVAL_0B = 320'h0,
  parameter [319:0] INITVAL_0C = 320'h0,
  parameter [319:0] INITVAL_0D = 320'h0,
  parameter [319:0] INITVAL_0E = 320'h0,
  parameter [319:0] INITVAL_0F = 320'h0,
  parameter [319:0] INITVAL_10 = 320'h0,
  parameter [319:0] INITVAL_11 = 320'h0,
  parameter [319:0] INITVAL_12 = 320'h0,
  parameter [319:0] INITVAL_13 = 320'h0,
  parameter [319:0] INITVAL_14 = 320'h0,
  parameter [319:0] INITVAL_15 = 320'h0,
  parameter [319:0] INITVAL_16 = 320'h0,
  parameter [319:0] INITVAL_17 = 320'h0,
  parameter [319:0] INITVAL_18 = 320'h0,
  parameter [319:0] INITVAL_19 = 320'h0,
  parameter [319:0] INITVAL_1A = 320'h0,
  parameter [319:0] INITVAL_1B = 320'h0,
  parameter [319:0] INITVAL_1C = 320'h0,
  parameter [319:0] INITVAL_1D = 320'h0,
  parameter [319:0] INITVAL_1E = 320'h0,
  parameter [319:0] INITVAL_1F = 320'h0,
  parameter [319:0] INITVAL_20 = 320'h0,
  parameter [319:0] INITVAL_21 = 320'h0,
  parameter [319:0] INITVAL_22 = 320'h0,
  parameter [319:0] INITVAL_23 = 320'h0,
  parameter [319:0] INITVAL_24 = 320'h0,
  parameter [319:0] INITVAL_25 = 320'h0,
  parameter [319:0] INITVAL_26 = 320'h0,
  parameter [319:0] INITVAL_27 = 320'h0,
  parameter [319:0] INITVAL_28 = 320'h0,
  parameter [319:0] INITVAL_29 = 320'h0,
  parameter [319:0] INITVAL_2A = 320'h0,
  parameter [319:0] INITVAL_2B = 320'h0,
  parameter [319:0] INITVAL_2C = 320'h0,
  parameter [319:0] INITVAL_2D = 320'h0,
  parameter [319:0] INITVAL_2E = 320'h0,
  parameter [319:0] INITVAL_2F = 320'h0,
  parameter [319:0] INITVAL_30 = 320'h0,
  parameter [319:0] INITVAL_31 = 320'h0,
  parameter [319:0] INITVAL_32 = 320'h0,
  parameter [319:0] INITVAL_33 = 320'h0,
  parameter [319:0] INITVAL_34 = 320'h0,
  parameter [319:0] INITVAL_35 = 320'h0,
  parameter [319:0] INITVAL_36 = 320'h0,
  parameter [319:0] INITVAL_37 = 320'h0,
  parameter [319:0] INITVAL_38 = 320'h0,
  parameter [319:0] INITVAL_39 = 320'h0,
  parameter [319:0] INITVAL_3A = 320'h0,
  parameter [319:0] INITVAL_3B = 320'h0,
  parameter [319:0] INITVAL_3C = 320'h0,
  parameter [319:0] INITVAL_3D = 320'h0,
  parameter [319:0] INITVAL_3E = 320'h0,
  parameter [319:0] INITVAL_3F = 320'h0
) (
  input wire DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8, DIA7, DIA6, DIA5, DIA4, DIA3, DIA2,
    DIA1, DIA0,
  input wire ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3, ADA2, ADA1, ADA0,
  input wire CEA, OCEA, CLKA, WEA, RSTA, CSA2, CSA1, CSA0,
  output wire DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6, DOA5, DOA4, DOA3, DOA2,
    DOA1, DOA0,
  input wire DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7, DIB6, DIB5, DIB4, DIB3, DIB2,
    DIB1, DIB0,
  input wire ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3, ADB2, ADB1, ADB0,
  input wire CEB, OCEB, CLKB, WEB, RSTB, CSB2, CSB1, CSB0,
  output wire DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6, DOB5, DOB4, DOB3, DOB2,
    DOB1, DOB0
);
  reg [17:0] rows [0:1023];
  wire [35:0] in = {DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7, DIB6, DIB5, DIB4, DIB3,
    DIB2, DIB1, DIB0, DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8, DIA7, DIA6, DIA5, DIA4,
    DIA3, DIA2, DIA1, DIA0};
  wire [13:0] at_a = {ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3, ADA2, ADA1, ADA0};
  wire [13:0] at_b = {ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3, ADB2, ADB1, ADB0};

  wire select_a = {CSA2, CSA1, CSA0} == 3'b000;
  wire on_a = CEA && select_a;
  wire write_a = on_a && WEA;
  // Bytes of nine bits, by their place among the 2048 of the memory.
  wire [10:0] first_a = DATA_WIDTH_A == 36 ? {at_a[13:5], 2'b00} : DATA_WIDTH_A == 18 ? {at_a[13:4], 1'b0} : at_a[13:3];
  wire [3:0] enable_a = DATA_WIDTH_A == 36 ? at_a[3:0] : DATA_WIDTH_A == 18 ? {2'b00, at_a[1:0]} : 4'b0001;
  wire [35:0] in_a = in;

  wire select_b = {CSB2, CSB1, CSB0} == 3'b000;
  wire on_b = CEB && select_b;
  wire write_b = on_b && WEB;
  // Bytes of nine bits, by their place among the 2048 of the memory.
  wire [10:0] first_b = DATA_WIDTH_B == 36 ? {at_b[13:5], 2'b00} : DATA_WIDTH_B == 18 ? {at_b[13:4], 1'b0} : at_b[13:3];
  wire [3:0] enable_b = DATA_WIDTH_B == 36 ? at_b[3:0] : DATA_WIDTH_B == 18 ? {2'b00, at_b[1:0]} : 4'b0001;
  wire [35:0] in_b = DATA_WIDTH_B == 36 ? in : {18'b0, in[35:18]};

  // Whether a byte at this place is being written by a port.
  function hit_a(input [10:0] place);
    reg [10:0] offset;
    begin
      offset = place - first_a;
      hit_a = write_a && offset < 11'd4 && enable_a[offset[1:0]];
    end
  endfunction
  function hit_b(input [10:0] place);
    reg [10:0] offset;
    begin
      offset = place - first_b;
      hit_b = write_b && offset < 11'd4 && enable_b[offset[1:0]];
    end
  endfunction
  function [8:0] byte_at(input [10:0] place);
    byte_at = place[0] ? rows[place[10:1]][17:9] : rows[place[10:1]][8:0];
  endfunction

  reg [35:0] answer_a;
  reg [35:0] held_a;
  integer i_a;
  always @(posedge CLKA) begin
    if (on_a && !WEA)
      for (i_a = 0; i_a < 4; i_a = i_a + 1)
        answer_a[9 * i_a +: 9] <= byte_at(first_a + i_a[10:0]) ^ {9{hit_b(first_a + i_a[10:0])}};
    if (RSTA) answer_a <= 36'b0;
    if (RSTA) held_a <= 36'b0;
    else if (OCEA) held_a <= answer_a;
  end
  always @(posedge CLKA)
    if (write_a) begin
      if (enable_a[0] && !first_a[0]) rows[first_a[10:1]][8:0] <= in_a[8:0];
      if (enable_a[0] && first_a[0]) rows[first_a[10:1]][17:9] <= in_a[8:0];
      if (enable_a[1]) rows[first_a[10:1]][17:9] <= in_a[17:9];
      if (enable_a[2]) rows[{first_a[10:2], 1'b1}][8:0] <= in_a[26:18];
      if (enable_a[3]) rows[{first_a[10:2], 1'b1}][17:9] <= in_a[35:27];
    end
  wire [35:0] out_a = REGMODE_A == "OUTREG" ? held_a : answer_a;

  reg [35:0] answer_b;
  reg [35:0] held_b;
  integer i_b;
  always @(posedge CLKB) begin
    if (on_b && !WEB)
      for (i_b = 0; i_b < 4; i_b = i_b + 1)
        answer_b[9 * i_b +: 9] <= byte_at(first_b + i_b[10:0]) ^ {9{hit_a(first_b + i_b[10:0])}};
    if (RSTB) answer_b <= 36'b0;
    if (RSTB) held_b <= 36'b0;
    else if (OCEB) held_b <= answer_b;
  end
  always @(posedge CLKB)
    if (write_b) begin
      if (enable_b[0] && !first_b[0]) rows[first_b[10:1]][8:0] <= in_b[8:0];
      if (enable_b[0] && first_b[0]) rows[first_b[10:1]][17:9] <= in_b[8:0];
      if (enable_b[1]) rows[first_b[10:1]][17:9] <= in_b[17:9];
      if (enable_b[2]) rows[{first_b[10:2], 1'b1}][8:0] <= in_b[26:18];
      if (enable_b[3]) rows[{first_b[10:2], 1'b1}][17:9] <= in_b[35:27];
    end
  wire [35:0] out_b = REGMODE_B == "OUTREG" ? held_b : answer_b;

  // A wide read answers on the pins of both ports, through the output register of each where it is on.
  wire [35:0] out_low = REGMODE_A == "OUTREG" ? held_b : answer_b;
  assign {DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6, DOA5, DOA4, DOA3, DOA2,
    DOA1, DOA0} = DATA_WIDTH_B == 36 ? out_low[17:0] : out_a[17:0];
  assign {DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6, DOB5, DOB4, DOB3, DOB2,
    DOB1, DOB0} = DATA_WIDTH_B == 36 ? out_b[35:18] :
    out_b[17:0];

  integer i;
  reg [64 * 320 - 1:0] start;
  initial begin
    start = {INITVAL_3F, INITVAL_3E, INITVAL_3D, INITVAL_3C, INITVAL_3B, INITVAL_3A, INITVAL_39, INITVAL_38,
      INITVAL_37, INITVAL_36, INITVAL_35, INITVAL_34, INITVAL_33, INITVAL_32, INITVAL_31, INITVAL_30, INITVAL_2F,
      INITVAL_2E, INITVAL_2D, INITVAL_2C, INITVAL_2B, INITVAL_2A, INITVAL_29, INITVAL_28, INITVAL_27, INITVAL_26,
      INITVAL_25, INITVAL_24, INITVAL_23, INITVAL_22, INITVAL_21, INITVAL_20, INITVAL_1F, INITVAL_1E, INITVAL_1D,
      INITVAL_1C, INITVAL_1B, INITVAL_1A, INITVAL_19, INITVAL_18, INITVAL_17, INITVAL_16, INITVAL_15, INITVAL_14,
      INITVAL_13, INITVAL_12, INITVAL_11, INITVAL_10, INITVAL_0F, INITVAL_0E, INITVAL_0D, INITVAL_0C, INITVAL_0B,
      INITVAL_0A, INITVAL_09, INITVAL_08, INITVAL_07, INITVAL_06, INITVAL_05, INITVAL_04, INITVAL_03, INITVAL_02,
      INITVAL_01, INITVAL_00};
    for (i = 0; i < 1024; i = i + 1) rows[i] = start[20 * i +: 18];
    answer_a = 0;
    answer_b = 0;
    held_a = 0;
    held_b = 0;
  end
endmodule
