//! Running a program: ports, cycles, registers and memories.

use std::sync::Arc;

use crate::bits::{Bits, limbs_for};
use crate::design::Program;
use crate::error::{Error, Result};
use crate::jit::layout::{Array, Slot};
use crate::jit::native::State;
use crate::vcd::Tracer;

/// An input of the top module. Valid for every simulator of the program that it was looked up in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Input(Slot);

/// An output of the top module or a probed signal; its value is that before the clock edge of the last cycle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signal(Slot);

/// A register; its value is the current one, after the last clock edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Register(Slot);

/// A memory; its words are the current ones, after the last clock edge.
#[derive(Debug, Clone, Copy)]
pub struct Memory(Array);

impl Input {
    /// Width in bits.
    pub fn width(self) -> u32 {
        self.0.width
    }
}

impl Signal {
    /// Width in bits.
    pub fn width(self) -> u32 {
        self.0.width
    }
}

impl Memory {
    /// Width of a word in bits.
    pub fn width(self) -> u32 {
        self.0.width
    }
    /// Number of words.
    pub fn depth(self) -> u64 {
        self.0.depth
    }
}

/// One running instance of a program. Instances are independent and may live on different threads.
#[derive(Debug)]
pub struct Simulator {
    program: Arc<Program>,
    state: State,
    cycles: u64,
    tracer: Option<Tracer>,
}

impl Simulator {
    /// An instance in its initial state, with all inputs zero.
    pub fn new(program: Arc<Program>) -> Self {
        let state = State::new(program.layout.size);
        let mut s = Simulator {
            program,
            state,
            cycles: 0,
            tracer: None,
        };
        s.reset();
        s
    }

    /// Back to the initial state: registers and memories as the design initialises them, inputs zero, cycle 0.
    pub fn reset(&mut self) {
        self.state.bytes_mut().fill(0);
        self.cycles = 0;
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

    /// Looks up an input of the top module.
    pub fn input(&self, name: &str) -> Result<Input> {
        let inputs = &self.program.netlist.inputs;
        match inputs.iter().position(|i| i.name == name) {
            Some(i) if self.program.netlist.clock == Some(i as u32) => Err(Error::NoSuchName {
                kind: "input",
                name: name.into(),
                hint: "this is the clock, which `cycle` drives".into(),
            }),
            Some(i) => Ok(Input(self.program.layout.inputs[i])),
            None => Err(missing(
                "input",
                name,
                inputs.iter().map(|i| i.name.as_str()),
            )),
        }
    }

    /// Looks up an output of the top module.
    pub fn output(&self, name: &str) -> Result<Signal> {
        let outputs = &self.program.netlist.outputs;
        match outputs.iter().position(|o| o.path == name) {
            Some(i) => Ok(Signal(self.program.layout.visible[i])),
            None => Err(missing(
                "output",
                name,
                outputs.iter().map(|o| o.path.as_str()),
            )),
        }
    }

    /// Looks up a probed signal by its hierarchical path; the program must have been compiled with that probe.
    pub fn probe(&self, path: &str) -> Result<Signal> {
        let netlist = &self.program.netlist;
        match netlist.signals.iter().position(|s| s.path == path) {
            Some(i) => Ok(Signal(self.program.layout.visible[netlist.outputs.len() + i])),
            None => Err(Error::NoSuchName {
                kind: "probe",
                name: path.into(),
                hint: "compile with Options { probes: Probes::Paths(..) } that contain it, or Probes::All".into(),
            }),
        }
    }

    /// Looks up a register by its hierarchical path.
    pub fn register(&self, path: &str) -> Result<Register> {
        let registers = &self.program.netlist.registers;
        match registers.iter().position(|r| r.path == path) {
            Some(i) => Ok(Register(self.program.layout.registers[i])),
            None => Err(missing(
                "register",
                path,
                registers.iter().map(|r| r.path.as_str()),
            )),
        }
    }

    /// Looks up a memory by its hierarchical path.
    pub fn memory(&self, path: &str) -> Result<Memory> {
        let memories = &self.program.netlist.memories;
        match memories.iter().position(|m| m.path == path) {
            Some(i) => Ok(Memory(self.program.layout.memories[i])),
            None => Err(missing(
                "memory",
                path,
                memories.iter().map(|m| m.path.as_str()),
            )),
        }
    }

    /// Sets an input; bits beyond its width are dropped, those beyond 64 become zero.
    #[inline]
    pub fn poke(&mut self, port: Input, value: u64) {
        self.write_word(port.0, value);
    }

    /// Sets an input of any width from little-endian limbs; missing ones are zero, superfluous bits are dropped.
    pub fn poke_wide(&mut self, port: Input, limbs: &[u64]) {
        self.write_slot(port.0, limbs);
    }

    /// The low 64 bits of an output or probe, as before the clock edge of the last cycle.
    #[inline]
    pub fn peek(&self, signal: Signal) -> u64 {
        self.read_word(signal.0)
    }

    /// The little-endian limbs of an output or probe; `out` is filled with zeros beyond them.
    pub fn peek_wide(&self, signal: Signal, out: &mut [u64]) {
        self.read_slot(signal.0, out);
    }

    /// An output's or probe's whole value.
    pub fn peek_bits(&self, signal: Signal) -> Bits {
        self.slot_bits(signal.0)
    }

    /// A register's current value.
    pub fn read_register(&self, register: Register) -> Bits {
        self.slot_bits(register.0)
    }

    /// Overwrites a register; superfluous bits are dropped.
    pub fn write_register(&mut self, register: Register, limbs: &[u64]) {
        self.set_register(register.0, limbs);
    }

    /// The low 64 bits of a memory word. Fails beyond the depth.
    pub fn read_memory(&self, memory: Memory, address: u64) -> Result<u64> {
        Ok(self.read_word(self.checked_word(memory, address)?))
    }

    /// A memory word of any width. Fails beyond the depth.
    pub fn read_memory_bits(&self, memory: Memory, address: u64) -> Result<Bits> {
        Ok(self.slot_bits(self.checked_word(memory, address)?))
    }

    /// Overwrites a memory word from little-endian limbs; superfluous bits are dropped. Fails beyond the depth.
    pub fn write_memory(&mut self, memory: Memory, address: u64, limbs: &[u64]) -> Result<()> {
        let slot = self.checked_word(memory, address)?;
        self.write_slot(slot, limbs);
        Ok(())
    }

    /// One clock cycle: evaluates with the current inputs, latches outputs and probes, commits the clock edge.
    #[inline]
    pub fn cycle(&mut self) {
        self.program.code.call(&mut self.state, 1);
        if self.tracer.is_some() {
            self.trace_cycle();
        }
        self.cycles += 1;
    }

    /// `n` cycles with the inputs as they are.
    pub fn run(&mut self, n: u64) {
        if self.tracer.is_none() {
            self.program.code.call(&mut self.state, n);
            self.cycles += n;
        } else {
            (0..n).for_each(|_| self.cycle());
        }
    }

    /// Evaluates combinational logic with the current inputs and latches outputs and probes; no clock edge.
    pub fn eval(&mut self) -> Result<()> {
        let program = self.program.clone();
        program.settle()?.call(&mut self.state, 1);
        Ok(())
    }

    /// Cycles since the start or the last reset.
    pub fn cycles(&self) -> u64 {
        self.cycles
    }

    /// Starts writing a waveform of all outputs, inputs and probes to `out`, one sample a cycle of 10 ns.
    pub fn trace(&mut self, out: impl std::io::Write + Send + 'static) -> Result<()> {
        self.tracer = Some(Tracer::new(&self.program, Box::new(out))?);
        Ok(())
    }

    /// Ends the waveform and reports the first error of writing it, if there was one.
    pub fn finish_trace(&mut self) -> Result<()> {
        self.tracer.take().map_or(Ok(()), |t| t.finish(self.cycles))
    }

    fn trace_cycle(&mut self) {
        if let Some(mut tracer) = self.tracer.take() {
            tracer.sample(self.cycles, |slot| self.slot_bits(slot));
            self.tracer = Some(tracer);
        }
    }

    fn checked_word(&self, memory: Memory, address: u64) -> Result<Slot> {
        if address >= memory.0.depth {
            return Err(Error::Access {
                name: "memory".into(),
                message: format!(
                    "address {address} is beyond its depth of {}",
                    memory.0.depth
                ),
            });
        }
        Ok(word_slot(memory.0, address))
    }

    #[inline]
    fn read_word(&self, slot: Slot) -> u64 {
        let bytes = &self.state.bytes()[slot.offset..];
        match slot.size() {
            1 => bytes[0].into(),
            2 => u16::from_le_bytes([bytes[0], bytes[1]]).into(),
            4 => u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]).into(),
            _ => word_at(bytes),
        }
    }

    #[inline]
    fn write_word(&mut self, slot: Slot, value: u64) {
        let value = value & crate::bits::mask(slot.width);
        let size = slot.size();
        let bytes = &mut self.state.bytes_mut()[slot.offset..slot.offset + size];
        match size {
            1 => bytes[0] = value as u8,
            2 => bytes.copy_from_slice(&(value as u16).to_le_bytes()),
            4 => bytes.copy_from_slice(&(value as u32).to_le_bytes()),
            _ => {
                bytes[..8].copy_from_slice(&value.to_le_bytes());
                bytes[8..].fill(0);
            }
        }
    }

    fn read_slot(&self, slot: Slot, out: &mut [u64]) {
        out.fill(0);
        if slot.width <= 64 {
            if let Some(first) = out.first_mut() {
                *first = self.read_word(slot);
            }
            return;
        }
        let bytes = &self.state.bytes()[slot.offset..slot.offset + slot.size()];
        for (o, b) in out.iter_mut().zip(bytes.chunks(8)) {
            *o = word_at(b);
        }
    }

    fn slot_bits(&self, slot: Slot) -> Bits {
        let mut limbs = vec![0; limbs_for(slot.width)];
        self.read_slot(slot, &mut limbs);
        Bits::from_limbs(slot.width, &limbs)
    }

    fn write_slot(&mut self, slot: Slot, limbs: &[u64]) {
        let value = Bits::from_limbs(slot.width, limbs);
        if slot.width <= 64 {
            return self.write_word(slot, value.low());
        }
        let bytes = &mut self.state.bytes_mut()[slot.offset..slot.offset + slot.size()];
        for (b, l) in bytes.chunks_mut(8).zip(value.limbs()) {
            b.copy_from_slice(&l.to_le_bytes());
        }
    }

    fn set_register(&mut self, slot: Slot, limbs: &[u64]) {
        self.write_slot(slot, limbs);
        if let Some(shadow) = self.program.layout.shadow(slot) {
            self.write_slot(shadow, limbs);
        }
    }
}

fn word_at(bytes: &[u8]) -> u64 {
    let mut word = [0; 8];
    word.copy_from_slice(&bytes[..8]);
    u64::from_le_bytes(word)
}

fn word_slot(array: Array, address: u64) -> Slot {
    Slot {
        offset: array.offset + array.stride * address as usize,
        width: array.width,
    }
}

fn missing<'a>(kind: &'static str, name: &str, have: impl Iterator<Item = &'a str>) -> Error {
    const SHOWN: usize = 12;
    let names: Vec<&str> = have.take(SHOWN + 1).collect();
    let more = if names.len() > SHOWN { ", ..." } else { "" };
    let hint = match names.is_empty() {
        true => format!("the compiled design has no {kind}"),
        false => format!(
            "there are {}{more}",
            names[..names.len().min(SHOWN)].join(", ")
        ),
    };
    Error::NoSuchName {
        kind,
        name: name.into(),
        hint,
    }
}
