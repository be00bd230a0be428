//! What the width of lanes asks for: constants, masks, extension and narrowing.

use cranelift_codegen::ir::{
    ConstantData, Endianness, InstBuilder, MemFlagsData, Type, Value, types,
};

use super::lower::Lower;
use super::vector::Packed;
use crate::bits::mask;
use crate::ir::{Shape, VECTOR_BITS};

/// The type of vectors with lanes of so many bits.
pub(super) fn vector_type(bits: u32) -> Type {
    match bits {
        8 => types::I8X16,
        16 => types::I16X8,
        32 => types::I32X4,
        _ => types::I64X2,
    }
}

impl Lower<'_, '_> {
    /// A vector of all ones or all zeros.
    pub(super) fn all_bits(&mut self, bit: Value, shape: Shape) -> Value {
        let all = self.b.ins().ineg(bit);
        let all = self.b.ins().splat(types::I8X16, all);
        self.cast(all, vector_type(shape.lane_bits()))
    }

    pub(super) fn bytes(&mut self, bytes: &[u8], ty: Type) -> Value {
        let constants = &mut self.b.func.dfg.constants;
        let constant = constants.insert(ConstantData::from(bytes));
        self.b.ins().vconst(ty, constant)
    }

    /// The same number in every lane.
    pub(super) fn every(&mut self, lane: u64, bits: u32) -> Value {
        let lane = &lane.to_le_bytes()[..bits as usize / 8];
        self.bytes(
            &lane.repeat((VECTOR_BITS / bits) as usize),
            vector_type(bits),
        )
    }

    pub(super) fn negated(&mut self, vectors: Vec<Value>) -> Vec<Value> {
        vectors.into_iter().map(|v| self.b.ins().ineg(v)).collect()
    }

    pub(super) fn shifted(
        &mut self,
        vectors: Vec<Value>,
        by: u32,
        shift: impl Fn(&mut Self, Value, Value) -> Value,
    ) -> Vec<Value> {
        if by == 0 {
            return vectors;
        }
        let by = self.b.ins().iconst(types::I32, i64::from(by));
        vectors.into_iter().map(|v| shift(self, v, by)).collect()
    }

    /// Clears the bits above the width of every lane.
    pub(super) fn clean_lanes(&mut self, p: Packed, shape: Shape) -> Packed {
        let bits = shape.lane_bits();
        if p.clean || bits == shape.width || shape.width == 1 {
            return Packed { clean: true, ..p };
        }
        let keep = self.every(mask(shape.width), bits);
        let each = |v| self.b.ins().band(v, keep);
        Packed {
            vectors: p.vectors.into_iter().map(each).collect(),
            clean: true,
        }
    }

    pub(super) fn cast(&mut self, v: Value, to: Type) -> Value {
        if self.b.func.dfg.value_type(v) == to {
            return v;
        }
        let flags = MemFlagsData::new().with_endianness(Endianness::Little);
        self.b.ins().bitcast(to, flags, v)
    }

    /// Masks of lanes of `bits` as masks of the lanes of `shape`.
    pub(super) fn masks(&mut self, vectors: Vec<Value>, bits: u32, shape: Shape) -> Vec<Value> {
        match bits > shape.lane_bits() {
            true => self.narrowed(vectors, bits, shape, true),
            false => self.widened(vectors, bits, shape, true),
        }
    }

    /// Lanes with their signs in all bits above their width.
    pub(super) fn signed(&mut self, vectors: Vec<Value>, shape: Shape) -> Vec<Value> {
        let unused = shape.lane_bits() - shape.width;
        let high = self.shifted(vectors, unused, |l, v, by| l.b.ins().ishl(v, by));
        self.shifted(high, unused, |l, v, by| l.b.ins().sshr(v, by))
    }

    /// Lanes extended by signs or zeros; for zeros they must be clean.
    pub(super) fn extended(
        &mut self,
        vectors: Vec<Value>,
        from: Shape,
        to: Shape,
        signed: bool,
    ) -> Vec<Value> {
        if from.width == 1 {
            let masks = self.masks(vectors, from.lane_bits(), to);
            if signed {
                return masks;
            }
            let one = self.every(1, to.lane_bits());
            let each = |v| self.b.ins().band(v, one);
            return masks.into_iter().map(each).collect();
        }
        let vectors = match signed {
            true => self.signed(vectors, from),
            false => vectors,
        };
        self.widened(vectors, from.lane_bits(), to, signed)
    }

    pub(super) fn widened(
        &mut self,
        mut vectors: Vec<Value>,
        mut bits: u32,
        to: Shape,
        signed: bool,
    ) -> Vec<Value> {
        while bits < to.lane_bits() {
            bits *= 2;
            let count = (to.count * bits).div_ceil(VECTOR_BITS) as usize;
            let halves = vectors.into_iter().flat_map(|v| [(v, false), (v, true)]);
            let each = |(v, high)| match (signed, high) {
                (true, false) => self.b.ins().swiden_low(v),
                (true, true) => self.b.ins().swiden_high(v),
                (false, false) => self.b.ins().uwiden_low(v),
                (false, true) => self.b.ins().uwiden_high(v),
            };
            vectors = halves.take(count).map(each).collect();
        }
        vectors
    }

    /// Lanes whose values fit, as signed ones or not, in fewer bits.
    pub(super) fn narrowed(
        &mut self,
        mut vectors: Vec<Value>,
        mut bits: u32,
        to: Shape,
        signed: bool,
    ) -> Vec<Value> {
        while bits > to.lane_bits() {
            bits /= 2;
            let each = |pair: &[Value]| {
                let high = *pair.last().unwrap_or(&pair[0]);
                match signed {
                    true => self.b.ins().snarrow(pair[0], high),
                    false => self.b.ins().unarrow(pair[0], high),
                }
            };
            vectors = vectors.chunks(2).map(each).collect();
        }
        vectors
    }
}
