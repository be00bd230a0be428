//! `partition`: finds what is alike and moves together, the lanes of groups: memories that are read at one address and
//! written at one address under one enable, such as the accumulators of a bank's tokens; and registers of one width
//! whose paths differ in one number, such as those of the banks. Names only propose: `vectorise` looks at what the
//! lanes do.

use std::collections::HashMap;

use crate::ir::{Netlist, NodeId, Op};

/// Fewer alike things than this are no group.
const MIN_LANES: usize = 4;
/// Groups with more lanes are split, so that a vector of 32-bit lanes fits the registers of the machine.
const MAX_LANES: usize = 32;
/// Widest lane, in bits.
const MAX_WIDTH: u32 = 64;

/// Groups of alike memories and registers, each in order of its lanes.
#[derive(Debug, Default)]
pub(super) struct Groups {
    pub(super) memories: Vec<Vec<u32>>,
    pub(super) registers: Vec<Vec<u32>>,
}

pub(super) fn partition(netlist: &Netlist) -> Groups {
    Groups {
        memories: memories(netlist),
        registers: registers(netlist),
    }
}

/// What the memories of a group share.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Likeness {
    depth: u64,
    width: u32,
    enable: NodeId,
    address: NodeId,
    reads: Vec<NodeId>,
}

fn memories(netlist: &Netlist) -> Vec<Vec<u32>> {
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
            || !(2..=MAX_WIDTH).contains(&m.width)
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
    sorted(alike.into_values())
}

/// A path around one of its numbers, and a width.
type Family<'n> = (&'n str, &'n str, u32);

/// Registers whose paths are equal but for one number; of several numbers in a path, the last that has enough of them.
fn registers(netlist: &Netlist) -> Vec<Vec<u32>> {
    let mut members: HashMap<Family<'_>, usize> = HashMap::new();
    let mut families: Vec<Vec<(Family<'_>, u64)>> = Vec::with_capacity(netlist.registers.len());
    for r in &netlist.registers {
        let own = match r.width {
            ..=MAX_WIDTH => numbers(&r.path),
            _ => Vec::new(),
        };
        let family = |(from, to, number)| ((&r.path[..from], &r.path[to..], r.width), number);
        families.push(own.into_iter().map(family).collect());
        for (family, _) in families.iter().rev().take(1).flatten() {
            *members.entry(*family).or_default() += 1;
        }
    }
    let mut groups: HashMap<Family<'_>, Vec<(u64, u32)>> = HashMap::new();
    for (i, own) in families.into_iter().enumerate() {
        let enough = |(family, _): &&(Family<'_>, u64)| members[family] >= MIN_LANES;
        if let Some((family, number)) = own.iter().rev().find(enough) {
            groups.entry(*family).or_default().push((*number, i as u32));
        }
    }
    sorted(groups.into_values().map(|mut g| {
        g.sort_unstable();
        g.into_iter().map(|(_, r)| r).collect()
    }))
}

/// The numbers in a path, as ranges of bytes and values.
fn numbers(path: &str) -> Vec<(usize, usize, u64)> {
    let bytes = path.as_bytes();
    let mut found = Vec::new();
    let mut from = 0;
    while from < bytes.len() {
        let digits = bytes[from..].iter().take_while(|b| b.is_ascii_digit());
        let to = from + digits.count();
        // Nothing between two digits' ends, which may be inside a character.
        if let Some(Ok(number)) = path.get(from..to).map(str::parse) {
            found.push((from, to, number));
        }
        from = to + 1;
    }
    found
}

/// Groups of at most [`MAX_LANES`], in order of their first members.
fn sorted(groups: impl Iterator<Item = Vec<u32>>) -> Vec<Vec<u32>> {
    let mut groups: Vec<Vec<u32>> = groups
        .flat_map(|g| g.chunks(MAX_LANES).map(<[u32]>::to_vec).collect::<Vec<_>>())
        .filter(|g| g.len() >= MIN_LANES)
        .collect();
    groups.sort_unstable();
    groups
}
