//! Random modules: every operator of the subset, widths 1 to 130, mixed signs, selects, branches, memories.

use std::fmt::Write as _;

use super::Rng;
use super::verilator::Case;

#[derive(Clone)]
struct Var {
    name: String,
    width: u32,
    signed: bool,
}

struct Generator {
    rng: Rng,
    /// What an expression may read here.
    vars: Vec<Var>,
    text: String,
}

/// A random module called `name`.
pub fn module(name: &str, seed: u64) -> Case {
    let mut g = Generator {
        rng: Rng::new(seed),
        vars: Vec::new(),
        text: String::new(),
    };
    g.build(name);
    Case {
        name: name.into(),
        verilog: g.text,
    }
}

impl Generator {
    fn line(&mut self, s: impl AsRef<str>) {
        self.text.push_str(s.as_ref());
        self.text.push('\n');
    }

    fn width(&mut self) -> u32 {
        match self.rng.below(10) {
            0 => 1,
            1 => *self.rng.pick(&[8, 16, 32, 64]),
            2 => *self.rng.pick(&[31, 33, 63, 65, 127, 128, 129]),
            3..=6 => 1 + self.rng.below(24) as u32,
            7 | 8 => 1 + self.rng.below(64) as u32,
            _ => 1 + self.rng.below(130) as u32,
        }
    }

    fn var(&mut self, name: String) -> Var {
        Var {
            name,
            width: self.width(),
            signed: self.rng.chance(40),
        }
    }

    fn declaration(v: &Var) -> String {
        let signed = if v.signed { "signed " } else { "" };
        if v.width == 1 && !v.signed {
            v.name.clone()
        } else {
            format!("{signed}[{}:0] {}", v.width - 1, v.name)
        }
    }

    fn build(&mut self, name: &str) {
        let inputs: Vec<Var> = (0..3 + self.rng.below(3))
            .map(|i| self.var(format!("i{i}")))
            .collect();
        let wires: Vec<Var> = (0..2 + self.rng.below(3))
            .map(|i| self.var(format!("w{i}")))
            .collect();
        let temps: Vec<Var> = (0..1 + self.rng.below(3))
            .map(|i| self.var(format!("t{i}")))
            .collect();
        let regs: Vec<Var> = (0..1 + self.rng.below(3))
            .map(|i| self.var(format!("r{i}")))
            .collect();
        let outputs: Vec<Var> = (0..2).map(|i| self.var(format!("o{i}"))).collect();
        let with_memory = self.rng.chance(50);
        let memory = Var {
            name: "m".into(),
            ..self.var(String::new())
        };
        let depth = 2 + self.rng.below(15);
        let q = Var {
            name: "q".into(),
            ..memory.clone()
        };

        let mut ports: Vec<String> = vec!["input wire clock".into()];
        ports.extend(
            inputs
                .iter()
                .map(|v| format!("input wire {}", Self::declaration(v))),
        );
        ports.extend(
            outputs
                .iter()
                .map(|v| format!("output wire {}", Self::declaration(v))),
        );
        let observed = [&wires, &temps, &regs].into_iter().flatten();
        let observed: Vec<String> = observed.map(|v| v.name.clone()).collect();
        for (i, v) in [&wires, &temps, &regs].into_iter().flatten().enumerate() {
            ports.push(format!("output wire [{}:0] x{i}", v.width - 1));
        }
        if with_memory {
            ports.push(format!("output wire [{}:0] xq", q.width - 1));
        }
        self.line(format!("module {name}({});", ports.join(", ")));
        for v in &wires {
            self.line(format!("  wire {};", Self::declaration(v)));
        }
        for v in temps.iter().chain(&regs) {
            self.line(format!("  reg {};", Self::declaration(v)));
        }
        if with_memory {
            let signed = if memory.signed { "signed " } else { "" };
            self.line(format!(
                "  reg {signed}[{}:0] m [0:{}];",
                memory.width - 1,
                depth - 1
            ));
            self.line(format!("  reg {signed}[{}:0] q;", q.width - 1));
            self.line("  integer k;");
            self.line(format!(
                "  initial begin q = 0; for (k = 0; k < {depth}; k = k + 1) m[k] = k * 3; end"
            ));
        }
        self.line("  initial begin");
        for v in &regs {
            let init = self.rng.below(1 << v.width.min(16));
            self.line(format!("    {} = {init};", v.name));
        }
        self.line("  end");

        self.vars = inputs;
        self.vars.extend(regs.iter().cloned());
        if with_memory {
            self.vars.push(q);
        }
        for v in &wires {
            let e = self.expr(3);
            self.line(format!("  assign {} = {e};", v.name));
            self.vars.push(v.clone());
        }
        self.line("  always @(*) begin");
        for v in &temps {
            let e = self.expr(2);
            self.line(format!("    {} = {e};", v.name));
            self.vars.push(v.clone());
        }
        for _ in 0..2 + self.rng.below(3) {
            self.statement(2, &temps, "=");
        }
        self.line("  end");
        self.line("  always @(posedge clock) begin");
        for _ in 0..2 + self.rng.below(4) {
            self.statement(2, &regs, "<=");
        }
        if with_memory {
            self.memory_ports(&memory, depth);
        }
        self.line("  end");
        for v in &outputs {
            let e = self.expr(3);
            self.line(format!("  assign {} = {e};", v.name));
        }
        for (i, v) in observed.iter().enumerate() {
            self.line(format!("  assign x{i} = {v};"));
        }
        if with_memory {
            self.line("  assign xq = q;");
        }
        self.line("endmodule");
    }

    /// Reads and colliding writes of the memory, some of a part of the word.
    fn memory_ports(&mut self, m: &Var, depth: u64) {
        let bits = 64 - (depth - 1).leading_zeros();
        for _ in 0..1 + self.rng.below(3) {
            let (c, a, d) = (self.expr(1), self.expr(1), self.expr(2));
            let part = if m.width > 2 && self.rng.chance(30) {
                let lo = self.rng.below(u64::from(m.width) - 1);
                format!("[{}:{lo}]", lo + self.rng.below(u64::from(m.width) - lo))
            } else {
                String::new()
            };
            // The address stays inside, or is one past a depth that is no power of two.
            self.line(format!(
                "    if ({c}) m[({{{a}}} & {bits}'h{:x})]{part} <= {d};",
                (1u64 << bits) - 1
            ));
        }
        let a = self.expr(2);
        self.line(format!(
            "    q <= m[{{{a}}} & {bits}'h{:x}];",
            (1u64 << bits) - 1
        ));
    }

    fn statement(&mut self, depth: u32, targets: &[Var], assign: &str) {
        match self.rng.below(if depth == 0 { 2 } else { 5 }) {
            0 | 1 => {
                let v = self.rng.pick(targets).clone();
                let target = self.target(&v);
                let e = self.expr(2);
                self.line(format!("    {target} {assign} {e};"));
            }
            2 | 3 => {
                let c = self.expr(2);
                self.line(format!("    if ({c}) begin"));
                self.statement(depth - 1, targets, assign);
                if self.rng.chance(60) {
                    self.line("    end else begin");
                    self.statement(depth - 1, targets, assign);
                }
                self.line("    end");
            }
            _ => {
                let v = self.rng.pick(&self.vars.clone()).clone();
                let kind = if self.rng.chance(30) { "casez" } else { "case" };
                self.line(format!("    {kind} ({})", v.name));
                let mut used = std::collections::HashSet::new();
                for _ in 0..1 + self.rng.below(4) {
                    let w = v.width.min(6);
                    let n = self.rng.below(1 << w);
                    if !used.insert(n) {
                        continue;
                    }
                    let label = if kind == "casez" && w > 1 {
                        format!(
                            "{w}'b{}?",
                            &format!("{n:0w$b}", w = w as usize)[..w as usize - 1]
                        )
                    } else {
                        format!("{w}'d{n}")
                    };
                    self.line(format!("      {label}: begin"));
                    self.statement(depth - 1, targets, assign);
                    self.line("      end");
                }
                self.line("      default: begin");
                self.statement(depth - 1, targets, assign);
                self.line("      end");
                self.line("    endcase");
            }
        }
    }

    fn target(&mut self, v: &Var) -> String {
        if v.width < 3 || self.rng.chance(60) {
            return v.name.clone();
        }
        let lo = self.rng.below(u64::from(v.width) - 1);
        let n = 1 + self.rng.below(u64::from(v.width) - lo);
        match self.rng.below(3) {
            0 => format!("{}[{}:{lo}]", v.name, lo + n - 1),
            1 => format!("{}[{lo}]", v.name),
            _ => format!("{}[{lo} +: {n}]", v.name),
        }
    }

    fn leaf(&mut self) -> String {
        if self.rng.chance(20) {
            return self.literal();
        }
        let v = self.rng.pick(&self.vars.clone()).clone();
        if v.width < 3 || self.rng.chance(60) {
            return v.name;
        }
        let lo = self.rng.below(u64::from(v.width) - 1);
        let n = 1 + self.rng.below(u64::from(v.width) - lo);
        match self.rng.below(4) {
            0 => format!("{}[{}:{lo}]", v.name, lo + n - 1),
            1 => format!("{}[{lo} +: {n}]", v.name),
            2 => {
                // A computed index that stays inside the vector.
                let index = self.small(31 - (v.width.leading_zeros()));
                format!("{}[{index}]", v.name)
            }
            _ => {
                let bits = 30 - v.width.leading_zeros();
                let room = v.width - (1 << bits);
                let index = self.small(bits);
                format!("{}[{index} +: {}]", v.name, room + 1)
            }
        }
    }

    /// An expression of at most `bits` bits that nothing widens.
    fn small(&mut self, bits: u32) -> String {
        let v = self.rng.pick(&self.vars.clone()).clone();
        if bits == 0 || v.width < bits {
            return format!("{{{}}}", self.rng.below(1 << bits.min(10)));
        }
        if v.width == 1 {
            v.name
        } else {
            format!("{}[{}:0]", v.name, bits - 1)
        }
    }

    fn literal(&mut self) -> String {
        let w = self.width();
        let limbs: Vec<u64> = (0..w.div_ceil(64)).map(|_| self.rng.word()).collect();
        let value = weft_sim::Bits::from_limbs(w, &limbs);
        match self.rng.below(4) {
            0 => format!("{}", self.rng.below(1000)),
            1 => format!("{:x}", value).replace("'h", "'sh"),
            _ => format!("{value:x}"),
        }
    }

    fn expr(&mut self, depth: u32) -> String {
        if depth == 0 || self.rng.chance(10) {
            return self.leaf();
        }
        match self.rng.below(20) {
            0 => format!("(~{})", self.expr(depth - 1)),
            1 => format!("(-{})", self.expr(depth - 1)),
            2 => {
                let op = *self.rng.pick(&["!", "&", "|", "^", "~&", "~|", "~^"]);
                format!("({op}({}))", self.expr(depth - 1))
            }
            3 | 4 => {
                let op = *self.rng.pick(&["+", "-"]);
                format!("({} {op} {})", self.expr(depth - 1), self.expr(depth - 1))
            }
            5 => format!("({} * {})", self.expr(depth - 1), self.expr(depth - 1)),
            6 | 7 => {
                let op = *self.rng.pick(&["&", "|", "^", "~^"]);
                format!("({} {op} {})", self.expr(depth - 1), self.expr(depth - 1))
            }
            8 | 9 => {
                let op = *self.rng.pick(&["==", "!=", "<", "<=", ">", ">="]);
                format!("({} {op} {})", self.expr(depth - 1), self.expr(depth - 1))
            }
            10 => {
                let op = *self.rng.pick(&["&&", "||"]);
                format!("({} {op} {})", self.expr(depth - 1), self.expr(depth - 1))
            }
            11..=13 => {
                let op = *self.rng.pick(&["<<", ">>", "<<<", ">>>"]);
                let bits = 1 + self.rng.below(9) as u32;
                let amount = if self.rng.chance(30) {
                    format!("{}", self.rng.below(140))
                } else {
                    self.small(bits)
                };
                format!("({} {op} {amount})", self.expr(depth - 1))
            }
            14 | 15 => {
                format!(
                    "({} ? {} : {})",
                    self.expr(depth - 1),
                    self.expr(depth - 1),
                    self.expr(depth - 1)
                )
            }
            16 => {
                let parts: Vec<String> = (0..1 + self.rng.below(3))
                    .map(|_| self.sized(depth - 1))
                    .collect();
                format!("{{{}}}", parts.join(", "))
            }
            17 => format!("{{{}{{{}}}}}", 1 + self.rng.below(3), self.sized(depth - 1)),
            18 => {
                let f = *self.rng.pick(&["$signed", "$unsigned"]);
                format!("{f}({})", self.expr(depth - 1))
            }
            _ => {
                let op = *self.rng.pick(&["/", "%"]);
                let mut out = String::new();
                let (a, mut b) = (self.narrow(), self.narrow());
                if a == b {
                    // Verilator takes x / x for 1 even where x is 0, whose quotient is unknown.
                    b = "7'd5".into();
                }
                let _ = write!(out, "{{{a} {op} {b}}}");
                out
            }
        }
    }

    /// An expression whose operands are no unsized numbers, as concatenation wants.
    fn sized(&mut self, depth: u32) -> String {
        let e = self.expr(depth);
        if e.bytes().all(|b| b.is_ascii_digit()) {
            format!("8'd{}", e.parse::<u32>().unwrap_or(0) & 255)
        } else {
            e
        }
    }

    /// A variable of at most 64 bits.
    fn narrow(&mut self) -> String {
        let narrow: Vec<Var> = self
            .vars
            .iter()
            .filter(|v| v.width <= 64)
            .cloned()
            .collect();
        if narrow.is_empty() {
            "5'd19".into()
        } else {
            self.rng.pick(&narrow).name.clone()
        }
    }
}
