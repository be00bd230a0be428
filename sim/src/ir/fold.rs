//! Folding rules: each turns a requested operation into an existing or a simpler one.
//!
//! Rules may request other nodes; [`Builder::add`] remembers every answer, so shared graphs are not walked twice,
//! and [`MAX_DEPTH`] bounds the recursion on long chains.

use super::{Binary, Builder, NodeId, Op, Unary, eval};
use crate::bits::Bits;

/// Depth of rules calling rules, beyond which operations are kept as requested.
const MAX_DEPTH: u32 = 64;
/// Operands wider than this are narrowed through slices, because their arithmetic costs a limb each.
const WORD: u32 = 64;

impl Builder {
    pub(super) fn fold(&mut self, op: &Op, width: u32) -> Option<NodeId> {
        // Whatever the depth: back ends know no operation that changes nothing.
        match op {
            Op::Zext(a) | Op::Sext(a) | Op::Slice(a, 0) if self.width(*a) == width => {
                return Some(*a);
            }
            Op::Concat(parts) if parts.len() == 1 => return Some(parts[0]),
            _ => {}
        }
        if self.depth > MAX_DEPTH
            || matches!(
                op,
                Op::Const(_)
                    | Op::Input(_)
                    | Op::Reg(_)
                    | Op::Signal(_)
                    | Op::Read(..)
                    | Op::Vector(_)
                    | Op::Lane(..)
            )
        {
            return None;
        }
        if let Some(value) = self.fold_constant(op, width) {
            return Some(self.constant(value));
        }
        match op {
            Op::Unary(u, a) => self.fold_unary(*u, *a),
            Op::Binary(o, a, b) => self.fold_binary(*o, *a, *b),
            Op::Mux(c, a, b) => self.fold_mux(*c, *a, *b),
            Op::Slice(a, lo) => self.fold_slice(*a, *lo, width),
            Op::Concat(parts) => self.fold_concat(parts),
            Op::Zext(a) => match *self.op(*a) {
                Op::Zext(inner) => Some(self.zext(inner, width)),
                _ => None,
            },
            Op::Sext(a) => match *self.op(*a) {
                Op::Zext(inner) => Some(self.zext(inner, width)),
                Op::Sext(inner) => Some(self.sext(inner, width)),
                _ => None,
            },
            _ => None,
        }
    }

    fn fold_constant(&self, op: &Op, width: u32) -> Option<Bits> {
        let mut args: Vec<&Bits> = Vec::new();
        let mut all = true;
        op.each(|a| match self.as_const(a) {
            Some(b) => args.push(b),
            None => all = false,
        });
        all.then(|| eval(op, width, &args))
    }

    fn fold_unary(&mut self, u: Unary, a: NodeId) -> Option<NodeId> {
        let width = self.width(a);
        match (u, self.op(a).clone()) {
            (Unary::Not, Op::Unary(Unary::Not, inner)) => Some(inner),
            (Unary::RedAnd | Unary::RedOr | Unary::RedXor, _) if width == 1 => Some(a),
            (Unary::Neg, _) if width == 1 => Some(a),
            (Unary::RedOr | Unary::RedXor, Op::Zext(inner)) => Some(self.unary(u, inner)),
            (Unary::RedAnd, Op::Zext(_)) => Some(self.value(1, 0)),
            _ => None,
        }
    }

    fn fold_binary(&mut self, o: Binary, a: NodeId, b: NodeId) -> Option<NodeId> {
        let width = self.width(a);
        let commutes = matches!(
            o,
            Binary::And | Binary::Or | Binary::Xor | Binary::Add | Binary::Mul | Binary::Eq
        );
        // Constants go right; otherwise the older node goes left, so that equal sums meet.
        if commutes && (self.as_const(a).is_some() || (self.as_const(b).is_none() && a > b)) {
            return Some(self.binary(o, b, a));
        }
        if a == b {
            match o {
                Binary::And | Binary::Or => return Some(a),
                Binary::Xor | Binary::Sub => return Some(self.value(width, 0)),
                Binary::Eq => return Some(self.value(1, 1)),
                Binary::Ult | Binary::Slt => return Some(self.value(1, 0)),
                _ => {}
            }
        }
        if let Some(k) = self.as_const(b).cloned() {
            return self.fold_right_constant(o, a, &k);
        }
        if self.as_const(a).is_some_and(Bits::is_zero) {
            match o {
                Binary::Shl | Binary::Lshr | Binary::Ashr => return Some(a),
                Binary::Sub => return Some(self.unary(Unary::Neg, b)),
                _ => {}
            }
        }
        if o == Binary::Or
            && let Some(id) = self
                .fold_or_below(a, b)
                .or_else(|| self.fold_or_below(b, a))
        {
            return Some(id);
        }
        // A zero-extended pair is compared at its own width.
        if let (Binary::Eq | Binary::Ult, Op::Zext(x), Op::Zext(y)) =
            (o, self.op(a).clone(), self.op(b).clone())
        {
            let w = self.width(x).max(self.width(y));
            let (x, y) = (self.zext(x, w), self.zext(y, w));
            return Some(self.binary(o, x, y));
        }
        None
    }

    fn fold_right_constant(&mut self, o: Binary, a: NodeId, k: &Bits) -> Option<NodeId> {
        let width = self.width(a);
        let zero = k.is_zero();
        match o {
            Binary::And if zero => Some(self.value(width, 0)),
            Binary::And if k.is_ones() => Some(a),
            Binary::Or if zero => Some(a),
            Binary::Or if k.is_ones() => Some(self.constant(k.clone())),
            Binary::Or => self.fold_or_above(a, k),
            Binary::Xor | Binary::Add | Binary::Sub if zero => Some(a),
            Binary::Xor if k.is_ones() => Some(self.not(a)),
            Binary::Mul if zero => Some(self.value(width, 0)),
            Binary::Mul if k.to_u64() == Some(1) => Some(a),
            Binary::Shl | Binary::Lshr | Binary::Ashr if zero => Some(a),
            Binary::Ult if zero => Some(self.value(1, 0)),
            Binary::Ult if k.to_u64() == Some(1) => {
                let any = self.unary(Unary::RedOr, a);
                Some(self.not(any))
            }
            Binary::Eq if width == 1 => Some(if zero { self.not(a) } else { a }),
            Binary::Lshr => {
                let n = k.to_u64().filter(|n| *n < u64::from(width));
                match n {
                    None => Some(self.value(width, 0)),
                    Some(n) => Some(self.slice(a, n as u32, width)),
                }
            }
            Binary::Shl => match k.to_u64().filter(|n| *n < u64::from(width)) {
                None => Some(self.value(width, 0)),
                Some(n) => {
                    let (keep, fill) =
                        (self.slice(a, 0, width - n as u32), self.value(n as u32, 0));
                    Some(self.concat(&[keep, fill]))
                }
            },
            Binary::Ashr => {
                let n = k.to_u64().unwrap_or(u64::MAX).min(u64::from(width) - 1) as u32;
                let kept = self.slice(a, n, width - n);
                Some(self.sext(kept, width))
            }
            Binary::And => self.fold_and_mask(a, k),
            Binary::Eq | Binary::Ult => {
                let Op::Zext(x) = *self.op(a) else {
                    return None;
                };
                let w = self.width(x);
                let small = k.slice(0, w);
                if small.zext(width) != *k {
                    return Some(self.value(1, u64::from(o == Binary::Ult)));
                }
                let small = self.constant(small);
                Some(self.binary(o, x, small))
            }
            _ => None,
        }
    }

    /// `a & k` where `k` is one run of ones is a slice between zeros.
    fn fold_and_mask(&mut self, a: NodeId, k: &Bits) -> Option<NodeId> {
        let width = k.width();
        let lo = (0..width).find(|i| k.bit(*i))?;
        let run = (lo..width).take_while(|i| k.bit(*i)).count() as u32;
        let simple = k.slice(lo + run, width).is_zero();
        let narrow = lo == 0 || width > WORD || matches!(self.op(a), Op::Zext(_) | Op::Concat(_));
        if !simple || !narrow {
            return None;
        }
        let cut = self.slice(a, lo, run);
        let body = if lo == 0 {
            cut
        } else {
            let fill = self.value(lo, 0);
            self.concat(&[cut, fill])
        };
        Some(self.zext(body, width))
    }

    /// `a | k` where all ones of `k` lie above what `a` extends by zeros is a concatenation.
    fn fold_or_above(&mut self, a: NodeId, k: &Bits) -> Option<NodeId> {
        let Op::Zext(inner) = *self.op(a) else {
            return None;
        };
        let (low, width) = (self.width(inner), k.width());
        if !k.slice(0, low).is_zero() {
            return None;
        }
        let high = self.constant(k.slice(low, width - low));
        Some(self.concat(&[high, inner]))
    }

    /// `a | b` where `a` ends in zeros and `b` extends no more than these by zeros is a concatenation.
    fn fold_or_below(&mut self, a: NodeId, b: NodeId) -> Option<NodeId> {
        let (Op::Concat(parts), Op::Zext(low)) = (self.op(a), self.op(b)) else {
            return None;
        };
        let (low, (zeros, high)) = (*low, parts.split_last()?);
        let room = self.width(*zeros);
        if !self.as_const(*zeros).is_some_and(Bits::is_zero) || self.width(low) > room {
            return None;
        }
        let mut parts = high.to_vec();
        parts.push(self.zext(low, room));
        Some(self.concat(&parts))
    }

    fn fold_mux(&mut self, c: NodeId, a: NodeId, b: NodeId) -> Option<NodeId> {
        if let Some(k) = self.as_const(c) {
            return Some(if k.is_zero() { b } else { a });
        }
        if a == b {
            return Some(a);
        }
        if let Op::Unary(Unary::Not, inner) = *self.op(c) {
            return Some(self.mux(inner, b, a));
        }
        if let Op::Mux(c2, x, _) = *self.op(a)
            && c2 == c
        {
            return Some(self.mux(c, x, b));
        }
        if let Op::Mux(c2, _, y) = *self.op(b)
            && c2 == c
        {
            return Some(self.mux(c, a, y));
        }
        if self.width(a) == 1 {
            match (
                self.as_const(a).map(Bits::is_zero),
                self.as_const(b).map(Bits::is_zero),
            ) {
                (Some(false), Some(true)) => return Some(c),
                (Some(true), Some(false)) => return Some(self.not(c)),
                (Some(false), None) => return Some(self.or(c, b)),
                (None, Some(true)) => return Some(self.and(c, a)),
                (Some(true), None) => {
                    let n = self.not(c);
                    return Some(self.and(n, b));
                }
                (None, Some(false)) => {
                    let n = self.not(c);
                    return Some(self.or(n, a));
                }
                _ => {}
            }
        }
        self.fold_mux_of_concats(c, a, b)
    }

    fn fold_slice(&mut self, a: NodeId, lo: u32, width: u32) -> Option<NodeId> {
        let whole = self.width(a);
        match self.op(a).clone() {
            Op::Slice(inner, lo2) => Some(self.slice(inner, lo + lo2, width)),
            Op::Zext(inner) => Some(self.slice(inner, lo, width)),
            Op::Sext(inner) if lo + width <= self.width(inner) => {
                Some(self.slice(inner, lo, width))
            }
            Op::Sext(inner) if lo < self.width(inner) => {
                let cut = self.slice(inner, lo, self.width(inner) - lo);
                Some(self.sext(cut, width))
            }
            Op::Concat(parts) => Some(self.slice_concat(&parts, lo, width)),
            Op::Unary(Unary::Not, x) if whole > WORD => {
                let cut = self.slice(x, lo, width);
                Some(self.not(cut))
            }
            Op::Binary(o @ (Binary::And | Binary::Or | Binary::Xor), x, y) if whole > WORD => {
                let (x, y) = (self.slice(x, lo, width), self.slice(y, lo, width));
                Some(self.binary(o, x, y))
            }
            Op::Mux(c, x, y) if whole > WORD => {
                let (x, y) = (self.slice(x, lo, width), self.slice(y, lo, width));
                Some(self.mux(c, x, y))
            }
            Op::Binary(o @ (Binary::Add | Binary::Sub | Binary::Mul), x, y)
                if whole > WORD && lo + width <= WORD =>
            {
                let (x, y) = (self.slice(x, 0, lo + width), self.slice(y, 0, lo + width));
                let sum = self.binary(o, x, y);
                Some(self.slice(sum, lo, width))
            }
            _ => None,
        }
    }
}
