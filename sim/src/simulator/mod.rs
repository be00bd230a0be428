//! Running a program: cycles, waveforms and the comparison with the interpreter.

mod access;
mod crosscheck;
mod handles;
mod snapshot;
mod typed;

pub use handles::{Clock, Input, Memory, Register, Signal};
pub use snapshot::Snapshot;
pub use typed::{In, Out, PortValue};

use std::io::{Seek, Write};
use std::sync::Arc;

use crate::design::Program;
use crate::error::{Error, Result};
use crate::jit::native::State;
use crate::waves::{Format, Fst, Item, Tracer, Vcd};
use access::word_slot;
use crosscheck::Crosscheck;

/// One running instance of a program. Instances are independent and may live on different threads.
#[derive(Debug)]
pub struct Simulator {
    program: Arc<Program>,
    state: State,
    cycles: u64,
    /// What looks on; a cycle without onlookers pays one test for all of them.
    onlookers: Option<Box<Onlookers>>,
}

/// What happened to a simulator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Event {
    /// An evaluation without an edge.
    Settled,
    /// A cycle of one clock, by its input, or of all.
    Cycle(Option<u32>),
}

/// What is told of every cycle.
#[derive(Debug, Default)]
struct Onlookers {
    tracer: Option<Tracer>,
    crosscheck: Option<Crosscheck>,
}

impl Simulator {
    /// An instance in its initial state, with all inputs zero.
    pub fn new(program: Arc<Program>) -> Self {
        let state = State::new(program.layout.size);
        let mut s = Simulator {
            program,
            state,
            cycles: 0,
            onlookers: None,
        };
        s.reset();
        s
    }

    /// Back to the initial state: registers and memories as the design initialises them, inputs zero, cycle 0.
    pub fn reset(&mut self) {
        self.state.bytes_mut().fill(0);
        self.cycles = 0;
        self.state_replaced();
        let program = self.program.clone();
        for (r, slot) in program
            .netlist
            .registers
            .iter()
            .zip(&program.layout.registers)
        {
            self.set_register(*slot, r.init.limbs());
        }
        for (m, array) in program
            .netlist
            .memories
            .iter()
            .zip(&program.layout.memories)
        {
            for (address, word) in &m.init {
                let slot = word_slot(*array, *address);
                self.write_slot(slot, word.limbs());
            }
        }
    }

    /// The program that this simulator runs.
    pub fn program(&self) -> &Arc<Program> {
        &self.program
    }

    /// One clock cycle: evaluates with the current inputs, latches outputs and probes, commits the clock edge. Several
    /// clocks rise together; where something is clocked by falling edges, these follow after a second evaluation.
    #[inline]
    pub fn cycle(&mut self) {
        if self.onlookers.is_some() {
            self.prepare_onlookers();
        }
        self.program.code.call(&mut self.state, 1);
        if let Some(falling) = &self.program.falling {
            falling.call(&mut self.state, 1);
        }
        if self.onlookers.is_some() {
            self.look(Event::Cycle(None));
        }
        self.cycles += 1;
    }

    /// One cycle of one clock, its rising and then its falling edge; the other clocks stand still. Counts as a cycle
    /// of the simulator.
    pub fn step(&mut self, clock: Clock) {
        let program = self.program.clone();
        let Some((_, codes)) = program.steps.iter().find(|(input, _)| *input == clock.0) else {
            return self.cycle();
        };
        self.prepare_onlookers();
        for code in codes {
            code.call(&mut self.state, 1);
        }
        self.look(Event::Cycle(Some(clock.0)));
        self.cycles += 1;
    }

    /// `n` cycles with the inputs as they are.
    pub fn run(&mut self, n: u64) {
        if self.onlookers.is_none() && self.program.falling.is_none() {
            self.program.code.call(&mut self.state, n);
            self.cycles += n;
        } else {
            (0..n).for_each(|_| self.cycle());
        }
    }

    /// Cycles until `done`, which is asked after each of them and may poke the inputs of the next. Returns how many
    /// cycles it took; fails with [`Error::Timeout`] after `limit` of them, so that no test bench hangs.
    pub fn run_until(
        &mut self,
        limit: u64,
        mut done: impl FnMut(&mut Simulator) -> bool,
    ) -> Result<u64> {
        for n in 1..=limit {
            self.cycle();
            if done(self) {
                return Ok(n);
            }
        }
        Err(Error::Timeout {
            limit,
            cycle: self.cycles,
        })
    }

    /// Evaluates combinational logic with the current inputs and latches outputs and probes; no clock edge.
    pub fn eval(&mut self) -> Result<()> {
        let program = self.program.clone();
        let settle = program.settle()?;
        self.prepare_onlookers();
        settle.call(&mut self.state, 1);
        if self.onlookers.is_some() {
            self.look(Event::Settled);
        }
        Ok(())
    }

    /// Cycles since the start or the last reset.
    pub fn cycles(&self) -> u64 {
        self.cycles
    }

    /// Starts writing a value change dump of all outputs, inputs and probes to `out`, one sample a cycle of 10 ns.
    pub fn trace(&mut self, out: impl Write + Send + 'static) -> Result<()> {
        self.start_trace(|items| Vcd::open(out, items))
    }

    /// As [`Simulator::trace`], in the compressed format FST, which needs to go back in the file.
    pub fn trace_fst(&mut self, out: impl Write + Seek + Send + 'static) -> Result<()> {
        self.start_trace(|items| Fst::open(out, items))
    }

    fn start_trace<F: Format + 'static>(
        &mut self,
        open: impl FnOnce(&[Item<'_>]) -> std::io::Result<F>,
    ) -> Result<()> {
        let tracer = Tracer::new(&self.program, open)?;
        self.onlookers.get_or_insert_default().tracer = Some(tracer);
        Ok(())
    }

    /// Ends the waveform and reports the first error of writing it, if there was one.
    pub fn finish_trace(&mut self) -> Result<()> {
        let tracer = self.onlookers.as_mut().and_then(|o| o.tracer.take());
        self.dismiss();
        tracer.map_or(Ok(()), |t| t.finish(self.cycles))
    }

    /// Lets the onlookers take over a state that was replaced since the last cycle.
    fn prepare_onlookers(&mut self) {
        let Some(mut onlookers) = self.onlookers.take() else {
            return;
        };
        if let Some(crosscheck) = &mut onlookers.crosscheck {
            crosscheck.prepare(self);
        }
        self.onlookers = Some(onlookers);
    }

    /// Shows the onlookers a cycle, or an evaluation without an edge.
    fn look(&mut self, event: Event) {
        let Some(mut onlookers) = self.onlookers.take() else {
            return;
        };
        if let (Some(tracer), Event::Cycle(clock)) = (&mut onlookers.tracer, event) {
            tracer.sample(self.cycles, clock, |slot| self.slot_bits(slot));
        }
        if let Some(crosscheck) = &mut onlookers.crosscheck {
            crosscheck.look(self, event);
        }
        self.onlookers = Some(onlookers);
    }

    /// Lets go of the onlookers when the last one has left.
    fn dismiss(&mut self) {
        if let Some(o) = &self.onlookers
            && o.tracer.is_none()
            && o.crosscheck.is_none()
        {
            self.onlookers = None;
        }
    }
}
