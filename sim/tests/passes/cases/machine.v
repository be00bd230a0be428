// A machine of four states: each case keeps what its state does; `total`, which no state makes much smaller, stays whole.
module top(input clock, input go, input [7:0] data, output [7:0] sum, output busy, output [7:0] total_out);
  reg [1:0] state;
  reg [7:0] acc;
  reg [7:0] held;
  reg [7:0] total;
  always @(posedge clock) begin
    total <= ((((state == 2'd2 ? data : held) + total) ^ 8'h55) - held) ^ acc;
    case (state)
      2'd0: if (go) begin
        held <= data;
        state <= 2'd1;
      end
      2'd1: begin
        acc <= acc + held;
        state <= 2'd2;
      end
      2'd2: begin
        acc <= acc ^ data;
        state <= 2'd3;
      end
      2'd3: state <= 2'd0;
    endcase
  end
  assign sum = acc;
  assign busy = state != 2'd0;
  assign total_out = total;
endmodule
