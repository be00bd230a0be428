//! A frame around the bare core that fits any board: three pins, every port of the core behind a register.
//!
//! A shift register feeds the core's inputs from `serial_rx`; a signature register folds its outputs into
//! `serial_tx`. So synthesis can drop nothing, no pin's delay enters the timing, and a part with few pins takes
//! a core with wide ports. The image computes nothing useful: it tells clock and size.

/// The frame's module.
pub const MODULE: &str = "weft_core_only";

/// The frame's Verilog, around a core (module `weft_core`) whose stream is `stream_bytes` wide.
#[must_use]
pub fn verilog(stream_bytes: u32) -> String {
    let data = 8 * stream_bytes;
    let last = data + 1;
    format!(
        "module {MODULE}(input wire clk, input wire serial_rx, output wire serial_tx);
  reg [{last}:0] stimulus = 0;
  reg [33:0] answer = 0;
  reg [33:0] signature = 0;
  wire in_ready;
  wire out_valid;
  wire [31:0] out_data;
  weft_core core(
    .clock(clk),
    .in_valid(stimulus[{last}]),
    .in_ready(in_ready),
    .in_data(stimulus[{high}:0]),
    .out_valid(out_valid),
    .out_ready(stimulus[{data}]),
    .out_data(out_data)
  );
  always @(posedge clk) begin
    stimulus <= {{stimulus[{data}:0], serial_rx}};
    answer <= {{in_ready, out_valid, out_data}};
    signature <= {{signature[32:0], signature[33]}} ^ answer;
  end
  assign serial_tx = signature[33];
endmodule
",
        high = data - 1
    )
}
