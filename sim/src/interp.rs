//! The slow truth: evaluates a netlist node by node on [`Bits`], with no optimisation of any kind.

use crate::bits::Bits;
use crate::ir::{Clock, Netlist, NodeId, Op, eval};

/// An interpreter of one netlist with its own state.
#[derive(Debug, Clone)]
pub struct Interpreter {
    netlist: std::sync::Arc<Netlist>,
    inputs: Vec<Bits>,
    registers: Vec<Bits>,
    memories: Vec<Vec<Bits>>,
    values: Vec<Bits>,
    /// Memory words that the last cycle wrote, by index and address.
    written: Vec<(usize, u64)>,
}

impl Interpreter {
    pub(crate) fn new(netlist: std::sync::Arc<Netlist>) -> Self {
        let inputs = netlist.inputs.iter().map(|i| Bits::zero(i.width)).collect();
        let registers = netlist.registers.iter().map(|r| r.init.clone()).collect();
        let memories = netlist
            .memories
            .iter()
            .map(|m| {
                let mut words = vec![Bits::zero(m.width); m.depth as usize];
                for (a, b) in &m.init {
                    words[*a as usize] = b.clone();
                }
                words
            })
            .collect();
        let values = netlist.nodes.iter().map(|n| Bits::zero(n.width)).collect();
        Interpreter {
            netlist,
            inputs,
            registers,
            memories,
            values,
            written: Vec::new(),
        }
    }

    /// Sets an input by name; false if there is none of that name and width.
    pub fn poke(&mut self, name: &str, value: Bits) -> bool {
        let found = self
            .netlist
            .inputs
            .iter()
            .position(|i| i.name == name && i.width == value.width());
        if let Some(i) = found {
            self.inputs[i] = value;
        }
        found.is_some()
    }

    /// Evaluates combinational logic with the current inputs, clocks low, and lets asynchronous resets act.
    pub fn eval(&mut self) {
        self.written.clear();
        self.settle(|_| false);
        self.commit(|_| false);
    }

    /// Evaluates every node; `high` gives the level of the clocks.
    fn settle(&mut self, high: impl Fn(u32) -> bool) {
        let netlist = self.netlist.clone();
        for (i, n) in netlist.nodes.iter().enumerate() {
            let value = match &n.op {
                Op::Input(p) if netlist.is_clock(*p) => Bits::bool(high(*p)),
                Op::Input(p) => self.inputs[*p as usize].clone(),
                Op::Reg(r) => self.registers[*r as usize].clone(),
                Op::Read(m, a) => {
                    let address = self.values[a.index()].to_u64();
                    let words = &self.memories[*m as usize];
                    let word = address.and_then(|a| words.get(usize::try_from(a).ok()?));
                    word.cloned().unwrap_or_else(|| Bits::zero(n.width))
                }
                op => {
                    let mut args = Vec::new();
                    op.each(|a| args.push(&self.values[a.index()]));
                    eval(op, n.width, &args)
                }
            };
            self.values[i] = value;
        }
    }

    /// One cycle of all clocks together: all that rising edges do, then all that falling edges do, each after an
    /// evaluation.
    pub fn cycle(&mut self) {
        self.edges(|_| true);
    }

    /// One cycle of one clock; false if there is no clock of that name.
    pub fn step(&mut self, clock: &str) -> bool {
        let input = self.netlist.inputs.iter().position(|i| i.name == clock);
        match input.filter(|i| self.netlist.is_clock(*i as u32)) {
            Some(input) => self.edges(|i| i == input as u32),
            None => return false,
        }
        true
    }

    /// A cycle of the clocks that `chosen` names by input.
    pub(crate) fn edges(&mut self, chosen: impl Fn(u32) -> bool) {
        self.written.clear();
        let clocks = self.netlist.clocks.clone();
        let falls = clocks.iter().any(|c| c.falling && chosen(c.input));
        if !falls || clocks.iter().any(|c| !c.falling && chosen(c.input)) {
            self.settle(|_| false);
            self.commit(|c| !c.falling && chosen(c.input));
        }
        if falls {
            self.settle(&chosen);
            self.commit(|c| c.falling && chosen(c.input));
        }
    }

    /// Commits what the edges in `chosen` clock, and asynchronous resets.
    fn commit(&mut self, chosen: impl Fn(Clock) -> bool) {
        let netlist = self.netlist.clone();
        let clocked = |node| netlist.edge(node).is_some_and(&chosen);
        for (r, v) in netlist.registers.iter().zip(&mut self.registers) {
            if clocked(r.clock) {
                *v = self.values[r.next.index()].clone();
            }
        }
        // The first of several resets counts, so it is applied last.
        for r in netlist.resets.iter().rev() {
            if !self.values[r.active.index()].is_zero() {
                self.registers[r.register as usize] = r.value.clone();
            }
        }
        let memories = netlist.memories.iter().zip(&mut self.memories);
        for (index, (m, words)) in memories.enumerate() {
            for w in m.writes.iter().filter(|w| clocked(w.clock)) {
                if self.values[w.enable.index()].is_zero() {
                    continue;
                }
                let address = self.values[w.address.index()].to_u64();
                let Some((address, word)) =
                    address.and_then(|a| Some((a, words.get_mut(usize::try_from(a).ok()?)?)))
                else {
                    continue;
                };
                let data = &self.values[w.data.index()];
                for i in 0..data.width() {
                    word.set(w.lo + i, data.bit(i));
                }
                self.written.push((index, address));
            }
        }
    }

    pub(crate) fn netlist(&self) -> &Netlist {
        &self.netlist
    }

    pub(crate) fn set_input(&mut self, input: usize, value: Bits) {
        self.inputs[input] = value;
    }

    /// A node's value at the last evaluation.
    pub(crate) fn value(&self, node: NodeId) -> &Bits {
        &self.values[node.index()]
    }

    pub(crate) fn register_value(&self, register: usize) -> &Bits {
        &self.registers[register]
    }

    pub(crate) fn word(&self, memory: usize, address: u64) -> &Bits {
        &self.memories[memory][address as usize]
    }

    /// Memory words that the last cycle wrote, by index and address.
    pub(crate) fn written(&self) -> &[(usize, u64)] {
        &self.written
    }

    /// Replaces the current value of a register.
    pub(crate) fn set_register(&mut self, register: usize, value: Bits) {
        self.registers[register] = value;
    }

    /// Replaces a memory word.
    pub(crate) fn set_word(&mut self, memory: usize, address: usize, value: Bits) {
        self.memories[memory][address] = value;
    }

    /// An output's or named signal's value at the last evaluation.
    pub fn peek(&self, path: &str) -> Option<&Bits> {
        let named = self.netlist.outputs.iter().chain(&self.netlist.signals);
        named
            .into_iter()
            .find(|n| n.path == path)
            .map(|n| self.value(n.node))
    }

    /// The current value of a register.
    pub fn register(&self, path: &str) -> Option<&Bits> {
        let i = self.netlist.registers.iter().position(|r| r.path == path)?;
        Some(&self.registers[i])
    }

    /// The current words of a memory.
    pub fn memory(&self, path: &str) -> Option<&[Bits]> {
        let i = self.netlist.memories.iter().position(|m| m.path == path)?;
        Some(&self.memories[i])
    }
}
