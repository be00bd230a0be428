//! `vectorise`: alike operations of a group's lanes become operations on vectors.
//!
//! `plan` starts at the next values of groups of registers and at the words that groups of memories write, and follows
//! alike nodes towards their operands, a lane each; where the lanes part, a vector is built of single values. Groups
//! that gain nothing are given up. `emit` writes the netlist anew: a group becomes one wide register or memory, and
//! whatever else uses a lane takes it out of its vector. Where the lanes of registers and memories are found
//! afterwards is kept in [`Lanes`].

mod align;
mod emit;
mod plan;

use super::partition::{Groups, partition};
use crate::ir::{Form, Netlist, Op};

/// Longest way through a netlist that is still vectorised; both halves of the pass recurse along it.
const MAX_DEPTH: u32 = 1_000;
/// Largest netlist that is still vectorised.
const MAX_NODES: usize = 1 << 18;

/// Where registers and memories are after the pass: their index, and the lane if they are one of a group.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lanes {
    pub(crate) registers: Vec<(u32, Option<u32>)>,
    pub(crate) memories: Vec<(u32, Option<u32>)>,
}

/// The netlist with vectors, and where everything is.
pub(crate) fn vectorise(netlist: &Netlist) -> (Netlist, Lanes) {
    let groups = match depth(netlist) <= MAX_DEPTH && netlist.nodes.len() <= MAX_NODES {
        true => partition(netlist),
        false => Groups::default(),
    };
    let plan = plan::plan(netlist, groups);
    if plan.registers.is_empty() && plan.memories.is_empty() {
        let alone = |n: usize| (0..n as u32).map(|i| (i, None)).collect();
        let lanes = Lanes {
            registers: alone(netlist.registers.len()),
            memories: alone(netlist.memories.len()),
        };
        return (netlist.clone(), lanes);
    }
    emit::emit(netlist, &plan)
}

/// How many operations are done on vectors.
pub(crate) fn vectors(netlist: &Netlist) -> usize {
    let is_vector = |op: &Op| match op {
        Op::Vector(v) => !matches!(v.form, Form::Build | Form::Splat),
        _ => false,
    };
    netlist.nodes.iter().filter(|n| is_vector(&n.op)).count()
}

/// The longest way from a node to a leaf.
fn depth(netlist: &Netlist) -> u32 {
    let mut depths: Vec<u32> = Vec::with_capacity(netlist.nodes.len());
    for n in &netlist.nodes {
        let mut depth = 0;
        n.op.each(|a| depth = depth.max(depths[a.index()] + 1));
        depths.push(depth);
    }
    depths.into_iter().max().unwrap_or(0)
}
