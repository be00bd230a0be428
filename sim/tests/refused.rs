//! What the table of the subset in README.md refuses: each construct by file, line and name.

use weft_sim::Design;

/// A module of which line 3 is `body`.
fn wrap(body: &str) -> String {
    format!(
        "module t(input wire clock, input wire [7:0] a,\n         output reg [7:0] y);\n{body}\nendmodule\n"
    )
}

/// Asserts that each body is refused at line 3 by the name of the construct.
#[track_caller]
fn refused(cases: &[(&str, &str)]) {
    for (body, construct) in cases {
        let error = Design::from_verilog_named("t.v", &wrap(body), "t").expect_err(body);
        let text = error.to_string();
        assert!(text.starts_with("t.v:3: "), "{body}: {text}");
        assert!(text.contains(construct), "{construct}: {text}");
    }
}

#[test]
fn modules() {
    refused(&[
        ("inout z;", "inout port"),
        ("other u[3:0](a);", "array of instances"),
        ("defparam u.P = 1;", "defparam"),
        ("generate genvar i; endgenerate", "generate block"),
        ("genvar i;", "genvar"),
        ("for (i = 0; i < 2; i = i + 1) other u(a);", "generate loop"),
        ("if (1) other u(a);", "generate condition"),
        ("and g(y, a);", "gate primitive"),
        ("or g(y, a);", "gate primitive"),
        ("not g(y, a);", "gate primitive"),
        ("buf g(y, a);", "gate primitive"),
        ("specify endspecify", "specify block"),
        (
            "box b(y); endmodule module box(output [7:0] q);",
            "instance of the black box `box`",
        ),
        ("endmodule primitive p(o, i);", "user-defined primitive"),
        ("endmodule macromodule p(o, i);", "macromodule"),
    ]);
}

#[test]
fn data() {
    refused(&[
        ("tri w;", "tri net"),
        ("tri0 w;", "tri0 net"),
        ("tri1 w;", "tri1 net"),
        ("wand w;", "wand net"),
        ("wor w;", "wor net"),
        ("supply0 w;", "supply net"),
        ("supply1 w;", "supply net"),
        ("real r;", "real variable"),
        ("realtime r;", "realtime variable"),
        ("time now;", "time variable"),
        ("event e;", "event"),
        ("parameter real R = 1;", "real parameter"),
        (
            "parameter [7:0] P = \"a\";",
            "string as the value of a vector",
        ),
        ("initial y = 1.5;", "real number"),
        ("localparam R = 1.5; initial y = R;", "real constant `R`"),
        ("initial y = \"a\";", "string"),
        (
            "localparam S = \"a\"; initial y = S;",
            "string constant `S`",
        ),
        ("reg m [0:1][0:1];", "more than one dimension of memory"),
        (
            "reg [7:0] m [0:1]; initial y = m[0][1][2][3][4];",
            "dimension",
        ),
        ("reg [7:0] m [0:1] = 0;", "initial value of a memory"),
        (
            "reg [7:0] m [0:1]; initial m[0][3:0] = 1;",
            "initial value of a part of a memory word",
        ),
    ]);
}

#[test]
fn expressions() {
    refused(&[
        ("always @(*) y = $random;", "system function $random"),
        ("always @(*) y = $bits(a);", "system function $bits"),
        ("always @(*) y = u.x;", "hierarchical name"),
        (
            "always @(*) y = a ** a;",
            "power of values that are not constant",
        ),
        ("localparam P = 2 ** -1;", "negative exponent"),
        (
            "wire [99:0] w; assign w = {a, a} / {90'd1, a};",
            "division wider than 64 bits",
        ),
        ("always @(*) y = a[7:4][1];", "select of a select"),
        (
            "reg [7:0] m [0:3]; always @(*) y = m[1:0];",
            "part select of a whole memory",
        ),
        (
            "always @(*) case (a) 8'b1x: y = 1; default: y = 0; endcase",
            "x or z in a case label",
        ),
    ]);
}

#[test]
fn processes() {
    refused(&[
        ("always #5 y = a;", "delay"),
        ("assign #5 y = a;", "delay"),
        ("wire #5 w;", "delay"),
        ("always @(*) y = #5 a;", "delay"),
        ("always @(*) #5 y = a;", "delay"),
        ("always y = a;", "always without a sensitivity list"),
        (
            "always @(posedge clock or a) y <= a;",
            "mixed edges and levels",
        ),
        ("always @(*) while (a) y = 1;", "while loop"),
        ("always @(*) repeat (3) y = 1;", "repeat loop"),
        ("always @(*) forever y = 1;", "forever loop"),
        ("initial fork join", "fork"),
        ("initial wait (a);", "wait statement"),
        ("initial disable b;", "disable statement"),
        ("always @(*) assign y = a;", "procedural assign"),
        ("always @(*) deassign y;", "procedural deassign"),
        ("initial force y = a;", "force"),
        ("initial release y;", "release"),
        (
            "initial @(posedge clock) y = 1;",
            "event control inside a process",
        ),
        ("initial -> e;", "event trigger"),
        ("initial begin : b reg r; end", "declaration inside a block"),
        ("task f; endtask", "task"),
        ("always @(*) f(a);", "task call"),
        ("initial $display(a);", "system task $display"),
        (
            "integer i; always @(*) begin y = 0; for (i = 0; i < a; i = i + 1) y = i; end",
            "bounds are not constant",
        ),
        (
            "always @(*) y <= a;",
            "non-blocking assignment in a combinational process",
        ),
        (
            "always @(posedge clock) begin y = a; y <= a; end",
            "blocking and non-blocking assignments to `y`",
        ),
        (
            "reg [7:0] m [0:3]; always @(*) m[a] = 1;",
            "memory write in a combinational process",
        ),
        (
            "reg [7:0] m [0:3]; always @(posedge clock) begin m[a] = 1; y <= m[0]; end",
            "memory read after a blocking write",
        ),
        (
            "reg [7:0] m [0:3]; always @(posedge clock) m[0][a[1:0]] <= 1;",
            "write to a computed part of a memory word",
        ),
        (
            "always @(posedge clock or posedge a) y <= a;",
            "does not begin with `if` on an asynchronous reset",
        ),
        (
            "always @(posedge clock or posedge a[0]) if (a[1]) y <= 0; else y <= a;",
            "tests none of the edges",
        ),
        (
            "always @(posedge clock or posedge a[0]) if (a[0]) y <= a; else y <= 0;",
            "asynchronous load",
        ),
        (
            "reg m [0:3]; always @(posedge clock or posedge a[0]) if (a[0]) m[0] <= 0; else y <= a;",
            "asynchronous reset of a memory",
        ),
    ]);
}

#[test]
fn functions() {
    refused(&[
        (
            "function real f; input x; f = x; endfunction",
            "real function",
        ),
        (
            "function f; output x; f = x; endfunction",
            "output argument of a function",
        ),
        (
            "function f(input x, output z); f = x; endfunction",
            "output argument of a function",
        ),
        (
            "function f; inout x; f = x; endfunction",
            "inout argument of a function",
        ),
        (
            "function f; parameter P = 1; endfunction",
            "parameter inside a function",
        ),
        (
            "function f; input x; real r; f = x; endfunction",
            "real variable",
        ),
        (
            "function f; input x; reg m [0:3]; f = x; endfunction assign y = f(a);",
            "memory inside a function",
        ),
        (
            "function f; input x; reg m = 0; f = x; endfunction assign y = f(a);",
            "initial value inside a function",
        ),
        (
            "function f; input x; f <= x; endfunction assign y = f(a);",
            "non-blocking assignment in a function",
        ),
        (
            "reg r; function f; input x; begin f = x; r = x; end endfunction assign y = f(a);",
            "assignment to `r` in a function that does not declare it",
        ),
        (
            "reg m [0:3]; function f; input x; begin f = x; m[x] = x; end endfunction assign y = f(a);",
            "memory write in a function",
        ),
        (
            "function automatic f; input x; f = f(x); endfunction assign y = f(a);",
            "recursive function `f`",
        ),
        (
            "function f; input x; f = g(x); endfunction function g; input x; g = f(x); endfunction assign y = f(a);",
            "recursive function `f`",
        ),
        (
            "function f; input x; if (x) f = 1; endfunction assign y = f(a);",
            "`f`, which function `f` does not assign on every path before it is read",
        ),
        (
            "function f; input x; reg z; begin case (x) 0: z = 1; 1: z = 0; endcase f = z; end endfunction assign y = f(a);",
            "`z`, which function `f` does not assign on every path before it is read",
        ),
        (
            "function f; input x; begin $display(x); f = x; end endfunction",
            "system task $display",
        ),
        (
            "reg m [0:3]; always @(posedge clock) $readmemh(\"f\", m);",
            "$readmemh outside an initial block",
        ),
        (
            "reg m [0:3]; initial if (m[0]) $readmemb(\"f\", m);",
            "$readmemb under a condition that is not constant",
        ),
        (
            "reg m [0:3]; initial $readmemb(a, m);",
            "$readmemb of a file that is not named by a string",
        ),
    ]);
}

#[test]
fn clocks() {
    refused(&[
        (
            "wire c = a[0] & clock; always @(posedge c) y <= a;",
            "`y` has a gated or derived clock",
        ),
        (
            "reg c; always @(posedge clock) c <= ~c; always @(posedge c) y <= a;",
            "`y` has a gated or derived clock",
        ),
        (
            "reg [7:0] m [0:3]; wire c = a[0] & clock; always @(posedge c) m[0] <= a; assign y = m[0];",
            "`m` has a gated or derived clock",
        ),
        (
            "wire c; always @(posedge c) y <= a;",
            "the clock of `y` is not connected to an input",
        ),
    ]);
}

#[test]
fn directives() {
    refused(&[
        ("`define X 1", "compiler directive `define"),
        ("`ifdef X", "compiler directive `ifdef"),
        ("`include \"x.v\"", "compiler directive `include"),
        ("initial y = `X;", "compiler directive `X"),
    ]);
}
