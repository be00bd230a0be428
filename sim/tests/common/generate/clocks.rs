//! Random modules of several clocks: both edges, asynchronous resets, a memory, a clock that goes through a hierarchy.

use super::tree::Var;
use super::{Case, Coverage, Generator, Rng};

/// A random module whose registers belong to clocks of their own; its ports are those of `several_clocks.rs`.
pub fn several_clocks_module(name: &str, seed: u64) -> Case {
    let mut coverage = Coverage::default();
    let mut g = Generator {
        rng: Rng::new(seed ^ 0x5eed_c10c),
        vars: Vec::new(),
        operands: Vec::new(),
        outputs: Vec::new(),
        functions: Vec::new(),
        text: String::new(),
        files: None,
        coverage: &mut coverage,
    };
    Case {
        name: name.into(),
        verilog: g.several_clocks(name),
        files: Vec::new(),
    }
}

impl Generator<'_> {
    fn several_clocks(&mut self, name: &str) -> String {
        let mut inputs = self.variables("i", 2);
        inputs.push(Var {
            name: "i9".into(),
            width: 130,
            signed: false,
            low: 0,
            ascending: false,
        });
        let count = 3 + self.rng.below(4);
        let regs = self.variables("r", count);
        for v in &regs {
            let init = self.rng.below(1 << v.width.min(16));
            self.line(format!(
                "  reg {};\n  initial {} = {init};",
                v.declaration(),
                v.name
            ));
        }
        self.line("  wire any = rst | i9[7];");
        self.vars = inputs.iter().chain(&regs).cloned().collect();
        // Processes of one or two registers each.
        let mut rest = regs.as_slice();
        while !rest.is_empty() {
            let (own, others) = rest.split_at((1 + self.rng.below(2) as usize).min(rest.len()));
            self.edge_process(own);
            rest = others;
        }
        self.clocked_memory();
        let (clock, edge) = (self.clock(), self.edge());
        let invert = *self.rng.pick(&["", "~"]);
        let d = self.small(8).alone(self.coverage);
        self.line(format!(
            "  wire [7:0] leaf;\n  {name}_leaf u({invert}{clock}, rst, {d}, leaf);"
        ));
        self.outputs.push(("x_leaf".into(), 8));
        self.line("  assign x_leaf = leaf;");
        let e = self.expr(3);
        let e = self.safe(e);
        let width = self.width();
        let text = e.assigned(width, self.coverage);
        self.line(format!("  assign o = {text};"));
        self.outputs.push(("o".into(), width));
        for v in &regs {
            self.observe(v);
        }
        let mut ports: Vec<String> = ["c0", "c1", "c2", "rst", "rst_n"]
            .map(|n| format!("input wire {n}"))
            .to_vec();
        ports.extend(
            inputs
                .iter()
                .map(|v| format!("input wire {}", v.declaration())),
        );
        let outputs = self.outputs.iter();
        ports.extend(outputs.map(|(n, w)| format!("output wire [{}:0] {n}", w - 1)));
        format!(
            "module {name}_leaf(input wire ck, input wire rs, input wire [7:0] d, output reg [7:0] q);
  initial q = 3;
  always @({edge} ck or posedge rs) if (rs) q <= 8'h5a; else q <= q + d;
endmodule
module {name}({});\n{}endmodule\n",
            ports.join(", "),
            self.text
        )
    }

    fn clock(&mut self) -> &'static str {
        self.rng.pick::<&str>(&["c0", "c1", "c2"])
    }

    fn edge(&mut self) -> &'static str {
        self.rng.pick::<&str>(&["posedge", "posedge", "negedge"])
    }

    /// A process of some registers at an edge of some clock, with none, one or two asynchronous resets.
    fn edge_process(&mut self, regs: &[Var]) {
        let (clock, edge) = (self.clock(), self.edge());
        let mut events = vec![format!("{edge} {clock}")];
        let mut resets = Vec::new();
        let all = [
            ("posedge rst", "rst"),
            ("negedge rst_n", "!rst_n"),
            ("posedge any", "any"),
        ];
        // One made of data may overlap another in any way, so it stands alone.
        let chosen = self.rng.pick(&[0..0, 0..0, 0..1, 1..2, 0..2, 2..3]).clone();
        for (event, test) in &all[chosen] {
            events.push((*event).into());
            resets.push(*test);
        }
        self.line(format!("  always @({}) begin", events.join(" or ")));
        for test in resets {
            self.line(format!("    if ({test}) begin"));
            for v in regs {
                let value = self.rng.below(1 << v.width.min(16));
                self.line(format!("      {} <= {value};", v.name));
            }
            self.line("    end else");
        }
        self.line("    begin");
        for _ in 0..1 + self.rng.below(3) {
            self.statement(2, regs, "<=");
        }
        self.line("    end\n  end");
    }

    /// A memory of eight words that one clock writes and another reads.
    fn clocked_memory(&mut self) {
        let width = self.width();
        let (write, edge, read) = (self.clock(), self.edge(), self.clock());
        let addresses =
            [self.small(3), self.small(3), self.small(3)].map(|a| a.alone(self.coverage));
        let enable = self.expr(1).alone(self.coverage);
        let data = self.expr(2).assigned(width, self.coverage);
        let high = width - 1;
        self.line(format!(
            "  reg [{high}:0] m [0:7], q;\n  integer km;
  initial begin q = 0; for (km = 0; km < 8; km = km + 1) m[km] = km * 5; end
  always @({edge} {write}) if ({enable}) m[{}] <= {data};
  always @(posedge {read}) q <= m[{}];
  assign xq = q;\n  assign xm = m[{}];",
            addresses[0], addresses[1], addresses[2]
        ));
        self.outputs.push(("xq".into(), width));
        self.outputs.push(("xm".into(), width));
    }
}
