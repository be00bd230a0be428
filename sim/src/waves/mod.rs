//! Waveforms with the design's hierarchy, as value change dumps or FST files.
//!
//! A cycle lasts 10 ns and begins with the rising clock edge that ended the one before; the values shown during it
//! are those that its own edge, at its end, will sample. A step of one clock takes as long, and only that clock moves.

mod fst;
mod vcd;

use std::collections::BTreeMap;

pub(crate) use fst::Fst;
pub(crate) use vcd::Vcd;

use crate::bits::Bits;
use crate::design::Program;
use crate::error::{Error, Result};
use crate::jit::layout::Slot;

/// Length of a cycle in nanoseconds.
const PERIOD: u64 = 10;

/// A part of the hierarchy, in order.
pub(crate) enum Item<'p> {
    Scope(&'p str),
    /// A variable and its width.
    Variable(&'p str, u32),
    /// The end of a scope.
    Up,
}

/// A file format; variables are numbered in the order of their items.
pub(crate) trait Format: Send {
    /// The time in nanoseconds from now on.
    fn time(&mut self, time: u64) -> std::io::Result<()>;
    /// A new value of a variable.
    fn change(&mut self, variable: usize, value: &Bits) -> std::io::Result<()>;
    /// Ends the file.
    fn finish(self: Box<Self>) -> std::io::Result<()>;
}

/// Writes one waveform.
pub(crate) struct Tracer {
    format: Box<dyn Format>,
    /// Variables that are clocks, with their inputs.
    clocks: Vec<(usize, u32)>,
    signals: Vec<(usize, Slot, Option<Bits>)>,
    failed: Option<std::io::Error>,
}

impl std::fmt::Debug for Tracer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Tracer({} signals)", self.signals.len())
    }
}

/// Signals of one scope, clocks with their inputs, and the scopes inside it.
#[derive(Default)]
struct Scope<'p> {
    signals: BTreeMap<&'p str, (Slot, Option<u32>)>,
    scopes: BTreeMap<&'p str, Scope<'p>>,
}

impl<'p> Scope<'p> {
    /// Lists the hierarchy in order and tells `found` of every variable, with its running number.
    fn list(
        &self,
        name: &'p str,
        items: &mut Vec<Item<'p>>,
        found: &mut impl FnMut(usize, Slot, Option<u32>),
    ) {
        items.push(Item::Scope(name));
        for (name, (slot, clock)) in &self.signals {
            let index = items
                .iter()
                .filter(|i| matches!(i, Item::Variable(..)))
                .count();
            found(index, *slot, *clock);
            items.push(Item::Variable(name, slot.width));
        }
        for (name, inner) in &self.scopes {
            inner.list(name, items, found);
        }
        items.push(Item::Up);
    }
}

fn failed(e: std::io::Error) -> Error {
    Error::Waveform(e.to_string())
}

impl Tracer {
    /// Begins a waveform in the format that `open` starts from the hierarchy.
    pub(crate) fn new<F: Format + 'static>(
        program: &Program,
        open: impl FnOnce(&[Item<'_>]) -> std::io::Result<F>,
    ) -> Result<Self> {
        let mut root = Scope::default();
        let netlist = &program.netlist;
        for (i, (input, slot)) in netlist
            .inputs
            .iter()
            .zip(&program.layout.inputs)
            .enumerate()
        {
            root.signals.insert(
                &input.name,
                (*slot, Some(i as u32).filter(|i| netlist.is_clock(*i))),
            );
        }
        for (named, slot) in netlist
            .outputs
            .iter()
            .chain(&netlist.signals)
            .zip(&program.layout.visible)
        {
            let mut scope = &mut root;
            let mut path: Vec<&str> = named.path.split('.').collect();
            let name = path.pop().unwrap_or(&named.path);
            for part in path {
                scope = scope.scopes.entry(part).or_default();
            }
            scope.signals.entry(name).or_insert((*slot, None));
        }
        let mut items = Vec::new();
        let (mut clocks, mut signals) = (Vec::new(), Vec::new());
        root.list("top", &mut items, &mut |index, slot, clock| match clock {
            Some(clock) => clocks.push((index, clock)),
            None => signals.push((index, slot, None)),
        });
        Ok(Tracer {
            format: Box::new(open(&items).map_err(failed)?),
            clocks,
            signals,
            failed: None,
        })
    }

    /// Writes what changed in cycle `cycle` of one clock, by its input, or of all; `read` gives a signal's value.
    pub(crate) fn sample(&mut self, cycle: u64, clock: Option<u32>, read: impl Fn(Slot) -> Bits) {
        if self.failed.is_none() {
            self.failed = self.changes(cycle, clock, read).err();
        }
    }

    fn changes(
        &mut self,
        cycle: u64,
        clock: Option<u32>,
        read: impl Fn(Slot) -> Bits,
    ) -> std::io::Result<()> {
        let format = &mut self.format;
        let moves = |input: u32| clock.is_none_or(|c| c == input);
        format.time(cycle * PERIOD)?;
        for (variable, input) in &self.clocks {
            if moves(*input) {
                format.change(*variable, &Bits::bool(true))?;
            } else if cycle == 0 {
                format.change(*variable, &Bits::bool(false))?;
            }
        }
        for (variable, slot, last) in &mut self.signals {
            let now = read(*slot);
            if last.as_ref() != Some(&now) {
                format.change(*variable, &now)?;
                *last = Some(now);
            }
        }
        if !self.clocks.is_empty() {
            format.time(cycle * PERIOD + PERIOD / 2)?;
        }
        for (variable, _) in self.clocks.iter().filter(|(_, input)| moves(*input)) {
            format.change(*variable, &Bits::bool(false))?;
        }
        Ok(())
    }

    /// Ends the file after `cycles` cycles.
    pub(crate) fn finish(mut self, cycles: u64) -> Result<()> {
        if let Some(e) = self.failed.take() {
            return Err(failed(e));
        }
        self.format.time(cycles * PERIOD).map_err(failed)?;
        self.format.finish().map_err(failed)
    }
}
