//! Turning branches that skip too little back into selects.

use std::collections::HashMap;

use super::{Action, Block, BlockId, Plan, Planner};
use crate::ir::{Form, NodeId, Op};

/// What a block is of the one around it.
#[derive(Clone, Copy)]
enum Entry {
    /// This arm of a switch.
    Arm(usize),
    /// The side of a branch whose condition has this value.
    Side(bool),
}

/// The branches around a block, outermost first: the arm of a switch, and sides of branches inside it.
#[derive(Default)]
struct Path {
    arm: Option<usize>,
    taken: Vec<bool>,
}

/// What every block of a plan is of the one around it.
fn entries(plan: &Plan) -> Vec<Entry> {
    let mut entries = vec![Entry::Side(true); plan.blocks.len()];
    for a in plan.blocks.iter().flat_map(|b| &b.actions) {
        match a {
            Action::If(_, _, other) => entries[*other] = Entry::Side(false),
            Action::Switch { arms, .. } => {
                for (i, arm) in arms.iter().enumerate() {
                    entries[*arm] = Entry::Arm(i);
                }
            }
            _ => {}
        }
    }
    entries
}

/// The branches that lead to `block`.
fn path(from: &Plan, entries: &[Entry], block: BlockId) -> Path {
    let mut path = Path::default();
    let mut at = block;
    while at != 0 && path.arm.is_none() {
        match entries[at] {
            Entry::Arm(i) => path.arm = Some(i),
            Entry::Side(taken) => path.taken.push(taken),
        }
        at = from.blocks[at].parent;
    }
    path.taken.reverse();
    path
}

impl Planner<'_> {
    /// Copies the blocks of `from` that pay, and dissolves the others.
    pub(super) fn rebuild(&mut self, from: &Plan) {
        self.plan.blocks = vec![Block::default()];
        self.copy(from, &entries(from), 0, 0);
        self.plan.place(self.netlist);
    }

    fn copy(&mut self, from: &Plan, entries: &[Entry], source: BlockId, target: BlockId) {
        let mut dissolved: HashMap<u32, NodeId> = HashMap::new();
        // Found once, and only if something is dissolved.
        let mut around = None;
        for a in &from.blocks[source].actions {
            match a {
                Action::If(c, then, other)
                    if self.costs[*then] + self.costs[*other] >= self.threshold =>
                {
                    let (t, o) = (self.child(target), self.child(target));
                    self.copy(from, entries, *then, t);
                    self.copy(from, entries, *other, o);
                    self.plan.blocks[target].actions.push(Action::If(*c, t, o));
                }
                Action::If(_, then, other) => {
                    dissolved.clear();
                    for side in [*then, *other] {
                        self.dissolve(from, side, &mut dissolved, target);
                    }
                    let mut registers: Vec<u32> = dissolved.keys().copied().collect();
                    registers.sort_unstable();
                    let path = around.get_or_insert_with(|| path(from, entries, source));
                    for r in registers {
                        let next = self.value_in(path, r);
                        self.plan.blocks[target]
                            .actions
                            .push(Action::Register(r, next));
                    }
                }
                Action::Switch {
                    selector,
                    values,
                    arms,
                } => {
                    let copy = |p: &mut Self, arm: &BlockId| {
                        let block = p.child(target);
                        p.copy(from, entries, *arm, block);
                        block
                    };
                    let arms = arms.iter().map(|a| copy(self, a)).collect();
                    let action = Action::Switch {
                        selector: *selector,
                        values: values.clone(),
                        arms,
                    };
                    self.plan.blocks[target].actions.push(action);
                }
                other => self.plan.blocks[target].actions.push(other.clone()),
            }
        }
    }

    /// Finds what a dissolved block did: its registers, and its writes, which keep a branch of their own.
    fn dissolve(
        &mut self,
        from: &Plan,
        block: BlockId,
        registers: &mut HashMap<u32, NodeId>,
        target: BlockId,
    ) {
        for a in &from.blocks[block].actions {
            match a {
                Action::Register(r, next) => {
                    registers.insert(*r, *next);
                }
                Action::Write { memory, write, .. } => {
                    let action = Action::Write {
                        memory: *memory,
                        write: *write,
                        enabled: false,
                    };
                    self.plan.blocks[target].actions.push(action);
                }
                Action::If(_, then, other) => {
                    self.dissolve(from, *then, registers, target);
                    self.dissolve(from, *other, registers, target);
                }
                Action::Visible(..) | Action::Switch { .. } => {}
            }
        }
    }

    /// What register `r` becomes behind the branches of `path`: its next value with these taken.
    fn value_in(&self, path: &Path, r: u32) -> NodeId {
        let mut node = self.netlist.registers[r as usize].next;
        if let Some(arm) = path.arm {
            node = self.arms[r as usize].map_or(node, |next| next[arm]);
        }
        for taken in &path.taken {
            if let Op::Mux(_, a, b) = self.netlist.node(node).op {
                node = if *taken { a } else { b };
            }
        }
        node
    }

    /// Estimated instructions of every block, inner blocks included.
    pub(super) fn block_costs(&self) -> Vec<u32> {
        let mut costs = vec![0u32; self.plan.blocks.len()];
        for (n, place) in self.netlist.nodes.iter().zip(&self.plan.place) {
            if let Some(block) = place {
                costs[*block] = costs[*block].saturating_add(self.cost(&n.op, n.width));
            }
        }
        for (i, b) in self.plan.blocks.iter().enumerate() {
            costs[i] = costs[i].saturating_add(2 * b.actions.len() as u32);
        }
        for i in (1..self.plan.blocks.len()).rev() {
            let parent = self.plan.blocks[i].parent;
            costs[parent] = costs[parent].saturating_add(costs[i]);
        }
        costs
    }

    fn cost(&self, op: &Op, width: u32) -> u32 {
        let limbs = width.div_ceil(64).max(1);
        match op {
            Op::Const(_) | Op::Input(_) | Op::Reg(_) | Op::Signal(_) => 0,
            Op::Zext(_) => 1,
            Op::Slice(..) | Op::Sext(_) | Op::Unary(..) => 2 * limbs,
            Op::Concat(parts) => 2 * parts.len() as u32,
            Op::Read(..) => 2 + limbs,
            Op::Mux(..) | Op::Binary(..) => 2 * limbs,
            Op::Lane(..) => 2,
            Op::Vector(v) => match v.form {
                Form::Build => v.shape.count,
                _ => 2 * v.shape.vectors() as u32,
            },
        }
    }
}
