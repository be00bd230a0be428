//! Puts the actions of a block that work on groups in an order in which most of them need no shadow: who reads a
//! group comes before who changes it. A pipeline's ring of such wishes is cut once.

use std::collections::HashSet;

use super::gate::{Action, Plan};
use super::vectorise::{Form, Lanes, Packs};
use crate::ir::{Netlist, NodeId, Op};

/// What is read or changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Group {
    Registers(usize),
    Memories(usize),
}

/// Orders every block of a plan.
pub(super) fn order(netlist: &Netlist, packs: &Packs, plan: &mut Plan) {
    let o = Order {
        packs,
        movable: movable(netlist, packs),
    };
    for i in 0..plan.blocks.len() {
        let actions = &plan.blocks[i].actions;
        let uses: Vec<Uses> = actions.iter().map(|a| o.uses(plan, a)).collect();
        let mut order = Vec::with_capacity(actions.len());
        let mut seen = vec![false; actions.len()];
        // Rings are entered where memories are written, and so cut elsewhere: a write that waits costs most.
        let writes = |a: &usize| {
            let changes = &uses[*a].changes;
            changes.iter().any(|g| matches!(g, Group::Memories(_)))
        };
        let (first, rest): (Vec<_>, Vec<_>) = (0..actions.len()).partition(writes);
        for start in first.into_iter().chain(rest) {
            visit(start, &uses, &mut seen, &mut order);
        }
        plan.blocks[i].actions = order.into_iter().map(|a| actions[a].clone()).collect();
    }
}

/// The groups of memories that nothing but packs reads: their writes may come early.
fn movable(netlist: &Netlist, packs: &Packs) -> Vec<bool> {
    let mut read_elsewhere = vec![false; netlist.memories.len()];
    for (i, n) in netlist.nodes.iter().enumerate() {
        if let Op::Read(m, _) = n.op {
            let packed = packs.of.contains_key(&NodeId(i as u32));
            read_elsewhere[m as usize] |= !packed;
        }
    }
    let alone = |g: &Vec<u32>| !g.iter().any(|m| read_elsewhere[*m as usize]);
    packs.memories.iter().map(alone).collect()
}

/// The groups that an action, branches included, reads and changes.
#[derive(Default)]
struct Uses {
    reads: HashSet<Group>,
    changes: HashSet<Group>,
}

struct Order<'p> {
    packs: &'p Packs,
    movable: Vec<bool>,
}

impl Order<'_> {
    fn uses(&self, plan: &Plan, action: &Action) -> Uses {
        let mut uses = Uses::default();
        let mut stack = vec![action];
        while let Some(a) = stack.pop() {
            match a {
                Action::RegisterGroup { group, value, .. } => {
                    self.reads(*value, &mut uses.reads);
                    uses.changes.insert(Group::Registers(*group));
                }
                Action::WriteGroup { group, data, .. } if self.movable[*group] => {
                    self.reads(*data, &mut uses.reads);
                    uses.changes.insert(Group::Memories(*group));
                }
                Action::If(_, then, other) => {
                    stack.extend(&plan.blocks[*then].actions);
                    stack.extend(&plan.blocks[*other].actions);
                }
                _ => {}
            }
        }
        uses
    }

    fn reads(&self, lanes: Lanes, into: &mut HashSet<Group>) {
        let mut stack = vec![lanes];
        while let Some(l) = stack.pop() {
            match l {
                Lanes::Registers(g) => drop(into.insert(Group::Registers(g))),
                Lanes::Same(_) => {}
                Lanes::Pack(p) => match &self.packs.packs[p].form {
                    Form::Parts(_) => {}
                    Form::Read(g, _) => drop(into.insert(Group::Memories(*g))),
                    Form::Unary(_, a) | Form::Zext(a) | Form::Sext(a) => stack.push(*a),
                    Form::Binary(_, a, b) | Form::Mux(_, a, b) => stack.extend([*a, *b]),
                },
            }
        }
    }
}

/// Appends an action, after all that read what it changes and are not waiting for it themselves.
fn visit(at: usize, uses: &[Uses], seen: &mut [bool], order: &mut Vec<usize>) {
    // An explicit stack: a long pipeline nests deeply.
    let mut stack = vec![(at, false)];
    while let Some((a, ready)) = stack.pop() {
        if ready {
            order.push(a);
            continue;
        }
        if seen[a] {
            continue;
        }
        seen[a] = true;
        stack.push((a, true));
        if uses[a].changes.is_empty() {
            continue;
        }
        for (i, u) in uses.iter().enumerate() {
            if !seen[i] && !u.reads.is_disjoint(&uses[a].changes) {
                stack.push((i, false));
            }
        }
    }
}
