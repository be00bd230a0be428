// Two instances with a parameter each become one flat graph; signals are still symbolic.
module stage #(parameter STEP = 1) (input wire clock, input wire [3:0] d, output reg [3:0] q);
    initial q = STEP;
    always @(posedge clock) if (d != 0) q <= d + STEP;
endmodule
module top(input wire clock, input wire [3:0] a, output wire [3:0] y);
    wire [3:0] between;
    stage #(.STEP(2)) first(.clock(clock), .d(a), .q(between));
    stage second(.clock(clock), .d(between), .q(y));
endmodule
