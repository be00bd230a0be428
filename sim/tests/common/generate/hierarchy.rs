//! Instances with parameters, three levels deep.

use super::Generator;

impl Generator<'_> {
    /// Instantiates a small hierarchy in the module and returns the text of its modules, whose names begin with `name`.
    pub(super) fn hierarchy(&mut self, name: &str) -> String {
        let leaf = self.leaf_module(name);
        let middle = self.middle_module(name);
        for what in [
            "parameter by name",
            "parameter by position",
            "hierarchy of three levels",
        ] {
            self.coverage.construct(what);
        }
        let (width, other) = (self.width(), self.width());
        let (a, b) = (self.expr(2), self.expr(2));
        let (a, b) = (
            a.assigned(width, self.coverage),
            b.assigned(width, self.coverage),
        );
        self.line(format!(
            "  wire [{}:0] hy;\n  wire signed [{width}:0] hz;",
            width - 1
        ));
        self.line(format!(
            "  {name}_middle #(.W({width}), .V({other})) hm(.clock(clock), .a({a}), .b({b}), .y(hy), .z(hz));"
        ));
        // The defaults of the leaf: eight bits.
        let (a, b) = (self.small(8), self.small(8));
        let (a, b) = (a.alone(self.coverage), b.alone(self.coverage));
        self.line("  wire [7:0] hd;\n  wire [8:0] he;");
        self.line(format!("  {name}_leaf hl(clock, {a}, {b}, hd, he);"));
        for (wire, w) in [("hy", width), ("hz", width + 1), ("hd", 8), ("he", 9)] {
            self.line(format!("  assign x_{wire} = {wire};"));
            self.outputs.push((format!("x_{wire}"), w));
        }
        leaf + &middle
    }

    fn leaf_module(&mut self, name: &str) -> String {
        let op = *self.rng.pick(&["+", "-", "*", "^", "&", "|"]);
        let shift = *self.rng.pick(&["<<", ">>", "<<<", ">>>"]);
        let compare = *self.rng.pick(&["<", ">=", "==", "!="]);
        let k = self.rng.below(200) as i64 - 100;
        let signed = *self.rng.pick(&["", "signed "]);
        format!(
            "module {name}_leaf #(parameter W = 8, parameter signed [15:0] K = {k}, parameter S = 3)
(input wire clock, input wire [W-1:0] a, input wire {signed}[W-1:0] b, output wire [W-1:0] y, output reg [W:0] z);
  localparam H = (W + 1) / 2, L = $clog2(W + 1);
  wire [H-1:0] top;
  assign top = a[W-1 -: H];
  wire [L-1:0] some;
  assign some = b[0 +: ((L < W) ? L : W)];
  assign y = ((a {op} b) {shift} S) ^ {{W{{b {compare} K}}}} ^ top;
  initial z = 1;
  always @(posedge clock) if (a[W/2]) z <= z + b + K; else z <= {{z[W-1:0], z[W] ^ ^some}};
endmodule\n"
        )
    }

    fn middle_module(&mut self, name: &str) -> String {
        let (k, s) = (self.rng.below(99), self.rng.below(20));
        let op = *self.rng.pick(&["+", "^", "-"]);
        format!(
            "module {name}_middle #(parameter W = 4, parameter V = W + 1)
(input wire clock, input wire [W-1:0] a, input wire [W-1:0] b, output wire [W-1:0] y, output wire signed [W:0] z);
  wire [V-1:0] wide, swapped;
  wire [V:0] sums;
  wire [W-1:0] first;
  assign wide = a;
  {name}_leaf #(.S({s}), .W(V)) one(.clock(clock), .a(wide), .b(~wide), .y(swapped), .z(sums));
  {name}_leaf #(W, -{k}) two(.y(first), .z(z), .clock(clock), .b(b), .a(a));
  assign y = first {op} swapped {op} (sums >> 1);
endmodule\n"
        )
    }
}
