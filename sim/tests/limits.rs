//! One test for each named limit: a small text that asks for too much is refused by the limit's name, and says where.
//! What comes close to a limit without passing it works.

use weft_sim::{Design, Error, Simulator};

/// Asserts that `text` hits the limit `name`, and that the message holds `place`.
#[track_caller]
fn hits(name: &str, place: &str, text: &str) {
    let message = match Design::from_verilog_named("f.v", text, "t").map(|_| ()) {
        Err(e @ Error::Limit { name: hit, .. }) if hit == name => e.to_string(),
        other => panic!("{name} was not hit: {other:?}"),
    };
    assert!(message.contains(place), "{message}");
}

/// A module with an input, an output and `body`.
fn module(body: &str) -> String {
    format!("module t(input wire [31:0] a, output wire [31:0] y);\n{body}\nendmodule\n")
}

/// Runs a module for a few cycles on both back ends.
#[track_caller]
fn runs(text: &str) {
    let design = Design::from_verilog(text, "t").unwrap();
    let mut sim = Simulator::new(design.compile().unwrap());
    sim.start_crosscheck(&design).unwrap();
    for value in [0, 1, 0xdead_beef] {
        sim.poke(sim.input("a").unwrap(), value);
        sim.cycle();
    }
    sim.finish_crosscheck().unwrap();
}

#[test]
fn source_bytes() {
    hits("MAX_SOURCE_BYTES", "", &" ".repeat((64 << 20) + 1));
}

#[test]
fn tokens() {
    hits("MAX_TOKENS", "f.v:1", &";".repeat((8 << 20) + 1));
}

#[test]
fn nesting() {
    let many = 100_000;
    for (open, close) in [
        ("(", ")"),
        ("{", "}"),
        ("~(", ")"),
        ("a[", "]"),
        ("a ? a : ", ""),
    ] {
        let text = format!("assign y = {}a{};", open.repeat(many), close.repeat(many));
        hits("MAX_NESTING", "f.v:2", &module(&text));
    }
    let blocks = format!("always @(*) {}", "begin if (a) ".repeat(many));
    hits("MAX_NESTING", "f.v:2", &module(&blocks));
    let targets = format!("assign {}y{} = a;", "{".repeat(many), "}".repeat(many));
    hits("MAX_NESTING", "f.v:2", &module(&targets));
    let chain = format!("assign y = a{};", " + a".repeat(many));
    hits("MAX_NESTING", "f.v:2", &module(&chain));
    // Each parenthesis holds a chain that leans to the left on the next one.
    let leaning = format!(
        "assign y = {}a{};",
        "(".repeat(900),
        format!("{})", " ^ a".repeat(900)).repeat(900)
    );
    hits("MAX_NESTING", "f.v:2", &module(&leaning));
    runs(&module(&format!("assign y = a{};", " + a".repeat(900))));
    runs(&module(&format!(
        "assign y = {}a{};",
        "(".repeat(900),
        ")".repeat(900)
    )));
}

#[test]
fn hierarchy() {
    hits(
        "MAX_HIERARCHY",
        "f.v:1",
        "module t(input a); t u(.a(a)); endmodule",
    );
}

#[test]
fn instances() {
    let mut text = String::from("module m0; endmodule\n");
    for i in 1..24 {
        let below = i - 1;
        text += &format!("module m{i}; m{below} p(); m{below} q(); endmodule\n");
    }
    text += "module t; m23 u(); endmodule\n";
    hits("MAX_INSTANCES", "f.v:", &text);
}

#[test]
fn width() {
    for body in [
        "wire [65536:0] w;",
        "wire [64'h7fffffffffffffff:64'sh8000000000000000] w;",
        "assign y = {70000{a}};",
        "assign y = {2147483647{a}};",
        "assign y = {65537{1'b1}} == 0;",
        "assign y = a[0 +: 70000];",
        "parameter [70000:0] P = 1;",
        "wire [65535:0] w; assign {w, y} = a;",
    ] {
        hits("MAX_WIDTH", "f.v:2", &module(body));
    }
    runs(&module(
        "wire [65535:0] w; assign w = {2048{a}}; assign y = w[65535 -: 32] ^ ~w[31:0];",
    ));
}

#[test]
fn memory_bits() {
    for body in [
        "reg [7:0] m [0:40'd1099511627775];",
        "reg m [0:64'h7fffffffffffffff];",
        "reg [65535:0] m [0:16384];",
    ] {
        hits("MAX_MEMORY_BITS", "f.v:2", &module(body));
    }
}

#[test]
fn loop_iterations() {
    hits(
        "MAX_LOOP_ITERATIONS",
        "f.v:2",
        &module("integer i; reg [31:0] x; always @(*) for (i = 0; i < 1; i = i) x = a;"),
    );
}

#[test]
fn work() {
    // A loop of many statements, none of which makes a node.
    let body = "x = a; ".repeat(2000);
    hits(
        "MAX_WORK",
        "statement at f.v:2",
        &module(&format!(
            "integer i; reg [31:0] x; always @(*) for (i = 0; i < 1000000; i = i + 1) begin {body} end"
        )),
    );
    hits(
        "MAX_WORK",
        "power at f.v:2",
        &module("localparam P = {32768{2'b01}} ** {65536{1'b1}};"),
    );
    let quotients: String = (0..100)
        .map(|i| format!("localparam P{i} = {{65536{{1'b1}}}} / 65536'd{};\n", i + 3))
        .collect();
    hits("MAX_WORK", "parameter at f.v:", &module(&quotients));
    runs(&module(
        "assign y = a ^ (7 ** 65536'd65535) ^ (-5 % 65536'd3);",
    ));
}

#[test]
fn nodes() {
    // Two nodes a level of the expression.
    let value = format!("{}x{}", "(".repeat(100), " * 3 + a)".repeat(100));
    let text = format!(
        "integer i; reg [31:0] x; always @(*) begin x = a; for (i = 0; i < 11000; i = i + 1) x = {value}; end"
    );
    hits("MAX_NODES", "statement at f.v:2", &module(&text));
}

#[test]
fn total_node_bits() {
    hits(
        "MAX_TOTAL_NODE_BITS",
        "statement at f.v:2",
        &module(
            "integer i; reg [65535:0] x; always @(*) begin x = a; for (i = 0; i < 100000; i = i + 1) x = x * 3 + a; end",
        ),
    );
    let literals = "65536'h1 + ".repeat(40_000);
    hits("MAX_TOTAL_NODE_BITS", "f.v:2", &module(&literals));
}

#[test]
fn code() {
    let text =
        "module t(input wire [16383:0] a, output wire [16383:0] y);\nassign y = a * a;\nendmodule";
    let design = Design::from_verilog(text, "t").unwrap();
    let error = design.compile().map(|_| ()).unwrap_err();
    assert!(
        matches!(
            error,
            Error::Limit {
                name: "MAX_CODE",
                ..
            }
        ),
        "{error}"
    );
}

/// Texts that were slow or wrong before there was a bound.
#[test]
fn no_limit_is_needed() {
    // Drivers are found by bisection.
    let parts: String = (0..65_536)
        .map(|i| format!("assign w[{i}] = a[{}];\n", i % 32))
        .collect();
    runs(&module(&format!(
        "wire [65535:0] w;\n{parts}assign y = w[40031:40000];"
    )));
    // Attributes that never end.
    assert!(Design::from_verilog(&"(*(".repeat(1_000_000), "t").is_err());
    // Long decimal literals.
    let digits = format!("assign y = a + 65536'd{};", "9".repeat(16_000));
    runs(&module(&digits));
    // Indices at the ends of their range.
    for index in ["64'h7fffffffffffffff", "64'sh8000000000000000", "-64'sd1"] {
        for target in [format!("y[{index}]"), format!("y[{index} +: 4]")] {
            let text = module(&format!("assign {target} = a;"));
            assert!(Design::from_verilog(&text, "t").is_err(), "{target}");
            runs(&module(&format!("assign y = a{};", &target[1..])));
        }
    }
    // A bit of a chain that is longer than folding looks.
    let chain = " ^ {4{a * 3}} + {4{a}}".repeat(300);
    runs(&module(&format!(
        "wire [127:0] w = {{4{{a}}}}{chain}; assign y = w[3];"
    )));
}
