//! Why a tool failed, out of what it said.

use crate::plan::Step;
use crate::run::{RunError, Silence};
use crate::tools::{Origin, Tool};

/// A resource of which a design needs more than the part has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overflow {
    /// nextpnr's name.
    pub cell: String,
    /// What the design needs.
    pub used: u64,
    /// What the part has.
    pub available: u64,
}

/// What overflows, as people read it.
#[must_use]
pub fn list(overflow: &[Overflow]) -> String {
    let items: Vec<_> = overflow
        .iter()
        .map(|o| format!("{} {} of {}", o.cell, o.used, o.available))
        .collect();
    items.join(", ")
}

/// Whether every error that nextpnr named is a clock below its target.
pub(crate) fn only_too_slow(said: &[String]) -> bool {
    let mut errors = said.iter().filter(|l| l.starts_with("ERROR:")).peekable();
    errors.peek().is_some() && errors.all(|l| l.contains("Max frequency") && l.contains("FAIL"))
}

/// The error that a failed tool's words amount to.
pub(crate) fn cause_of(
    step: &Step,
    tool: &Tool,
    said: &[String],
    status: &str,
    log: String,
) -> RunError {
    let overflow = overflow(said.iter().map(String::as_str));
    if !overflow.is_empty() {
        return RunError::TooLarge { overflow };
    }
    let errors: Vec<&str> = said
        .iter()
        .map(String::as_str)
        .filter(|l| {
            let lower = l.to_lowercase();
            lower.starts_with("error") || lower.contains("error:") || lower.starts_with("terminate")
        })
        .take(3)
        .collect();
    let program = step.program.clone();
    if errors.is_empty() {
        let last = said.iter().rev().find(|l| !l.is_empty());
        return RunError::Silent(Box::new(Silence {
            program,
            version: tool.version.clone(),
            status: status.into(),
            last: last.cloned().unwrap_or_default(),
            log,
            fix: match tool.origin {
                Origin::Native => {
                    "try the pinned version: `weft tools install`, and run without the native one on the PATH"
                }
                Origin::Pinned => "try a native one on the PATH, or report it to the tool's makers",
            },
        }));
    }
    RunError::Tool {
        program,
        said: errors.join("; "),
        log,
    }
}

/// Lines of nextpnr's utilisation table, `Info: NAME: used/available percent`, with more used than available.
pub(crate) fn overflow<'a>(said: impl IntoIterator<Item = &'a str>) -> Vec<Overflow> {
    let mut found: Vec<Overflow> = Vec::new();
    for text in said {
        // nextpnr-ecp5 prints a table of its own before this one, and this one again after packing.
        if text.trim_end().ends_with("Device utilisation:") {
            found.clear();
        }
        let Some(o) = utilisation(text).filter(|o| o.used > o.available) else {
            continue;
        };
        if !found.iter().any(|f| f.cell == o.cell) {
            found.push(o);
        }
    }
    found
}

fn utilisation(line: &str) -> Option<Overflow> {
    let rest = line.strip_prefix("Info:")?;
    let (cell, numbers) = rest.rsplit_once(':')?;
    let (used, rest) = numbers.split_once('/')?;
    let available = rest.split_whitespace().next()?;
    rest.trim_end().ends_with('%').then_some(())?;
    Some(Overflow {
        cell: cell.trim().into(),
        used: used.trim().parse().ok()?,
        available: available.parse().ok()?,
    })
}
