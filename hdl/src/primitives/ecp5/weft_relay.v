// A register on a long way, of the ECP5's own flip-flops: synthesis makes one of registers that hold the same, and these
// are there because one would be too far from half of its readers.
module weft_relay #(parameter WIDTH = 8) (
  input wire clock,
  input wire [WIDTH-1:0] d,
  output wire [WIDTH-1:0] q
);
  genvar i;
  generate
    for (i = 0; i < WIDTH; i = i + 1) begin : of
      TRELLIS_FF #(
        .GSR("AUTO"), .CEMUX("1"), .CLKMUX("CLK"), .LSRMUX("LSR"), .REGSET("RESET")
      ) flop (.CLK(clock), .LSR(1'b0), .DI(d[i]), .Q(q[i]));
    end
  endgenerate
endmodule
