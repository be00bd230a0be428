//! `schedule`: the order in which a cycle is computed and committed.
//!
//! A cycle reads the state as it was before the edge and leaves the state after it. A register is stored in place as
//! soon as its next value is known, provided that everything that reads the old value was evaluated before;
//! otherwise the store goes to a shadow that is copied at the end. Memory writes follow the same rule.

use super::cases::Case;
use super::gate::{Action, BlockId, Plan, plan};
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
    /// Two guarded lists.
    If(NodeId, Vec<Step>, Vec<Step>),
    /// The list of the value that a node has, or the last one.
    Switch {
        selector: NodeId,
        values: Vec<u64>,
        arms: Vec<Vec<Step>>,
    },
}

/// A whole cycle, or a settling evaluation if nothing is committed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Schedule {
    pub(crate) steps: Vec<Step>,
    /// Registers that are committed through a shadow.
    pub(crate) shadows: Vec<u32>,
    /// Writes that are committed at the end, as memory and index.
    pub(crate) deferred: Vec<(u32, usize)>,
}

/// Schedules a cycle, or only the outputs and probes.
pub(crate) fn schedule(netlist: &Netlist, cases: &[Case], commit: bool) -> Schedule {
    ordered(netlist, &plan(netlist, cases, commit))
}

fn ordered(netlist: &Netlist, plan: &Plan) -> Schedule {
    let mut s = Scheduler {
        netlist,
        plan,
        done: vec![false; netlist.nodes.len()],
        seen: vec![false; netlist.nodes.len()],
        register_readers: vec![0; netlist.registers.len()],
        memory_readers: vec![0; netlist.memories.len()],
        shadowed: vec![false; netlist.registers.len()],
        behind: vec![false; netlist.memories.len()],
        inside: vec![Vec::new(); plan.blocks.len()],
        out: Schedule::default(),
    };
    s.count_readers();
    s.out.steps = s.block(0);
    settle_shadows(&mut s.out.steps, &s.shadowed);
    s.out.shadows = (0..netlist.registers.len() as u32)
        .filter(|r| s.shadowed[*r as usize])
        .collect();
    s.out
}

/// Sends every store of a register that has a shadow there.
fn settle_shadows(steps: &mut [Step], shadowed: &[bool]) {
    for s in steps {
        match s {
            Step::Register {
                register, shadow, ..
            } => *shadow = shadowed[*register as usize],
            Step::If(_, then, other) => {
                settle_shadows(then, shadowed);
                settle_shadows(other, shadowed);
            }
            Step::Switch { arms, .. } => {
                for arm in arms {
                    settle_shadows(arm, shadowed);
                }
            }
            _ => {}
        }
    }
}

struct Scheduler<'n> {
    netlist: &'n Netlist,
    plan: &'n Plan,
    done: Vec<bool>,
    /// Nodes that a search for operands from outside a branch has passed.
    seen: Vec<bool>,
    /// Users of each register and memory that are not evaluated yet.
    register_readers: Vec<u32>,
    memory_readers: Vec<u32>,
    shadowed: Vec<bool>,
    /// Memories with a write that waits.
    behind: Vec<bool>,
    /// The nodes of each block.
    inside: Vec<Vec<NodeId>>,
    out: Schedule,
}

impl Scheduler<'_> {
    fn count_readers(&mut self) {
        for (i, place) in self.plan.place.iter().enumerate() {
            let id = NodeId(i as u32);
            if let Some(block) = place {
                self.reads(id, 1);
                self.inside[*block].push(id);
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
            Action::Visible(_, n)
            | Action::Register(_, n)
            | Action::If(n, _, _)
            | Action::Switch { selector: n, .. } => f(self, *n),
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
                Action::If(condition, then, other) => {
                    let mut arms = self.arms(&[then, other], &mut steps);
                    let other = arms.pop().unwrap_or_default();
                    let then = arms.pop().unwrap_or_default();
                    if then.is_empty() && other.is_empty() {
                        continue;
                    }
                    steps.push(Step::If(condition, then, other));
                }
                Action::Switch {
                    selector,
                    ref values,
                    ref arms,
                } => {
                    let arms = self.arms(arms, &mut steps);
                    steps.push(Step::Switch {
                        selector,
                        values: values.clone(),
                        arms,
                    });
                }
            }
        }
        steps
    }

    /// The steps of blocks of which one is entered, after what they need from outside, which goes to `out`.
    fn arms(&mut self, blocks: &[BlockId], out: &mut Vec<Step>) -> Vec<Vec<Step>> {
        for b in blocks {
            self.need_from_outside(*b, out);
        }
        // What reads a register in one block is no reader for another one.
        for b in blocks {
            self.readers_inside(*b, -1);
        }
        let each = |s: &mut Self, b: &BlockId| {
            s.readers_inside(*b, 1);
            s.block(*b)
        };
        blocks.iter().map(|b| each(self, b)).collect()
    }

    /// Counts what a block and the blocks inside it read.
    fn readers_inside(&mut self, block: BlockId, change: i32) {
        let plan = self.plan;
        let mut blocks = vec![block];
        while let Some(b) = blocks.pop() {
            for id in std::mem::take(&mut self.inside[b]) {
                self.reads(id, change);
                self.inside[b].push(id);
            }
            for a in &plan.blocks[b].actions {
                self.each_used(a, |s, n| s.reader(n, change));
                match a {
                    Action::If(_, then, other) => blocks.extend([*then, *other]),
                    Action::Switch { arms, .. } => blocks.extend(arms),
                    _ => {}
                }
            }
        }
    }

    /// Counts what a node reads.
    fn reads(&mut self, id: NodeId, change: i32) {
        let op = &self.netlist.node(id).op;
        op.each(|a| self.reader(a, change));
        if let Op::Read(m, _) = op {
            let n = &mut self.memory_readers[*m as usize];
            *n = n.wrapping_add_signed(change);
        }
    }

    fn write(&mut self, memory: u32, write: usize, enabled: bool) -> Step {
        let enable =
            (!enabled).then(|| self.netlist.memories[memory as usize].writes[write].enable);
        // Once one write waits, later ones of the same memory wait behind it.
        let behind = &mut self.behind[memory as usize];
        *behind |= self.memory_readers[memory as usize] > 0;
        let deferred = behind.then(|| {
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
                match a {
                    Action::If(_, then, other) => blocks.extend([*then, *other]),
                    Action::Switch { arms, .. } => blocks.extend(arms),
                    _ => {}
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
            if ready {
                self.evaluated(id);
                let op = &self.netlist.node(id).op;
                if !matches!(op, Op::Const(_) | Op::Input(_) | Op::Reg(_)) {
                    out.push(Step::Eval(id));
                }
                continue;
            }
            stack.push((id, true));
            let operands = stack.len();
            self.netlist.node(id).op.each(|a| stack.push((a, false)));
            stack[operands..].reverse();
        }
    }

    /// Marks a node as evaluated, so that it reads nothing any more.
    fn evaluated(&mut self, id: NodeId) {
        self.done[id.index()] = true;
        self.reads(id, -1);
    }
}
