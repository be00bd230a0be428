//! The text form of a schedule: its steps in order, branches indented.

use std::fmt;

use super::schedule::{Schedule, Step};

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
