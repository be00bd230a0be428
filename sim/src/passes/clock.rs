//! `clock`: every register and memory write must be clocked by one and the same input.

use crate::error::{Error, Result};
use crate::ir::{Netlist, NodeId, Op};

pub(super) fn run(mut netlist: Netlist) -> Result<Netlist> {
    let mut found: Option<(u32, String)> = None;
    let registers = netlist.registers.iter().map(|r| (r.clock, &r.path));
    let writes = netlist
        .memories
        .iter()
        .flat_map(|m| m.writes.iter().map(move |w| (w.clock, &m.path)));
    for (clock, path) in registers.chain(writes) {
        let input = input_of(&netlist, clock, path)?;
        match &found {
            None => found = Some((input, path.clone())),
            Some((first, of)) if *first != input => {
                let (a, b) = (
                    &netlist.inputs[*first as usize].name,
                    &netlist.inputs[input as usize].name,
                );
                let message = format!(
                    "`{of}` is clocked by `{a}` and `{path}` by `{b}`; this version simulates one clock, so connect \
                     both to one input"
                );
                return Err(Error::Clock { message });
            }
            Some(_) => {}
        }
    }
    netlist.clock = found.map(|(input, _)| input);
    Ok(netlist)
}

fn input_of(netlist: &Netlist, clock: NodeId, path: &str) -> Result<u32> {
    match netlist.node(clock).op {
        Op::Input(i) if netlist.inputs[i as usize].width == 1 => Ok(i),
        Op::Const(_) => Err(Error::Clock {
            message: format!("the clock of `{path}` is not connected to an input"),
        }),
        _ => Err(Error::Clock {
            message: format!(
                "`{path}` has a gated or derived clock; clock it by an input and use an enable instead"
            ),
        }),
    }
}
