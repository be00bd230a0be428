//! `gate`: decides what a cycle stores and which of it stands behind a branch.
//!
//! A register written as `if (enable) q <= f(x)` needs neither `f(x)` nor a store while `enable` is 0. So the
//! multiplexers at the top of every next value are turned into branches, sinks with the same condition share one, and
//! every node is placed in the innermost block that contains all of its uses. Branches that would skip too little to
//! pay for a misprediction are turned back into selects.

mod dissolve;
mod plan;

use std::collections::HashMap;

use super::cases::Case;
use crate::ir::{Netlist, NodeId, Op};
pub(crate) use plan::{Action, Block, BlockId, Plan};

/// Estimated instructions that a branch must be able to skip.
pub(crate) const MIN_SKIPPED: u32 = 16;
/// How deep branches nest.
const MAX_DEPTH: usize = 8;

/// A sink whose next value is being taken apart.
#[derive(Debug, Clone)]
enum Sink {
    Register(u32, NodeId),
    Write(u32, usize),
}

/// Plans a cycle, or only the outputs and probes if nothing is to be committed.
pub(crate) fn plan(netlist: &Netlist, cases: &[Case], commit: bool) -> Plan {
    let cases = if commit { cases } else { &[] };
    let arms = next_by_case(netlist, cases);
    let mut p = Planner {
        netlist,
        cases,
        uses: count_uses(netlist, cases, &arms),
        arms,
        plan: Plan::default(),
        threshold: 0,
        costs: Vec::new(),
    };
    p.build(commit);
    if commit && p.plan.blocks.len() > 1 {
        p.costs = p.block_costs();
        let costed = std::mem::take(&mut p.plan);
        p.threshold = MIN_SKIPPED;
        p.rebuild(&costed);
    }
    p.plan
}

/// How often each node is used by what a cycle needs.
fn count_uses(netlist: &Netlist, cases: &[Case], arms: &[Option<&[NodeId]>]) -> Vec<u32> {
    let mut uses = vec![0u32; netlist.nodes.len()];
    let mut count = |id: NodeId| uses[id.index()] += 1;
    let named = netlist.outputs.iter().chain(&netlist.signals);
    named.for_each(|n| count(n.node));
    let plain = netlist
        .registers
        .iter()
        .zip(arms)
        .filter(|(_, a)| a.is_none());
    plain.for_each(|(r, _)| count(r.next));
    for c in cases {
        count(c.selector);
        let next = c.registers.iter().flat_map(|(_, next)| next);
        next.copied().for_each(&mut count);
    }
    for w in netlist.memories.iter().flat_map(|m| &m.writes) {
        [w.enable, w.address, w.data]
            .into_iter()
            .for_each(&mut count);
    }
    for i in (0..netlist.nodes.len()).rev() {
        if uses[i] > 0 {
            netlist.nodes[i].op.each(|a| uses[a.index()] += 1);
        }
    }
    uses
}

/// The next values by case of every register that is stored case by case.
fn next_by_case<'n>(netlist: &Netlist, cases: &'n [Case]) -> Vec<Option<&'n [NodeId]>> {
    let mut arms = vec![None; netlist.registers.len()];
    for (r, next) in cases.iter().flat_map(|c| &c.registers) {
        arms[*r as usize] = Some(&next[..]);
    }
    arms
}

struct Planner<'n> {
    netlist: &'n Netlist,
    cases: &'n [Case],
    /// [`next_by_case`].
    arms: Vec<Option<&'n [NodeId]>>,
    uses: Vec<u32>,
    plan: Plan,
    threshold: u32,
    /// Instructions in each block of the first plan, inner ones included.
    costs: Vec<u32>,
}

impl Planner<'_> {
    fn build(&mut self, commit: bool) {
        self.plan.blocks.push(Block::default());
        if commit {
            let mut sinks = Vec::new();
            for (i, r) in self.netlist.registers.iter().enumerate().rev() {
                if self.arms[i].is_none() {
                    sinks.push(Sink::Register(i as u32, r.next));
                }
            }
            for (i, m) in self.netlist.memories.iter().enumerate() {
                sinks.extend((0..m.writes.len()).map(|w| Sink::Write(i as u32, w)));
            }
            self.fill(0, sinks);
            for case in self.cases {
                self.switch(case);
            }
        }
        let visible = self.netlist.outputs.iter().chain(&self.netlist.signals);
        let visible = visible.enumerate().map(|(i, n)| Action::Visible(i, n.node));
        self.plan.blocks[0].actions.extend(visible);
        self.plan.place(self.netlist);
    }

    /// The condition under which a sink does something, or whose value decides what.
    fn condition(&self, sink: &Sink) -> Option<NodeId> {
        match sink {
            Sink::Write(m, w) => {
                // Writes of one memory keep their order, so they get no branch that could move one of them.
                let writes = &self.netlist.memories[*m as usize].writes;
                let enable = writes[*w].enable;
                let gated = writes.len() == 1 && self.netlist.constant(enable).is_none();
                gated.then_some(enable)
            }
            Sink::Register(r, next) => match self.netlist.node(*next).op {
                Op::Mux(c, a, b) => {
                    let hold = |n: NodeId| self.netlist.node(n).op == Op::Reg(*r);
                    (hold(a) || hold(b) || self.uses[next.index()] == 1).then_some(c)
                }
                _ => None,
            },
        }
    }

    /// Puts sinks into a block, those with a common condition behind one branch.
    fn fill(&mut self, block: BlockId, sinks: Vec<Sink>) {
        let depth = self.plan.blocks[block].depth;
        let mut groups: Vec<(NodeId, Vec<Sink>)> = Vec::new();
        let mut known: HashMap<NodeId, usize> = HashMap::new();
        // Writes come last, when most reads of their memory are done.
        let mut writes = Vec::new();
        for s in sinks {
            match self.condition(&s).filter(|_| depth < MAX_DEPTH) {
                Some(c) => {
                    let at = *known.entry(c).or_insert_with(|| {
                        groups.push((c, Vec::new()));
                        groups.len() - 1
                    });
                    groups[at].1.push(s);
                }
                None => match s {
                    Sink::Register(r, next) => {
                        let action = Action::Register(r, next);
                        self.plan.blocks[block].actions.push(action);
                    }
                    Sink::Write(memory, write) => {
                        let enable = self.netlist.memories[memory as usize].writes[write].enable;
                        let enabled = self.netlist.constant(enable).is_some_and(|k| !k.is_zero());
                        writes.push(Action::Write {
                            memory,
                            write,
                            enabled,
                        });
                    }
                },
            }
        }
        for (c, group) in groups {
            let (mut yes, mut no) = (Vec::new(), Vec::new());
            let then = self.child(block);
            let other = self.child(block);
            for s in group {
                match s {
                    Sink::Write(memory, write) => {
                        let action = Action::Write {
                            memory,
                            write,
                            enabled: true,
                        };
                        self.plan.blocks[then].actions.push(action);
                    }
                    Sink::Register(r, next) => {
                        let Op::Mux(_, a, b) = self.netlist.node(next).op else {
                            unreachable!("it has a condition")
                        };
                        for (side, value) in [(&mut yes, a), (&mut no, b)] {
                            if self.netlist.node(value).op != Op::Reg(r) {
                                side.push(Sink::Register(r, value));
                            }
                        }
                    }
                }
            }
            self.fill(then, yes);
            self.fill(other, no);
            self.plan.blocks[block]
                .actions
                .push(Action::If(c, then, other));
        }
        self.plan.blocks[block].actions.extend(writes);
    }

    /// Adds a block for each case, with what it stores.
    fn switch(&mut self, case: &Case) {
        let mut arms = Vec::with_capacity(case.values.len() + 1);
        for i in 0..=case.values.len() {
            let arm = self.child(0);
            let all = case.registers.iter().map(|(r, next)| (*r, next[i]));
            let changing = all.filter(|(r, n)| self.netlist.node(*n).op != Op::Reg(*r));
            let sinks = changing.map(|(r, n)| Sink::Register(r, n)).collect();
            self.fill(arm, sinks);
            arms.push(arm);
        }
        self.plan.blocks[0].actions.push(Action::Switch {
            selector: case.selector,
            values: case.values.clone(),
            arms,
        });
    }

    fn child(&mut self, parent: BlockId) -> BlockId {
        let depth = self.plan.blocks[parent].depth + 1;
        self.plan.blocks.push(Block {
            parent,
            depth,
            actions: Vec::new(),
        });
        self.plan.blocks.len() - 1
    }
}
