// Memory of a queue: one write port, one read port, one clock. The word addressed at an edge stands on read_data
// behind it. A word that is read while it is written is undefined.
module weft_queue_ram #(parameter WIDTH = 32, parameter WORDS = 16, parameter ADDRESS = 4) (
  input wire clock,
  input wire write_enable,
  input wire [ADDRESS-1:0] write_address,
  input wire [WIDTH-1:0] write_data,
  input wire [ADDRESS-1:0] read_address,
  output wire [WIDTH-1:0] read_data
);
  (* no_rw_check *) reg [WIDTH-1:0] words [0:WORDS-1];
  reg [WIDTH-1:0] answer;
  assign read_data = answer;
  always @(posedge clock) begin
    if (write_enable) words[write_address] <= write_data;
    answer <= words[read_address];
  end
endmodule
