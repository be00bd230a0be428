//! `gate`: decides what a cycle stores and which of it stands behind a branch.
//!
//! A register written as `if (enable) q <= f(x)` needs neither `f(x)` nor a store while `enable` is 0. So the
//! multiplexers at the top of every next value are turned into branches, sinks with the same condition share one, and
//! every node is placed in the innermost block that contains all of its uses. Branches that would skip too little to
//! pay for a misprediction are turned back into selects.

use std::collections::HashMap;

use crate::ir::{Netlist, NodeId, Op};

/// Estimated instructions that a branch must be able to skip.
pub(crate) const MIN_SKIPPED: u32 = 16;
/// How deep branches nest.
const MAX_DEPTH: usize = 8;

/// Index of a block in a plan.
pub(crate) type BlockId = usize;

/// Something that a cycle does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    /// Latches an output or probe.
    Visible(usize, NodeId),
    /// Stores a register's next value.
    Register(u32, NodeId),
    /// Performs a memory write; the flag says that its enable is known to be set here.
    Write {
        memory: u32,
        write: usize,
        enabled: bool,
    },
    If(NodeId, BlockId, BlockId),
}

/// Actions that are taken together.
#[derive(Debug, Clone, Default)]
pub(crate) struct Block {
    pub(crate) parent: BlockId,
    pub(crate) depth: usize,
    pub(crate) actions: Vec<Action>,
}

/// The blocks of a cycle (the first is the root, which is its own parent) and the block of every node.
#[derive(Debug, Clone, Default)]
pub(crate) struct Plan {
    pub(crate) blocks: Vec<Block>,
    /// `None` for nodes that nothing uses.
    pub(crate) place: Vec<Option<BlockId>>,
}

/// A sink whose next value is being taken apart.
#[derive(Debug, Clone)]
enum Sink {
    Register(u32, NodeId),
    Write(u32, usize),
}

/// Plans a cycle, or only the outputs and probes if nothing is to be committed.
pub(crate) fn plan(netlist: &Netlist, commit: bool) -> Plan {
    let mut p = Planner {
        netlist,
        uses: count_uses(netlist),
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

fn count_uses(netlist: &Netlist) -> Vec<u32> {
    let mut uses = vec![0u32; netlist.nodes.len()];
    let mut count = |id: NodeId| uses[id.index()] += 1;
    netlist.nodes.iter().for_each(|n| n.op.each(&mut count));
    netlist
        .outputs
        .iter()
        .chain(&netlist.signals)
        .for_each(|n| count(n.node));
    netlist.registers.iter().for_each(|r| count(r.next));
    for w in netlist.memories.iter().flat_map(|m| &m.writes) {
        [w.enable, w.address, w.data]
            .into_iter()
            .for_each(&mut count);
    }
    uses
}

struct Planner<'n> {
    netlist: &'n Netlist,
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
            for (i, r) in self.netlist.registers.iter().enumerate() {
                sinks.push(Sink::Register(i as u32, r.next));
            }
            for (i, m) in self.netlist.memories.iter().enumerate() {
                sinks.extend((0..m.writes.len()).map(|w| Sink::Write(i as u32, w)));
            }
            self.fill(0, sinks);
        }
        let visible = self.netlist.outputs.iter().chain(&self.netlist.signals);
        let visible = visible.enumerate().map(|(i, n)| Action::Visible(i, n.node));
        self.plan.blocks[0].actions.extend(visible);
        self.plan.place = self.placement();
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

    fn child(&mut self, parent: BlockId) -> BlockId {
        let depth = self.plan.blocks[parent].depth + 1;
        self.plan.blocks.push(Block {
            parent,
            depth,
            actions: Vec::new(),
        });
        self.plan.blocks.len() - 1
    }

    /// Copies the blocks of `from` that pay, and dissolves the others.
    fn rebuild(&mut self, from: &Plan) {
        self.plan.blocks = vec![Block::default()];
        self.copy(from, 0, 0);
        self.plan.place = self.placement();
    }

    fn copy(&mut self, from: &Plan, source: BlockId, target: BlockId) {
        let mut dissolved: HashMap<u32, NodeId> = HashMap::new();
        for a in &from.blocks[source].actions {
            match a {
                Action::If(c, then, other)
                    if self.costs[*then] + self.costs[*other] >= self.threshold =>
                {
                    let (t, o) = (self.child(target), self.child(target));
                    self.copy(from, *then, t);
                    self.copy(from, *other, o);
                    self.plan.blocks[target].actions.push(Action::If(*c, t, o));
                }
                Action::If(_, then, other) => {
                    dissolved.clear();
                    for side in [*then, *other] {
                        self.dissolve(from, side, &mut dissolved, target);
                    }
                    let mut registers: Vec<u32> = dissolved.keys().copied().collect();
                    registers.sort_unstable();
                    for r in registers {
                        let next = self.value_in(from, source, r);
                        self.plan.blocks[target]
                            .actions
                            .push(Action::Register(r, next));
                    }
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
                Action::Visible(..) => {}
            }
        }
    }

    /// What register `r` becomes as seen from `block`: its next value with the branches that lead there taken.
    fn value_in(&self, from: &Plan, block: BlockId, r: u32) -> NodeId {
        let mut path = Vec::new();
        let mut at = block;
        while at != 0 {
            let parent = from.blocks[at].parent;
            let taken = from.blocks[parent].actions.iter().find_map(|a| match a {
                Action::If(_, t, _) if *t == at => Some(true),
                Action::If(_, _, o) if *o == at => Some(false),
                _ => None,
            });
            path.push(taken.unwrap_or(true));
            at = parent;
        }
        let mut node = self.netlist.registers[r as usize].next;
        for taken in path.into_iter().rev() {
            if let Op::Mux(_, a, b) = self.netlist.node(node).op {
                node = if taken { a } else { b };
            }
        }
        node
    }

    /// The innermost block that contains every use of each node.
    fn placement(&self) -> Vec<Option<BlockId>> {
        let mut place: Vec<Option<BlockId>> = vec![None; self.netlist.nodes.len()];
        for (i, block) in self.plan.blocks.iter().enumerate() {
            for a in &block.actions {
                let mut used = |n: NodeId| self.meet(&mut place, n, i);
                match a {
                    Action::Visible(_, n) | Action::Register(_, n) | Action::If(n, _, _) => {
                        used(*n)
                    }
                    Action::Write {
                        memory,
                        write,
                        enabled,
                    } => {
                        let w = &self.netlist.memories[*memory as usize].writes[*write];
                        used(w.address);
                        used(w.data);
                        if !enabled {
                            used(w.enable);
                        }
                    }
                }
            }
        }
        for i in (0..self.netlist.nodes.len()).rev() {
            if let Some(block) = place[i] {
                self.netlist.nodes[i]
                    .op
                    .each(|a| self.meet(&mut place, a, block));
            }
        }
        place
    }

    fn meet(&self, place: &mut [Option<BlockId>], node: NodeId, block: BlockId) {
        let slot = &mut place[node.index()];
        *slot = Some(match *slot {
            None => block,
            Some(other) => self.plan.common(other, block),
        });
    }

    /// Estimated instructions of every block, inner blocks included.
    fn block_costs(&self) -> Vec<u32> {
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
        }
    }
}

impl Plan {
    /// The innermost block around both.
    pub(crate) fn common(&self, mut a: BlockId, mut b: BlockId) -> BlockId {
        while a != b {
            if self.blocks[a].depth >= self.blocks[b].depth {
                a = self.blocks[a].parent;
            } else {
                b = self.blocks[b].parent;
            }
        }
        a
    }
    /// Whether `inner` is `outer` or inside it.
    pub(crate) fn inside(&self, inner: BlockId, outer: BlockId) -> bool {
        self.common(inner, outer) == outer
    }
}
