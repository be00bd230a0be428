//! Frames that fit any board, three pins: one around the bare core, one around a single multiplier. Every port
//! inside is behind a register.
//!
//! In both a shift register feeds the inputs from `serial_rx`; a signature register folds the outputs into
//! `serial_tx`. So synthesis can drop nothing, no pin's delay enters the timing, and a part with few pins takes
//! a core with wide ports. The image computes nothing useful: it tells clock and size.

/// Module of the frame around the core.
pub const CORE: &str = "weft_core_only";
/// Module of the frame around a multiplier.
pub const MULTIPLIER: &str = "weft_multiplier_only";

/// The frame's Verilog, around a core (module `weft_core`) whose stream is `stream_bytes` wide.
#[must_use]
pub fn core(stream_bytes: u32) -> String {
    let data = 8 * stream_bytes;
    let last = data + 1;
    format!(
        "module {CORE}(input wire clk, input wire serial_rx, output wire serial_tx);
  reg [{last}:0] stimulus = 0;
  reg [33:0] answer = 0;
  reg [33:0] signature = 0;
  wire in_ready;
  wire out_valid;
  wire [31:0] out_data;
  weft_core core(
    .clock(clk),
    .reset(1'b0),
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

/// Verilog of a frame around one signed 8 x 8 multiplier (module `weft_multiplier`, registers inside): what the part's
/// multiplier allows at most.
#[must_use]
pub fn multiplier() -> String {
    format!(
        "module {MULTIPLIER}(input wire clk, input wire serial_rx, output wire serial_tx);
  reg [15:0] stimulus = 0;
  reg [15:0] answer = 0;
  reg [15:0] signature = 0;
  wire [15:0] product;
  weft_multiplier #(.A(8), .B(8)) multiplier(
    .clock(clk), .a(stimulus[7:0]), .b(stimulus[15:8]), .product(product)
  );
  always @(posedge clk) begin
    stimulus <= {{stimulus[14:0], serial_rx}};
    answer <= product;
    signature <= {{signature[14:0], signature[15]}} ^ answer;
  end
  assign serial_tx = signature[15];
endmodule
"
    )
}
