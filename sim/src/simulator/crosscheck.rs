//! The native code against the interpreter, cycle by cycle, while a simulator runs.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::access::word_slot;
use super::{Event, Simulator};
use crate::bits::Bits;
use crate::design::Design;
use crate::error::{Error, Result};
use crate::interp::Interpreter;
use crate::ir::NodeId;
use crate::jit::layout::{Array, Slot};

/// An interpreter that follows a simulator.
#[derive(Debug)]
pub(super) struct Crosscheck {
    truth: Interpreter,
    /// What is compared, in the order of evaluation.
    checks: Vec<Check>,
    /// Registers and memories that the native code still has, by their index in the interpreter.
    registers: Vec<Option<Slot>>,
    memories: Vec<Option<Array>>,
    /// The state was replaced from outside, so the interpreter takes it over before the next comparison.
    replaced: bool,
    compared: u64,
    mismatch: Option<Error>,
}

#[derive(Debug)]
struct Check {
    path: String,
    slot: Slot,
    kind: CheckKind,
}

#[derive(Debug, Clone, Copy)]
enum CheckKind {
    /// An output or probe against a node's value before the edge.
    Visible(NodeId),
    /// A register after the edge, by its index in the interpreter.
    Register(usize),
}

impl Simulator {
    /// Compares every cycle and evaluation from now on with the interpreter of `design`: all outputs and probes
    /// before the clock edge; all registers and every written memory word after it. `design` is normally the one
    /// that this simulator's program was compiled from; another one with the same inputs and outputs serves to find
    /// where two versions part. Compile with [`Probes::All`](crate::Probes::All) to have combinational signals named.
    ///
    /// The interpreter is slow: expect about a microsecond for every ten nodes of the design in each cycle.
    pub fn start_crosscheck(&mut self, design: &Design) -> Result<()> {
        let crosscheck = Crosscheck::new(self, design)?;
        self.onlookers.get_or_insert_default().crosscheck = Some(crosscheck);
        Ok(())
    }

    /// The first difference so far, an [`Error::Mismatch`]; nothing is compared after it.
    pub fn mismatch(&self) -> Option<&Error> {
        let crosscheck = self.onlookers.as_ref()?.crosscheck.as_ref()?;
        crosscheck.mismatch.as_ref()
    }

    /// Ends the comparison and returns the number of cycles compared, or the first difference.
    pub fn finish_crosscheck(&mut self) -> Result<u64> {
        let crosscheck = self.onlookers.as_mut().and_then(|o| o.crosscheck.take());
        self.dismiss();
        match crosscheck {
            None => Ok(0),
            Some(c) => c.mismatch.map_or(Ok(c.compared), Err),
        }
    }

    /// Says that the state is no longer what the last cycle left behind.
    pub(super) fn state_replaced(&mut self) {
        if let Some(c) = self.onlookers.as_mut().and_then(|o| o.crosscheck.as_mut()) {
            c.replaced = true;
        }
    }
}

impl Crosscheck {
    fn new(sim: &Simulator, design: &Design) -> Result<Self> {
        let truth = design.interpreter();
        let (theirs, ours) = (truth.netlist(), &sim.program.netlist);
        let (layout, differ) = (&sim.program.layout, |what: &str| Error::Access {
            name: "crosscheck".into(),
            message: format!("the interpreter's design has other {what} than this simulator's"),
        });
        let inputs = |n: &crate::ir::Netlist| -> Vec<(String, u32)> {
            n.inputs.iter().map(|i| (i.name.clone(), i.width)).collect()
        };
        if inputs(theirs) != inputs(ours) {
            return Err(differ("inputs"));
        }
        let named: HashMap<&str, NodeId> = theirs
            .signals
            .iter()
            .chain(&theirs.outputs)
            .map(|n| (n.path.as_str(), n.node))
            .collect();
        let mut checks = Vec::new();
        let visible = ours.outputs.iter().chain(&ours.signals);
        for (i, (n, slot)) in visible.zip(&layout.visible).enumerate() {
            match named.get(n.path.as_str()) {
                Some(node) if theirs.width(*node) == slot.width => {
                    checks.push((*node, n.path.clone(), *slot, CheckKind::Visible(*node)));
                }
                _ if i < ours.outputs.len() => return Err(differ("outputs")),
                _ => {}
            }
        }
        let slots: HashMap<&str, Slot> = ours
            .registers
            .iter()
            .zip(&layout.registers)
            .map(|(r, slot)| (r.path.as_str(), *slot))
            .collect();
        let mut registers = Vec::new();
        for (i, r) in theirs.registers.iter().enumerate() {
            let slot = slots.get(r.path.as_str()).copied();
            let slot = slot.filter(|s| s.width == r.width);
            if let Some(slot) = slot {
                checks.push((r.next, r.path.clone(), slot, CheckKind::Register(i)));
            }
            registers.push(slot);
        }
        // What is computed first differs first; of several names, the innermost tells most.
        checks.sort_by_cached_key(|(node, path, _, _)| {
            (
                node.index(),
                Reverse(path.matches('.').count()),
                path.clone(),
            )
        });
        let arrays = ours.memories.iter().zip(&layout.memories);
        let arrays: HashMap<&str, Array> = arrays.map(|(m, a)| (m.path.as_str(), *a)).collect();
        let memories = theirs.memories.iter().map(|m| {
            let array = arrays.get(m.path.as_str()).copied();
            array.filter(|a| (a.width, a.depth) == (m.width, m.depth))
        });
        Ok(Crosscheck {
            checks: checks
                .into_iter()
                .map(|(_, path, slot, kind)| Check { path, slot, kind })
                .collect(),
            registers,
            memories: memories.collect(),
            truth,
            replaced: true,
            compared: 0,
            mismatch: None,
        })
    }

    /// Takes over the state of `sim` if it was replaced. Registers and memories that the native code has no more
    /// keep theirs: nothing that is compared depends on them.
    pub(super) fn prepare(&mut self, sim: &Simulator) {
        if !std::mem::take(&mut self.replaced) {
            return;
        }
        for (i, slot) in self.registers.iter().enumerate() {
            if let Some(slot) = slot {
                self.truth.set_register(i, sim.slot_bits(*slot));
            }
        }
        for (i, array) in self.memories.iter().enumerate() {
            let Some(array) = array else { continue };
            for address in 0..array.depth {
                let word = sim.slot_bits(word_slot(*array, address));
                self.truth.set_word(i, address as usize, word);
            }
        }
    }

    /// Follows one cycle that `sim` has just done, or one evaluation without an edge.
    pub(super) fn look(&mut self, sim: &Simulator, event: Event) {
        if self.mismatch.is_some() {
            return;
        }
        for (i, slot) in sim.program.layout.inputs.iter().enumerate() {
            self.truth.set_input(i, sim.slot_bits(*slot));
        }
        match event {
            Event::Settled => self.truth.eval(),
            Event::Cycle(None) => self.truth.cycle(),
            Event::Cycle(Some(clock)) => self.truth.edges(|input| input == clock),
        }
        self.compared += 1;
        self.mismatch = self.difference(sim);
    }

    fn difference(&self, sim: &Simulator) -> Option<Error> {
        let mismatch = |path: &str, expected: &Bits, found: Bits| Error::Mismatch {
            path: path.into(),
            cycle: sim.cycles,
            expected: expected.clone(),
            found,
        };
        for c in &self.checks {
            let expected = match c.kind {
                CheckKind::Visible(node) => self.truth.value(node),
                CheckKind::Register(i) => self.truth.register_value(i),
            };
            if !sim.holds(c.slot, expected) {
                return Some(mismatch(&c.path, expected, sim.slot_bits(c.slot)));
            }
        }
        for (memory, address) in self.truth.written() {
            let Some(array) = self.memories[*memory] else {
                continue;
            };
            let expected = self.truth.word(*memory, *address);
            let slot = word_slot(array, *address);
            if !sim.holds(slot, expected) {
                let path = &self.truth.netlist().memories[*memory].path;
                let path = format!("{path}[{address}]");
                return Some(mismatch(&path, expected, sim.slot_bits(slot)));
            }
        }
        None
    }
}
