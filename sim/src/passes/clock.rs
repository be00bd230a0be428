//! `clock`: finds the inputs and edges that clock registers and memories, in order of declaration.

use crate::error::{Error, Place, Result};
use crate::ir::{Netlist, NodeId, Op};

pub(super) fn run(mut netlist: Netlist) -> Result<Netlist> {
    let registers = netlist.registers.iter().map(|r| (r.clock, &r.path, r.line));
    let writes = netlist
        .memories
        .iter()
        .flat_map(|m| m.writes.iter().map(move |w| (w.clock, &m.path, w.line)));
    let mut clocks = Vec::new();
    for (node, path, line) in registers.chain(writes) {
        let Some(clock) = netlist.edge(node) else {
            return Err(refused(&netlist, node, path, line));
        };
        if !clocks.contains(&clock) {
            clocks.push(clock);
        }
    }
    clocks.sort_by_key(|c| (c.input, c.falling));
    netlist.clocks = clocks;
    Ok(netlist)
}

fn refused(netlist: &Netlist, clock: NodeId, path: &str, line: u32) -> Error {
    let message = match netlist.node(clock).op {
        Op::Const(_) => format!("the clock of `{path}` is not connected to an input"),
        _ => format!(
            "`{path}` has a gated or derived clock; clock it by an edge of an input and use an enable instead"
        ),
    };
    let at = (line > 0).then(|| Place {
        file: netlist.file.clone(),
        line,
    });
    Error::Clock { at, message }
}
