//! The text form of a schedule: its steps in order, branches indented.

use std::fmt::{self, Write as _};

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
            Step::Switch {
                selector,
                values,
                arms,
            } => {
                writeln!(f, "{pad}switch %{}", selector.0)?;
                for (i, arm) in arms.iter().enumerate() {
                    match values.get(i) {
                        Some(value) => writeln!(f, "{pad}case {value}")?,
                        None => writeln!(f, "{pad}default")?,
                    }
                    steps(f, arm, depth + 1)?;
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

/// Groups of memories or registers, a line each.
pub(super) fn groups_text(what: &str, groups: &[Vec<u32>]) -> String {
    let mut text = String::new();
    for (i, group) in groups.iter().enumerate() {
        let members: Vec<String> = group.iter().map(u32::to_string).collect();
        let _ = writeln!(text, "{what} {i}: {}", members.join(" "));
    }
    text
}
