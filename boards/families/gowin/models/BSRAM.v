// Body of the models of Gowin's block RAMs: what SDPB and DPB (bytes of 8 bits), SDPX9B and DPX9B (of 9) have in common.
//
// Written from Gowin UG285 (BSRAM and SSRAM user guide). 2048 bytes, two ports that read and write. Wide ports have byte
// enables on the lowest address pins. READ_MODE 1 is a register behind the answer. Not modelled, and refused by what it
// answers: widths below a byte, asynchronous resets that are used, write modes other than 0 (the output rests while its
// port writes).
//
// What a port reads while the other one writes it is undefined on the part; here every bit of it is wrong.
module BSRAM #(
  parameter BYTE = 8,
  parameter READ_MODE_A = 1'b0,
  parameter READ_MODE_B = 1'b0,
  parameter WIDTH_A = 32,
  parameter WIDTH_B = 32,
  parameter [2048*BYTE-1:0] START = 0
) (
  input wire CLKA, ONA, WREA, OCEA, RESETA, CLKB, ONB, WREB, OCEB, RESETB,
  input wire [13:0] ADA, ADB,
  input wire [4*BYTE-1:0] DIA, DIB,
  output wire [4*BYTE-1:0] DOA, DOB
);
  reg [BYTE-1:0] bytes [0:2047];
  wire [10:0] first_a = WIDTH_A == 4*BYTE ? {ADA[13:5], 2'b00} : WIDTH_A == 2*BYTE ? {ADA[13:4], 1'b0} : ADA[13:3];
  wire [3:0] enable_a = WIDTH_A == 4*BYTE ? ADA[3:0] : WIDTH_A == 2*BYTE ? {2'b00, ADA[1:0]} : 4'b0001;
  wire [10:0] first_b = WIDTH_B == 4*BYTE ? {ADB[13:5], 2'b00} : WIDTH_B == 2*BYTE ? {ADB[13:4], 1'b0} : ADB[13:3];
  wire [3:0] enable_b = WIDTH_B == 4*BYTE ? ADB[3:0] : WIDTH_B == 2*BYTE ? {2'b00, ADB[1:0]} : 4'b0001;
  wire write_a = ONA && WREA;
  wire write_b = ONB && WREB;

  // Whether a byte at this place is being written by a port.
  function hit(input [10:0] place, input write, input [10:0] first, input [3:0] enable);
    reg [10:0] offset;
    begin
      offset = place - first;
      hit = write && offset < 11'd4 && enable[offset[1:0]];
    end
  endfunction

  reg [4*BYTE-1:0] answer_a, held_a;
  integer i_a;
  always @(posedge CLKA) begin
    if (ONA && !WREA)
      for (i_a = 0; i_a < 4; i_a = i_a + 1)
        answer_a[BYTE * i_a +: BYTE] <=
          bytes[first_a + i_a[10:0]] ^ {BYTE{hit(first_a + i_a[10:0], write_b, first_b, enable_b)}};
    if (RESETA) answer_a <= 0;
    if (RESETA) held_a <= 0;
    else if (OCEA) held_a <= answer_a;
  end
  assign DOA = READ_MODE_A ? held_a : answer_a;

  integer j_a;
  always @(posedge CLKA)
    if (write_a)
      for (j_a = 0; j_a < 4; j_a = j_a + 1)
        if (enable_a[j_a[1:0]]) bytes[first_a + j_a[10:0]] <= DIA[BYTE * j_a +: BYTE];

  reg [4*BYTE-1:0] answer_b, held_b;
  integer i_b;
  always @(posedge CLKB) begin
    if (ONB && !WREB)
      for (i_b = 0; i_b < 4; i_b = i_b + 1)
        answer_b[BYTE * i_b +: BYTE] <=
          bytes[first_b + i_b[10:0]] ^ {BYTE{hit(first_b + i_b[10:0], write_a, first_a, enable_a)}};
    if (RESETB) answer_b <= 0;
    if (RESETB) held_b <= 0;
    else if (OCEB) held_b <= answer_b;
  end
  assign DOB = READ_MODE_B ? held_b : answer_b;

  integer j_b;
  always @(posedge CLKB)
    if (write_b)
      for (j_b = 0; j_b < 4; j_b = j_b + 1)
        if (enable_b[j_b[1:0]]) bytes[first_b + j_b[10:0]] <= DIB[BYTE * j_b +: BYTE];

  integer i;
  initial begin
    for (i = 0; i < 2048; i = i + 1) bytes[i] = START[BYTE * i +: BYTE];
    answer_a = 0;
    held_a = 0;
    answer_b = 0;
    held_b = 0;
  end
endmodule
