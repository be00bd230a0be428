// The standard's width and sign rules become explicit extensions and operations.
module top(input wire signed [3:0] a, input wire [3:0] b, output wire [7:0] signs, output wire [7:0] mixed);
    assign signs = a >>> 1;
    assign mixed = (a + b) >>> 1;
endmodule
