//! Vectors of lanes in the machine's vectors of 128 bits: lanes of 8, 16, 32 or 64 bits, lane 0 lowest, the last vector
//! perhaps filled up with rubbish. As in words, bits above a lane's width may be dirty. A lane of one bit is a mask.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, Value, types};

use super::lanes::vector_type;
use super::lower::{Lower, Val, flags};
use crate::bits::mask;
use crate::ir::{Binary, Form, NodeId, Op, Shape, Unary, VECTOR_BITS, Vector};

/// Bytes of a vector.
const VECTOR_BYTES: usize = VECTOR_BITS as usize / 8;

/// The vectors of a value, and whether the bits above the lanes' width are zero.
#[derive(Debug, Clone)]
pub(super) struct Packed {
    pub(super) vectors: Vec<Value>,
    pub(super) clean: bool,
}

/// Whether a form's operands must have no rubbish above their width.
pub(super) fn relies_on_clean(form: &Form) -> bool {
    match form {
        Form::Unary(Unary::RedOr | Unary::RedAnd) | Form::Concat | Form::Zext => true,
        Form::Binary(o) => matches!(o, Binary::Eq | Binary::Ult),
        _ => false,
    }
}

impl Lower<'_, '_> {
    /// A vector node's value.
    fn packed(&mut self, id: NodeId) -> (Packed, Shape) {
        match (self.get(id), self.netlist.shape(id)) {
            (Val::Packed(p), Some(shape)) => (p, shape),
            _ => unreachable!("operands of vectors are vectors"),
        }
    }

    /// A vector node's value without rubbish.
    fn clean_packed(&mut self, id: NodeId) -> (Packed, Shape) {
        let (p, shape) = self.packed(id);
        (self.clean_lanes(p, shape), shape)
    }

    /// Computes a vector.
    pub(super) fn vector(&mut self, v: &Vector) -> Packed {
        let shape = v.shape;
        let whole = shape.lane_bits() == shape.width;
        let (vectors, clean) = match &v.form {
            Form::Splat => self.splat(v.args[0], shape),
            Form::Build => (self.build(&v.args, shape), true),
            Form::Parts => (self.parts(&v.args, shape), true),
            Form::Unary(u) => return self.unary_lanes(*u, v.args[0], shape),
            Form::Binary(o) => return self.binary_lanes(*o, v.args[0], v.args[1], shape),
            Form::Mux => {
                let (c, of) = self.packed(v.args[0]);
                let c = self.masks(c.vectors, of.lane_bits(), shape);
                let ((x, _), (y, _)) = (self.packed(v.args[1]), self.packed(v.args[2]));
                let arms = x.vectors.into_iter().zip(y.vectors);
                let each = |(c, (x, y))| self.b.ins().bitselect(c, x, y);
                let vectors = c.into_iter().zip(arms).map(each).collect();
                (vectors, x.clean && y.clean)
            }
            Form::Slice(lo) => return self.slice_lanes(v.args[0], *lo, shape),
            Form::Concat => (self.concat_lanes(&v.args, shape), true),
            Form::Zext => {
                let (p, from) = self.clean_packed(v.args[0]);
                (self.extended(p.vectors, from, shape, false), true)
            }
            Form::Sext => {
                let (p, from) = self.packed(v.args[0]);
                (self.extended(p.vectors, from, shape, true), whole)
            }
        };
        Packed { vectors, clean }
    }

    /// Selects whole vectors by one bit.
    pub(super) fn select_lanes(&mut self, c: NodeId, a: NodeId, b: NodeId) -> Val {
        let ((x, shape), (y, _)) = (self.packed(a), self.packed(b));
        let c = self.bit(c);
        let all = self.all_bits(c, shape);
        let each = |(x, y)| self.b.ins().bitselect(all, x, y);
        let vectors = x.vectors.into_iter().zip(y.vectors).map(each).collect();
        let clean = x.clean && y.clean;
        Val::Packed(Packed { vectors, clean })
    }

    fn splat(&mut self, of: NodeId, shape: Shape) -> (Vec<Value>, bool) {
        let ty = vector_type(shape.lane_bits());
        let (v, clean) = match self.get(of) {
            Val::Bit(bit) => (self.all_bits(bit, shape), true),
            v => {
                let clean = matches!(v, Val::Word(_, true));
                let word = self.word(of);
                let lane = match ty.lane_type() {
                    types::I64 => word,
                    narrow => self.b.ins().ireduce(narrow, word),
                };
                (self.b.ins().splat(ty, lane), clean)
            }
        };
        (vec![v; shape.vectors()], clean)
    }

    /// A vector of single values.
    fn build(&mut self, of: &[NodeId], shape: Shape) -> Vec<Value> {
        let bits = shape.lane_bits();
        let ty = vector_type(bits);
        let per_vector = (VECTOR_BITS / bits) as usize;
        let mut vectors = Vec::with_capacity(shape.vectors());
        for lanes in of.chunks(per_vector) {
            let known: Vec<u8> = (0..per_vector)
                .flat_map(|i| {
                    let lane = lanes.get(i).and_then(|n| self.netlist.constant(*n));
                    let lane = lane.map_or(0, crate::bits::Bits::low).to_le_bytes();
                    lane[..bits as usize / 8].to_vec()
                })
                .collect();
            let mut v = self.bytes(&known, ty);
            for (i, n) in lanes.iter().enumerate() {
                if self.netlist.constant(*n).is_some() {
                    continue;
                }
                let word = self.clean(*n);
                let lane = match ty.lane_type() {
                    types::I64 => word,
                    narrow => self.b.ins().ireduce(narrow, word),
                };
                v = self.b.ins().insertlane(v, lane, i as u8);
            }
            vectors.push(v);
        }
        match shape.width {
            1 => self.negated(vectors),
            _ => vectors,
        }
    }

    fn unary_lanes(&mut self, u: Unary, a: NodeId, shape: Shape) -> Packed {
        let whole = shape.lane_bits() == shape.width;
        if matches!(u, Unary::Not | Unary::Neg) {
            let vectors = self.packed(a).0.vectors;
            let each = |v| match u {
                Unary::Neg => self.b.ins().ineg(v),
                _ => self.b.ins().bnot(v),
            };
            return Packed {
                vectors: vectors.into_iter().map(each).collect(),
                clean: whole,
            };
        }
        let (p, from) = self.clean_packed(a);
        let bits = from.lane_bits();
        let (cc, than) = match u {
            Unary::RedAnd => (IntCC::Equal, mask(from.width)),
            _ => (IntCC::NotEqual, 0),
        };
        let than = self.every(than, bits);
        let each = |v| self.b.ins().icmp(cc, v, than);
        let vectors = p.vectors.into_iter().map(each).collect();
        self.mask_of(vectors, bits, shape)
    }

    /// A value of one bit a lane from masks of lanes of `bits`.
    fn mask_of(&mut self, vectors: Vec<Value>, bits: u32, shape: Shape) -> Packed {
        Packed {
            vectors: self.masks(vectors, bits, shape),
            clean: true,
        }
    }

    fn binary_lanes(&mut self, o: Binary, a: NodeId, b: NodeId, shape: Shape) -> Packed {
        let whole = shape.lane_bits() == shape.width;
        let ((x, from), (y, _)) = match o {
            Binary::Eq | Binary::Ult => (self.clean_packed(a), self.clean_packed(b)),
            _ => (self.packed(a), self.packed(b)),
        };
        let bits = from.lane_bits();
        let clean = match o {
            Binary::And => x.clean || y.clean,
            Binary::Or | Binary::Xor => x.clean && y.clean,
            _ => whole,
        };
        let (mut x, mut y) = (x.vectors, y.vectors);
        if o == Binary::Slt && from.width > 1 {
            (x, y) = (self.signed(x, from), self.signed(y, from));
        }
        // Clean lanes with room for a sign compare as signed ones, which is cheaper.
        let below = match from.width < bits {
            true => IntCC::SignedLessThan,
            false => IntCC::UnsignedLessThan,
        };
        let one_bit = from.width == 1;
        let each = |(x, y)| match o {
            Binary::And => self.b.ins().band(x, y),
            Binary::Or => self.b.ins().bor(x, y),
            Binary::Xor => self.b.ins().bxor(x, y),
            Binary::Mul if one_bit => self.b.ins().band(x, y),
            Binary::Add | Binary::Sub if one_bit => self.b.ins().bxor(x, y),
            Binary::Add => self.b.ins().iadd(x, y),
            Binary::Sub => self.b.ins().isub(x, y),
            Binary::Eq => self.b.ins().icmp(IntCC::Equal, x, y),
            // As bits, 0 is less than 1; as signed bits, 1 is less than 0.
            Binary::Ult if one_bit => self.b.ins().band_not(y, x),
            Binary::Slt if one_bit => self.b.ins().band_not(x, y),
            Binary::Ult => self.b.ins().icmp(below, x, y),
            Binary::Slt => self.b.ins().icmp(IntCC::SignedLessThan, x, y),
            _ => self.b.ins().imul(x, y),
        };
        let vectors = x.into_iter().zip(y).map(each).collect();
        match shape.width {
            1 => self.mask_of(vectors, bits, shape),
            _ => Packed { vectors, clean },
        }
    }

    fn slice_lanes(&mut self, a: NodeId, lo: u32, shape: Shape) -> Packed {
        let (p, from) = self.packed(a);
        let bits = from.lane_bits();
        if shape.width == 1 {
            let bit = self.every(1 << lo, bits);
            let each = |v| {
                let v = self.b.ins().band(v, bit);
                self.b.ins().icmp(IntCC::Equal, v, bit)
            };
            let vectors = p.vectors.into_iter().map(each).collect();
            return self.mask_of(vectors, bits, shape);
        }
        let mut v = Packed {
            vectors: self.shifted(p.vectors, lo, |l, v, by| l.b.ins().ushr(v, by)),
            clean: (p.clean && lo + shape.width == from.width) || lo + shape.width == bits,
        };
        if bits > shape.lane_bits() {
            if !v.clean {
                let keep = self.every(mask(shape.width), bits);
                let each = |v| self.b.ins().band(v, keep);
                v.vectors = v.vectors.into_iter().map(each).collect();
                v.clean = true;
            }
            v.vectors = self.narrowed(v.vectors, bits, shape, false);
        }
        v
    }

    fn concat_lanes(&mut self, parts: &[NodeId], shape: Shape) -> Vec<Value> {
        let bits = shape.lane_bits();
        let mut out: Option<Vec<Value>> = None;
        let mut lo = 0;
        for part in parts.iter().rev() {
            let (p, from) = self.clean_packed(*part);
            let vectors = if from.width == 1 {
                let bit = self.every(1 << lo, bits);
                let masks = self.masks(p.vectors, from.lane_bits(), shape);
                let each = |v| self.b.ins().band(v, bit);
                masks.into_iter().map(each).collect()
            } else {
                let wide = self.extended(p.vectors, from, shape, false);
                self.shifted(wide, lo, |l, v, by| l.b.ins().ishl(v, by))
            };
            out = Some(match out {
                None => vectors,
                Some(low) => {
                    let each = |(x, y)| self.b.ins().bor(x, y);
                    low.into_iter().zip(vectors).map(each).collect()
                }
            });
            lo += from.width;
        }
        out.unwrap_or_default()
    }

    /// One lane, as a value of its own.
    pub(super) fn lane(&mut self, of: NodeId, lane: u32, width: u32) -> Val {
        let Some(shape) = self.netlist.shape(of) else {
            unreachable!("lanes are those of vectors")
        };
        let bits = shape.lane_bits();
        if let Op::Reg(r) = self.netlist.node(of).op {
            let offset = self.layout.registers[r as usize].offset + (lane * bits / 8) as usize;
            return self.load_at(self.base, offset as i32, width);
        }
        let (p, _) = self.packed(of);
        let per_vector = VECTOR_BITS / bits;
        let v = p.vectors[(lane / per_vector) as usize];
        let x = self.b.ins().extractlane(v, (lane % per_vector) as u8);
        if width == 1 {
            let x = match bits {
                8 => x,
                _ => self.b.ins().ireduce(types::I8, x),
            };
            let one = self.b.ins().iconst(types::I8, 1);
            return Val::Bit(self.b.ins().band(x, one));
        }
        let word = match bits {
            64 => x,
            _ => self.b.ins().uextend(types::I64, x),
        };
        Val::Word(word, p.clean)
    }

    /// Lanes from memory, where a lane of one bit is 0 or 1.
    pub(super) fn load_lanes(&mut self, base: Value, offset: usize, shape: Shape) -> Val {
        let ty = vector_type(shape.lane_bits());
        let load = |i| {
            let at = (offset + i * VECTOR_BYTES) as i32;
            self.b.ins().load(ty, flags(), base, at)
        };
        let vectors = (0..shape.vectors()).map(load).collect();
        Val::Packed(Packed {
            vectors: match shape.width {
                1 => self.negated(vectors),
                _ => vectors,
            },
            clean: true,
        })
    }

    /// Stores lanes that are clean and no masks.
    pub(super) fn store_lanes(&mut self, p: &Packed, base: Value, offset: i32) {
        for (i, v) in p.vectors.iter().enumerate() {
            let at = offset + (i * VECTOR_BYTES) as i32;
            self.b.ins().store(flags(), *v, base, at);
        }
    }

    /// The value of a vector node as memory holds it.
    pub(super) fn stored(&mut self, id: NodeId) -> Val {
        match self.get(id) {
            Val::Packed(p) => {
                let (p, shape) = match self.netlist.shape(id) {
                    Some(shape) => (self.clean_lanes(p, shape), shape),
                    None => unreachable!("a vector has a shape"),
                };
                if shape.width > 1 {
                    return Val::Packed(p);
                }
                let one = self.every(1, shape.lane_bits());
                let each = |v| self.b.ins().band(v, one);
                Val::Packed(Packed {
                    vectors: p.vectors.into_iter().map(each).collect(),
                    clean: true,
                })
            }
            v => v,
        }
    }

    /// Words, two a vector, as lanes.
    fn parts(&mut self, words: &[NodeId], shape: Shape) -> Vec<Value> {
        let limbs: Vec<Value> = words.iter().map(|n| self.word(*n)).collect();
        let each = |pair: &[Value]| {
            let v = self.b.ins().scalar_to_vector(types::I64X2, pair[0]);
            let v = match pair.get(1) {
                Some(high) => self.b.ins().insertlane(v, *high, 1),
                None => v,
            };
            self.cast(v, vector_type(shape.lane_bits()))
        };
        limbs.chunks(2).map(each).collect()
    }
}
