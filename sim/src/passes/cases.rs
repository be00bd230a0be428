//! `cases`: state machines are taken apart by their state.
//!
//! Where a word is compared with many constants, as the state of a machine or an address is, at most one comparison
//! holds. For every such constant the next values that depend on the comparisons are built anew with this one true and
//! all others false, which leaves little of them, and the cycle jumps to what its case leaves.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;

use crate::ir::{Binary, Builder, Netlist, NodeId, Op};

/// A word must be compared with so many constants, and with no more than that.
const CASES: std::ops::RangeInclusive<usize> = 4..=64;
/// Words whose cases are looked at; there are few state machines, and each costs a walk through the netlist.
const MAX_SELECTORS: usize = 32;
/// Largest netlist whose state machines are taken apart.
const MAX_NODES: usize = 1 << 18;
/// Nodes that all cases together may add, as a multiple of the netlist's.
const MAX_GROWTH: usize = 2;
/// Nodes times cases times registers of one word, beyond which it is left alone.
const MAX_WORK: usize = 1 << 25;

/// A word by whose value registers are stored in different ways.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) selector: NodeId,
    pub(crate) values: Vec<u64>,
    /// Registers and their next values for each of `values`, and for all others.
    pub(crate) registers: Vec<(u32, Vec<NodeId>)>,
}

/// The netlist with the nodes of all cases, and these.
pub(crate) fn cases(netlist: &Netlist) -> (Netlist, Vec<Case>) {
    let mut out = netlist.clone();
    let mut found = Vec::new();
    let mut taken = vec![false; netlist.registers.len()];
    let selectors = match netlist.nodes.len() <= MAX_NODES {
        true => selectors(netlist),
        false => Vec::new(),
    };
    for (selector, tests) in selectors {
        let Some(c) = split(&mut out, netlist, selector, &tests, &taken) else {
            continue;
        };
        for (r, _) in &c.registers {
            taken[*r as usize] = true;
        }
        found.push(c);
    }
    out.shapes.nodes.resize(out.nodes.len(), None);
    (out, found)
}

/// Words that are compared with enough constants, and these comparisons by constant; the most compared one first.
fn selectors(netlist: &Netlist) -> Vec<(NodeId, BTreeMap<u64, NodeId>)> {
    let mut tests: BTreeMap<NodeId, BTreeMap<u64, NodeId>> = BTreeMap::new();
    for (i, n) in netlist.nodes.iter().enumerate() {
        if let Op::Binary(Binary::Eq, a, b) = n.op
            && let Some(k) = netlist.constant(b)
            && (2..=64).contains(&k.width())
            && netlist.shape(a).is_none()
        {
            let of = tests.entry(a).or_default();
            of.insert(k.low(), NodeId(i as u32));
        }
    }
    let mut out: Vec<_> = tests
        .into_iter()
        .filter(|(_, t)| CASES.contains(&t.len()))
        .collect();
    out.sort_by_key(|(_, t)| std::cmp::Reverse(t.len()));
    out.truncate(MAX_SELECTORS);
    out
}

/// Splits what depends on `tests` into cases, if that pays.
fn split(
    out: &mut Netlist,
    netlist: &Netlist,
    selector: NodeId,
    tests: &BTreeMap<u64, NodeId>,
    taken: &[bool],
) -> Option<Case> {
    let depends = dependents(netlist, tests);
    let roots: Vec<u32> = (0..netlist.registers.len() as u32)
        .filter(|r| {
            let next = netlist.registers[*r as usize].next;
            !taken[*r as usize] && depends[next.index()] == Some(true)
        })
        .collect();
    let next = |r: &u32| netlist.registers[*r as usize].next;
    let needed = cone(netlist, &depends, roots.iter().map(next));
    let work = needed
        .len()
        .saturating_mul(tests.len())
        .saturating_mul(roots.len());
    if roots.is_empty() || work > MAX_WORK {
        return None;
    }
    let mut builder = Builder::of(std::mem::take(&mut out.nodes));
    let first_new = builder.len();
    let mut arms: Vec<Vec<NodeId>> = Vec::new();
    for this in tests.values().copied().map(Some).chain([None]) {
        let mut moved: HashMap<NodeId, NodeId> = HashMap::new();
        for test in tests.values() {
            let holds = builder.value(1, u64::from(Some(*test) == this));
            moved.insert(*test, holds);
        }
        for id in &needed {
            if moved.contains_key(id) {
                continue;
            }
            let n = netlist.node(*id);
            let op = n.op.map(|a| *moved.get(&a).unwrap_or(&a));
            let new = builder.add(op, n.width);
            moved.insert(*id, new);
        }
        arms.push(roots.iter().map(|r| moved[&next(r)]).collect());
        if builder.len() > (1 + MAX_GROWTH) * netlist.nodes.len() {
            break;
        }
    }
    let whole = builder.check().is_ok() && arms.len() > tests.len();
    out.nodes = builder.into_nodes();
    if !whole {
        out.nodes.truncate(first_new);
        return None;
    }
    // A register whose cases are not much smaller than the whole stays as it is.
    let mut registers = Vec::new();
    for (i, r) in roots.iter().enumerate() {
        let whole = cone(netlist, &depends, [next(r)].into_iter()).len();
        let parts: usize = arms.iter().map(|a| new_nodes(out, first_new, a[i])).sum();
        if 2 * parts <= whole * arms.len() {
            registers.push((*r, arms.iter().map(|a| a[i]).collect()));
        }
    }
    (!registers.is_empty()).then(|| Case {
        selector,
        values: tests.keys().copied().collect(),
        registers,
    })
}

/// Which nodes depend on one of `tests`: `Some(true)` if they do and can be built anew, `Some(false)` if they do and
/// vectors are among them.
fn dependents(netlist: &Netlist, tests: &BTreeMap<u64, NodeId>) -> Vec<Option<bool>> {
    let mut depends: Vec<Option<bool>> = vec![None; netlist.nodes.len()];
    for id in tests.values() {
        depends[id.index()] = Some(true);
    }
    for (i, n) in netlist.nodes.iter().enumerate() {
        if depends[i].is_some() {
            continue;
        }
        let mut own: Option<bool> = None;
        n.op.each(|a| {
            if let Some(plain) = depends[a.index()] {
                own = Some(own.unwrap_or(true) && plain);
            }
        });
        let plain = netlist.shape(NodeId(i as u32)).is_none() && !matches!(n.op, Op::Lane(..));
        depends[i] = own.map(|o| o && plain);
    }
    depends
}

/// The nodes that `roots` need and that depend on tests, operands before users.
fn cone(
    netlist: &Netlist,
    depends: &[Option<bool>],
    roots: impl Iterator<Item = NodeId>,
) -> Vec<NodeId> {
    let mut seen = HashSet::new();
    let mut stack: Vec<NodeId> = roots.collect();
    while let Some(id) = stack.pop() {
        if depends[id.index()].is_some() && seen.insert(id) {
            netlist.node(id).op.each(|a| stack.push(a));
        }
    }
    let mut out: Vec<NodeId> = seen.into_iter().collect();
    out.sort_unstable();
    out
}

/// How many nodes from `first` on `root` needs.
fn new_nodes(netlist: &Netlist, first: usize, root: NodeId) -> usize {
    let mut seen = HashSet::new();
    let mut stack = vec![root];
    while let Some(id) = stack.pop() {
        if id.index() >= first && seen.insert(id) {
            netlist.node(id).op.each(|a| stack.push(a));
        }
    }
    seen.len()
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let values: Vec<String> = self.values.iter().map(u64::to_string).collect();
        writeln!(
            f,
            "switch %{}: {}, default",
            self.selector.0,
            values.join(", ")
        )?;
        for (r, next) in &self.registers {
            let next: Vec<String> = next.iter().map(|n| format!("%{}", n.0)).collect();
            writeln!(f, "  reg {r}: {}", next.join(", "))?;
        }
        Ok(())
    }
}
