//! Arithmetic on lists of limbs, lowest first.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, Value, types};

use super::lower::Lower;

impl Lower<'_, '_> {
    /// The or of all limbs.
    pub(super) fn any(&mut self, limbs: &[Value]) -> Value {
        let mut all = limbs[0];
        for l in &limbs[1..] {
            all = self.b.ins().bor(all, *l);
        }
        all
    }

    /// The sum, without the last carry.
    pub(super) fn sum(&mut self, x: &[Value], y: &[Value]) -> Vec<Value> {
        let mut carry: Option<Value> = None;
        let mut out = Vec::with_capacity(x.len());
        for (x, y) in x.iter().zip(y) {
            let s = self.b.ins().iadd(*x, *y);
            let mut over = self.compare(IntCC::UnsignedLessThan, s, *x);
            let mut total = s;
            if let Some(c) = carry {
                let c = self.b.ins().uextend(types::I64, c);
                total = self.b.ins().iadd(s, c);
                let again = self.compare(IntCC::UnsignedLessThan, total, s);
                over = self.b.ins().bor(over, again);
            }
            carry = Some(over);
            out.push(total);
        }
        out
    }

    /// The difference and the borrow.
    pub(super) fn subtract(&mut self, x: &[Value], y: &[Value]) -> (Vec<Value>, Value) {
        let mut borrow = self.b.ins().iconst(types::I8, 0);
        let mut out = Vec::with_capacity(x.len());
        for (i, (x, y)) in x.iter().zip(y).enumerate() {
            let d = self.b.ins().isub(*x, *y);
            let mut under = self.compare(IntCC::UnsignedLessThan, *x, *y);
            let mut total = d;
            if i > 0 {
                let b = self.b.ins().uextend(types::I64, borrow);
                total = self.b.ins().isub(d, b);
                let again = self.compare(IntCC::UnsignedLessThan, d, b);
                under = self.b.ins().bor(under, again);
            }
            borrow = under;
            out.push(total);
        }
        (out, borrow)
    }

    /// The product modulo the limbs' width.
    pub(super) fn product(&mut self, x: &[Value], y: &[Value]) -> Vec<Value> {
        let n = x.len();
        let zero = self.iconst(0);
        let mut out = vec![zero; n];
        for i in 0..n {
            // Row i: x[i] * y, added at limb i.
            let mut row = vec![zero; n - i];
            for j in 0..n - i {
                let low = self.b.ins().imul(x[i], y[j]);
                let mut addend = vec![zero; n - i - j];
                addend[0] = low;
                if j + 1 < n - i {
                    addend[1] = self.b.ins().umulhi(x[i], y[j]);
                }
                let sum = self.sum(&row[j..], &addend);
                row[j..].copy_from_slice(&sum);
            }
            let sum = self.sum(&out[i..], &row);
            out[i..].copy_from_slice(&sum);
        }
        out
    }

    /// Whole limbs moved by `amount / 64` towards higher (`up`) or lower limbs, with `fill` coming in.
    fn move_limbs(&mut self, limbs: &[Value], amount: Value, fill: Value, up: bool) -> Vec<Value> {
        let n = limbs.len();
        let mut now = limbs.to_vec();
        let mut step = 1;
        let mut bit = 6;
        while step < n {
            let mask = self.iconst(1 << bit);
            let set = self.b.ins().band(amount, mask);
            let next = (0..n)
                .map(|i| {
                    let from = if up {
                        i.checked_sub(step)
                    } else {
                        Some(i + step)
                    };
                    let moved = from.and_then(|f| now.get(f)).copied().unwrap_or(fill);
                    self.select(set, moved, now[i])
                })
                .collect();
            now = next;
            step *= 2;
            bit += 1;
        }
        now
    }

    /// Left shift by an amount below the limbs' width.
    pub(super) fn shift_left(&mut self, limbs: &[Value], amount: Value) -> Vec<Value> {
        let zero = self.iconst(0);
        let now = self.move_limbs(limbs, amount, zero, true);
        let (one, back) = (self.iconst(1), self.b.ins().bnot(amount));
        (0..now.len())
            .map(|i| {
                let high = self.b.ins().ishl(now[i], amount);
                if i == 0 {
                    return high;
                }
                // Two shifts, because one by 64 would be none.
                let low = self.b.ins().ushr(now[i - 1], one);
                let low = self.b.ins().ushr(low, back);
                self.b.ins().bor(high, low)
            })
            .collect()
    }

    /// Right shift by an amount below the limbs' width, with `fill` coming in.
    pub(super) fn shift_right(
        &mut self,
        limbs: &[Value],
        amount: Value,
        fill: Value,
    ) -> Vec<Value> {
        let now = self.move_limbs(limbs, amount, fill, false);
        let (one, back) = (self.iconst(1), self.b.ins().bnot(amount));
        (0..now.len())
            .map(|i| {
                let low = self.b.ins().ushr(now[i], amount);
                let above = now.get(i + 1).copied().unwrap_or(fill);
                let high = self.b.ins().ishl(above, one);
                let high = self.b.ins().ishl(high, back);
                self.b.ins().bor(low, high)
            })
            .collect()
    }
}
