//! The text form of a schedule: its steps in order, branches indented; and of the packs in it.

use std::fmt::{self, Write as _};

use super::schedule::{Schedule, Step};
use super::vectorise::{Form, Lanes, Packs};

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        steps(f, &self.steps, 0)?;
        for (memory, write) in &self.deferred {
            writeln!(f, "commit write {write} of memory {memory}")?;
        }
        for register in &self.shadows {
            writeln!(f, "commit reg {register}")?;
        }
        Ok(())
    }
}

fn steps(f: &mut fmt::Formatter<'_>, list: &[Step], depth: usize) -> fmt::Result {
    let pad = "  ".repeat(depth);
    for step in list {
        match step {
            Step::Eval(node) => writeln!(f, "{pad}eval %{}", node.0)?,
            Step::Pack(p) => writeln!(f, "{pad}eval pack {p}")?,
            Step::RegisterGroup {
                group,
                value,
                shadow,
            } => {
                let place = if *shadow { "shadow of regs" } else { "regs" };
                writeln!(f, "{pad}{place} {group} = {value}")?;
            }
            Step::WriteGroup {
                group,
                data,
                enable,
            } => {
                write!(f, "{pad}do writes of memories {group} = {data}")?;
                match enable {
                    Some(enable) => writeln!(f, " if %{}", enable.0)?,
                    None => writeln!(f)?,
                }
            }
            Step::Visible(i, node) => writeln!(f, "{pad}visible {i} = %{}", node.0)?,
            Step::Register {
                register,
                node,
                shadow,
            } => {
                let place = if *shadow { "shadow of reg" } else { "reg" };
                writeln!(f, "{pad}{place} {register} = %{}", node.0)?;
            }
            Step::Write {
                memory,
                write,
                enable,
                deferred,
            } => {
                let what = if deferred.is_some() { "remember" } else { "do" };
                write!(f, "{pad}{what} write {write} of memory {memory}")?;
                match enable {
                    Some(enable) => writeln!(f, " if %{}", enable.0)?,
                    None => writeln!(f)?,
                }
            }
            Step::If(condition, then, other) => {
                writeln!(f, "{pad}if %{}", condition.0)?;
                steps(f, then, depth + 1)?;
                if !other.is_empty() {
                    writeln!(f, "{pad}else")?;
                    steps(f, other, depth + 1)?;
                }
            }
        }
    }
    Ok(())
}

impl fmt::Display for Lanes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Lanes::Pack(p) => write!(f, "pack {p}"),
            Lanes::Registers(g) => write!(f, "regs {g}"),
            Lanes::Same(n) => write!(f, "%{}", n.0),
        }
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |op: &dyn fmt::Debug| format!("{op:?}").to_lowercase();
        match self {
            Form::Parts(words) => {
                write!(f, "parts")?;
                words
                    .iter()
                    .try_for_each(|(n, limb)| write!(f, " %{}[{limb}]", n.0))
            }
            Form::Read(group, address) => write!(f, "read memories {group} at %{}", address.0),
            Form::Unary(u, a) => write!(f, "{} {a}", name(u)),
            Form::Binary(o, a, b) => write!(f, "{} {a}, {b}", name(o)),
            Form::Mux(c, a, b) => write!(f, "mux %{}, {a}, {b}", c.0),
            Form::Zext(a) => write!(f, "zext {a}"),
            Form::Sext(a) => write!(f, "sext {a}"),
        }
    }
}

/// Groups of memories or registers, a line each.
pub(super) fn groups_text(what: &str, groups: &[Vec<u32>]) -> String {
    let mut text = String::new();
    for (i, group) in groups.iter().enumerate() {
        let members: Vec<String> = group.iter().map(u32::to_string).collect();
        let _ = writeln!(text, "{what} {i}: {}", members.join(" "));
    }
    text
}

impl fmt::Display for Packs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&groups_text("memories", &self.memories))?;
        f.write_str(&groups_text("regs", &self.registers))?;
        for (i, p) in self.packs.iter().enumerate() {
            let nodes: Vec<String> = p.nodes.iter().map(|n| format!("%{}", n.0)).collect();
            writeln!(f, "pack {i}:{} = {} ({})", p.width, p.form, nodes.join(" "))?;
        }
        Ok(())
    }
}
