// A process becomes values and guarded writes; the later write stands last.
module top(input wire clock, input wire we, input wire [1:0] at, input wire [7:0] d, output wire [7:0] q);
    reg [7:0] m [0:3];
    initial begin m[1] = 8'h11; m[3] = 8'h33; end
    always @(posedge clock) begin
        m[0] <= d;
        if (we) m[at] <= d + 1;
    end
    assign q = m[at];
endmodule
