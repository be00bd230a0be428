//! The slow truth: evaluates a netlist node by node on [`Bits`], with no optimisation of any kind.

use crate::bits::Bits;
use crate::ir::{Netlist, NodeId, Op, eval};

/// An interpreter of one netlist with its own state.
#[derive(Debug, Clone)]
pub struct Interpreter {
    netlist: std::sync::Arc<Netlist>,
    inputs: Vec<Bits>,
    registers: Vec<Bits>,
    memories: Vec<Vec<Bits>>,
    values: Vec<Bits>,
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

    /// Evaluates combinational logic with the current inputs; the clock reads as zero.
    pub fn eval(&mut self) {
        let netlist = self.netlist.clone();
        for (i, n) in netlist.nodes.iter().enumerate() {
            let value = match &n.op {
                Op::Input(p) if netlist.clock == Some(*p) => Bits::zero(1),
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

    /// One clock cycle: evaluation, then all registers and memory writes at once.
    pub fn cycle(&mut self) {
        self.eval();
        let netlist = self.netlist.clone();
        for (r, v) in netlist.registers.iter().zip(&mut self.registers) {
            *v = self.values[r.next.index()].clone();
        }
        for (m, words) in netlist.memories.iter().zip(&mut self.memories) {
            for w in &m.writes {
                if self.values[w.enable.index()].is_zero() {
                    continue;
                }
                let address = self.values[w.address.index()].to_u64();
                let Some(word) = address.and_then(|a| words.get_mut(usize::try_from(a).ok()?))
                else {
                    continue;
                };
                let data = &self.values[w.data.index()];
                for i in 0..data.width() {
                    word.set(w.lo + i, data.bit(i));
                }
            }
        }
    }

    fn named(&self, node: NodeId) -> &Bits {
        &self.values[node.index()]
    }

    /// An output's or named signal's value at the last evaluation.
    pub fn peek(&self, path: &str) -> Option<&Bits> {
        let named = self.netlist.outputs.iter().chain(&self.netlist.signals);
        named
            .into_iter()
            .find(|n| n.path == path)
            .map(|n| self.named(n.node))
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
