//! Functions: what a call gives, in machine code and interpreter, with the values that the standard gives. Calls in
//! random modules are compared with Verilator (`verilator.rs`).

use weft_sim::{Design, Error, Simulator};

/// The output `y` of `module t` for each of these inputs `a`, on both back ends.
#[track_caller]
fn values(body: &str, inputs: &[u64]) -> Vec<u64> {
    let text = format!(
        "module t #(parameter N = 8)(input wire clock, input wire [7:0] a, output wire [15:0] y);\n{body}\nendmodule\n"
    );
    let design = Design::from_verilog_named("t.v", &text, "t").unwrap_or_else(|e| panic!("{e}"));
    let mut sim = Simulator::new(design.compile().unwrap());
    sim.start_crosscheck(&design).unwrap();
    let (a, y) = (sim.input("a").unwrap(), sim.output("y").unwrap());
    let mut out = Vec::new();
    for value in inputs {
        sim.poke(a, *value);
        sim.cycle();
        out.push(sim.peek(y));
    }
    sim.finish_crosscheck().unwrap();
    out
}

#[track_caller]
fn refusal(body: &str) -> String {
    let text = format!("module t(input wire [7:0] a, output wire [7:0] y);\n{body}\nendmodule\n");
    Design::from_verilog_named("t.v", &text, "t")
        .expect_err(body)
        .to_string()
}

#[test]
fn widths_and_signs_are_those_of_arguments_and_result() {
    // The argument is cut to four bits, the result extended by its sign.
    let body = "function signed [3:0] low; input [3:0] x; low = x; endfunction
                wire signed [15:0] w = low(a); assign y = w;";
    assert_eq!(values(body, &[3, 0x18, 0x2f]), [3, 0xfff8, 0xffff]);
    // A signed argument is extended by the sign of what is passed.
    let body = "function [15:0] wide(input signed [11:0] x); wide = {4'd0, x}; endfunction
                assign y = wide($signed(a));";
    assert_eq!(values(body, &[0x7f, 0x80]), [0x07f, 0xf80]);
    // Within a concatenation the result has its own width.
    let body = "function [3:0] low(input [7:0] x); low = x; endfunction
                assign y = {low(a), low(a + 1)};";
    assert_eq!(values(body, &[0x0f]), [0xf0]);
}

#[test]
fn loops_branches_and_variables() {
    let body = "function integer ones; input [7:0] x; integer i; begin
                    ones = 0;
                    for (i = 0; i < N; i = i + 1) if (x[i]) ones = ones + 1;
                end endfunction
                function automatic [7:0] reversed(input [7:0] x); integer i;
                    for (i = 0; i < 8; i = i + 1) reversed[i] = x[7 - i];
                endfunction
                wire [7:0] n = ones(a); assign y = {reversed(a), n};";
    assert_eq!(
        values(body, &[0, 0xff, 0x01, 0xb4]),
        [0, 0xff08, 0x8001, 0x2d04]
    );
}

#[test]
fn constants_of_the_module_are_made_by_functions() {
    let body = "function integer log2; input integer n; begin
                    n = n - 1;
                    for (log2 = 0; n > 0; log2 = log2 + 1) n = n >> 1;
                end endfunction
                localparam W = log2(200), D = 1 << log2(N);
                reg [log2(300)-1:0] r;
                reg [W-1:0] m [0:D-1];
                integer i;
                initial begin r = log2(1000); for (i = 0; i < D; i = i + 1) m[i] = log2(i + 1); end
                assign y = {r[7:0], m[a[2:0]]};";
    assert_eq!(values(body, &[0, 7]), [0x0a00, 0x0a03]);
}

#[test]
fn functions_call_functions_and_see_the_module() {
    let body = "localparam K = 3; wire [7:0] next = a + 1; reg [7:0] blocking;
                function [7:0] scaled; input [7:0] a; scaled = a * K + N; endfunction
                function [7:0] twice; input [7:0] x; reg [7:0] a; begin a = scaled(x); twice = scaled(a) + next; end
                endfunction
                reg [7:0] q;
                always @(*) begin blocking = 1; blocking = blocking + a; q = twice(blocking) ^ seen(0); end
                function [7:0] seen; input ignored; seen = blocking; endfunction
                assign y = {q, twice(twice(2))};";
    let expected = |a: u64| {
        let scaled = |x: u64| (x * 3 + 8) & 0xff;
        let twice = |x: u64| (scaled(scaled(x)) + a + 1) & 0xff;
        (twice(a + 1) ^ (a + 1)) << 8 | twice(twice(2))
    };
    assert_eq!(values(body, &[0, 1, 77]), [0, 1, 77].map(expected));
}

#[test]
fn a_static_function_may_assign_first_and_an_automatic_one_starts_at_zero() {
    let body = "function [7:0] f(input [7:0] x); reg [7:0] z; begin
                    if (x[0]) z = 1; else z = 2;
                    case (x[2:1]) 0: f = z; 1: f = 5; default: f = 9; endcase
                end endfunction
                function automatic [7:0] g(input [7:0] x); if (x[0]) g = 7; endfunction
                assign y = {g(a), f(a)};";
    assert_eq!(values(body, &[0, 1, 3, 4]), [2, 0x0701, 0x0705, 9]);
}

#[test]
fn calls_in_clocked_processes_and_in_ports() {
    let text = "module inner(input wire [7:0] d, output wire [7:0] q); assign q = ~d; endmodule
        module t(input wire clock, input wire [7:0] a, output reg [7:0] y, output wire [7:0] z);
            function [7:0] next; input [7:0] x, by; next = x + by; endfunction
            inner u(.d(next(a, 1)), .q(z));
            always @(posedge clock) y <= next(y, next(a, 8'd2));
        endmodule";
    let design = Design::from_verilog(text, "t").unwrap();
    let mut sim = Simulator::new(design.compile().unwrap());
    sim.start_crosscheck(&design).unwrap();
    sim.poke(sim.input("a").unwrap(), 3);
    sim.run(2);
    sim.eval().unwrap();
    assert_eq!(sim.peek(sim.output("y").unwrap()), 10);
    assert_eq!(sim.peek(sim.output("z").unwrap()), 0xfb);
    sim.finish_crosscheck().unwrap();
}

#[test]
fn mistakes_are_explained() {
    for (body, says) in [
        (
            "assign y = f(a);",
            "function `f` is not defined in this module",
        ),
        (
            "function f; input x; f = x; endfunction assign y = f(a, a);",
            "function `f` takes 1 arguments, not 2",
        ),
        (
            "function f; f = 1; endfunction assign y = f(a);",
            "function `f` needs an argument",
        ),
        (
            "function f; input x; f = x; endfunction wire f; assign y = f(a);",
            "`f` is declared twice",
        ),
        (
            "function f; input x; reg x, x; f = x; endfunction assign y = f(a);",
            "`x` is declared twice",
        ),
        (
            "function f; input x; f = x; endfunction function f; input x; f = x; endfunction",
            "`f` is declared twice",
        ),
        (
            "function f(x); input x; f = x; endfunction",
            "expected `input`",
        ),
    ] {
        let text = refusal(body);
        assert!(
            text.starts_with("t.v:2: ") && text.contains(says),
            "{says}: {text}"
        );
    }
}

#[test]
fn calls_are_bounded() {
    // A chain of calls, each at the bottom of a high expression.
    let chain = |calls: usize, height: usize| {
        let mut text = String::from("function [7:0] f0; input [7:0] x; f0 = x; endfunction\n");
        for i in 1..calls {
            text += &format!(
                "function [7:0] f{i}; input [7:0] x; f{i} = {}f{}(x){}; endfunction\n",
                "~(".repeat(height),
                i - 1,
                ")".repeat(height)
            );
        }
        text + &format!("assign y = f{}(a);", calls - 1)
    };
    assert_eq!(values(&chain(32, 450), &[5, 250]), [5, 250]);
    let text = refusal(&chain(33, 2));
    assert!(
        text.contains("MAX_CALLS") && text.contains("t.v:3"),
        "{text}"
    );
    // Calls that double at every step.
    let mut doubling = String::from("function [7:0] f0; input [7:0] x; f0 = x; endfunction\n");
    for i in 1..32 {
        let below = i - 1;
        doubling += &format!(
            "function [7:0] f{i}; input [7:0] x; f{i} = f{below}(x) + f{below}(x + 1); endfunction\n"
        );
    }
    let text = format!(
        "module t(input [7:0] a, output [7:0] y);\n{doubling}assign y = f31(a);\nendmodule"
    );
    let error = Design::from_verilog(&text, "t").unwrap_err();
    assert!(
        matches!(
            error,
            Error::Limit {
                name: "MAX_WORK",
                ..
            }
        ),
        "{error}"
    );
}
