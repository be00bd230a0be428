// A register with an asynchronous reset is read through a multiplexer on it.
module top(input wire clk, input wire rst_n, input wire [3:0] d, output reg [3:0] q);
    initial q = 9;
    always @(posedge clk or negedge rst_n) if (!rst_n) q <= 3; else q <= d;
endmodule
