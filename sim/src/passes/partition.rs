//! `partition`: finds what is alike and moves together: memories that are read at one address and written at one
//! address under one enable, such as the accumulators of the lanes of a bank.
//!
//! Such memories become the lanes of one group, whose words lie side by side. Everything else that `vectorise` packs
//! is found from what such a group writes.

use std::collections::HashMap;

use crate::ir::{Netlist, NodeId, Op};

/// Fewer alike memories than this are no group.
const MIN_LANES: usize = 4;
/// Groups with more lanes are split, so that a vector of 32-bit lanes fits the registers of the machine.
const MAX_LANES: usize = 32;

/// What the memories of a group share.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Likeness {
    depth: u64,
    width: u32,
    enable: NodeId,
    address: NodeId,
    reads: Vec<NodeId>,
}

/// The groups of memories, each in order of declaration.
pub(super) fn partition(netlist: &Netlist) -> Vec<Vec<u32>> {
    let mut reads: Vec<Vec<NodeId>> = vec![Vec::new(); netlist.memories.len()];
    for n in &netlist.nodes {
        if let Op::Read(m, address) = n.op {
            reads[m as usize].push(address);
        }
    }
    let mut alike: HashMap<Likeness, Vec<u32>> = HashMap::new();
    for (i, (m, mut reads)) in netlist.memories.iter().zip(reads).enumerate() {
        let [write] = m.writes.as_slice() else {
            continue;
        };
        let whole = write.lo == 0 && netlist.width(write.data) == m.width;
        // Reads are not clamped in a group.
        let inside = |a: &NodeId| netlist.width(*a) < 64 && 1u64 << netlist.width(*a) <= m.depth;
        if !whole
            || !(2..=64).contains(&m.width)
            || !reads.iter().chain([&write.address]).all(inside)
        {
            continue;
        }
        reads.sort_unstable();
        reads.dedup();
        let likeness = Likeness {
            depth: m.depth,
            width: m.width,
            enable: write.enable,
            address: write.address,
            reads,
        };
        let group = alike.entry(likeness).or_default();
        group.push(i as u32);
    }
    let mut groups: Vec<Vec<u32>> = alike
        .into_values()
        .flat_map(|g| g.chunks(MAX_LANES).map(<[u32]>::to_vec).collect::<Vec<_>>())
        .filter(|g| g.len() >= MIN_LANES)
        .collect();
    groups.sort_unstable();
    groups
}
