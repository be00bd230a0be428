//! Random modules: every operator of the subset, widths 1 to 130, mixed signs, selects, branches, loops, memories whose
//! ports collide, functions, hierarchies with parameters. [`coverage`] counts what was written.

pub mod clocks;
pub mod coverage;
mod directed;
mod function;
mod grow;
mod hierarchy;
mod memory;
mod statement;
pub mod tree;

use super::Rng;
use super::verilator::Case;
use coverage::{Cell, Coverage, Kind};
use function::Function;
use tree::Var;

/// Cells of the table that one module covers on purpose.
const CELLS: u64 = 6;

pub(super) struct Generator<'c> {
    rng: Rng,
    /// What an expression may read here.
    vars: Vec<Var>,
    /// Inputs that cover a cell.
    operands: Vec<Var>,
    /// Names and widths.
    outputs: Vec<(String, u32)>,
    functions: Vec<Function>,
    /// The body so far.
    text: String,
    /// Names and contents of the files that it reads, if it may read any.
    files: Option<Vec<(String, String)>>,
    coverage: &'c mut Coverage,
}

/// The text of a random module called `name`, which reads no files.
pub fn module(name: &str, seed: u64) -> String {
    generate(name, seed, &mut Coverage::default(), None).verilog
}

/// A random module called `name`, counted. Successive seeds cover successive cells of the table.
pub fn covered_module(name: &str, seed: u64, coverage: &mut Coverage) -> Case {
    generate(name, seed, coverage, Some(Vec::new()))
}

fn generate(
    name: &str,
    seed: u64,
    coverage: &mut Coverage,
    files: Option<Vec<(String, String)>>,
) -> Case {
    let mut g = Generator {
        rng: Rng::new(seed),
        vars: Vec::new(),
        operands: Vec::new(),
        outputs: Vec::new(),
        functions: Vec::new(),
        text: String::new(),
        files,
        coverage,
    };
    let cells = coverage::cells();
    let (memory, mut cells): (Vec<Cell>, Vec<Cell>) =
        cells.into_iter().partition(|c| c.0 == Kind::Memory);
    let start = (seed * CELLS) as usize % cells.len();
    cells.rotate_left(start);
    cells.truncate(CELLS as usize);
    let word = memory[seed as usize % memory.len()];
    let verilog = g.build(name, &cells, word);
    Case {
        name: name.into(),
        verilog,
        files: g.files.unwrap_or_default(),
    }
}

impl Generator<'_> {
    fn line(&mut self, s: impl AsRef<str>) {
        self.text.push_str(s.as_ref());
        self.text.push('\n');
    }

    fn variables(&mut self, prefix: &str, n: u64) -> Vec<Var> {
        (0..n).map(|i| self.var(format!("{prefix}{i}"))).collect()
    }

    fn observe(&mut self, v: &Var) {
        let name = format!("x_{}", v.name);
        self.line(format!("  assign {name} = {};", v.name));
        self.outputs.push((name, v.width));
    }

    fn build(&mut self, name: &str, cells: &[Cell], word: Cell) -> String {
        let counts: Vec<u64> = [3, 2, 2, 2].map(|n| 1 + self.rng.below(n)).to_vec();
        let mut inputs = self.variables("i", counts[0]);
        // What indices and shift amounts are cut from.
        inputs.push(Var {
            name: "i9".into(),
            width: 130,
            signed: false,
            low: 0,
            ascending: false,
        });
        let (wires, temps) = (
            self.variables("w", counts[1]),
            self.variables("t", counts[2]),
        );
        let regs = self.variables("r", counts[3]);
        for v in &wires {
            self.line(format!("  wire {};", v.declaration()));
        }
        for v in temps.iter().chain(&regs) {
            self.line(format!("  reg {};", v.declaration()));
        }
        self.line("  integer kc, ks;\n  initial begin");
        for v in &regs {
            let init = self.rng.below(1 << v.width.min(16));
            self.line(format!("    {} = {init};", v.name));
        }
        self.line("  end");
        self.vars = inputs.clone();
        self.vars.extend(regs.iter().cloned());
        for (n, cell) in cells.iter().enumerate() {
            self.cover(n, *cell);
        }
        let operands = self.operands.clone();
        self.vars.extend(operands);
        self.vars.sort_by(|a, b| a.name.cmp(&b.name));
        self.vars.dedup_by(|a, b| a.name == b.name);
        if self.rng.chance(60) {
            self.functions();
        }
        for v in &wires {
            let e = self.expr(3);
            let text = e.assigned(v.width, self.coverage);
            self.line(format!("  assign {} = {text};", v.name));
            self.vars.push(v.clone());
        }
        self.combinational(&temps);
        self.clocked(&regs);
        if self.rng.chance(60) {
            self.memory(name, word);
        }
        let mut before = String::new();
        if self.rng.chance(35) {
            before = self.hierarchy(name);
        }
        let e = self.expr(3);
        let width = self.width();
        let text = e.assigned(width, self.coverage);
        self.line(format!("  assign o = {text};"));
        self.outputs.push(("o".into(), width));
        for v in wires.iter().chain(&temps).chain(&regs) {
            self.observe(v);
        }
        inputs.extend(std::mem::take(&mut self.operands));
        let mut ports: Vec<String> = vec!["input wire clock".into()];
        let inputs = inputs.iter().map(Var::declaration);
        ports.extend(inputs.map(|d| format!("input wire {d}")));
        let outputs = self.outputs.iter();
        ports.extend(outputs.map(|(n, w)| format!("output wire [{}:0] {n}", w - 1)));
        format!(
            "{before}module {name}({});\n{}endmodule\n",
            ports.join(", "),
            self.text
        )
    }

    /// Assigns all of them, then parts of them under conditions.
    fn combinational(&mut self, temps: &[Var]) {
        self.line("  always @(*) begin");
        for v in temps {
            let e = self.expr(2);
            let text = e.assigned(v.width, self.coverage);
            self.line(format!("    {} = {text};", v.name));
            self.vars.push(v.clone());
        }
        if self.rng.chance(30) {
            self.repeat("kc", temps, "=");
        }
        for _ in 0..1 + self.rng.below(3) {
            self.statement(2, temps, "=");
        }
        self.line("  end");
    }

    fn clocked(&mut self, regs: &[Var]) {
        let outside = self.vars.len();
        let variable = self.rng.chance(30).then(|| self.var("s".into()));
        if let Some(v) = &variable {
            self.line(format!("  reg {};\n  initial s = 0;", v.declaration()));
        }
        self.line("  always @(posedge clock) begin");
        if let Some(v) = variable {
            let e = self.expr(2);
            let text = e.assigned(v.width, self.coverage);
            self.line(format!("    s = {text};"));
            self.coverage.construct("variable of a clocked process");
            self.vars.push(v);
        }
        if self.rng.chance(30) {
            self.repeat("ks", regs, "<=");
        }
        for _ in 0..1 + self.rng.below(4) {
            self.statement(2, regs, "<=");
        }
        self.line("  end");
        self.vars.truncate(outside);
    }
}
