//! Handles to ports, probes, registers and memories, looked up once by name.

use super::Simulator;
use crate::error::{Error, Result};
use crate::jit::layout::{Array, Slot};

/// An input of the top module. Valid for every simulator of the program that it was looked up in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Input(pub(super) Slot);

/// An output of the top module or a probed signal; its value is that before the clock edge of the last cycle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signal(pub(super) Slot);

/// A register; its value is the current one, after the last clock edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Register(pub(super) Slot);

/// A memory; its words are the current ones, after the last clock edge.
#[derive(Debug, Clone, Copy)]
pub struct Memory(pub(super) Array);

/// A clock input. Valid for every simulator of the program that it was looked up in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock(pub(super) u32);

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

impl Simulator {
    /// Looks up an input of the top module.
    pub fn input(&self, name: &str) -> Result<Input> {
        let inputs = &self.program.netlist.inputs;
        match inputs.iter().position(|i| i.name == name) {
            Some(i) if self.program.netlist.is_clock(i as u32) => Err(Error::NoSuchName {
                kind: "input",
                name: name.into(),
                hint: "this is a clock, which `cycle` and `step` drive".into(),
            }),
            Some(i) => Ok(Input(self.program.layout.inputs[i])),
            None => Err(missing(
                "input",
                name,
                inputs.iter().map(|i| i.name.as_str()),
            )),
        }
    }

    /// Looks up a clock by the name of its input.
    pub fn clock(&self, name: &str) -> Result<Clock> {
        let netlist = &self.program.netlist;
        let found = netlist.inputs.iter().position(|i| i.name == name);
        match found.filter(|i| netlist.is_clock(*i as u32)) {
            Some(i) => Ok(Clock(i as u32)),
            None => Err(missing("clock", name, self.program.clocks())),
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
