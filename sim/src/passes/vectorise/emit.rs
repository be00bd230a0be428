//! The netlist with vectors in the place of lanes.

use std::collections::{HashMap, HashSet};

use super::Lanes;
use super::plan::{Kind, Plan};
use crate::bits::Bits;
use crate::ir::{Form, Memory, Netlist, Node, NodeId, Op, Register, Shape, Vector, WordMap, Write};

/// Writes `netlist` anew as planned.
pub(super) fn emit(netlist: &Netlist, plan: &Plan) -> (Netlist, Lanes) {
    let mut e = Emitter {
        netlist,
        plan,
        out: Netlist::default(),
        lanes: Lanes::default(),
        known: WordMap::default(),
        scalars: vec![None; netlist.nodes.len()],
        vectors: vec![None; plan.packs.len()],
        under_way: vec![false; plan.packs.len()],
        waiting: HashSet::new(),
    };
    e.place();
    e.roots();
    (e.out, e.lanes)
}

struct Emitter<'n> {
    netlist: &'n Netlist,
    plan: &'n Plan,
    out: Netlist,
    lanes: Lanes,
    known: WordMap<(Op, u32), NodeId>,
    /// New nodes by old node, and by pack.
    scalars: Vec<Option<NodeId>>,
    vectors: Vec<Option<NodeId>>,
    /// Packs that wait for their operands.
    under_way: Vec<bool>,
    /// Packs that one under way has to come before.
    waiting: HashSet<usize>,
}

/// New indices: a group takes the place of its first member.
fn renumber(count: usize, groups: &[(Vec<u32>, usize)]) -> Vec<(u32, Option<u32>)> {
    let mut of: HashMap<u32, (usize, u32)> = HashMap::new();
    for (g, (members, _)) in groups.iter().enumerate() {
        for (lane, m) in members.iter().enumerate() {
            of.insert(*m, (g, lane as u32));
        }
    }
    let mut index_of: HashMap<usize, u32> = HashMap::new();
    let mut next = 0;
    (0..count as u32)
        .map(|i| {
            let own = of.get(&i).copied();
            let index = match own {
                Some((g, _)) => *index_of.entry(g).or_insert(next),
                None => next,
            };
            next = next.max(index + 1);
            (index, own.map(|(_, lane)| lane))
        })
        .collect()
}

impl Emitter<'_> {
    /// Gives registers and memories their places; what they become is filled in by `roots`.
    fn place(&mut self) {
        let (netlist, plan) = (self.netlist, self.plan);
        self.out.inputs.clone_from(&netlist.inputs);
        self.out.clocks.clone_from(&netlist.clocks);
        self.lanes.registers = renumber(netlist.registers.len(), &plan.registers);
        self.lanes.memories = renumber(netlist.memories.len(), &plan.memories);
        let shapes = &mut self.out.shapes;
        for (r, (index, lane)) in netlist.registers.iter().zip(&self.lanes.registers) {
            if *index as usize == shapes.registers.len() {
                shapes.registers.push(None);
                self.out.registers.push(r.clone());
            } else {
                debug_assert!(lane.is_some());
            }
        }
        for (m, (index, _)) in netlist.memories.iter().zip(&self.lanes.memories) {
            if *index as usize == shapes.memories.len() {
                shapes.memories.push(None);
                self.out.memories.push(Memory {
                    writes: Vec::new(),
                    ..m.clone()
                });
            }
        }
        for (members, pack) in &plan.registers {
            let at = self.lanes.registers[members[0] as usize].0 as usize;
            let shape = plan.packs[*pack].shape;
            self.out.shapes.registers[at] = Some(shape);
            let register = &mut self.out.registers[at];
            (register.width, register.init) = (shape.bits(), Bits::zero(shape.bits()));
        }
        for (members, pack) in &plan.memories {
            let at = self.lanes.memories[members[0] as usize].0 as usize;
            let shape = plan.packs[*pack].shape;
            self.out.shapes.memories[at] = Some(shape);
            let memory = &mut self.out.memories[at];
            (memory.width, memory.init) = (shape.bits(), Vec::new());
        }
    }

    fn roots(&mut self) {
        let (netlist, plan) = (self.netlist, self.plan);
        let grouped: HashMap<u32, usize> = plan.registers.iter().map(|(m, p)| (m[0], *p)).collect();
        for (i, r) in netlist.registers.iter().enumerate() {
            let (index, lane) = self.lanes.registers[i];
            let next = match (lane, grouped.get(&(i as u32))) {
                (None, _) => self.scalar(r.next),
                (Some(_), Some(pack)) => self.root(*pack),
                (Some(_), None) => continue,
            };
            let clock = self.scalar(r.clock);
            let register = &mut self.out.registers[index as usize];
            *register = Register {
                next,
                clock,
                ..register.clone()
            };
        }
        let grouped: HashMap<u32, usize> = plan.memories.iter().map(|(m, p)| (m[0], *p)).collect();
        for (i, m) in netlist.memories.iter().enumerate() {
            let (index, lane) = self.lanes.memories[i];
            let pack = grouped.get(&(i as u32)).copied();
            if lane.is_some() && pack.is_none() {
                continue;
            }
            for w in &m.writes {
                let write = Write {
                    enable: self.scalar(w.enable),
                    address: self.scalar(w.address),
                    data: match pack {
                        Some(p) => self.root(p),
                        None => self.scalar(w.data),
                    },
                    clock: self.scalar(w.clock),
                    ..w.clone()
                };
                self.out.memories[index as usize].writes.push(write);
            }
        }
        for named in &netlist.outputs {
            let mut named = named.clone();
            named.node = self.scalar(named.node);
            self.out.outputs.push(named);
        }
        for named in &netlist.signals {
            let mut named = named.clone();
            named.node = self.scalar(named.node);
            self.out.signals.push(named);
        }
    }

    /// The vector of a pack that nothing under way waits for.
    fn root(&mut self, pack: usize) -> NodeId {
        match self.vector(pack) {
            Some(id) => id,
            // Lanes depend on lanes only crosswise, through single values, and those are then computed by themselves.
            None => unreachable!("a pack never waits for itself lane by lane"),
        }
    }

    fn push(&mut self, op: Op, width: u32, shape: Option<Shape>) -> NodeId {
        let key = (op, width);
        if let Some(id) = self.known.get(&key) {
            return *id;
        }
        let id = NodeId(self.out.nodes.len() as u32);
        let node = Node {
            op: key.0.clone(),
            width,
        };
        self.out.nodes.push(node);
        self.out.shapes.nodes.push(shape);
        self.known.insert(key, id);
        id
    }

    /// An old node's value by itself: a lane of its vector if there is one that is not waiting for this node.
    fn scalar(&mut self, id: NodeId) -> NodeId {
        if let Some(new) = self.scalars[id.index()] {
            return new;
        }
        let netlist = self.netlist;
        let node = netlist.node(id);
        if let Some((pack, lane)) = self.plan.lane_of.get(&id).copied()
            && let Some(vector) = self.vector(pack)
        {
            let new = self.push(Op::Lane(vector, lane), node.width, None);
            self.scalars[id.index()] = Some(new);
            return new;
        }
        let new = match node.op {
            Op::Reg(r) => {
                let (index, lane) = self.lanes.registers[r as usize];
                match lane {
                    None => self.push(Op::Reg(index), node.width, None),
                    Some(lane) => {
                        let vector = self.register(index);
                        self.push(Op::Lane(vector, lane), node.width, None)
                    }
                }
            }
            Op::Read(m, address) => {
                let address = self.scalar(address);
                let (index, lane) = self.lanes.memories[m as usize];
                match lane {
                    None => self.push(Op::Read(index, address), node.width, None),
                    Some(lane) => {
                        let vector = self.read(index, address);
                        self.push(Op::Lane(vector, lane), node.width, None)
                    }
                }
            }
            ref op => {
                let op = op.map(|a| self.scalar(a));
                self.push(op, node.width, None)
            }
        };
        self.scalars[id.index()] = Some(new);
        new
    }

    fn register(&mut self, index: u32) -> NodeId {
        let shape = self.out.shapes.registers[index as usize];
        let width = self.out.registers[index as usize].width;
        self.push(Op::Reg(index), width, shape)
    }

    fn read(&mut self, index: u32, address: NodeId) -> NodeId {
        let shape = self.out.shapes.memories[index as usize];
        let width = self.out.memories[index as usize].width;
        self.push(Op::Read(index, address), width, shape)
    }

    /// The vector of a pack, or nothing if it needs one that is under way.
    fn vector(&mut self, pack: usize) -> Option<NodeId> {
        if self.vectors[pack].is_some() {
            return self.vectors[pack];
        }
        if self.under_way[pack] || self.waiting.contains(&pack) {
            return None;
        }
        self.under_way[pack] = true;
        let made = self.make(pack);
        self.under_way[pack] = false;
        match made {
            Some(_) => {
                self.vectors[pack] = made;
                // Who waited for it may try again.
                self.waiting.clear();
            }
            None => drop(self.waiting.insert(pack)),
        }
        made
    }

    fn make(&mut self, pack: usize) -> Option<NodeId> {
        let plan = self.plan;
        let p = &plan.packs[pack];
        let shape = p.shape;
        let op = match &p.kind {
            Kind::Registers(g) => {
                let first = plan.registers[*g].0[0];
                return Some(self.register(self.lanes.registers[first as usize].0));
            }
            Kind::Read(g, address) => {
                let first = plan.memories[*g].0[0];
                let address = self.scalar(*address);
                return Some(self.read(self.lanes.memories[first as usize].0, address));
            }
            Kind::Select(c) => {
                let (a, b) = (self.vector(p.args[0])?, self.vector(p.args[1])?);
                Op::Mux(self.scalar(*c), a, b)
            }
            Kind::Splat => self.composed(Form::Splat, shape, &p.ids[..1]),
            Kind::Build | Kind::Constants => self.composed(Form::Build, shape, &p.ids),
            Kind::Parts(words) => {
                let args: Box<[NodeId]> =
                    words.iter().map(|(n, limb)| self.limb(*n, *limb)).collect();
                let form = Form::Parts;
                Op::Vector(Box::new(Vector { form, shape, args }))
            }
            Kind::Op(form) => {
                let args = p.args.iter().map(|a| self.vector(*a));
                Op::Vector(Box::new(Vector {
                    form: form.clone(),
                    shape,
                    args: args.collect::<Option<_>>()?,
                }))
            }
        };
        Some(self.push(op, shape.bits(), Some(shape)))
    }

    fn composed(&mut self, form: Form, shape: Shape, ids: &[NodeId]) -> Op {
        let args = ids.iter().map(|n| self.scalar(*n)).collect();
        Op::Vector(Box::new(Vector { form, shape, args }))
    }

    /// A limb of a word.
    fn limb(&mut self, word: NodeId, limb: u32) -> NodeId {
        let width = self.netlist.width(word);
        let whole = self.scalar(word);
        match width {
            0..=64 => whole,
            _ => self.push(
                Op::Slice(whole, 64 * limb),
                (width - 64 * limb).min(64),
                None,
            ),
        }
    }
}
