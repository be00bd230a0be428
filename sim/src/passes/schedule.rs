//! `schedule`: the order in which a cycle is computed and committed.
//!
//! A cycle reads the state as it was before the edge and leaves the state after it. A register is stored in place as
//! soon as its next value is known, provided that everything that reads the old value was evaluated before;
//! otherwise the store goes to a shadow that is copied at the end. Memory writes follow the same rule.

use super::gate::{Action, BlockId, Plan, plan};
use super::vectorise::{Lanes, Packs, vectorise};
use crate::ir::{Netlist, NodeId, Op};

/// One step of a schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// Compute a node. Inputs, registers and constants have no step: they are loaded where they are used.
    Eval(NodeId),
    /// Store the value of an output or probe, by its index.
    Visible(usize, NodeId),
    /// Store a register's next value, in place or into its shadow.
    Register {
        register: u32,
        node: NodeId,
        shadow: bool,
    },
    /// Perform a write of a memory, or remember it until the end under an index into [`Schedule::deferred`]. The
    /// enable is absent where it is known to be set.
    Write {
        memory: u32,
        write: usize,
        enable: Option<NodeId>,
        deferred: Option<usize>,
    },
    /// Compute a pack.
    Pack(usize),
    /// Store the next values of a group of registers, in place or into its shadow.
    RegisterGroup {
        group: usize,
        value: Lanes,
        shadow: bool,
    },
    /// Perform the writes of a group of memories. The enable is absent where it is known to be set.
    WriteGroup {
        group: usize,
        data: Lanes,
        enable: Option<NodeId>,
    },
    /// Two guarded lists.
    If(NodeId, Vec<Step>, Vec<Step>),
}

/// A whole cycle, or a settling evaluation if nothing is committed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Schedule {
    pub(crate) steps: Vec<Step>,
    /// Registers that are committed through a shadow.
    pub(crate) shadows: Vec<u32>,
    /// Writes that are committed at the end, as memory and index.
    pub(crate) deferred: Vec<(u32, usize)>,
    /// What is computed as vectors.
    pub(crate) packs: Packs,
}

/// Schedules a cycle, or only the outputs and probes.
pub(crate) fn schedule(netlist: &Netlist, commit: bool) -> Schedule {
    let mut plan = plan(netlist, commit);
    let packs = vectorise(netlist, &mut plan);
    ordered(netlist, &plan, packs)
}

/// Schedules a cycle one value at a time, for functions that share their layout with others.
pub(crate) fn schedule_scalar(netlist: &Netlist) -> Schedule {
    ordered(netlist, &plan(netlist, true), Packs::default())
}

fn ordered(netlist: &Netlist, plan: &Plan, packs: Packs) -> Schedule {
    let mut s = Scheduler {
        netlist,
        plan,
        packs: &packs,
        done: vec![false; netlist.nodes.len()],
        seen: vec![false; netlist.nodes.len()],
        register_readers: vec![0; netlist.registers.len()],
        memory_readers: vec![0; netlist.memories.len()],
        shadowed: vec![false; netlist.registers.len()],
        out: Schedule::default(),
    };
    s.count_readers();
    s.out.steps = s.block(0);
    for group in &packs.registers {
        let shadow = group.iter().any(|r| s.shadowed[*r as usize]);
        for r in group {
            s.shadowed[*r as usize] = shadow;
        }
    }
    settle_shadows(&mut s.out.steps, &packs, &s.shadowed);
    s.out.shadows = (0..netlist.registers.len() as u32)
        .filter(|r| s.shadowed[*r as usize])
        .collect();
    let mut out = s.out;
    out.packs = packs;
    out
}

/// Sends every store of a register that has a shadow there: the registers of a group have one together.
fn settle_shadows(steps: &mut [Step], packs: &Packs, shadowed: &[bool]) {
    for s in steps {
        match s {
            Step::Register {
                register, shadow, ..
            } => *shadow = shadowed[*register as usize],
            Step::RegisterGroup { group, shadow, .. } => {
                *shadow = shadowed[packs.registers[*group][0] as usize];
            }
            Step::If(_, then, other) => {
                settle_shadows(then, packs, shadowed);
                settle_shadows(other, packs, shadowed);
            }
            _ => {}
        }
    }
}

struct Scheduler<'n> {
    netlist: &'n Netlist,
    plan: &'n Plan,
    packs: &'n Packs,
    done: Vec<bool>,
    /// Nodes that a search for operands from outside a branch has passed.
    seen: Vec<bool>,
    /// Users of each register and memory that are not evaluated yet.
    register_readers: Vec<u32>,
    memory_readers: Vec<u32>,
    shadowed: Vec<bool>,
    out: Schedule,
}

impl Scheduler<'_> {
    fn count_readers(&mut self) {
        let netlist = self.netlist;
        for (n, place) in netlist.nodes.iter().zip(&self.plan.place) {
            if place.is_none() {
                continue;
            }
            n.op.each(|a| self.reader(a, 1));
            if let Op::Read(m, _) = n.op {
                self.memory_readers[m as usize] += 1;
            }
        }
        for block in &self.plan.blocks {
            for a in &block.actions {
                self.each_used(a, |s, n| s.reader(n, 1));
            }
        }
    }

    /// Calls `f` on every node that an action itself uses.
    fn each_used(&mut self, action: &Action, mut f: impl FnMut(&mut Self, NodeId)) {
        match action {
            Action::Visible(_, n) | Action::Register(_, n) | Action::If(n, _, _) => f(self, *n),
            Action::Write {
                memory,
                write,
                enabled,
            } => {
                let w = &self.netlist.memories[*memory as usize].writes[*write];
                f(self, w.address);
                f(self, w.data);
                if !enabled {
                    f(self, w.enable);
                }
            }
            Action::RegisterGroup { nodes, .. } => nodes.iter().for_each(|n| f(self, *n)),
            Action::WriteGroup { group, enabled, .. } => {
                for memory in &self.packs.memories[*group] {
                    let w = &self.netlist.memories[*memory as usize].writes[0];
                    f(self, w.address);
                    f(self, w.data);
                    if !enabled {
                        f(self, w.enable);
                    }
                }
            }
        }
    }

    fn reader(&mut self, node: NodeId, change: i32) {
        if let Op::Reg(r) = self.netlist.node(node).op {
            let n = &mut self.register_readers[r as usize];
            *n = n.wrapping_add_signed(change);
        }
    }

    fn block(&mut self, block: BlockId) -> Vec<Step> {
        let plan = self.plan;
        let mut steps = Vec::new();
        for a in &plan.blocks[block].actions {
            self.each_used(a, |s, n| s.need(n, &mut steps));
            self.each_used(a, |s, n| s.reader(n, -1));
            match *a {
                Action::Visible(i, node) => steps.push(Step::Visible(i, node)),
                Action::Register(register, node) => {
                    // Shadows are settled at the end: another branch may store the same register.
                    self.shadowed[register as usize] |=
                        self.register_readers[register as usize] > 0;
                    steps.push(Step::Register {
                        register,
                        node,
                        shadow: false,
                    });
                }
                Action::Write {
                    memory,
                    write,
                    enabled,
                } => {
                    let step = self.write(memory, write, enabled);
                    steps.push(step);
                }
                Action::RegisterGroup { group, value, .. } => {
                    let registers = &self.packs.registers[group];
                    let waits = registers
                        .iter()
                        .any(|r| self.register_readers[*r as usize] > 0);
                    self.shadowed[registers[0] as usize] |= waits;
                    steps.push(Step::RegisterGroup {
                        group,
                        value,
                        shadow: false,
                    });
                }
                Action::WriteGroup {
                    group,
                    data,
                    enabled,
                } => {
                    let memories = &self.packs.memories[group];
                    if memories
                        .iter()
                        .any(|m| self.memory_readers[*m as usize] > 0)
                    {
                        for m in memories {
                            let step = self.write(*m, 0, enabled);
                            steps.push(step);
                        }
                        continue;
                    }
                    let first = &self.netlist.memories[memories[0] as usize].writes[0];
                    let enable = (!enabled).then_some(first.enable);
                    steps.push(Step::WriteGroup {
                        group,
                        data,
                        enable,
                    });
                }
                Action::If(condition, then, other) => {
                    self.need_from_outside(then, &mut steps);
                    self.need_from_outside(other, &mut steps);
                    let (then, other) = (self.block(then), self.block(other));
                    if then.is_empty() && other.is_empty() {
                        continue;
                    }
                    steps.push(Step::If(condition, then, other));
                }
            }
        }
        steps
    }

    fn write(&mut self, memory: u32, write: usize, enabled: bool) -> Step {
        let enable =
            (!enabled).then(|| self.netlist.memories[memory as usize].writes[write].enable);
        // Once one write waits, later ones of the same memory wait behind it.
        let behind = self.out.deferred.iter().any(|(m, _)| *m == memory);
        let deferred = (behind || self.memory_readers[memory as usize] > 0).then(|| {
            self.out.deferred.push((memory, write));
            self.out.deferred.len() - 1
        });
        Step::Write {
            memory,
            write,
            enable,
            deferred,
        }
    }

    /// Appends the evaluation of what a branch and the branches inside it use but do not own.
    fn need_from_outside(&mut self, branch: BlockId, out: &mut Vec<Step>) {
        let plan = self.plan;
        let mut stack: Vec<NodeId> = Vec::new();
        let mut blocks = vec![branch];
        while let Some(b) = blocks.pop() {
            for a in &plan.blocks[b].actions {
                self.each_used(a, |_, n| stack.push(n));
                if let Action::If(_, then, other) = a {
                    blocks.extend([*then, *other]);
                }
            }
        }
        let mut inner = Vec::new();
        while let Some(id) = stack.pop() {
            if self.done[id.index()] || self.seen[id.index()] {
                continue;
            }
            let own = plan.place[id.index()].is_some_and(|p| plan.inside(p, branch));
            if own {
                self.seen[id.index()] = true;
                inner.push(id);
                self.netlist.node(id).op.each(|a| stack.push(a));
            } else {
                self.need(id, out);
            }
        }
        // Branches inside this one search again, from their own point of view.
        for id in inner {
            self.seen[id.index()] = false;
        }
    }

    /// Appends the evaluation of `root` and of all that it needs.
    fn need(&mut self, root: NodeId, out: &mut Vec<Step>) {
        let mut stack = vec![(root, false)];
        while let Some((id, ready)) = stack.pop() {
            if self.done[id.index()] {
                continue;
            }
            let packs = self.packs;
            let pack = packs.of.get(&id).map(|(p, _)| *p);
            if ready {
                match pack {
                    Some(p) => {
                        packs.packs[p].nodes.iter().for_each(|n| self.evaluated(*n));
                        out.push(Step::Pack(p));
                    }
                    None => {
                        self.evaluated(id);
                        let op = &self.netlist.node(id).op;
                        if !matches!(op, Op::Const(_) | Op::Input(_) | Op::Reg(_)) {
                            out.push(Step::Eval(id));
                        }
                    }
                }
                continue;
            }
            stack.push((id, true));
            let operands = stack.len();
            match pack {
                Some(p) => packs.each_operand(p, |a| stack.push((a, false))),
                None => self.netlist.node(id).op.each(|a| stack.push((a, false))),
            }
            stack[operands..].reverse();
        }
    }

    /// Marks a node as evaluated, so that it reads nothing any more.
    fn evaluated(&mut self, id: NodeId) {
        let op = &self.netlist.node(id).op;
        self.done[id.index()] = true;
        op.each(|a| self.reader(a, -1));
        if let Op::Read(m, _) = op {
            self.memory_readers[*m as usize] -= 1;
        }
    }
}
