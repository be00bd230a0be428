//! `resolve`: replaces signals by their drivers and orders the nodes.
//!
//! The walk starts at what is visible (outputs, registers, memories) and follows only the bits that are used: a
//! slice of a signal depends on the drivers of those bits alone, so that a vector whose parts feed each other is no
//! loop. Named signals are resolved last; one that has no settled value (an unused latch) just loses its name.

use crate::error::{Error, Result};
use crate::ir::{Builder, Named, Netlist, Node, NodeId, Op, Piece};

/// Work of looking at an operand, see [`MAX_WORK`](crate::limits::MAX_WORK).
const DEPENDENCY_WORK: u64 = 16;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    New,
    Open,
    Done(NodeId),
    /// Depends on a loop.
    Poisoned,
}

struct Walk {
    old: Vec<Node>,
    names: Vec<Named>,
    drivers: Vec<Vec<Piece>>,
    marks: Vec<Mark>,
    new: Builder,
}

pub(crate) fn run(mut netlist: Netlist) -> Result<Netlist> {
    let old = std::mem::take(&mut netlist.nodes);
    let mut walk = Walk {
        marks: vec![Mark::New; old.len()],
        old,
        names: std::mem::take(&mut netlist.signals),
        drivers: std::mem::take(&mut netlist.drivers),
        new: Builder::default(),
    };
    // Drivers do not overlap; in order, those of a part are found by bisection.
    for pieces in &mut walk.drivers {
        pieces.sort_unstable_by_key(|p| p.lo);
    }
    let mut failure = None;
    netlist.each_root(|id| match walk.resolve(*id) {
        _ if failure.is_some() => {}
        Ok(new) => *id = new,
        Err(path) => failure = Some(path),
    });
    walk.new.check()?;
    if let Some(path) = failure {
        return Err(Error::CombinationalLoop { path });
    }
    for n in walk.names.clone() {
        if let Ok(node) = walk.resolve(n.node) {
            netlist.signals.push(Named { node, ..n });
        }
    }
    netlist.nodes = walk.new.finish()?;
    Ok(netlist)
}

impl Walk {
    /// The resolved form of `root`, or the names on the loop that it depends on.
    fn resolve(&mut self, root: NodeId) -> Result<NodeId, String> {
        let mut stack = vec![root];
        let mut deps = Vec::new();
        while let Some(&id) = stack.last() {
            if self.new.check().is_err() {
                return Err(String::new());
            }
            match self.marks[id.index()] {
                Mark::Done(_) => {
                    stack.pop();
                    continue;
                }
                Mark::Poisoned => return Err(self.poison(&stack, id)),
                Mark::New | Mark::Open => {}
            }
            self.marks[id.index()] = Mark::Open;
            deps.clear();
            self.dependencies(id, &mut deps);
            self.new.charge(DEPENDENCY_WORK * deps.len() as u64);
            let mut ready = true;
            for d in &deps {
                match self.marks[d.index()] {
                    Mark::Done(_) => {}
                    Mark::New => {
                        ready = false;
                        stack.push(*d);
                    }
                    Mark::Open | Mark::Poisoned => return Err(self.poison(&stack, *d)),
                }
            }
            if ready {
                let node = self.build(id);
                self.marks[id.index()] = Mark::Done(node);
                stack.pop();
            }
        }
        match self.marks[root.index()] {
            Mark::Done(node) => Ok(node),
            _ => Err(String::new()),
        }
    }

    /// Marks everything open as depending on a loop and names the signals from `from` on.
    fn poison(&mut self, stack: &[NodeId], from: NodeId) -> String {
        let open: Vec<NodeId> = stack
            .iter()
            .copied()
            .filter(|n| self.marks[n.index()] != Mark::New)
            .collect();
        let start = open.iter().position(|n| *n == from).unwrap_or(0);
        let mut names: Vec<&str> = open[start..]
            .iter()
            .filter_map(|n| self.signal_name(*n))
            .collect();
        names.dedup();
        const SHOWN: usize = 16;
        let more = names.len().saturating_sub(SHOWN);
        names.truncate(SHOWN);
        let mut path = names.join(" <- ");
        if more > 0 {
            path = format!("{path} <- ({more} more)");
        }
        for n in open {
            self.marks[n.index()] = Mark::Poisoned;
        }
        path
    }

    fn signal_name(&self, id: NodeId) -> Option<&str> {
        let signal = match self.old[id.index()].op {
            Op::Signal(s) => s,
            Op::Slice(x, _) => match self.old[x.index()].op {
                Op::Signal(s) => s,
                _ => return None,
            },
            _ => return None,
        };
        Some(&self.names[signal as usize].path)
    }

    /// The signal and the bits that a node reads directly.
    fn signal_bits(&self, id: NodeId) -> Option<(u32, u32, u32)> {
        match self.old[id.index()].op {
            Op::Signal(s) => Some((s, 0, self.old[id.index()].width)),
            Op::Slice(x, lo) => match self.old[x.index()].op {
                Op::Signal(s) => Some((s, lo, self.old[id.index()].width)),
                _ => None,
            },
            _ => None,
        }
    }

    fn pieces(&self, signal: u32, lo: u32, width: u32) -> impl DoubleEndedIterator<Item = &Piece> {
        let pieces = &self.drivers[signal as usize];
        let from = pieces.partition_point(|p| p.lo + p.width <= lo);
        let to = pieces.partition_point(|p| p.lo < lo + width);
        pieces[from..to.max(from)].iter()
    }

    fn dependencies(&self, id: NodeId, out: &mut Vec<NodeId>) {
        match self.signal_bits(id) {
            Some((s, lo, width)) => out.extend(self.pieces(s, lo, width).map(|p| p.node)),
            None => self.old[id.index()].op.each(|d| out.push(d)),
        }
    }

    fn done(&self, id: NodeId) -> NodeId {
        match self.marks[id.index()] {
            Mark::Done(node) => node,
            _ => unreachable!("operands are resolved before their users"),
        }
    }

    fn build(&mut self, id: NodeId) -> NodeId {
        let width = self.old[id.index()].width;
        let Some((signal, lo, _)) = self.signal_bits(id) else {
            let op = self.old[id.index()].op.map(|d| self.done(d));
            return self.new.add(op, width);
        };
        let pieces: Vec<Piece> = self.pieces(signal, lo, width).copied().collect();
        let mut parts = Vec::new();
        let mut at = lo;
        for p in pieces {
            if p.lo > at {
                parts.push(self.new.value(p.lo - at, 0));
            }
            let (from, to) = (p.lo.max(lo), (p.lo + p.width).min(lo + width));
            let node = self.done(p.node);
            parts.push(self.new.slice(node, from - p.lo, to - from));
            at = to;
        }
        if at < lo + width {
            parts.push(self.new.value(lo + width - at, 0));
        }
        parts.reverse();
        self.new.concat(&parts)
    }
}
