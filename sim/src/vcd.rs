//! Waveforms: value change dumps with the design's hierarchy.
//!
//! A cycle lasts 10 ns and begins with the rising clock edge that ended the one before; the values shown during it
//! are those that its own edge, at its end, will sample.

use std::collections::BTreeMap;
use std::io::{BufWriter, Write};

use vcd::{IdCode, TimescaleUnit, Value, VarType, Writer};

use crate::bits::Bits;
use crate::design::Program;
use crate::error::{Error, Result};
use crate::jit::layout::Slot;

const PERIOD: u64 = 10;

type Out = Writer<BufWriter<Box<dyn Write + Send>>>;

/// Writes one waveform.
pub(crate) struct Tracer {
    writer: Out,
    clock: Option<IdCode>,
    signals: Vec<(IdCode, Slot, Option<Bits>)>,
    failed: Option<std::io::Error>,
}

impl std::fmt::Debug for Tracer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Tracer({} signals)", self.signals.len())
    }
}

/// Signals of one scope and the scopes inside it.
#[derive(Default)]
struct Scope<'p> {
    signals: BTreeMap<&'p str, (Slot, bool)>,
    scopes: BTreeMap<&'p str, Scope<'p>>,
}

fn failed(e: std::io::Error) -> Error {
    Error::Waveform(e.to_string())
}

impl Tracer {
    /// Writes the header.
    pub(crate) fn new(program: &Program, out: Box<dyn Write + Send>) -> Result<Self> {
        let mut root = Scope::default();
        let netlist = &program.netlist;
        for (i, (input, slot)) in netlist
            .inputs
            .iter()
            .zip(&program.layout.inputs)
            .enumerate()
        {
            root.signals
                .insert(&input.name, (*slot, netlist.clock == Some(i as u32)));
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
            scope.signals.entry(name).or_insert((*slot, false));
        }
        let mut t = Tracer {
            writer: Writer::new(BufWriter::new(out)),
            clock: None,
            signals: Vec::new(),
            failed: None,
        };
        t.header(&root).map_err(failed)?;
        Ok(t)
    }

    fn header(&mut self, root: &Scope<'_>) -> std::io::Result<()> {
        self.writer.timescale(1, TimescaleUnit::NS)?;
        self.scope("top", root)?;
        self.writer.enddefinitions()
    }

    fn scope(&mut self, name: &str, scope: &Scope<'_>) -> std::io::Result<()> {
        self.writer.add_module(name)?;
        for (name, (slot, clock)) in &scope.signals {
            let id = self.writer.add_var(VarType::Wire, slot.width, name, None)?;
            if *clock {
                self.clock = Some(id);
            } else {
                self.signals.push((id, *slot, None));
            }
        }
        for (name, inner) in &scope.scopes {
            self.scope(name, inner)?;
        }
        self.writer.upscope()
    }

    /// Writes what changed in cycle `cycle`; `read` gives a signal's value.
    pub(crate) fn sample(&mut self, cycle: u64, read: impl Fn(Slot) -> Bits) {
        if self.failed.is_none() {
            self.failed = self.changes(cycle, read).err();
        }
    }

    fn changes(&mut self, cycle: u64, read: impl Fn(Slot) -> Bits) -> std::io::Result<()> {
        self.writer.timestamp(cycle * PERIOD)?;
        if let Some(clock) = self.clock {
            self.writer.change_scalar(clock, true)?;
        }
        for (id, slot, last) in &mut self.signals {
            let now = read(*slot);
            if last.as_ref() == Some(&now) {
                continue;
            }
            if slot.width == 1 {
                self.writer.change_scalar(*id, now.bit(0))?;
            } else {
                let bits = (0..slot.width).rev().map(|i| Value::from(now.bit(i)));
                self.writer.change_vector(*id, bits)?;
            }
            *last = Some(now);
        }
        if let Some(clock) = self.clock {
            self.writer.timestamp(cycle * PERIOD + PERIOD / 2)?;
            self.writer.change_scalar(clock, false)?;
        }
        Ok(())
    }

    /// Ends the file after `cycles` cycles.
    pub(crate) fn finish(mut self, cycles: u64) -> Result<()> {
        if let Some(e) = self.failed.take() {
            return Err(failed(e));
        }
        self.writer.timestamp(cycles * PERIOD).map_err(failed)?;
        self.writer.flush().map_err(failed)
    }
}
