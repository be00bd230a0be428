// Memory of a queue in look-up RAM with a register behind it: it answers sooner than a block RAM, and lies where its
// reader lies. One write port, one read port, one clock. The word addressed at an edge stands on read_data behind it.
// A word that is read while it is written is undefined.
//
// A long memory is several of sixteen words, one look-up RAM deep: each has its register before the choice between them,
// which the address's top bits make behind the edge. So neither side of the edge has all of the way from address to word.
module weft_queue_ram #(parameter WIDTH = 32, parameter WORDS = 16, parameter ADDRESS = 4) (
  input wire clock,
  input wire write_enable,
  input wire [ADDRESS-1:0] write_address,
  input wire [WIDTH-1:0] write_data,
  input wire [ADDRESS-1:0] read_address,
  output wire [WIDTH-1:0] read_data
);
  localparam PARTS = WORDS / 16;
  generate
    if (WORDS < 64) begin : whole
      weft_queue_ram_part #(.WIDTH(WIDTH), .WORDS(WORDS), .ADDRESS(ADDRESS)) part (
        .clock(clock), .write_enable(write_enable), .write_address(write_address), .write_data(write_data),
        .read_address(read_address), .read_data(read_data)
      );
    end else begin : split
      wire [PARTS*WIDTH-1:0] answers;
      reg [ADDRESS-5:0] chosen;
      assign read_data = answers[chosen*WIDTH +: WIDTH];
      always @(posedge clock) chosen <= read_address[ADDRESS-1:4];
      genvar i;
      for (i = 0; i < PARTS; i = i + 1) begin : sixteen
        weft_queue_ram_part #(.WIDTH(WIDTH), .WORDS(16), .ADDRESS(4)) part (
          .clock(clock), .write_enable(write_enable && write_address[ADDRESS-1:4] == i),
          .write_address(write_address[3:0]), .write_data(write_data),
          .read_address(read_address[3:0]), .read_data(answers[i*WIDTH +: WIDTH])
        );
      end
    end
  endgenerate
endmodule

module weft_queue_ram_part #(parameter WIDTH = 32, parameter WORDS = 16, parameter ADDRESS = 4) (
  input wire clock,
  input wire write_enable,
  input wire [ADDRESS-1:0] write_address,
  input wire [WIDTH-1:0] write_data,
  input wire [ADDRESS-1:0] read_address,
  output wire [WIDTH-1:0] read_data
);
  (* no_rw_check, ram_style = "distributed" *) reg [WIDTH-1:0] words [0:WORDS-1];
  reg [WIDTH-1:0] answer;
  assign read_data = answer;
  always @(posedge clock) begin
    if (write_enable) words[write_address] <= write_data;
    answer <= words[read_address];
  end
endmodule
