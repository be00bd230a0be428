//! The pass list: everything between the syntax tree and machine code, in order, on one screen.

mod clock;
mod dead;
mod fold;
mod gate;
mod rebuild;
mod resolve;
pub(crate) mod schedule;

pub(crate) use resolve::resolve;

use crate::error::Result;
use crate::ir::Netlist;

/// A pass over the netlist.
pub struct Pass {
    /// Short name, as `dump_after` takes it.
    pub name: &'static str,
    /// What it does, in one line.
    pub description: &'static str,
    run: fn(Netlist) -> Result<Netlist>,
}

impl std::fmt::Debug for Pass {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.name, self.description)
    }
}

/// Steps before the netlist exists, for the reader of the list: text to tree to symbolic netlist to netlist.
pub const FRONT: [(&str, &str); 3] = [
    (
        "parse",
        "Verilog text to a syntax tree (nom lexer, recursive descent)",
    ),
    (
        "elaborate",
        "parameters, hierarchy, widths and signs; processes become single-assignment values",
    ),
    (
        "resolve",
        "signals become their drivers; operands stand before users; combinational loops are errors",
    ),
];

/// The passes over the netlist, in the order in which they run.
pub const PASSES: [Pass; 3] = [
    Pass {
        name: "clock",
        description: "find the one clock that every register and memory shares",
        run: clock::run,
    },
    Pass {
        name: "fold",
        description: "registers that never change become constants; fold and share again",
        run: fold::run,
    },
    Pass {
        name: "dead",
        description: "drop what no output, probe or live state depends on",
        run: dead::run,
    },
];

/// Steps after the netlist: they build other structures.
pub const BACK: [(&str, &str); 3] = [
    (
        "gate",
        "put what only an enabled register or memory needs behind a branch on its enable",
    ),
    (
        "schedule",
        "order evaluation and commits; choose registers and writes that must wait for the end",
    ),
    ("lower", "machine code by Cranelift: one function a cycle"),
];

/// Runs the passes, calling `watch` with the name of each and its result.
pub(crate) fn run(mut netlist: Netlist, mut watch: impl FnMut(&str, &Netlist)) -> Result<Netlist> {
    for pass in &PASSES {
        netlist = (pass.run)(netlist)?;
        watch(pass.name, &netlist);
    }
    Ok(netlist)
}
