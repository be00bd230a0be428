//! Which nodes become which vectors.

use std::collections::{HashMap, HashSet};

use super::super::partition::Groups;
use super::align::{Likeness, commutes};
use crate::ir::{Binary, Form, Netlist, NodeId, Op, Shape, Unary};

/// Operations followed from a group towards its operands.
const MAX_LEVEL: u32 = 200;
/// Attempts before all groups are given up; each gives up those that gain nothing by the one before.
const MAX_ATTEMPTS: usize = 12;
/// Packs that are looked at to tell what one group gains.
const MAX_PACKS: usize = 1 << 12;

/// How a pack comes about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// One node in all lanes.
    Splat,
    /// Constants.
    Constants,
    /// A node for each lane, computed one by one.
    Build,
    /// A group of registers.
    Registers(usize),
    /// Words of a group of memories at one address.
    Read(usize, NodeId),
    /// Parts of a word or of words, with the limb of each.
    Parts(Vec<(NodeId, u32)>),
    /// One condition for all lanes.
    Select(NodeId),
    /// An operation on other packs.
    Op(Form),
}

/// Nodes of one width that are computed together.
#[derive(Debug, Clone)]
pub(super) struct Pack {
    pub(super) ids: Vec<NodeId>,
    pub(super) shape: Shape,
    pub(super) kind: Kind,
    pub(super) args: Vec<usize>,
}

/// What becomes a vector.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) packs: Vec<Pack>,
    /// Groups and the packs of their next values.
    pub(super) registers: Vec<(Vec<u32>, usize)>,
    /// Groups and the packs of what they write.
    pub(super) memories: Vec<(Vec<u32>, usize)>,
    /// The pack and lane that give a node its value.
    pub(super) lane_of: HashMap<NodeId, (usize, u32)>,
}

/// Plans for those of `groups` that gain by it.
pub(super) fn plan(netlist: &Netlist, mut groups: Groups) -> Plan {
    let likeness = Likeness::of(netlist, &groups);
    for _ in 0..MAX_ATTEMPTS {
        let plan = attempt(netlist, &groups, &likeness);
        let keep = worthwhile(netlist, &plan);
        let (registers, memories) = (groups.registers.len(), groups.memories.len());
        let mut kept = keep.registers.iter();
        groups.registers.retain(|_| *kept.next().unwrap_or(&false));
        let mut kept = keep.memories.iter();
        groups.memories.retain(|_| *kept.next().unwrap_or(&false));
        if (registers, memories) == (groups.registers.len(), groups.memories.len()) {
            return finished(plan);
        }
    }
    Plan::default()
}

fn attempt(netlist: &Netlist, groups: &Groups, likeness: &Likeness) -> Plan {
    let mut p = Planner {
        netlist,
        groups,
        likeness,
        group_of: HashMap::new(),
        memory_of: HashMap::new(),
        known: HashMap::new(),
        packs: Vec::new(),
        level: 0,
    };
    for (g, group) in groups.registers.iter().enumerate() {
        p.group_of.insert(group[0], g);
    }
    for (g, group) in groups.memories.iter().enumerate() {
        p.memory_of.insert(group[0], g);
    }
    let mut plan = Plan::default();
    for group in &groups.memories {
        let data = group
            .iter()
            .map(|m| netlist.memories[*m as usize].writes[0].data);
        let pack = p.pack(data.collect());
        plan.memories.push((group.clone(), pack));
    }
    for group in &groups.registers {
        let next = group.iter().map(|r| netlist.registers[*r as usize].next);
        let pack = p.pack(next.collect());
        plan.registers.push((group.clone(), pack));
    }
    plan.packs = p.packs;
    plan
}

/// Which groups to keep.
struct Keep {
    registers: Vec<bool>,
    memories: Vec<bool>,
}

/// A group pays if its vectors save more than building them of single values costs, or if others use it as a vector.
fn worthwhile(netlist: &Netlist, plan: &Plan) -> Keep {
    let mut used = vec![false; plan.registers.len()];
    let mut gains = Vec::new();
    let all = plan.memories.iter().chain(&plan.registers);
    for (i, (_, root)) in all.enumerate() {
        let own = i.checked_sub(plan.memories.len());
        let mut gain = 0;
        let mut seen = HashSet::new();
        let mut stack = vec![*root];
        while let Some(p) = stack.pop() {
            if seen.len() > MAX_PACKS || !seen.insert(p) {
                continue;
            }
            let pack = &plan.packs[p];
            let lanes = i64::from(pack.shape.count);
            gain += match &pack.kind {
                Kind::Splat | Kind::Constants => 0,
                Kind::Build => -lanes,
                Kind::Registers(g) => {
                    used[*g] |= own != Some(*g);
                    lanes / 2
                }
                Kind::Parts(_) | Kind::Read(..) | Kind::Select(_) | Kind::Op(_) => lanes,
            };
            stack.extend(&pack.args);
        }
        let is_build = plan.packs[*root].kind == Kind::Build;
        gains.push(if is_build { i64::MIN } else { gain });
    }
    let registers = &gains[plan.memories.len()..];
    let groups = plan.registers.iter().zip(registers).zip(&used);
    let pays = |((group, gain), used): ((&(Vec<u32>, usize), &i64), &bool)| {
        let clock = |r: &u32| netlist.registers[*r as usize].clock;
        let one_clock = group.0.iter().all(|r| clock(r) == clock(&group.0[0]));
        one_clock && (*used || *gain > group.0.len() as i64)
    };
    Keep {
        registers: groups.map(pays).collect(),
        memories: gains[..plan.memories.len()]
            .iter()
            .map(|g| *g > 0)
            .collect(),
    }
}

/// Notes who gives each node its value.
fn finished(mut plan: Plan) -> Plan {
    let roots = plan.memories.iter().chain(&plan.registers);
    let mut stack: Vec<usize> = roots.map(|(_, p)| *p).collect();
    let mut seen = HashSet::new();
    while let Some(p) = stack.pop() {
        if !seen.insert(p) {
            continue;
        }
        let pack = &plan.packs[p];
        if !matches!(pack.kind, Kind::Splat | Kind::Constants | Kind::Build) {
            for (lane, id) in pack.ids.iter().enumerate() {
                plan.lane_of.entry(*id).or_insert((p, lane as u32));
            }
        }
        stack.extend(&pack.args);
    }
    plan
}

struct Planner<'n> {
    netlist: &'n Netlist,
    groups: &'n Groups,
    likeness: &'n Likeness,
    /// The group that a register or memory is the first of.
    group_of: HashMap<u32, usize>,
    memory_of: HashMap<u32, usize>,
    known: HashMap<Vec<NodeId>, usize>,
    packs: Vec<Pack>,
    level: u32,
}

impl Planner<'_> {
    /// The pack of these nodes, which have one width.
    fn pack(&mut self, ids: Vec<NodeId>) -> usize {
        if let Some(p) = self.known.get(&ids) {
            return *p;
        }
        let shape = Shape {
            count: ids.len() as u32,
            width: self.netlist.width(ids[0]),
        };
        self.level += 1;
        let (kind, args) = self.kind(&ids, shape).unwrap_or((Kind::Build, Vec::new()));
        self.level -= 1;
        let index = self.packs.len();
        self.known.insert(ids.clone(), index);
        self.packs.push(Pack {
            ids,
            shape,
            kind,
            args,
        });
        index
    }

    /// How nodes are computed together, or nothing if they have to be computed one by one.
    fn kind(&mut self, ids: &[NodeId], shape: Shape) -> Option<(Kind, Vec<usize>)> {
        let netlist = self.netlist;
        if ids.iter().all(|n| *n == ids[0]) {
            return Some((Kind::Splat, Vec::new()));
        }
        if ids.iter().all(|n| netlist.constant(*n).is_some()) {
            return Some((Kind::Constants, Vec::new()));
        }
        // Lanes that share their operands differently make more packs than there are nodes.
        if self.level > MAX_LEVEL || self.packs.len() > netlist.nodes.len() {
            return None;
        }
        let first = &netlist.node(ids[0]).op;
        if let Op::Slice(..) = first
            && let Some(words) = self.parts(ids, shape)
        {
            return Some((Kind::Parts(words), Vec::new()));
        }
        match first {
            Op::Reg(r) => {
                let group = *self.group_of.get(r)?;
                let members = self.groups.registers[group].iter();
                let same = members.map(|r| Op::Reg(*r));
                same.eq(ids.iter().map(|n| netlist.node(*n).op.clone()))
                    .then_some((Kind::Registers(group), Vec::new()))
            }
            Op::Read(m, address) => {
                let group = *self.memory_of.get(m)?;
                let members = self.groups.memories[group].iter();
                let same = members.map(|m| Op::Read(*m, *address));
                same.eq(ids.iter().map(|n| netlist.node(*n).op.clone()))
                    .then_some((Kind::Read(group, *address), Vec::new()))
            }
            _ => self.operation(first, ids, shape),
        }
    }

    /// Lanes that lie side by side in words, such as the bytes of a bus.
    fn parts(&self, ids: &[NodeId], shape: Shape) -> Option<Vec<(NodeId, u32)>> {
        let width = shape.width;
        if shape.lane_bits() != width || width == 64 {
            return None;
        }
        let mut words: Vec<(NodeId, u32)> = Vec::new();
        for (lane, n) in ids.iter().enumerate() {
            let Op::Slice(from, lo) = self.netlist.node(*n).op else {
                return None;
            };
            let (word, bit) = ((from, lo / 64), lo % 64);
            let expected = lane as u32 * width % 64;
            if expected == 0 {
                words.push(word);
            }
            if bit != expected || words.last() != Some(&word) {
                return None;
            }
        }
        Some(words)
    }

    /// `op` with its operands in the order of `first`, if that makes no difference to it.
    fn aligned(&self, first: &Op, op: &Op) -> Op {
        match (first, op) {
            (Op::Binary(_, a, b), Op::Binary(o, x, y))
                if commutes(*o) && self.likeness.crosswise(self.netlist, (*a, *b), (*x, *y)) =>
            {
                Op::Binary(*o, *y, *x)
            }
            _ => op.clone(),
        }
    }

    /// Lanes that all do `first` on operands of their own.
    fn operation(
        &mut self,
        first: &Op,
        ids: &[NodeId],
        shape: Shape,
    ) -> Option<(Kind, Vec<usize>)> {
        let netlist = self.netlist;
        let mut operands: Vec<Vec<NodeId>> = Vec::new();
        for n in ids {
            let op = &self.aligned(first, &netlist.node(*n).op);
            let mut i = 0;
            op.each(|a| {
                if operands.len() == i {
                    operands.push(Vec::new());
                }
                operands[i].push(a);
                i += 1;
            });
            if !alike(first, op) || operands.iter().any(|o| o.len() != operands[0].len()) {
                return None;
            }
        }
        let widths = operands.iter().all(|o| {
            let width = netlist.width(o[0]);
            width <= 64 && o.iter().all(|n| netlist.width(*n) == width)
        });
        if !widths {
            return None;
        }
        let form = form(first)?;
        let bits = |o: &Vec<NodeId>| shape.of(netlist.width(o[0])).lane_bits();
        let (from, to) = (bits(&operands[operands.len() - 1]), shape.lane_bits());
        let possible = match form {
            Form::Unary(Unary::Not | Unary::Neg) | Form::Zext | Form::Sext => true,
            Form::Unary(Unary::RedOr | Unary::RedAnd) | Form::Slice(_) => from < 64,
            Form::Binary(Binary::Eq | Binary::Ult | Binary::Slt) => from < 64,
            Form::Binary(Binary::Mul) => shape.width == 1 || matches!(to, 16 | 32),
            Form::Binary(o) => matches!(
                o,
                Binary::And | Binary::Or | Binary::Xor | Binary::Add | Binary::Sub
            ),
            Form::Mux if operands[0].iter().all(|c| *c == operands[0][0]) => true,
            Form::Mux | Form::Concat => to < 64,
            _ => false,
        };
        if !possible {
            return None;
        }
        let kind = match form {
            Form::Mux if operands[0].iter().all(|c| *c == operands[0][0]) => {
                let condition = operands.remove(0)[0];
                Kind::Select(condition)
            }
            form => Kind::Op(form),
        };
        let args: Vec<usize> = operands.into_iter().map(|o| self.pack(o)).collect();
        // Building the result once costs less than building two operands.
        let built: HashSet<usize> = args
            .iter()
            .copied()
            .filter(|a| self.packs[*a].kind == Kind::Build)
            .collect();
        (built.len() < 2).then_some((kind, args))
    }
}

/// Whether two operations differ in their operands only.
fn alike(a: &Op, b: &Op) -> bool {
    match (a, b) {
        (Op::Unary(a, _), Op::Unary(b, _)) => a == b,
        (Op::Binary(a, ..), Op::Binary(b, ..)) => a == b,
        (Op::Slice(_, a), Op::Slice(_, b)) => a == b,
        (Op::Mux(..), Op::Mux(..))
        | (Op::Concat(_), Op::Concat(_))
        | (Op::Zext(_), Op::Zext(_))
        | (Op::Sext(_), Op::Sext(_)) => true,
        _ => false,
    }
}

/// The operation on vectors.
fn form(op: &Op) -> Option<Form> {
    match op {
        Op::Unary(u, _) => Some(Form::Unary(*u)),
        Op::Binary(o, ..) => Some(Form::Binary(*o)),
        Op::Mux(..) => Some(Form::Mux),
        Op::Slice(_, lo) => Some(Form::Slice(*lo)),
        Op::Concat(_) => Some(Form::Concat),
        Op::Zext(_) => Some(Form::Zext),
        Op::Sext(_) => Some(Form::Sext),
        _ => None,
    }
}
