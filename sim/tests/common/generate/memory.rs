//! A random memory with ports that collide.

use std::ops::RangeInclusive;

use super::Generator;
use super::coverage::{CLASSES, Cell, Kind, sign};
use super::tree::{Expr, Var};

impl Generator<'_> {
    /// A memory `m` with words as `word` says, registered and combinational reads and several writes.
    pub(super) fn memory(&mut self, name: &str, word: Cell) {
        let (_, lo, hi) = CLASSES[word.3];
        let width = lo + self.rng.below(u64::from(hi - lo) + 1) as u32;
        let q = Var {
            name: "q".into(),
            width,
            signed: word.2 == "s",
            low: 0,
            ascending: false,
        };
        let depth = 2 + self.rng.below(15);
        let bits = 64 - (depth - 1).leading_zeros();
        // A base that is not 0 only where every address lies inside: Verilator looks at no more bits than it needs.
        let base = if depth.is_power_of_two() && self.rng.chance(40) {
            self.rng.below(20)
        } else {
            0
        };
        let memory = Var {
            name: "m".into(),
            ..q.clone()
        };
        let last = base + depth - 1;
        self.line(format!("  reg {} [{base}:{last}];", memory.declaration()));
        self.line(format!("  reg {};\n  integer km;", q.declaration()));
        let contents = match self.file(name, width, base..=last) {
            Some(task) => task,
            None => format!("for (km = {base}; km <= {last}; km = km + 1) m[km] = km * 3;"),
        };
        self.line(format!("  initial begin q = 0; {contents} end"));
        self.line("  always @(posedge clock) begin");
        let mut addresses = Vec::new();
        for _ in 0..2 + self.rng.below(2) {
            let a = match addresses.last() {
                Some(a) if self.rng.chance(50) => {
                    self.coverage.construct("two writes of one word");
                    String::clone(a)
                }
                _ => self.address(bits, base),
            };
            self.write(&memory, &a);
            addresses.push(a);
        }
        let a = if self.rng.chance(50) {
            self.coverage.construct("read of the word being written");
            self.rng.pick(&addresses).clone()
        } else {
            self.address(bits, base)
        };
        self.line(format!("    q <= m[{a}];\n  end"));
        let a = self.address(bits, base);
        self.line(format!("  assign xm = m[{a}];"));
        for _ in 0..2 {
            let s = sign(q.signed);
            self.coverage.record(Kind::Memory, "word read", s, width);
        }
        self.outputs.push(("xm".into(), width));
        self.observe(&q);
        self.vars.push(q);
    }

    /// Now and then a file with words of the memory, and the call that reads it.
    fn file(&mut self, name: &str, width: u32, words: RangeInclusive<u64>) -> Option<String> {
        self.files.as_ref()?;
        if !self.rng.chance(40) {
            return None;
        }
        let hexadecimal = self.rng.chance(50);
        let task = if hexadecimal {
            "$readmemh"
        } else {
            "$readmemb"
        };
        self.coverage.construct(task);
        let whole = self.rng.chance(50);
        let mut text = String::from("// words\n");
        for address in words.clone() {
            let Expr::Literal(value, _) = self.literal_of(width, false) else {
                return None;
            };
            if !whole && self.rng.chance(40) {
                // Verilator counts a file that ends early as a mistake only where the call says where it should.
                if self.rng.chance(50) {
                    text += &format!("@{address:x} /* again */ ");
                } else {
                    continue;
                }
            } else if !whole {
                text += &format!("@{address:x} ");
            }
            text += &if hexadecimal {
                format!("{value:x}").split_once('h')?.1.replace('_', "")
            } else {
                (0..width)
                    .rev()
                    .map(|i| if value.bit(i) { '1' } else { '0' })
                    .collect()
            };
            text.push(*self.rng.pick(&[' ', '\n']));
        }
        let file = format!("{name}.mem");
        let range = match whole && self.rng.chance(50) {
            true => format!(", {}, {}", words.start(), words.end()),
            false => String::new(),
        };
        let call = format!("{task}(\"{file}\", m{range});");
        self.files.as_mut()?.push((file, text));
        Some(call)
    }

    fn address(&mut self, bits: u32, base: u64) -> String {
        let at = self.small(bits).alone(self.coverage);
        match base {
            0 => at,
            _ => format!("({{8'd0, {at}}} + 8'd{base})"),
        }
    }

    fn write(&mut self, m: &Var, address: &str) {
        self.coverage
            .record(Kind::Memory, "word write", sign(m.signed), m.width);
        let mut part = (String::new(), m.width);
        if m.width > 2 && self.rng.chance(35) {
            self.coverage.construct("write of a part of a word");
            let lo = self.rng.below(u64::from(m.width) - 1) as u32;
            let n = 1 + self.rng.below(u64::from(m.width - lo)) as u32;
            part = match self.rng.below(3) {
                0 => (format!("[{}:{lo}]", lo + n - 1), n),
                1 => (format!("[{lo} +: {n}]"), n),
                _ => (format!("[{lo}]"), 1),
            };
        }
        let test = self.expr(1).alone(self.coverage);
        let data = self.expr(2).assigned(part.1, self.coverage);
        self.line(format!("    if ({test}) m[{address}]{} <= {data};", part.0));
    }
}
