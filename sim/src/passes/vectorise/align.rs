//! Operands in one order in every lane: vectors are built operand by operand, and nodes hold the operands of sums in
//! the order of their numbers, which differs from lane to lane.

use std::hash::Hasher;

use super::super::partition::Groups;
use crate::ir::{Binary, Netlist, NodeId, Op, WordHasher};

/// What every node computes, as a number that is the same for the nodes of all lanes: registers and memories of one
/// group are one thing, constants are another, and the operands of a sum may stand in any order.
pub(super) struct Likeness(Vec<u64>);

impl Likeness {
    pub(super) fn of(netlist: &Netlist, groups: &Groups) -> Self {
        let registers = numbers(netlist.registers.len(), &groups.registers);
        let memories = numbers(netlist.memories.len(), &groups.memories);
        let mut all: Vec<u64> = Vec::with_capacity(netlist.nodes.len());
        for n in &netlist.nodes {
            let mut h = WordHasher::default();
            h.write_u32(n.width);
            match &n.op {
                Op::Const(_) => h.write_u8(0),
                Op::Input(i) => hash(&mut h, 1, u64::from(*i)),
                Op::Signal(i) => hash(&mut h, 2, u64::from(*i)),
                Op::Reg(r) => hash(&mut h, 3, registers[*r as usize]),
                Op::Read(m, _) => hash(&mut h, 4, memories[*m as usize]),
                Op::Unary(u, _) => hash(&mut h, 5, *u as u64),
                Op::Binary(o, ..) => hash(&mut h, 6, *o as u64),
                Op::Mux(..) => h.write_u8(7),
                Op::Slice(_, lo) => hash(&mut h, 8, u64::from(*lo)),
                Op::Concat(_) => h.write_u8(9),
                Op::Zext(_) => h.write_u8(10),
                Op::Sext(_) => h.write_u8(11),
                Op::Lane(_, i) => hash(&mut h, 12, u64::from(*i)),
                Op::Vector(_) => h.write_u8(13),
            }
            match n.op {
                Op::Binary(o, a, b) if commutes(o) => {
                    let (a, b) = (all[a.index()], all[b.index()]);
                    h.write_u64(a.min(b));
                    h.write_u64(a.max(b));
                }
                ref op => op.each(|a| h.write_u64(all[a.index()])),
            }
            all.push(h.finish());
        }
        Likeness(all)
    }

    /// Whether `x` and `y`, the operands of a node that commutes, fit `a` and `b` better the other way round.
    pub(super) fn crosswise(
        &self,
        netlist: &Netlist,
        (a, b): (NodeId, NodeId),
        (x, y): (NodeId, NodeId),
    ) -> bool {
        let fit = |a, x| self.fit(netlist, a, x);
        fit(a, y) + fit(b, x) > fit(a, x) + fit(b, y)
    }

    /// How well two nodes go into one vector.
    fn fit(&self, netlist: &Netlist, a: NodeId, x: NodeId) -> u32 {
        let (p, q) = (netlist.node(a), netlist.node(x));
        if a == x || self.0[a.index()] == self.0[x.index()] {
            return 4;
        }
        let kind = std::mem::discriminant(&p.op) == std::mem::discriminant(&q.op);
        u32::from(kind && p.width == q.width)
    }
}

/// Whether the operands may change places.
pub(super) fn commutes(o: Binary) -> bool {
    matches!(
        o,
        Binary::And | Binary::Or | Binary::Xor | Binary::Add | Binary::Mul | Binary::Eq
    )
}

/// A number for each of `count` things; those of a group have one.
fn numbers(count: usize, groups: &[Vec<u32>]) -> Vec<u64> {
    let mut numbers: Vec<u64> = (0..count as u64).collect();
    for group in groups {
        for m in group {
            numbers[*m as usize] = u64::from(group[0]);
        }
    }
    numbers
}

fn hash(h: &mut WordHasher, kind: u8, value: u64) {
    h.write_u8(kind);
    h.write_u64(value);
}
