//! The pass list: everything between Verilog text and machine code, in order, on one screen.

mod apply;
pub(crate) mod cases;
mod clock;
mod dead;
mod fold;
mod gate;
mod partition;
mod rebuild;
mod resolve;
pub(crate) mod schedule;
mod schedule_text;
pub(crate) mod vectorise;

pub(crate) use apply::after;
pub use apply::apply;

use crate::error::{Error, Result};
use crate::ir::Netlist;

/// A step of the way from text to machine code.
pub struct Pass {
    /// Short name, as `dump_after` takes it.
    pub name: &'static str,
    /// The textbook steps that this one does, in the words of the field; more than one where they are one step here.
    pub covers: &'static str,
    /// What it does, in one line.
    pub description: &'static str,
    run: Run,
}

/// How a step runs.
enum Run {
    /// From netlist to netlist.
    Netlist(fn(Netlist) -> Result<Netlist>),
    /// Between other forms: text, syntax tree, schedule, machine code.
    Other,
}

/// The steps, front to back.
#[rustfmt::skip]
pub const PASSES: [Pass; 12] = [
    Pass { name: "parse", covers: "lex, parse", run: Run::Other,
        description: "Verilog text to a syntax tree (nom lexer, recursive descent)" },
    Pass { name: "elaborate", covers: "elaborate, flatten", run: Run::Other,
        description: "instance by instance into one flat graph: parameters, widths, signs; processes become values" },
    Pass { name: "resolve", covers: "resolve, levelise", run: Run::Netlist(resolve::run),
        description: "signals become their drivers, operands stand before users; combinational loops are errors" },
    Pass { name: "clock", covers: "resolve clocks", run: Run::Netlist(clock::run),
        description: "find the inputs and edges that clock registers and memories" },
    Pass { name: "fold", covers: "constant fold, common subexpressions", run: Run::Netlist(fold::run),
        description: "registers that never change become constants (every pass builds nodes folded and shared)" },
    Pass { name: "dead", covers: "dead logic", run: Run::Netlist(dead::run),
        description: "drop what no output, probe or live state depends on" },
    Pass { name: "partition", covers: "partition", run: Run::Other,
        description: "find lanes: memories addressed together, registers whose names differ by an index" },
    Pass { name: "vectorise", covers: "vectorise", run: Run::Other,
        description: "alike operations of a group's lanes become operations on vectors" },
    Pass { name: "cases", covers: "case splitting", run: Run::Other,
        description: "state machines are taken apart by their state: next values for each case of a word" },
    Pass { name: "gate", covers: "activity gating", run: Run::Other,
        description: "put what only an enabled register or memory needs behind a branch on its enable" },
    Pass { name: "schedule", covers: "levelise", run: Run::Other,
        description: "order evaluation and commits; choose what must wait for the end of the cycle" },
    Pass { name: "lower", covers: "lower", run: Run::Other,
        description: "machine code by Cranelift: one function a cycle" },
];

impl std::fmt::Debug for Pass {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.name, self.description)
    }
}

/// Runs those of `passes` that take a netlist, calling `watch` with the name of each and its result.
pub(crate) fn run(
    mut netlist: Netlist,
    passes: impl Iterator<Item = &'static Pass>,
    mut watch: impl FnMut(&str, &Netlist),
) -> Result<Netlist> {
    for pass in passes {
        if let Run::Netlist(run) = pass.run {
            netlist = run(netlist)?;
            watch(pass.name, &netlist);
        }
    }
    Ok(netlist)
}

/// The passes that every design goes through, whatever is to be visible of it.
pub(crate) fn front() -> impl Iterator<Item = &'static Pass> {
    PASSES
        .iter()
        .filter(|p| ["resolve", "clock"].contains(&p.name))
}

/// The passes after [`front`], which depend on what is to be visible.
pub(crate) fn middle() -> impl Iterator<Item = &'static Pass> {
    PASSES
        .iter()
        .filter(|p| !["resolve", "clock"].contains(&p.name))
}

/// The step of that name.
pub(crate) fn find(name: &str) -> Result<&'static Pass> {
    PASSES.iter().find(|p| p.name == name).ok_or_else(|| {
        let names: Vec<&str> = PASSES.iter().map(|p| p.name).collect();
        Error::NoSuchName {
            kind: "pass",
            name: name.into(),
            hint: format!("the passes are {}", names.join(", ")),
        }
    })
}
