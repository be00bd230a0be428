//! Operations with an operand or a result of more than 64 bits: which limbs go where.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, Value, types};

use super::lower::{Lower, Val};
use crate::bits::limbs_for;
use crate::ir::{Binary, Node, NodeId, Op, Unary};

impl Lower<'_, '_> {
    pub(super) fn wide_node(&mut self, n: &Node) -> Val {
        let count = limbs_for(n.width);
        match &n.op {
            Op::Unary(u, a) => self.wide_unary(*u, *a),
            Op::Binary(o, a, b) => self.wide_binary(*o, *a, *b),
            Op::Mux(c, a, b) => {
                let c = self.bit(*c);
                let (a, b) = (self.limbs(*a, count), self.limbs(*b, count));
                Val::Wide(
                    a.into_iter()
                        .zip(b)
                        .map(|(a, b)| self.select(c, a, b))
                        .collect(),
                )
            }
            Op::Slice(a, lo) => self.wide_slice(*a, *lo, n.width),
            Op::Concat(parts) => self.wide_concat(parts, count),
            Op::Zext(a) => Val::Wide(self.limbs(*a, count)),
            Op::Sext(a) => {
                let limbs = self.sign_extended_limbs(*a, count);
                self.finish(limbs, n.width)
            }
            op => unreachable!("{op:?} is no computation"),
        }
    }

    /// Limbs as a value of `width` bits: clears what lies above.
    pub(super) fn finish(&mut self, mut limbs: Vec<Value>, width: u32) -> Val {
        self.clean_top(&mut limbs, width);
        Val::Wide(limbs)
    }

    /// A node's limbs with its sign in all higher bits, up to `n` limbs.
    pub(super) fn sign_extended_limbs(&mut self, id: NodeId, n: usize) -> Vec<Value> {
        let width = self.netlist.width(id);
        if width <= 64 {
            let v = self.sign_extended(id);
            return self.filled(vec![v], n);
        }
        let mut limbs = self.limbs(id, limbs_for(width));
        let unused = 64 * limbs.len() as u32 - width;
        if let (Some(last), true) = (limbs.last_mut(), unused > 0) {
            let by = self.b.ins().iconst(types::I64, i64::from(unused));
            let high = self.b.ins().ishl(*last, by);
            *last = self.b.ins().sshr(high, by);
        }
        self.filled(limbs, n)
    }

    /// Repeats the sign of the last limb up to `n` limbs.
    fn filled(&mut self, mut limbs: Vec<Value>, n: usize) -> Vec<Value> {
        let fill = self.sign_of(limbs[limbs.len() - 1]);
        limbs.resize(n, fill);
        limbs
    }

    /// All ones if the word is negative, else zero.
    pub(super) fn sign_of(&mut self, v: Value) -> Value {
        let by = self.iconst(63);
        self.b.ins().sshr(v, by)
    }

    fn wide_unary(&mut self, u: Unary, a: NodeId) -> Val {
        let width = self.netlist.width(a);
        let limbs = self.limbs(a, limbs_for(width));
        match u {
            Unary::Not => {
                let limbs = limbs.into_iter().map(|l| self.b.ins().bnot(l)).collect();
                self.finish(limbs, width)
            }
            Unary::Neg => {
                let zero = self.iconst(0);
                let (limbs, _) = self.subtract(&vec![zero; limbs.len()], &limbs);
                self.finish(limbs, width)
            }
            Unary::RedOr => {
                let any = self.any(&limbs);
                let zero = self.iconst(0);
                Val::Bit(self.compare(IntCC::NotEqual, any, zero))
            }
            Unary::RedAnd => {
                let mut zeros: Vec<Value> =
                    limbs.into_iter().map(|l| self.b.ins().bnot(l)).collect();
                self.clean_top(&mut zeros, width);
                let any = self.any(&zeros);
                let zero = self.iconst(0);
                Val::Bit(self.compare(IntCC::Equal, any, zero))
            }
            Unary::RedXor => {
                let mut all = limbs[0];
                for l in &limbs[1..] {
                    all = self.b.ins().bxor(all, *l);
                }
                Val::Bit(self.parity(all))
            }
        }
    }

    fn wide_binary(&mut self, o: Binary, a: NodeId, b: NodeId) -> Val {
        let width = self.netlist.width(a);
        let n = limbs_for(width);
        if matches!(o, Binary::Shl | Binary::Lshr | Binary::Ashr) {
            return self.wide_shift(o, a, b);
        }
        let (x, y) = (self.limbs(a, n), self.limbs(b, n));
        let limbs = match o {
            Binary::And => x
                .into_iter()
                .zip(y)
                .map(|(x, y)| self.b.ins().band(x, y))
                .collect(),
            Binary::Or => x
                .into_iter()
                .zip(y)
                .map(|(x, y)| self.b.ins().bor(x, y))
                .collect(),
            Binary::Xor => x
                .into_iter()
                .zip(y)
                .map(|(x, y)| self.b.ins().bxor(x, y))
                .collect(),
            Binary::Add => self.sum(&x, &y),
            Binary::Sub => self.subtract(&x, &y).0,
            Binary::Mul => self.product(&x, &y),
            Binary::Eq => {
                let d: Vec<Value> = x
                    .into_iter()
                    .zip(y)
                    .map(|(x, y)| self.b.ins().bxor(x, y))
                    .collect();
                let any = self.any(&d);
                let zero = self.iconst(0);
                return Val::Bit(self.compare(IntCC::Equal, any, zero));
            }
            Binary::Ult => return Val::Bit(self.subtract(&x, &y).1),
            Binary::Slt => {
                let (x, y) = (self.flip_sign(x, width), self.flip_sign(y, width));
                return Val::Bit(self.subtract(&x, &y).1);
            }
            _ => unreachable!("wide division is refused by the front end"),
        };
        self.finish(limbs, width)
    }

    /// Inverts the sign bit, which maps signed order onto unsigned order.
    fn flip_sign(&mut self, mut limbs: Vec<Value>, width: u32) -> Vec<Value> {
        let bit = self.iconst(1 << ((width - 1) % 64));
        if let Some(last) = limbs.last_mut() {
            *last = self.b.ins().bxor(*last, bit);
        }
        limbs
    }

    fn wide_shift(&mut self, o: Binary, a: NodeId, b: NodeId) -> Val {
        let width = self.netlist.width(a);
        if width <= 64 {
            return self.word_by_wide_shift(o, a, b);
        }
        let n = limbs_for(width);
        let amount = self.amount(b);
        let (limbs, fill) = match o {
            Binary::Ashr => {
                let limbs = self.sign_extended_limbs(a, n);
                let fill = self.sign_of(limbs[n - 1]);
                (limbs, fill)
            }
            _ => (self.limbs(a, n), self.iconst(0)),
        };
        let moved = match o {
            Binary::Shl => self.shift_left(&limbs, amount),
            _ => self.shift_right(&limbs, amount, fill),
        };
        let limit = self.iconst(width.into());
        let inside = self.compare(IntCC::UnsignedLessThan, amount, limit);
        let limbs = moved
            .into_iter()
            .map(|l| self.select(inside, l, fill))
            .collect();
        self.finish(limbs, width)
    }

    /// A word shifted by an amount of more than 64 bits.
    fn word_by_wide_shift(&mut self, o: Binary, a: NodeId, b: NodeId) -> Val {
        let width = self.netlist.width(a);
        let amount = self.amount(b);
        let limit = self.iconst(64);
        let inside = self.compare(IntCC::UnsignedLessThan, amount, limit);
        let (v, fill) = match o {
            Binary::Ashr => {
                let x = self.sign_extended(a);
                (self.b.ins().sshr(x, amount), self.sign_of(x))
            }
            Binary::Shl => {
                let x = self.word(a);
                (self.b.ins().ishl(x, amount), self.iconst(0))
            }
            _ => {
                let x = self.clean(a);
                (self.b.ins().ushr(x, amount), self.iconst(0))
            }
        };
        let v = self.select(inside, v, fill);
        if width == 1 {
            return self.cut(v, 0, 1, false);
        }
        Val::Word(v, o == Binary::Lshr)
    }

    /// A shift amount or address as a word; anything beyond a word becomes the largest one.
    pub(super) fn amount(&mut self, id: NodeId) -> Value {
        let width = self.netlist.width(id);
        if width <= 64 {
            return self.clean(id);
        }
        let limbs = self.limbs(id, limbs_for(width));
        let high = self.any(&limbs[1..]);
        let (zero, most) = (self.iconst(0), self.iconst(u64::MAX));
        let small = self.compare(IntCC::Equal, high, zero);
        self.select(small, limbs[0], most)
    }

    fn wide_slice(&mut self, a: NodeId, lo: u32, width: u32) -> Val {
        let from = self.netlist.width(a);
        let limbs = self.limbs(a, limbs_for(from));
        if width <= 64 {
            let (i, bit) = ((lo / 64) as usize, lo % 64);
            let reaches_top = lo + width == from;
            if bit + width <= 64 {
                return self.cut(limbs[i], bit, width, reaches_top);
            }
            let v = self.pair(limbs[i], limbs[i + 1], bit);
            return self.cut(v, 0, width, reaches_top);
        }
        let out = (0..limbs_for(width))
            .map(|i| self.limb_from(&limbs, lo + 64 * i as u32))
            .collect();
        self.finish(out, width)
    }

    /// 64 bits from bit `lo` on; zero beyond the limbs.
    fn limb_from(&mut self, limbs: &[Value], lo: u32) -> Value {
        let (i, bit) = ((lo / 64) as usize, lo % 64);
        match (limbs.get(i), limbs.get(i + 1)) {
            (None, _) => self.iconst(0),
            (Some(l), _) if bit == 0 => *l,
            (Some(l), None) => {
                let by = self.iconst(bit.into());
                self.b.ins().ushr(*l, by)
            }
            (Some(l), Some(h)) => self.pair(*l, *h, bit),
        }
    }

    /// 64 bits of two limbs from bit `bit` (1 to 63) on.
    fn pair(&mut self, low: Value, high: Value, bit: u32) -> Value {
        let (down, up) = (self.iconst(bit.into()), self.iconst((64 - bit).into()));
        let (low, high) = (self.b.ins().ushr(low, down), self.b.ins().ishl(high, up));
        self.b.ins().bor(low, high)
    }

    fn wide_concat(&mut self, parts: &[NodeId], count: usize) -> Val {
        let mut out: Vec<Option<Value>> = vec![None; count];
        let mut lo = 0u32;
        for p in parts.iter().rev() {
            let width = self.netlist.width(*p);
            if !self
                .netlist
                .constant(*p)
                .is_some_and(crate::bits::Bits::is_zero)
            {
                for (j, limb) in self.limbs(*p, limbs_for(width)).into_iter().enumerate() {
                    self.place_limb(
                        &mut out,
                        limb,
                        lo + 64 * j as u32,
                        (width - 64 * j as u32).min(64),
                    );
                }
            }
            lo += width;
        }
        Val::Wide(
            out.into_iter()
                .map(|l| l.unwrap_or_else(|| self.b.ins().iconst(types::I64, 0)))
                .collect(),
        )
    }

    /// Puts `width` clean bits at bit `at`.
    pub(super) fn place_limb(
        &mut self,
        out: &mut [Option<Value>],
        limb: Value,
        at: u32,
        width: u32,
    ) {
        let (i, bit) = ((at / 64) as usize, at % 64);
        let low = if bit == 0 {
            limb
        } else {
            let by = self.iconst(bit.into());
            self.b.ins().ishl(limb, by)
        };
        self.merge_limb(&mut out[i], low);
        if bit + width > 64 {
            let by = self.iconst((64 - bit).into());
            let high = self.b.ins().ushr(limb, by);
            self.merge_limb(&mut out[i + 1], high);
        }
    }

    fn merge_limb(&mut self, to: &mut Option<Value>, v: Value) {
        *to = Some(match *to {
            Some(old) => self.b.ins().bor(old, v),
            None => v,
        });
    }
}
