//! The text form of a netlist, one line an item, for dumps and golden tests.

use std::fmt;

use super::{Binary, Netlist, Node, Op, Unary};

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.op {
            Op::Const(b) => write!(f, "const {b:x}"),
            Op::Input(i) => write!(f, "input {i}"),
            Op::Reg(r) => write!(f, "reg {r}"),
            Op::Signal(s) => write!(f, "signal {s}"),
            Op::Read(m, a) => write!(f, "read {m} %{}", a.0),
            Op::Unary(u, a) => write!(f, "{} %{}", unary_name(*u), a.0),
            Op::Binary(o, a, b) => write!(f, "{} %{} %{}", binary_name(*o), a.0, b.0),
            Op::Mux(c, a, b) => write!(f, "mux %{} %{} %{}", c.0, a.0, b.0),
            Op::Slice(a, lo) => write!(f, "slice %{} {lo}", a.0),
            Op::Concat(parts) => {
                write!(f, "concat")?;
                parts.iter().try_for_each(|p| write!(f, " %{}", p.0))
            }
            Op::Zext(a) => write!(f, "zext %{}", a.0),
            Op::Sext(a) => write!(f, "sext %{}", a.0),
        }
    }
}

fn unary_name(u: Unary) -> &'static str {
    match u {
        Unary::Not => "not",
        Unary::Neg => "neg",
        Unary::RedAnd => "redand",
        Unary::RedOr => "redor",
        Unary::RedXor => "redxor",
    }
}

fn binary_name(o: Binary) -> &'static str {
    match o {
        Binary::And => "and",
        Binary::Or => "or",
        Binary::Xor => "xor",
        Binary::Add => "add",
        Binary::Sub => "sub",
        Binary::Mul => "mul",
        Binary::Udiv => "udiv",
        Binary::Urem => "urem",
        Binary::Sdiv => "sdiv",
        Binary::Srem => "srem",
        Binary::Eq => "eq",
        Binary::Ult => "ult",
        Binary::Slt => "slt",
        Binary::Shl => "shl",
        Binary::Lshr => "lshr",
        Binary::Ashr => "ashr",
    }
}

impl fmt::Display for Netlist {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, p) in self.inputs.iter().enumerate() {
            let clock = if self.clock == Some(i as u32) {
                " clock"
            } else {
                ""
            };
            writeln!(f, "input {i} {}:{}{clock}", p.name, p.width)?;
        }
        for (i, n) in self.nodes.iter().enumerate() {
            writeln!(f, "%{i}:{} = {n}", n.width)?;
        }
        for (i, r) in self.registers.iter().enumerate() {
            writeln!(
                f,
                "reg {i} {}:{} init {:x} next %{}",
                r.path, r.width, r.init, r.next.0
            )?;
        }
        for (i, m) in self.memories.iter().enumerate() {
            writeln!(
                f,
                "memory {i} {}:{} x {} init {}",
                m.path,
                m.width,
                m.depth,
                m.init.len()
            )?;
            for w in &m.writes {
                let (e, a, d) = (w.enable.0, w.address.0, w.data.0);
                writeln!(f, "  write if %{e} [%{a}] +{} = %{d}", w.lo)?;
            }
        }
        for o in &self.outputs {
            writeln!(f, "output {} = %{}", o.path, o.node.0)?;
        }
        for s in &self.signals {
            writeln!(f, "signal {} = %{}", s.path, s.node.0)?;
        }
        Ok(())
    }
}
