//! Designs with several clocks, falling edges or asynchronous resets: one native function for everything that can
//! happen, all on one layout of the state.
//!
//! A function for some of the edges is that of a netlist in which the other registers hold and the other memories are
//! not written. The layouts of all functions are merged: a register that waits in a shadow in one of them does so in
//! all, so that shadow and register are equal whenever no function runs.

use std::collections::BTreeSet;

use crate::bits::Bits;
use crate::error::Result;
use crate::ir::{Clock, Netlist, Node, NodeId, Op};
use crate::jit;
use crate::jit::layout::Layout;
use crate::jit::native::NativeCode;
use crate::passes::schedule::{Schedule, Step, schedule};

/// The functions of a design.
#[derive(Debug)]
pub(crate) struct Functions {
    /// A cycle of all clocks: what rising edges do, then what falling ones do.
    pub(crate) cycle: Vec<NativeCode>,
    /// A cycle of one clock, by its input, where there are several.
    pub(crate) steps: Vec<(u32, Vec<NativeCode>)>,
    /// No edge: outputs, probes and asynchronous resets.
    pub(crate) settle: NativeCode,
}

/// Edges that happen at once, all rising or all falling.
#[derive(Debug, Clone, Default)]
struct Event {
    edges: Vec<Clock>,
    /// The clocks, by input, that are high before.
    high: Vec<u32>,
}

/// Whether one function without restrictions does it all.
pub(crate) fn is_plain(netlist: &Netlist) -> bool {
    let falling = netlist.clocks.iter().any(|c| c.falling);
    netlist.clocks.len() <= 1 && !falling && netlist.resets.is_empty()
}

/// The events of a cycle of the clocks that `chosen` names by input.
fn events(netlist: &Netlist, chosen: impl Fn(u32) -> bool) -> Vec<Event> {
    let of = |falling| {
        let own = netlist.clocks.iter().filter(|c| chosen(c.input));
        let high = own.clone().filter(|_| falling).map(|c| c.input);
        Event {
            high: high.collect(),
            edges: own.filter(|c| c.falling == falling).copied().collect(),
        }
    };
    let both = [of(false), of(true)];
    both.into_iter().filter(|e| !e.edges.is_empty()).collect()
}

/// Compiles all functions of `netlist`.
pub(crate) fn compile(netlist: &Netlist) -> Result<(Layout, Functions)> {
    let mut inputs: Vec<u32> = netlist.clocks.iter().map(|c| c.input).collect();
    inputs.dedup();
    // The first event is none at all: settling.
    let mut all: Vec<Event> = vec![Event::default()];
    let cycle = events(netlist, |_| true);
    all.extend(cycle.iter().cloned());
    let mut steps = Vec::new();
    if inputs.len() > 1 {
        for input in inputs {
            let own = events(netlist, |i| i == input);
            all.extend(own.iter().cloned());
            steps.push((input, own.len()));
        }
    }
    let (layout, mut codes) = compile_events(netlist, &all)?;
    let settle = codes.remove(0);
    let mut codes = codes.into_iter();
    Ok((
        layout,
        Functions {
            settle,
            cycle: codes.by_ref().take(cycle.len()).collect(),
            steps: steps
                .into_iter()
                .map(|(input, n)| (input, codes.by_ref().take(n).collect()))
                .collect(),
        },
    ))
}

fn compile_events(netlist: &Netlist, events: &[Event]) -> Result<(Layout, Vec<NativeCode>)> {
    let mut parts: Vec<(Netlist, Schedule)> = Vec::new();
    for event in events {
        let part = restricted(netlist, event);
        let schedule = schedule(&part, &[], true);
        parts.push((part, schedule));
    }
    let shadowed: BTreeSet<u32> = parts.iter().flat_map(|(_, s)| s.shadows.clone()).collect();
    let merged = Schedule {
        shadows: shadowed.iter().copied().collect(),
        deferred: parts.iter().flat_map(|(_, s)| s.deferred.clone()).collect(),
        ..Schedule::default()
    };
    let layout = Layout::new(netlist, &merged);
    let mut codes = Vec::new();
    let mut first = 0;
    for (part, mut schedule) in parts {
        adjust(&part, &mut schedule.steps, &shadowed);
        schedule.shadows.clone_from(&merged.shadows);
        let mut own = layout.clone();
        own.pending = layout.pending[first..first + schedule.deferred.len()].to_vec();
        first += schedule.deferred.len();
        codes.push(jit::compile(&part, &own, &schedule)?);
    }
    Ok((layout, codes))
}

/// Sends stores of registers with a shadow in any function there, and drops stores that change nothing.
fn adjust(netlist: &Netlist, steps: &mut Vec<Step>, shadowed: &BTreeSet<u32>) {
    steps.retain(|s| match s {
        Step::Register { register, node, .. } => netlist.node(*node).op != Op::Reg(*register),
        _ => true,
    });
    for s in steps {
        match s {
            Step::Register {
                register, shadow, ..
            } => *shadow = shadowed.contains(register),
            Step::If(_, then, other) => {
                adjust(netlist, then, shadowed);
                adjust(netlist, other, shadowed);
            }
            Step::Switch { arms, .. } => {
                for arm in arms {
                    adjust(netlist, arm, shadowed);
                }
            }
            _ => {}
        }
    }
}

/// The netlist in which only `event` clocks anything.
fn restricted(netlist: &Netlist, event: &Event) -> Netlist {
    let mut out = netlist.clone();
    let chosen = |clock| {
        netlist
            .edge(clock)
            .is_some_and(|c| event.edges.contains(&c))
    };
    // Before a falling edge the clocks that move are high; at any other time a clock reads as low.
    for n in &mut out.nodes {
        if let Op::Input(i) = n.op
            && event.high.contains(&i)
        {
            n.op = Op::Const(Bits::bool(true));
        }
    }
    for i in 0..out.registers.len() {
        if chosen(netlist.registers[i].clock) {
            continue;
        }
        let width = out.registers[i].width;
        let mut next = push(&mut out, Op::Reg(i as u32), width);
        for r in netlist
            .resets
            .iter()
            .rev()
            .filter(|r| r.register == i as u32)
        {
            let value = push(&mut out, Op::Const(r.value.clone()), width);
            next = push(&mut out, Op::Mux(r.active, value, next), width);
        }
        out.registers[i].next = next;
    }
    let never = push(&mut out, Op::Const(Bits::bool(false)), 1);
    for w in out.memories.iter_mut().flat_map(|m| &mut m.writes) {
        if !chosen(w.clock) {
            w.enable = never;
        }
    }
    out
}

fn push(netlist: &mut Netlist, op: Op, width: u32) -> NodeId {
    netlist.nodes.push(Node { op, width });
    NodeId(netlist.nodes.len() as u32 - 1)
}
