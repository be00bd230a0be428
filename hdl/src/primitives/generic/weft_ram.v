// Block RAM with an output register: one write port, one read port, one clock. The word addressed at an edge stands
// on read_data two edges later. A word that is read while it is written is undefined.
module weft_ram #(parameter WIDTH = 24, parameter WORDS = 512, parameter ADDRESS = 9) (
  input wire clock,
  input wire write_enable,
  input wire [ADDRESS-1:0] write_address,
  input wire [WIDTH-1:0] write_data,
  input wire [ADDRESS-1:0] read_address,
  output wire [WIDTH-1:0] read_data
);
  (* no_rw_check *) reg [WIDTH-1:0] words [0:WORDS-1];
  reg [WIDTH-1:0] answer;
  reg [WIDTH-1:0] held;
  assign read_data = held;
  always @(posedge clock) begin
    if (write_enable) words[write_address] <= write_data;
    answer <= words[read_address];
    held <= answer;
  end
endmodule
