// The pin's clock as it is.
module weft_pll(input wire in, output wire out, output wire locked);
  assign out = in;
  assign locked = 1'b1;
endmodule
