//! The intermediate representation: one flat netlist of word-level operations.
//!
//! A [`Netlist`] is a graph of nodes with explicit widths and no signs: signedness is already spelled out in the
//! choice of operation (`Slt`, `Ashr`, `Sext`, ...). State lives in registers and memories, which the nodes read as
//! they were before the clock edge and whose next values are nodes again.

mod build;
mod check;
mod concat;
mod eval;
mod fold;
mod parse;
#[cfg(test)]
mod random;
mod text;
mod vector;

pub(crate) use build::{Builder, WordHasher, WordMap};
pub(crate) use eval::eval;
pub(crate) use parse::parse;
pub(crate) use vector::{Form, Shape, Shapes, VECTOR_BITS, Vector};

use crate::bits::Bits;

/// Index of a node in its netlist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct NodeId(pub(crate) u32);

impl NodeId {
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// Operations of one operand. The reductions have one bit, the others the operand's width.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Unary {
    Not,
    Neg,
    RedAnd,
    RedOr,
    RedXor,
}

/// Operations of two operands. Those of shifts may differ in width; all others have equal widths. Comparisons have
/// one bit, the others the first operand's width. Division by zero gives zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Binary {
    And,
    Or,
    Xor,
    Add,
    Sub,
    Mul,
    Udiv,
    Urem,
    Sdiv,
    Srem,
    Eq,
    Ult,
    Slt,
    Shl,
    Lshr,
    Ashr,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Op {
    Const(Bits),
    Input(u32),
    /// A register's value before the edge.
    Reg(u32),
    /// A named signal whose drivers are not looked up yet; gone after the pass `resolve`.
    Signal(u32),
    /// A memory word before the edge; zero beyond the depth.
    Read(u32, NodeId),
    Unary(Unary, NodeId),
    Binary(Binary, NodeId, NodeId),
    /// `Mux(c, a, b)`: `a` where the bit `c` is set, else `b`.
    Mux(NodeId, NodeId, NodeId),
    /// Bits from `lo` on, as many as the node is wide; never beyond the operand.
    Slice(NodeId, u32),
    /// Most significant part first.
    Concat(Box<[NodeId]>),
    Zext(NodeId),
    Sext(NodeId),
    /// Values side by side. Vectors are also read from registers and memories and selected by `Mux`.
    Vector(Box<Vector>),
    /// The value of a vector's lane.
    Lane(NodeId, u32),
}

impl Op {
    /// Calls `f` on every operand.
    pub(crate) fn each(&self, mut f: impl FnMut(NodeId)) {
        match self {
            Op::Const(_) | Op::Input(_) | Op::Reg(_) | Op::Signal(_) => {}
            Op::Read(_, a)
            | Op::Unary(_, a)
            | Op::Slice(a, _)
            | Op::Zext(a)
            | Op::Sext(a)
            | Op::Lane(a, _) => f(*a),
            Op::Vector(v) => v.args.iter().for_each(|a| f(*a)),
            Op::Binary(_, a, b) => {
                f(*a);
                f(*b);
            }
            Op::Mux(c, a, b) => {
                f(*c);
                f(*a);
                f(*b);
            }
            Op::Concat(parts) => parts.iter().for_each(|p| f(*p)),
        }
    }
    /// The same operation on other operands.
    pub(crate) fn map(&self, mut f: impl FnMut(NodeId) -> NodeId) -> Op {
        match self {
            Op::Const(_) | Op::Input(_) | Op::Reg(_) | Op::Signal(_) => self.clone(),
            Op::Read(m, a) => Op::Read(*m, f(*a)),
            Op::Unary(u, a) => Op::Unary(*u, f(*a)),
            Op::Binary(o, a, b) => Op::Binary(*o, f(*a), f(*b)),
            Op::Mux(c, a, b) => Op::Mux(f(*c), f(*a), f(*b)),
            Op::Slice(a, lo) => Op::Slice(f(*a), *lo),
            Op::Concat(parts) => Op::Concat(parts.iter().map(|p| f(*p)).collect()),
            Op::Zext(a) => Op::Zext(f(*a)),
            Op::Sext(a) => Op::Sext(f(*a)),
            Op::Lane(a, i) => Op::Lane(f(*a), *i),
            Op::Vector(v) => Op::Vector(Box::new(Vector {
                args: v.args.iter().map(|a| f(*a)).collect(),
                ..(**v).clone()
            })),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) op: Op,
    pub(crate) width: u32,
}

#[derive(Debug, Clone)]
pub(crate) struct Input {
    pub(crate) name: String,
    pub(crate) width: u32,
}

/// A name for a node: an output of the top module or any signal of the hierarchy.
#[derive(Debug, Clone)]
pub(crate) struct Named {
    pub(crate) path: String,
    pub(crate) node: NodeId,
}

#[derive(Debug, Clone)]
pub(crate) struct Register {
    pub(crate) path: String,
    pub(crate) width: u32,
    pub(crate) init: Bits,
    pub(crate) next: NodeId,
    pub(crate) clock: NodeId,
    /// Line of the process; 0 if the netlist comes from no Verilog.
    pub(crate) line: u32,
}

/// A write at the clock edge: `data` into bits from `lo` on of the word at `address`, if `enable` is set and the
/// address is below the depth.
#[derive(Debug, Clone)]
pub(crate) struct Write {
    pub(crate) enable: NodeId,
    pub(crate) address: NodeId,
    pub(crate) data: NodeId,
    pub(crate) lo: u32,
    pub(crate) clock: NodeId,
    /// Line of the assignment; 0 if the netlist comes from no Verilog.
    pub(crate) line: u32,
}

#[derive(Debug, Clone)]
pub(crate) struct Memory {
    pub(crate) path: String,
    pub(crate) width: u32,
    pub(crate) depth: u64,
    /// Words that do not start as zero, by address.
    pub(crate) init: Vec<(u64, Bits)>,
    /// In order: where two collide, the later one wins.
    pub(crate) writes: Vec<Write>,
}

/// A node that drives the bits of a signal from `lo` on, as many as the node is wide.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Piece {
    pub(crate) lo: u32,
    pub(crate) width: u32,
    pub(crate) node: NodeId,
}

/// An edge of an input that clocks something. A register's clock node is the input itself for its rising edge and its
/// complement for its falling one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Clock {
    pub(crate) input: u32,
    pub(crate) falling: bool,
}

/// `register` becomes `value` whenever `active` is set; its next value is `value` then, too.
#[derive(Debug, Clone)]
pub(crate) struct Reset {
    pub(crate) register: u32,
    pub(crate) active: NodeId,
    pub(crate) value: Bits,
}

/// A flat design. Operands stand before their users in `nodes`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Netlist {
    /// Name of the Verilog text, for messages.
    pub(crate) file: String,
    pub(crate) nodes: Vec<Node>,
    pub(crate) inputs: Vec<Input>,
    pub(crate) outputs: Vec<Named>,
    pub(crate) registers: Vec<Register>,
    pub(crate) memories: Vec<Memory>,
    /// Every declared signal that has a value, by hierarchical path.
    pub(crate) signals: Vec<Named>,
    /// Before the pass `resolve`, what drives each of `signals`: disjoint pieces, lowest first; bits without one are
    /// zero. Empty afterwards.
    pub(crate) drivers: Vec<Vec<Piece>>,
    /// The edges that registers and memories are clocked by, once the pass `clock` has found them.
    pub(crate) clocks: Vec<Clock>,
    /// Registers that take a value without a clock edge; of several for one register, the first active one counts.
    /// Whatever reads such a register reads it through a multiplexer, so these only say what it stores.
    pub(crate) resets: Vec<Reset>,
    /// What is a vector.
    pub(crate) shapes: Shapes,
}

impl Netlist {
    pub(crate) fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.index()]
    }
    pub(crate) fn width(&self, id: NodeId) -> u32 {
        self.node(id).width
    }
    pub(crate) fn constant(&self, id: NodeId) -> Option<&Bits> {
        match &self.node(id).op {
            Op::Const(b) => Some(b),
            _ => None,
        }
    }
    /// The lanes of a node that is a vector.
    pub(crate) fn shape(&self, id: NodeId) -> Option<Shape> {
        self.shapes.nodes.get(id.index()).copied().flatten()
    }
    /// Whether an input is a clock.
    pub(crate) fn is_clock(&self, input: u32) -> bool {
        self.clocks.iter().any(|c| c.input == input)
    }
    /// The edge that a clock node stands for, if it is one of an input.
    pub(crate) fn edge(&self, clock: NodeId) -> Option<Clock> {
        let (node, falling) = match self.node(clock).op {
            Op::Unary(Unary::Not, inner) => (inner, true),
            _ => (clock, false),
        };
        match self.node(node).op {
            Op::Input(input) if self.width(node) == 1 => Some(Clock { input, falling }),
            _ => None,
        }
    }
    /// Calls `f` on every node that something outside the graph uses, signals included; `f` may replace it.
    pub(crate) fn each_root(&mut self, mut f: impl FnMut(&mut NodeId)) {
        for r in &mut self.registers {
            f(&mut r.next);
            f(&mut r.clock);
        }
        for r in &mut self.resets {
            f(&mut r.active);
        }
        for w in self.memories.iter_mut().flat_map(|m| &mut m.writes) {
            for n in [&mut w.enable, &mut w.address, &mut w.data, &mut w.clock] {
                f(n);
            }
        }
        for n in self.outputs.iter_mut().chain(&mut self.signals) {
            f(&mut n.node);
        }
    }
}
