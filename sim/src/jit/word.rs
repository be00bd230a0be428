//! Operations whose operands and result fit in a machine word.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, Value, types};

use super::lower::{Lower, Val};
use crate::bits::mask;
use crate::ir::{Binary, Node, NodeId, Op, Unary};

impl Lower<'_, '_> {
    pub(super) fn word_node(&mut self, n: &Node) -> Val {
        match &n.op {
            Op::Unary(u, a) => self.word_unary(*u, *a),
            Op::Binary(o, a, b) if self.netlist.width(*a) == 1 => {
                Val::Bit(self.bit_binary(*o, *a, *b))
            }
            Op::Binary(o, a, b) => self.word_binary(*o, *a, *b),
            Op::Mux(c, a, b) => {
                let c = self.bit(*c);
                match (self.get(*a), self.get(*b)) {
                    (Val::Bit(a), Val::Bit(b)) => Val::Bit(self.select(c, a, b)),
                    (Val::Word(a, x), Val::Word(b, y)) => Val::Word(self.select(c, a, b), x && y),
                    _ => unreachable!("operands of one width have one form"),
                }
            }
            Op::Slice(a, lo) => self.word_slice(*a, *lo, n.width),
            Op::Concat(parts) => self.word_concat(parts),
            Op::Zext(a) => Val::Word(self.clean(*a), true),
            Op::Sext(a) => {
                let v = self.sign_extended(*a);
                Val::Word(v, n.width == 64)
            }
            op => unreachable!("{op:?} is no computation"),
        }
    }

    /// A node of up to 64 bits with its sign in all higher bits.
    pub(super) fn sign_extended(&mut self, id: NodeId) -> Value {
        let width = self.netlist.width(id);
        let v = self.word(id);
        let narrow = match width {
            64 => return v,
            8 => types::I8,
            16 => types::I16,
            32 => types::I32,
            1 => return self.b.ins().ineg(v),
            _ => {
                let by = self.iconst(u64::from(64 - width));
                let high = self.b.ins().ishl(v, by);
                return self.b.ins().sshr(high, by);
            }
        };
        let v = self.b.ins().ireduce(narrow, v);
        self.b.ins().sextend(types::I64, v)
    }

    fn word_unary(&mut self, u: Unary, a: NodeId) -> Val {
        let width = self.netlist.width(a);
        if width == 1 {
            let v = self.bit(a);
            return match u {
                Unary::Not => {
                    let one = self.b.ins().iconst(types::I8, 1);
                    Val::Bit(self.b.ins().bxor(v, one))
                }
                _ => Val::Bit(v),
            };
        }
        match u {
            Unary::Not => {
                let v = self.word(a);
                Val::Word(self.b.ins().bnot(v), width == 64)
            }
            Unary::Neg => {
                let v = self.word(a);
                Val::Word(self.b.ins().ineg(v), width == 64)
            }
            Unary::RedOr => {
                let (v, zero) = (self.clean(a), self.iconst(0));
                Val::Bit(self.compare(IntCC::NotEqual, v, zero))
            }
            Unary::RedAnd => {
                let (v, ones) = (self.clean(a), self.iconst(mask(width)));
                Val::Bit(self.compare(IntCC::Equal, v, ones))
            }
            Unary::RedXor => {
                let v = self.clean(a);
                Val::Bit(self.parity(v))
            }
        }
    }

    /// Parity of a word, as a bit.
    pub(super) fn parity(&mut self, v: Value) -> Value {
        let n = self.b.ins().popcnt(v);
        let n = self.b.ins().ireduce(types::I8, n);
        let one = self.b.ins().iconst(types::I8, 1);
        self.b.ins().band(n, one)
    }

    fn bit_binary(&mut self, o: Binary, a: NodeId, b: NodeId) -> Value {
        let x = self.bit(a);
        if matches!(o, Binary::Shl | Binary::Lshr | Binary::Ashr) {
            if o == Binary::Ashr {
                return x;
            }
            let (amount, zero) = (self.clean(b), self.iconst(0));
            let stays = self.compare(IntCC::Equal, amount, zero);
            return self.b.ins().band(x, stays);
        }
        let y = self.bit(b);
        match o {
            Binary::And | Binary::Mul | Binary::Udiv | Binary::Sdiv => self.b.ins().band(x, y),
            Binary::Or => self.b.ins().bor(x, y),
            Binary::Xor | Binary::Add | Binary::Sub => self.b.ins().bxor(x, y),
            Binary::Eq => self.compare(IntCC::Equal, x, y),
            Binary::Ult => self.compare(IntCC::UnsignedLessThan, x, y),
            // As signed bits, 1 is less than 0.
            Binary::Slt => self.compare(IntCC::UnsignedGreaterThan, x, y),
            _ => self.b.ins().iconst(types::I8, 0),
        }
    }

    fn word_binary(&mut self, o: Binary, a: NodeId, b: NodeId) -> Val {
        let width = self.netlist.width(a);
        let full = width == 64;
        match o {
            Binary::And | Binary::Or | Binary::Xor => {
                let (Val::Word(x, cx), Val::Word(y, cy)) = (self.get(a), self.get(b)) else {
                    unreachable!("operands of one width have one form")
                };
                match o {
                    Binary::And => Val::Word(self.b.ins().band(x, y), cx || cy),
                    Binary::Or => Val::Word(self.b.ins().bor(x, y), cx && cy),
                    _ => Val::Word(self.b.ins().bxor(x, y), cx && cy),
                }
            }
            Binary::Add | Binary::Sub | Binary::Mul => {
                let (x, y) = (self.word(a), self.word(b));
                let v = match o {
                    Binary::Add => self.b.ins().iadd(x, y),
                    Binary::Sub => self.b.ins().isub(x, y),
                    _ => self.b.ins().imul(x, y),
                };
                Val::Word(v, full)
            }
            Binary::Eq | Binary::Ult => {
                let (x, y) = (self.clean(a), self.clean(b));
                let cc = if o == Binary::Eq {
                    IntCC::Equal
                } else {
                    IntCC::UnsignedLessThan
                };
                Val::Bit(self.compare(cc, x, y))
            }
            Binary::Slt => {
                let (x, y) = (self.sign_extended(a), self.sign_extended(b));
                Val::Bit(self.compare(IntCC::SignedLessThan, x, y))
            }
            Binary::Shl | Binary::Lshr | Binary::Ashr => self.word_shift(o, a, b),
            Binary::Udiv | Binary::Urem | Binary::Sdiv | Binary::Srem => {
                self.word_division(o, a, b)
            }
        }
    }

    fn word_shift(&mut self, o: Binary, a: NodeId, b: NodeId) -> Val {
        let width = self.netlist.width(a);
        let amount = self.clean(b);
        // The machine shifts by the amount modulo 64.
        let in_range = (self.netlist.width(b) > 6).then(|| {
            let limit = self.iconst(64);
            self.compare(IntCC::UnsignedLessThan, amount, limit)
        });
        if o == Binary::Ashr {
            let x = self.sign_extended(a);
            let amount = match in_range {
                Some(ok) => {
                    let most = self.iconst(63);
                    self.select(ok, amount, most)
                }
                None => amount,
            };
            return Val::Word(self.b.ins().sshr(x, amount), width == 64);
        }
        let v = if o == Binary::Shl {
            let x = self.word(a);
            self.b.ins().ishl(x, amount)
        } else {
            let x = self.clean(a);
            self.b.ins().ushr(x, amount)
        };
        let v = match in_range {
            Some(ok) => {
                let zero = self.iconst(0);
                self.select(ok, v, zero)
            }
            None => v,
        };
        Val::Word(v, o == Binary::Lshr || width == 64)
    }

    fn word_division(&mut self, o: Binary, a: NodeId, b: NodeId) -> Val {
        let signed = matches!(o, Binary::Sdiv | Binary::Srem);
        let (x, y) = match signed {
            true => (self.sign_extended(a), self.sign_extended(b)),
            false => (self.clean(a), self.clean(b)),
        };
        let (zero, one) = (self.iconst(0), self.iconst(1));
        let by_zero = self.compare(IntCC::Equal, y, zero);
        let mut safe = self.select(by_zero, one, y);
        if !signed {
            let v = if o == Binary::Udiv {
                self.b.ins().udiv(x, safe)
            } else {
                self.b.ins().urem(x, safe)
            };
            return Val::Word(self.select(by_zero, zero, v), true);
        }
        // The machine traps on the most negative value divided by -1.
        let minus_one = self.iconst(u64::MAX);
        let negates = self.compare(IntCC::Equal, y, minus_one);
        safe = self.select(negates, one, safe);
        let v = if o == Binary::Sdiv {
            let (q, n) = (self.b.ins().sdiv(x, safe), self.b.ins().ineg(x));
            self.select(negates, n, q)
        } else {
            self.b.ins().srem(x, safe)
        };
        Val::Word(self.select(by_zero, zero, v), self.netlist.width(a) == 64)
    }

    fn word_slice(&mut self, a: NodeId, lo: u32, width: u32) -> Val {
        let (v, clean) = match self.get(a) {
            Val::Word(v, clean) => (v, clean),
            Val::Bit(v) => return Val::Bit(v),
            _ => unreachable!("wide operands are handled elsewhere"),
        };
        let reaches_top = lo + width == self.netlist.width(a);
        self.cut(v, lo, width, clean && reaches_top)
    }

    /// `width` bits of the word `v` from `lo` on; `clean` says that no set bits lie above them.
    pub(super) fn cut(&mut self, v: Value, lo: u32, width: u32, clean: bool) -> Val {
        let v = if lo == 0 {
            v
        } else {
            let by = self.iconst(lo.into());
            self.b.ins().ushr(v, by)
        };
        if width > 1 {
            return Val::Word(v, clean || lo + width == 64);
        }
        let v = self.b.ins().ireduce(types::I8, v);
        if clean {
            return Val::Bit(v);
        }
        let one = self.b.ins().iconst(types::I8, 1);
        Val::Bit(self.b.ins().band(v, one))
    }

    fn word_concat(&mut self, parts: &[NodeId]) -> Val {
        let mut out: Option<Value> = None;
        let mut lo = 0;
        let mut clean = true;
        for (i, p) in parts.iter().enumerate().rev() {
            let width = self.netlist.width(*p);
            let zero = self
                .netlist
                .constant(*p)
                .is_some_and(crate::bits::Bits::is_zero);
            if !zero {
                let mut v = if i == 0 {
                    self.word(*p)
                } else {
                    self.clean(*p)
                };
                if i == 0 {
                    clean = matches!(self.get(*p), Val::Bit(_) | Val::Word(_, true))
                        || lo + width == 64;
                }
                if lo > 0 {
                    let by = self.iconst(lo.into());
                    v = self.b.ins().ishl(v, by);
                }
                out = Some(match out {
                    Some(low) => self.b.ins().bor(low, v),
                    None => v,
                });
            }
            lo += width;
        }
        let v = match out {
            Some(v) => v,
            None => self.iconst(0),
        };
        Val::Word(v, clean)
    }
}
