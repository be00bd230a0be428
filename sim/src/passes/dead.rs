//! `dead`: drops nodes, registers and memories that nothing visible depends on, and renumbers the rest.

use std::collections::HashMap;

use super::rebuild::rebuild;
use crate::error::Result;
use crate::ir::{Netlist, NodeId, Op};

pub(super) fn run(mut netlist: Netlist) -> Result<Netlist> {
    let mut resets: HashMap<u32, Vec<NodeId>> = HashMap::new();
    for r in &netlist.resets {
        resets.entry(r.register).or_default().push(r.active);
    }
    let mut live = Live {
        resets,
        nodes: vec![false; netlist.nodes.len()],
        registers: vec![false; netlist.registers.len()],
        memories: vec![false; netlist.memories.len()],
        stack: Vec::new(),
    };
    live.stack.extend(
        netlist
            .outputs
            .iter()
            .chain(&netlist.signals)
            .map(|n| n.node),
    );
    // The clocks were checked by `clock`; their nodes are kept so that the fields stay valid.
    live.stack.extend(netlist.registers.iter().map(|r| r.clock));
    let writes = netlist.memories.iter().flat_map(|m| &m.writes);
    live.stack.extend(writes.map(|w| w.clock));
    live.walk(&netlist);
    let registers = renumber(&live.registers);
    let memories = renumber(&live.memories);
    netlist
        .resets
        .retain(|r| live.registers[r.register as usize]);
    for r in &mut netlist.resets {
        r.register = registers[r.register as usize];
    }
    let mut keep = live.registers.iter();
    netlist.registers.retain(|_| *keep.next().unwrap_or(&false));
    let mut keep = live.memories.iter();
    netlist.memories.retain(|_| *keep.next().unwrap_or(&false));
    for n in &mut netlist.nodes {
        match &mut n.op {
            Op::Reg(r) => *r = registers[*r as usize],
            Op::Read(m, _) => *m = memories[*m as usize],
            _ => {}
        }
    }
    rebuild(netlist, &live.nodes, |_, _| None)
}

struct Live {
    nodes: Vec<bool>,
    registers: Vec<bool>,
    memories: Vec<bool>,
    /// What resets each register.
    resets: HashMap<u32, Vec<NodeId>>,
    stack: Vec<NodeId>,
}

impl Live {
    fn walk(&mut self, netlist: &Netlist) {
        while let Some(id) = self.stack.pop() {
            if std::mem::replace(&mut self.nodes[id.index()], true) {
                continue;
            }
            let op = &netlist.node(id).op;
            op.each(|a| self.stack.push(a));
            match *op {
                Op::Reg(r) if !std::mem::replace(&mut self.registers[r as usize], true) => {
                    self.stack.push(netlist.registers[r as usize].next);
                    let resets = self.resets.get(&r).into_iter().flatten();
                    self.stack.extend(resets);
                }
                Op::Read(m, _) if !std::mem::replace(&mut self.memories[m as usize], true) => {
                    for w in &netlist.memories[m as usize].writes {
                        self.stack.extend([w.enable, w.address, w.data]);
                    }
                }
                _ => {}
            }
        }
    }
}

fn renumber(live: &[bool]) -> Vec<u32> {
    let mut next = 0;
    live.iter()
        .map(|l| {
            let n = next;
            next += u32::from(*l);
            n
        })
        .collect()
}
