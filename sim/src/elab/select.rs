//! Bit selects, part selects and memory words, with constant or computed indices.

use super::Elaborator;
use super::process::Env;
use super::scope::{IndexRange, Scope, Symbol};
use super::shape::Shape;
use crate::error::Result;
use crate::front::ast::{Expr, ExprKind};
use crate::ir::{Binary as Bin, NodeId, Op};

/// Where a select points, in bits above the least significant one.
#[derive(Debug, Clone, Copy)]
pub(super) enum Offset {
    /// May be negative or beyond the vector.
    Known(i64),
    /// Read as unsigned; a negative one has wrapped to a large value. Counts from `below` bits under the vector, so that
    /// a part that begins there still finds the bits that exist.
    Computed {
        /// The distance.
        at: NodeId,
        /// Bits under the vector.
        below: u32,
    },
}

impl Elaborator<'_> {
    /// The memory that `e` names plainly, with the shape of its words.
    pub(super) fn memory_name(&self, scope: &Scope, e: &Expr) -> Option<(u32, Shape)> {
        let ExprKind::Ident(name) = &e.kind else {
            return None;
        };
        match scope.get(name) {
            Some(Symbol::Memory { id, shape, .. }) => Some((*id, *shape)),
            _ => None,
        }
    }

    /// The index range of what a select applies to: a vector, or a word of a memory.
    pub(super) fn select_range(&self, scope: &Scope, base: &Expr) -> Result<IndexRange> {
        let name = match &base.kind {
            ExprKind::Ident(name) => name,
            ExprKind::Index(inner, _) if self.memory_name(scope, inner).is_some() => {
                match &inner.kind {
                    ExprKind::Ident(name) => name,
                    _ => unreachable!("a memory is named plainly"),
                }
            }
            _ => return Err(self.unsupported(base.line, "select of a select")),
        };
        match self.symbol(scope, base.line, name)? {
            Symbol::Signal { range, .. } => Ok(*range),
            Symbol::Memory { range, .. } if matches!(base.kind, ExprKind::Index(..)) => Ok(*range),
            Symbol::Param { value, .. } => Ok(IndexRange {
                left: i64::from(value.width()) - 1,
                right: 0,
            }),
            _ => Err(self.unsupported(base.line, "part select of a whole memory")),
        }
    }

    /// The value of a select expression.
    pub(super) fn select(&mut self, scope: &mut Scope, env: &Env<'_>, e: &Expr) -> Result<NodeId> {
        if let ExprKind::Index(base, index) = &e.kind
            && let Some((memory, shape)) = self.memory_name(scope, base)
        {
            if env.wrote_blocking(memory) {
                return Err(
                    self.unsupported(e.line, "memory read after a blocking write in one process")
                );
            }
            let address = self.address(scope, env, base, index)?;
            return Ok(self.builder.add(Op::Read(memory, address), shape.width));
        }
        let (base, offset) = self.offset(scope, env, e)?;
        let width = self.shape(scope, e)?.width;
        let vector = self.value(scope, env, base)?;
        Ok(match offset {
            Offset::Known(lo) => self.slice_at(vector, lo, width),
            Offset::Computed { at, below } => {
                let mut padded = vector;
                if below > 0 {
                    let zeros = self.builder.value(below, 0);
                    padded = self.builder.concat(&[vector, zeros]);
                }
                let shifted = self.builder.binary(Bin::Lshr, padded, at);
                self.builder.slice(shifted, 0, width)
            }
        })
    }

    /// `width` bits from `lo` on, where bits outside the vector are zero.
    fn slice_at(&mut self, vector: NodeId, lo: i64, width: u32) -> NodeId {
        let below = lo.min(0).unsigned_abs();
        if below >= u64::from(width) || lo >= i64::from(self.builder.width(vector)) {
            return self.builder.value(width, 0);
        }
        let below = below as u32;
        let cut = self.builder.slice(vector, lo.max(0) as u32, width - below);
        if below == 0 {
            return cut;
        }
        let zeros = self.builder.value(below, 0);
        self.builder.concat(&[cut, zeros])
    }

    /// What a select applies to and how far above its least significant bit it starts.
    pub(super) fn offset<'e>(
        &mut self,
        scope: &mut Scope,
        env: &Env<'_>,
        e: &'e Expr,
    ) -> Result<(&'e Expr, Offset)> {
        let width = i64::from(self.shape(scope, e)?.width);
        let (base, index, adjust) = match &e.kind {
            ExprKind::Index(base, index) => (base, index, 0),
            ExprKind::Part(base, _, lsb) => (base, lsb, 0),
            ExprKind::PartUp(base, start, _) => (base, start, 0),
            ExprKind::PartDown(base, start, _) => (base, start, width - 1),
            _ => unreachable!("only selects have offsets"),
        };
        let range = self.select_range(scope, base)?;
        // The declared index of the least significant selected bit is `index - down`.
        let down = match (&e.kind, range.ascending()) {
            (ExprKind::PartUp(..), true) => 1 - width,
            (ExprKind::PartDown(..), true) => 0,
            _ => adjust,
        };
        let offset = self.index_offset(scope, env, index, (down, width - 1), range)?;
        Ok((base, offset))
    }

    /// Distance of index `index - down` from the least significant end of `range`; a computed one counts from `below`
    /// bits under that end if it can begin there.
    fn index_offset(
        &mut self,
        scope: &mut Scope,
        env: &Env<'_>,
        index: &Expr,
        (down, below): (i64, i64),
        range: IndexRange,
    ) -> Result<Offset> {
        let shape = self.shape(scope, index)?;
        let node = self.lower(scope, env, index, shape)?;
        let lsb = range.right;
        if let Some(k) = self.builder.as_const(node) {
            let k = if shape.signed {
                k.to_i64()
            } else {
                k.zext(k.width() + 1).to_i64()
            };
            let at = k.saturating_sub(down);
            let distance = if range.ascending() {
                lsb.saturating_sub(at)
            } else {
                at.saturating_sub(lsb)
            };
            return Ok(Offset::Known(distance));
        }
        let first = down.saturating_add(lsb);
        if first == 0 && !range.ascending() && !shape.signed {
            return Ok(Offset::Computed { at: node, below: 0 });
        }
        let shift = if range.ascending() {
            first.saturating_add(below)
        } else {
            first.saturating_sub(below)
        };
        let below = below as u32;
        if shift == 0 && !range.ascending() && !shape.signed {
            return Ok(Offset::Computed { at: node, below });
        }
        // One bit more than the index has, so that no sum wraps.
        let wide = self.extend(node, shape.at_least(32.max(shape.width + 1)));
        let w = self.builder.width(wide);
        let by = self.builder.constant(
            crate::bits::Bits::new(64, shift as u64)
                .sext(w.max(64))
                .zext(w),
        );
        let at = if range.ascending() {
            self.builder.binary(Bin::Sub, by, wide)
        } else {
            self.builder.binary(Bin::Sub, wide, by)
        };
        Ok(Offset::Computed { at, below })
    }

    /// The word number that `index` selects in the memory named by `base`.
    pub(super) fn address(
        &mut self,
        scope: &mut Scope,
        env: &Env<'_>,
        base: &Expr,
        index: &Expr,
    ) -> Result<NodeId> {
        let ExprKind::Ident(name) = &base.kind else {
            unreachable!("a memory is named plainly")
        };
        let Symbol::Memory { words, .. } = self.symbol(scope, base.line, name)?.clone() else {
            unreachable!("checked by the caller")
        };
        let range = IndexRange {
            left: words.high(),
            right: words.low(),
        };
        Ok(match self.index_offset(scope, env, index, (0, 0), range)? {
            Offset::Computed { at, .. } => at,
            Offset::Known(k) => self.builder.value(64, k as u64),
        })
    }
}
