//! The text form of a netlist, one line an item, for dumps and golden tests; `parse` reads it back.
//!
//! ```text
//! input 0 clock 1                                  index, name, width
//! clock 0                                          an input that is a clock, once known; `clock 0 falling`
//! %0:1 = input 0                                   nodes, numbered from 0, with their widths
//! %1:8 = const 8'h1
//! %2:8 = reg 0
//! %3:8 = add %2 %1
//! reg 0 u.count 8 init 8'h0 next %3 clock %0       index, path, width
//!   reset if %6 to 8'h0                            without a clock edge
//! memory 0 u.words 8 x 16                          index, path, width, depth
//!   word 3 8'hff                                   words that do not start as zero
//!   write if %5 at %2 lo 0 data %3 clock %0
//! output count = %2
//! signal u.count = %2
//!   driver 0 %2                                    before `resolve`: lowest bit and node
//! ```
//!
//! After `vectorise` there are also `lanes COUNT x WIDTH FORM operands` and `lane %vector INDEX`, which are not read back.
//! Names hold no blanks, and lines that begin with `#` are comments.

use std::fmt;

use super::{Binary, Form, Netlist, Node, Op, Shape, Unary};

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.op {
            Op::Const(b) => write!(f, "const {b:x}"),
            Op::Input(i) => write!(f, "input {i}"),
            Op::Reg(r) => write!(f, "reg {r}"),
            Op::Signal(s) => write!(f, "signal {s}"),
            Op::Read(m, a) => write!(f, "read {m} %{}", a.0),
            Op::Unary(u, a) => write!(f, "{} %{}", name_of(&UNARY, u), a.0),
            Op::Binary(o, a, b) => write!(f, "{} %{} %{}", name_of(&BINARY, o), a.0, b.0),
            Op::Mux(c, a, b) => write!(f, "mux %{} %{} %{}", c.0, a.0, b.0),
            Op::Slice(a, lo) => write!(f, "slice %{} {lo}", a.0),
            Op::Concat(parts) => {
                write!(f, "concat")?;
                parts.iter().try_for_each(|p| write!(f, " %{}", p.0))
            }
            Op::Zext(a) => write!(f, "zext %{}", a.0),
            Op::Sext(a) => write!(f, "sext %{}", a.0),
            Op::Vector(v) => {
                let Shape { count, width } = v.shape;
                write!(f, "lanes {count} x {width} {}", form(&v.form))?;
                v.args.iter().try_for_each(|a| write!(f, " %{}", a.0))
            }
            Op::Lane(a, lane) => write!(f, "lane %{} {lane}", a.0),
        }
    }
}

/// Operations of one operand by name.
pub(super) const UNARY: [(&str, Unary); 5] = [
    ("not", Unary::Not),
    ("neg", Unary::Neg),
    ("redand", Unary::RedAnd),
    ("redor", Unary::RedOr),
    ("redxor", Unary::RedXor),
];

/// Operations of two operands by name.
pub(super) const BINARY: [(&str, Binary); 16] = [
    ("and", Binary::And),
    ("or", Binary::Or),
    ("xor", Binary::Xor),
    ("add", Binary::Add),
    ("sub", Binary::Sub),
    ("mul", Binary::Mul),
    ("udiv", Binary::Udiv),
    ("urem", Binary::Urem),
    ("sdiv", Binary::Sdiv),
    ("srem", Binary::Srem),
    ("eq", Binary::Eq),
    ("ult", Binary::Ult),
    ("slt", Binary::Slt),
    ("shl", Binary::Shl),
    ("lshr", Binary::Lshr),
    ("ashr", Binary::Ashr),
];

fn form(form: &Form) -> String {
    match form {
        Form::Unary(u) => name_of(&UNARY, u).into(),
        Form::Binary(o) => name_of(&BINARY, o).into(),
        Form::Slice(lo) => format!("slice {lo}"),
        other => format!("{other:?}").to_lowercase(),
    }
}

fn name_of<T: PartialEq>(names: &[(&'static str, T)], of: &T) -> &'static str {
    let found = names.iter().find(|(_, op)| op == of);
    found.map_or("?", |(name, _)| name)
}

impl fmt::Display for Netlist {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, p) in self.inputs.iter().enumerate() {
            writeln!(f, "input {i} {} {}", p.name, p.width)?;
        }
        for c in &self.clocks {
            let falling = if c.falling { " falling" } else { "" };
            writeln!(f, "clock {}{falling}", c.input)?;
        }
        for (i, n) in self.nodes.iter().enumerate() {
            writeln!(f, "%{i}:{} = {n}", n.width)?;
        }
        for (i, r) in self.registers.iter().enumerate() {
            let (next, clock) = (r.next.0, r.clock.0);
            write!(f, "reg {i} {} {} init {:x} ", r.path, r.width, r.init)?;
            writeln!(f, "next %{next} clock %{clock}")?;
            for reset in self
                .resets
                .iter()
                .filter(|reset| reset.register == i as u32)
            {
                writeln!(f, "  reset if %{} to {:x}", reset.active.0, reset.value)?;
            }
        }
        for (i, m) in self.memories.iter().enumerate() {
            writeln!(f, "memory {i} {} {} x {}", m.path, m.width, m.depth)?;
            for (address, word) in &m.init {
                writeln!(f, "  word {address} {word:x}")?;
            }
            for w in &m.writes {
                let (e, a, d, c) = (w.enable.0, w.address.0, w.data.0, w.clock.0);
                writeln!(
                    f,
                    "  write if %{e} at %{a} lo {} data %{d} clock %{c}",
                    w.lo
                )?;
            }
        }
        for o in &self.outputs {
            writeln!(f, "output {} = %{}", o.path, o.node.0)?;
        }
        for (i, s) in self.signals.iter().enumerate() {
            writeln!(f, "signal {} = %{}", s.path, s.node.0)?;
            for p in self.drivers.get(i).into_iter().flatten() {
                writeln!(f, "  driver {} %{}", p.lo, p.node.0)?;
            }
        }
        Ok(())
    }
}
