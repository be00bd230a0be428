//! Signals of the flat design and what drives them.

use std::collections::BTreeMap;

use super::Elaborator;
use super::process::{Kind, Process};
use super::resets::{self, AsyncReset};
use super::scope::{IndexRange, Scope, Symbol};
use super::shape::Shape;
use crate::bits::Bits;
use crate::error::{Error, Result};
use crate::front::ast::{Decl, DeclKind, Declarator, Expr, Stmt};
use crate::ir::{Memory, Named, NodeId, Op, Piece, Register};
use crate::limits::{MAX_MEMORY_BITS, MAX_WIDTH};

/// Work of a declaration and bits of what is kept of it, see [`MAX_WORK`](crate::limits::MAX_WORK).
const DECLARED_WORK: u64 = 256;
const DECLARED_BITS: u64 = 512;

/// A declared signal of one instance.
pub(super) struct Signal {
    pub(super) path: String,
    pub(super) width: u32,
    pub(super) init: Option<Bits>,
    /// What drives it, by the lowest bit; no two overlap.
    pieces: BTreeMap<u32, Piece>,
    /// The registers that hold it, with the lowest bit of each.
    registers: Vec<(u32, u32)>,
}

impl Elaborator<'_> {
    pub(super) fn range(
        &mut self,
        scope: &mut Scope,
        range: Option<&(Expr, Expr)>,
    ) -> Result<IndexRange> {
        let Some((left, right)) = range else {
            return Ok(IndexRange::BIT);
        };
        Ok(IndexRange {
            left: self.constant_i64(scope, left)?,
            right: self.constant_i64(scope, right)?,
        })
    }

    /// Declares every name of `decl`; a second declaration of a port's name must agree with the first.
    pub(super) fn declare(&mut self, scope: &mut Scope, decl: &Decl) -> Result<()> {
        self.at = ("declaration", decl.line);
        let range = match decl.kind {
            DeclKind::Integer => IndexRange { left: 31, right: 0 },
            _ => self.range(scope, decl.range.as_ref())?,
        };
        if range.len() > MAX_WIDTH.into() {
            return Err(Error::Limit {
                what: format!(
                    "the width of `{}` at {}:{}",
                    decl.names[0].name, self.file, decl.line
                ),
                name: "MAX_WIDTH",
                limit: MAX_WIDTH.into(),
            });
        }
        let shape = Shape {
            width: range.len() as u32,
            signed: decl.signed,
        };
        for name in &decl.names {
            match &name.dimension {
                Some(dimension) => {
                    let words = self.range(scope, Some(dimension))?;
                    self.declare_memory(scope, name, range, words, shape)?;
                }
                None => self.declare_signal(scope, decl, name, range, shape)?,
            }
        }
        self.check()
    }

    fn declare_signal(
        &mut self,
        scope: &mut Scope,
        decl: &Decl,
        name: &Declarator,
        range: IndexRange,
        shape: Shape,
    ) -> Result<()> {
        match scope.names.get_mut(&name.name) {
            None => {
                let id = self.signals.len() as u32;
                let path = format!("{}{}", scope.prefix, name.name);
                self.builder.charge(DECLARED_WORK);
                self.builder
                    .hold(DECLARED_BITS + 8 * path.len() as u64 + u64::from(shape.width));
                self.signals.push(Signal {
                    path,
                    width: shape.width,
                    init: None,
                    pieces: BTreeMap::new(),
                    registers: Vec::new(),
                });
                scope
                    .names
                    .insert(name.name.clone(), Symbol::Signal { id, range, shape });
            }
            // `output [7:0] q; reg [7:0] q;` and the other way round.
            Some(Symbol::Signal {
                range: r, shape: s, ..
            }) if *r == range
                && (decl.direction.is_some()
                    || matches!(decl.kind, DeclKind::Reg | DeclKind::Wire)) =>
            {
                s.signed |= shape.signed;
            }
            Some(_) => {
                return Err(self.meaning(name.line, format!("`{}` is declared twice", name.name)));
            }
        }
        Ok(())
    }

    fn declare_memory(
        &mut self,
        scope: &mut Scope,
        name: &Declarator,
        range: IndexRange,
        words: IndexRange,
        shape: Shape,
    ) -> Result<()> {
        let bits = words
            .len()
            .saturating_mul(shape.width.next_multiple_of(64).into());
        self.memory_bits = self.memory_bits.saturating_add(bits);
        if self.memory_bits > MAX_MEMORY_BITS {
            return Err(Error::Limit {
                what: format!(
                    "the memory bits up to `{}` at {}:{}",
                    name.name, self.file, name.line
                ),
                name: "MAX_MEMORY_BITS",
                limit: MAX_MEMORY_BITS,
            });
        }
        let id = self.memories.len() as u32;
        let path = format!("{}{}", scope.prefix, name.name);
        self.builder.hold(DECLARED_BITS + 8 * path.len() as u64);
        let memory = Memory {
            path,
            width: shape.width,
            depth: words.len(),
            init: Vec::new(),
            writes: Vec::new(),
        };
        self.memories.push(memory);
        let symbol = Symbol::Memory {
            id,
            range,
            words,
            shape,
        };
        if scope.names.insert(name.name.clone(), symbol).is_some() {
            return Err(self.meaning(name.line, format!("`{}` is declared twice", name.name)));
        }
        Ok(())
    }

    /// Makes `node` drive the bits of signal `id` from `lo` on.
    pub(super) fn drive(&mut self, line: u32, id: u32, lo: u32, node: NodeId) -> Result<()> {
        let width = self.builder.width(node);
        let signal = &self.signals[id as usize];
        let below = signal.pieces.range(..lo + width).next_back();
        if below.is_some_and(|(at, p)| at + p.width > lo) {
            let message = format!("`{}` has more than one driver", signal.path);
            return Err(self.meaning(line, message));
        }
        // A concatenation drives part by part, so that a loop through another part is no loop.
        if let Op::Concat(parts) = self.builder.op(node).clone() {
            let mut at = lo;
            for part in parts.iter().rev() {
                let width = self.builder.width(*part);
                self.piece(id, at, *part);
                at += width;
            }
            return Ok(());
        }
        self.piece(id, lo, node);
        Ok(())
    }

    fn piece(&mut self, id: u32, lo: u32, node: NodeId) {
        let width = self.builder.width(node);
        self.builder.hold(8 * size_of::<Piece>() as u64);
        let pieces = &mut self.signals[id as usize].pieces;
        pieces.insert(lo, Piece { lo, width, node });
    }

    /// Executes a process and hands its results to signals, registers and memories.
    pub(super) fn process(
        &mut self,
        scope: &mut Scope,
        kind: Kind,
        line: u32,
        body: &Stmt,
    ) -> Result<()> {
        self.process_with_resets(scope, kind, line, body, &[])
    }

    /// As [`Self::process`], for registers that `resets` reset without a clock edge, the first with precedence.
    pub(super) fn process_with_resets(
        &mut self,
        scope: &mut Scope,
        kind: Kind,
        line: u32,
        body: &Stmt,
        resets: &[AsyncReset],
    ) -> Result<()> {
        let mut p = Process::new(kind);
        self.exec(scope, &mut p, body)?;
        let assigned = std::mem::take(&mut p.assigned);
        for (id, (bits, later)) in assigned {
            self.builder.charge(bits.width().into());
            let value = self.current(&p.env, (id, later));
            if kind == Kind::Initial {
                let Some(k) = self.builder.as_const(value) else {
                    let path = self.signals[id as usize].path.clone();
                    return Err(self.meaning(
                        line,
                        format!("the initial value of `{path}` must be constant"),
                    ));
                };
                self.signals[id as usize].init = Some(k.clone());
                continue;
            }
            for (lo, width) in resets::split(id, runs(&bits), resets) {
                let part = self.builder.slice(value, lo, width);
                match kind {
                    Kind::Clocked(clock) => self.register(line, id, lo, part, clock, resets)?,
                    _ => self.drive(line, id, lo, part)?,
                }
            }
        }
        for (memory, write) in std::mem::take(&mut p.writes) {
            if kind == Kind::Initial {
                self.initialise(line, memory, &write)?;
            } else {
                self.memories[memory as usize].writes.push(write);
            }
        }
        self.check()
    }

    fn register(
        &mut self,
        line: u32,
        id: u32,
        lo: u32,
        next: NodeId,
        clock: NodeId,
        resets: &[AsyncReset],
    ) -> Result<()> {
        let width = self.builder.width(next);
        let signal = &self.signals[id as usize];
        let mut path = signal.path.clone();
        if width != signal.width {
            path = format!("{path}[{}:{lo}]", lo + width - 1);
        }
        self.builder.hold(8 * path.len() as u64 + u64::from(width));
        let index = self.registers.len() as u32;
        // The initial value may be set by a later process; `drivers` fills it in.
        self.registers.push(Register {
            path,
            width,
            init: Bits::zero(width),
            next,
            clock,
            line,
        });
        self.signals[id as usize].registers.push((lo, index));
        let stored = self.builder.add(Op::Reg(index), width);
        let node = self.reset_reads(index, id, lo, stored, resets);
        self.drive(line, id, lo, node)
    }

    fn initialise(&mut self, line: u32, memory: u32, write: &crate::ir::Write) -> Result<()> {
        let (enable, address, data) = (
            self.builder.as_const(write.enable).cloned(),
            self.builder.as_const(write.address).cloned(),
            self.builder.as_const(write.data).cloned(),
        );
        let (Some(enable), Some(address), Some(data)) = (enable, address, data) else {
            return Err(self.meaning(line, "the initial contents of a memory must be constant"));
        };
        self.builder.hold(DECLARED_BITS);
        let m = &mut self.memories[memory as usize];
        let Some(address) = address
            .to_u64()
            .filter(|a| *a < m.depth && !enable.is_zero())
        else {
            return Ok(());
        };
        // Later words win; words are sorted and made unique when elaboration ends.
        if write.lo == 0 && data.width() == m.width {
            m.init.push((address, data));
            return Ok(());
        }
        Err(self.unsupported(line, "initial value of a part of a memory word"))
    }

    /// Names and drivers of all signals, with initial values carried into registers and undriven variables.
    pub(super) fn drivers(&mut self) -> (Vec<Named>, Vec<Vec<Piece>>) {
        for m in &mut self.memories {
            // Stable, so that of equal addresses the last is the latest; keep that one.
            m.init.sort_by_key(|(a, _)| *a);
            m.init.reverse();
            m.init.dedup_by_key(|(a, _)| *a);
            m.init.reverse();
            m.init.retain(|(_, b)| !b.is_zero());
        }
        let signals = std::mem::take(&mut self.signals);
        let mut names = Vec::with_capacity(signals.len());
        let mut drivers = Vec::with_capacity(signals.len());
        for (i, s) in signals.into_iter().enumerate() {
            if let Some(init) = &s.init {
                for (lo, r) in &s.registers {
                    let register = &mut self.registers[*r as usize];
                    register.init = init.slice(*lo, register.width);
                }
            }
            let mut pieces = Vec::with_capacity(s.pieces.len());
            let mut at = 0;
            let end = Piece {
                lo: s.width,
                width: 0,
                node: NodeId(0),
            };
            for p in s.pieces.into_values().chain([end]) {
                // What nothing drives keeps its initial value.
                if let Some(init) = s.init.as_ref().filter(|_| p.lo > at) {
                    let width = p.lo - at;
                    let node = self.builder.constant(init.slice(at, width));
                    pieces.push(Piece {
                        lo: at,
                        width,
                        node,
                    });
                }
                at = p.lo + p.width;
                if p.width > 0 {
                    pieces.push(p);
                }
            }
            names.push(Named {
                path: s.path,
                node: self.builder.add(Op::Signal(i as u32), s.width),
            });
            drivers.push(pieces);
        }
        (names, drivers)
    }
}

/// The runs of ones in `bits`, as lowest bit and length.
pub(super) fn runs(bits: &Bits) -> Vec<(u32, u32)> {
    if bits.is_ones() {
        return vec![(0, bits.width())];
    }
    let mut out: Vec<(u32, u32)> = Vec::new();
    for i in (0..bits.width()).filter(|i| bits.bit(*i)) {
        match out.last_mut() {
            Some((lo, n)) if *lo + *n == i => *n += 1,
            _ => out.push((i, 1)),
        }
    }
    out
}
