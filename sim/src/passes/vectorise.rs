//! `vectorise`: packs alike operations of a group's lanes into vector operations.
//!
//! Starting at the words that a group of memories writes, alike nodes are followed towards their operands, a lane
//! each: registers met on the way become groups that lie side by side, and what they become is followed in turn.
//! A node is in one pack at most, all lanes of a pack stand in one block and at one depth of the graph, so that packs
//! cannot wait for each other. Whatever else uses a lane takes it out of the vector.

use std::collections::HashMap;

use super::gate::{Action, Plan};
use super::order::order;
use super::partition::partition;
use crate::ir::{Binary, Netlist, NodeId, Op, Unary};

/// Where the lanes of an operand come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lanes {
    /// A pack, by index.
    Pack(usize),
    /// A group of registers, by index.
    Registers(usize),
    /// One node for all lanes.
    Same(NodeId),
}

/// How a pack is computed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Form {
    /// The lanes are the parts of these words, as nodes and limbs of 64 bits, in order.
    Parts(Vec<(NodeId, usize)>),
    /// Words of a group of memories at one address.
    Read(usize, NodeId),
    Unary(Unary, Lanes),
    Binary(Binary, Lanes, Lanes),
    /// One condition for all lanes.
    Mux(NodeId, Lanes, Lanes),
    Zext(Lanes),
    Sext(Lanes),
}

/// Nodes of one width that are computed together.
#[derive(Debug, Clone)]
pub(crate) struct Pack {
    pub(crate) nodes: Vec<NodeId>,
    pub(crate) width: u32,
    pub(crate) form: Form,
}

/// All that is computed as vectors.
#[derive(Debug, Clone, Default)]
pub(crate) struct Packs {
    pub(crate) packs: Vec<Pack>,
    /// Groups of registers of one width, a lane each.
    pub(crate) registers: Vec<Vec<u32>>,
    /// Groups of memories.
    pub(crate) memories: Vec<Vec<u32>>,
    /// The pack and lane of a node.
    pub(crate) of: HashMap<NodeId, (usize, usize)>,
}

impl Packs {
    /// Calls `f` on what must be evaluated before a pack: a node of each operand.
    pub(crate) fn each_operand(&self, pack: usize, mut f: impl FnMut(NodeId)) {
        let mut lanes = |l: Lanes| match l {
            Lanes::Pack(p) => f(self.packs[p].nodes[0]),
            Lanes::Same(n) => f(n),
            Lanes::Registers(_) => {}
        };
        match &self.packs[pack].form {
            Form::Unary(_, a) | Form::Zext(a) | Form::Sext(a) => lanes(*a),
            Form::Binary(_, a, b) => {
                lanes(*a);
                lanes(*b);
            }
            Form::Mux(c, a, b) => {
                lanes(*a);
                lanes(*b);
                f(*c);
            }
            Form::Parts(words) => words.iter().for_each(|(n, _)| f(*n)),
            Form::Read(_, address) => f(*address),
        }
    }
}

/// Bits of the machine's lanes that hold values of this width.
pub(crate) fn lane_bits(width: u32) -> u32 {
    width.next_power_of_two().max(8)
}

/// Finds packs and puts the actions that they serve in their place.
pub(crate) fn vectorise(netlist: &Netlist, plan: &mut Plan) -> Packs {
    let groups = partition(netlist);
    if groups.is_empty() {
        return Packs::default();
    }
    let mut v = Vectoriser {
        netlist,
        place: &plan.place,
        depth: depths(netlist),
        packs: Packs::default(),
        group_of: HashMap::new(),
        known: HashMap::new(),
    };
    let mut actions: Vec<Vec<Action>> = plan
        .blocks
        .iter_mut()
        .map(|b| std::mem::take(&mut b.actions))
        .collect();
    for group in groups {
        v.write_group(&group, &mut actions);
    }
    // Packing the registers of one group may find further groups.
    let mut next = 0;
    while next < v.packs.registers.len() {
        for block in &mut actions {
            v.register_group(next, block);
        }
        next += 1;
    }
    let packs = v.packs;
    for (block, actions) in plan.blocks.iter_mut().zip(actions) {
        block.actions = actions;
    }
    order(netlist, &packs, plan);
    packs
}

/// The longest way from each node to a leaf.
fn depths(netlist: &Netlist) -> Vec<u32> {
    let mut depths: Vec<u32> = Vec::with_capacity(netlist.nodes.len());
    for n in &netlist.nodes {
        let mut depth = 0;
        n.op.each(|a| depth = depth.max(depths[a.index()] + 1));
        depths.push(depth);
    }
    depths
}

struct Vectoriser<'n> {
    netlist: &'n Netlist,
    place: &'n [Option<usize>],
    depth: Vec<u32>,
    packs: Packs,
    /// Group and lane of each register that has one.
    group_of: HashMap<u32, (usize, usize)>,
    known: HashMap<Vec<NodeId>, Lanes>,
}

impl Vectoriser<'_> {
    /// Makes one action of a group's writes, if all stand in one block and their data can be packed.
    fn write_group(&mut self, group: &[u32], actions: &mut [Vec<Action>]) {
        let is_ours =
            |a: &Action| matches!(a, Action::Write { memory, .. } if group.contains(memory));
        for block in actions {
            let ours: Vec<usize> = (0..block.len()).filter(|i| is_ours(&block[*i])).collect();
            let Some(Action::Write { enabled, .. }) = ours.first().map(|i| block[*i].clone())
            else {
                continue;
            };
            if ours.len() != group.len() {
                return;
            }
            let index = self.packs.memories.len();
            self.packs.memories.push(group.to_vec());
            let data: Vec<NodeId> = group
                .iter()
                .map(|m| self.netlist.memories[*m as usize].writes[0].data)
                .collect();
            match self.attempt(&data) {
                Some(data) => replace(
                    block,
                    &ours,
                    Action::WriteGroup {
                        group: index,
                        data,
                        enabled,
                    },
                ),
                None => drop(self.packs.memories.pop()),
            }
            return;
        }
    }

    /// Makes one action of a block's stores into all registers of a group, if their values can be packed.
    fn register_group(&mut self, group: usize, block: &mut Vec<Action>) {
        let registers = self.packs.registers[group].clone();
        let mut ours = vec![None; registers.len()];
        for (i, a) in block.iter().enumerate() {
            if let Action::Register(r, node) = a
                && let Some((g, lane)) = self.group_of.get(r)
                && *g == group
            {
                ours[*lane] = Some((i, *node));
            }
        }
        let Some(ours) = ours.into_iter().collect::<Option<Vec<_>>>() else {
            return;
        };
        let (mut at, values): (Vec<usize>, Vec<NodeId>) = ours.into_iter().unzip();
        at.sort_unstable();
        if let Some(value) = self.attempt(&values) {
            replace(
                block,
                &at,
                Action::RegisterGroup {
                    group,
                    value,
                    nodes: values,
                },
            );
        }
    }

    /// Packs a value for each lane, or leaves everything as it was.
    fn attempt(&mut self, ids: &[NodeId]) -> Option<Lanes> {
        let (packs, registers) = (self.packs.packs.len(), self.packs.registers.len());
        let found = self.lanes(ids);
        if found.is_none() {
            self.packs.packs.truncate(packs);
            self.packs.registers.truncate(registers);
            self.packs.of.retain(|_, (p, _)| *p < packs);
            self.group_of.retain(|_, (g, _)| *g < registers);
            self.known.retain(|_, l| match l {
                Lanes::Pack(p) => *p < packs,
                Lanes::Registers(g) => *g < registers,
                Lanes::Same(_) => true,
            });
        }
        found
    }

    fn lanes(&mut self, ids: &[NodeId]) -> Option<Lanes> {
        if let Some(l) = self.known.get(ids) {
            return Some(*l);
        }
        let width = self.netlist.width(ids[0]);
        if !(2..=64).contains(&width) || ids.iter().any(|n| self.netlist.width(*n) != width) {
            return None;
        }
        let found = if ids.iter().all(|n| *n == ids[0]) {
            Lanes::Same(ids[0])
        } else if let Op::Reg(_) = self.netlist.node(ids[0]).op {
            Lanes::Registers(self.registers(ids)?)
        } else {
            Lanes::Pack(self.pack(ids, width)?)
        };
        self.known.insert(ids.to_vec(), found);
        Some(found)
    }

    fn registers(&mut self, ids: &[NodeId]) -> Option<usize> {
        let mut registers = Vec::with_capacity(ids.len());
        for n in ids {
            match self.netlist.node(*n).op {
                Op::Reg(r) if !self.group_of.contains_key(&r) => registers.push(r),
                _ => return None,
            }
        }
        let group = self.packs.registers.len();
        for (lane, r) in registers.iter().enumerate() {
            if self.group_of.insert(*r, (group, lane)).is_some() {
                return None;
            }
        }
        self.packs.registers.push(registers);
        Some(group)
    }

    fn pack(&mut self, ids: &[NodeId], width: u32) -> Option<usize> {
        let first = ids[0].index();
        let alike = |n: &NodeId| {
            self.depth[n.index()] == self.depth[first]
                && self.place[n.index()] == self.place[first]
                && !self.packs.of.contains_key(n)
        };
        if self.place[first].is_none() || !ids.iter().all(alike) {
            return None;
        }
        let form = match self.netlist.nodes[first].op.clone() {
            Op::Slice(..) => self.parts(ids, width)?,
            op => self.form(&op, ids)?,
        };
        let index = self.packs.packs.len();
        for (lane, n) in ids.iter().enumerate() {
            if self.packs.of.insert(*n, (index, lane)).is_some() {
                return None;
            }
        }
        let nodes = ids.to_vec();
        self.packs.packs.push(Pack { nodes, width, form });
        Some(index)
    }

    /// The form of lanes that all do `first` on operands of their own.
    fn form(&mut self, first: &Op, ids: &[NodeId]) -> Option<Form> {
        let netlist = self.netlist;
        let mut operands: Vec<Vec<NodeId>> = Vec::new();
        for n in ids {
            let op = &netlist.node(*n).op;
            let same = match (first, op) {
                (Op::Unary(a, _), Op::Unary(b, _)) => a == b,
                (Op::Binary(a, ..), Op::Binary(b, ..)) => a == b,
                (Op::Mux(a, ..), Op::Mux(b, ..)) => a == b,
                (Op::Read(_, a), Op::Read(_, b)) => a == b,
                (Op::Zext(_), Op::Zext(_)) | (Op::Sext(_), Op::Sext(_)) => true,
                _ => false,
            };
            if !same {
                return None;
            }
            let mut i = 0;
            op.each(|a| {
                if operands.len() == i {
                    operands.push(Vec::new());
                }
                operands[i].push(a);
                i += 1;
            });
        }
        let bits = lane_bits(netlist.width(operands[0][0]));
        match *first {
            Op::Unary(u @ (Unary::Not | Unary::Neg), _) => {
                Some(Form::Unary(u, self.lanes(&operands[0])?))
            }
            Op::Binary(o, ..) => {
                let possible = match o {
                    Binary::And | Binary::Or | Binary::Xor | Binary::Add | Binary::Sub => true,
                    Binary::Mul => matches!(bits, 16 | 32),
                    _ => false,
                };
                if !possible {
                    return None;
                }
                let (a, b) = (self.lanes(&operands[0])?, self.lanes(&operands[1])?);
                Some(Form::Binary(o, a, b))
            }
            Op::Mux(c, ..) => {
                let (a, b) = (self.lanes(&operands[1])?, self.lanes(&operands[2])?);
                Some(Form::Mux(c, a, b))
            }
            Op::Zext(_) => Some(Form::Zext(self.lanes(&operands[0])?)),
            Op::Sext(_) => Some(Form::Sext(self.lanes(&operands[0])?)),
            Op::Read(_, address) => {
                let memories = ids.iter().map(|n| match netlist.node(*n).op {
                    Op::Read(m, _) => m,
                    _ => u32::MAX,
                });
                let group = self
                    .packs
                    .memories
                    .iter()
                    .position(|g| memories.clone().eq(g.iter().copied()))?;
                Some(Form::Read(group, address))
            }
            _ => None,
        }
    }

    /// Lanes that lie side by side in words, such as the bytes of a bus.
    fn parts(&self, ids: &[NodeId], width: u32) -> Option<Form> {
        if lane_bits(width) != width || width == 64 {
            return None;
        }
        let mut words: Vec<(NodeId, usize)> = Vec::new();
        for (lane, n) in ids.iter().enumerate() {
            let Op::Slice(from, lo) = self.netlist.node(*n).op else {
                return None;
            };
            let (word, bit) = ((from, (lo / 64) as usize), lo % 64);
            let expected = lane as u32 * width % 64;
            if expected == 0 {
                words.push(word);
            }
            if bit != expected || words.last() != Some(&word) {
                return None;
            }
        }
        Some(Form::Parts(words))
    }
}

/// Puts `by` in the place of the first of some actions and removes the others; `at` is in order.
fn replace(actions: &mut Vec<Action>, at: &[usize], by: Action) {
    actions[at[0]] = by;
    let mut i = 0;
    actions.retain(|_| {
        i += 1;
        !at[1..].contains(&(i - 1))
    });
}
