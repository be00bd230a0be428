//! Packs to vector instructions of 128 bits: lanes of 8, 16, 32 or 64 bits, lane 0 lowest, the last vector of a pack
//! perhaps filled up with rubbish. As in words, bits above a lane's width may be dirty.

use cranelift_codegen::ir::{
    ConstantData, Endianness, InstBuilder, MemFlagsData, Type, Value, types,
};

use super::lower::{Lower, Val, flags};
use crate::bits::mask;
use crate::ir::{Binary, NodeId, Unary};
use crate::passes::vectorise::{Form, Lanes, lane_bits};

/// Bytes of a vector.
pub(super) const VECTOR_BYTES: usize = 16;

/// A pack's value: its vectors, and whether the bits above the width are zero.
#[derive(Debug, Clone)]
pub(super) struct Vector {
    vectors: Vec<Value>,
    clean: bool,
}

/// The type of vectors with lanes for this width.
fn vector_type(width: u32) -> Type {
    match lane_bits(width) {
        8 => types::I8X16,
        16 => types::I16X8,
        32 => types::I32X4,
        _ => types::I64X2,
    }
}

/// Vectors that hold so many lanes of this width.
fn vectors_for(lanes: usize, width: u32) -> usize {
    (lanes * lane_bits(width) as usize / 8).div_ceil(VECTOR_BYTES)
}

impl Lower<'_, '_> {
    /// Computes a pack.
    pub(super) fn pack(&mut self, index: usize) -> Vector {
        let packs = self.packs;
        let pack = &packs.packs[index];
        let (width, lanes) = (pack.width, pack.nodes.len());
        let whole = lane_bits(width) == width;
        let (vectors, clean) = match &pack.form {
            Form::Parts(words) => (self.parts(words, width), true),
            Form::Read(group, address) => {
                let first = packs.memories[*group][0];
                let at = self.amount(*address);
                let array = self.layout.memories[first as usize];
                let base = self.word_address(at, array);
                (self.load_vectors(base, array.offset, lanes, width), true)
            }
            Form::Unary(u, a) => {
                let a = self.lanes(*a, lanes, width).vectors;
                let each = |v| match u {
                    Unary::Neg => self.b.ins().ineg(v),
                    _ => self.b.ins().bnot(v),
                };
                (a.into_iter().map(each).collect(), whole)
            }
            Form::Binary(o, a, b) => {
                let (x, y) = (self.lanes(*a, lanes, width), self.lanes(*b, lanes, width));
                let clean = match o {
                    Binary::And => x.clean || y.clean,
                    Binary::Or | Binary::Xor => x.clean && y.clean,
                    _ => whole,
                };
                let each = |(x, y)| match o {
                    Binary::And => self.b.ins().band(x, y),
                    Binary::Or => self.b.ins().bor(x, y),
                    Binary::Xor => self.b.ins().bxor(x, y),
                    Binary::Add => self.b.ins().iadd(x, y),
                    Binary::Sub => self.b.ins().isub(x, y),
                    _ => self.b.ins().imul(x, y),
                };
                (
                    x.vectors.into_iter().zip(y.vectors).map(each).collect(),
                    clean,
                )
            }
            Form::Mux(c, a, b) => {
                let (x, y) = (self.lanes(*a, lanes, width), self.lanes(*b, lanes, width));
                let c = self.bit(*c);
                let all = self.b.ins().ineg(c);
                let all = self.b.ins().splat(types::I8X16, all);
                let all = self.cast(all, vector_type(width));
                let each = |(x, y)| self.b.ins().bitselect(all, x, y);
                let vectors = x.vectors.into_iter().zip(y.vectors).map(each).collect();
                (vectors, x.clean && y.clean)
            }
            Form::Zext(a) => (self.extended(*a, lanes, width, false), true),
            Form::Sext(a) => (self.extended(*a, lanes, width, true), whole),
        };
        Vector { vectors, clean }
    }

    /// One lane of a pack, as a value of its own.
    pub(super) fn lane(&mut self, pack: usize, lane: usize) -> Val {
        let width = self.packs.packs[pack].width;
        let Some(v) = self.pack_values[pack].clone() else {
            unreachable!("a pack is scheduled before its users")
        };
        let lanes = VECTOR_BYTES * 8 / lane_bits(width) as usize;
        let x = self
            .b
            .ins()
            .extractlane(v.vectors[lane / lanes], (lane % lanes) as u8);
        let word = match lane_bits(width) {
            64 => x,
            _ => self.b.ins().uextend(types::I64, x),
        };
        Val::Word(word, v.clean)
    }

    /// Stores the values of a group of registers at the place of the first.
    pub(super) fn store_registers(&mut self, group: usize, value: Lanes, shadow: bool) {
        let registers = &self.packs.registers[group];
        let slot = self.layout.registers[registers[0] as usize];
        let v = self.lanes(value, registers.len(), slot.width);
        let slot = match self.layout.shadow(slot).filter(|_| shadow) {
            Some(shadow) => shadow,
            None => slot,
        };
        self.store_vectors(v, self.base, slot.offset, slot.width);
    }

    /// Performs the writes of a group of memories.
    pub(super) fn write_group(&mut self, group: usize, data: Lanes, enable: Option<NodeId>) {
        let memories = &self.packs.memories[group];
        let array = self.layout.memories[memories[0] as usize];
        let address = self.netlist.memories[memories[0] as usize].writes[0].address;
        let at = self.amount(address);
        let v = self.lanes(data, memories.len(), array.width);
        let condition = enable.map(|e| self.bit(e));
        self.guarded(condition, |l| {
            let base = l.word_address(at, array);
            l.store_vectors(v, base, array.offset, array.width);
        });
    }

    /// An operand's vectors.
    fn lanes(&mut self, of: Lanes, lanes: usize, width: u32) -> Vector {
        match of {
            Lanes::Pack(p) => match self.pack_values[p].clone() {
                Some(v) => v,
                None => unreachable!("a pack is scheduled before its users"),
            },
            Lanes::Registers(g) => {
                let slot = self.layout.registers[self.packs.registers[g][0] as usize];
                Vector {
                    vectors: self.load_vectors(self.base, slot.offset, lanes, width),
                    clean: true,
                }
            }
            Lanes::Same(n) => {
                let ty = vector_type(width);
                let clean = matches!(self.get(n), Val::Word(_, true));
                let word = self.word(n);
                let lane = match ty.lane_type() {
                    types::I64 => word,
                    narrow => self.b.ins().ireduce(narrow, word),
                };
                let v = self.b.ins().splat(ty, lane);
                Vector {
                    vectors: vec![v; vectors_for(lanes, width)],
                    clean,
                }
            }
        }
    }

    fn load_vectors(&mut self, base: Value, offset: usize, lanes: usize, width: u32) -> Vec<Value> {
        let ty = vector_type(width);
        (0..vectors_for(lanes, width))
            .map(|i| {
                let at = (offset + i * VECTOR_BYTES) as i32;
                self.b.ins().load(ty, flags(), base, at)
            })
            .collect()
    }

    fn store_vectors(&mut self, v: Vector, base: Value, offset: usize, width: u32) {
        let v = self.clean_vectors(v, width);
        for (i, v) in v.into_iter().enumerate() {
            let at = (offset + i * VECTOR_BYTES) as i32;
            self.b.ins().store(flags(), v, base, at);
        }
    }

    /// Clears the bits above the width of every lane.
    fn clean_vectors(&mut self, v: Vector, width: u32) -> Vec<Value> {
        let bits = lane_bits(width);
        if v.clean || bits == width {
            return v.vectors;
        }
        let lane = mask(width).to_le_bytes();
        let bytes: Vec<u8> = lane[..bits as usize / 8].repeat(VECTOR_BYTES * 8 / bits as usize);
        let constant = self
            .b
            .func
            .dfg
            .constants
            .insert(ConstantData::from(&bytes[..]));
        let mask = self.b.ins().vconst(vector_type(width), constant);
        let each = |v| self.b.ins().band(v, mask);
        v.vectors.into_iter().map(each).collect()
    }

    fn cast(&mut self, v: Value, to: Type) -> Value {
        if self.b.func.dfg.value_type(v) == to {
            return v;
        }
        let flags = MemFlagsData::new().with_endianness(Endianness::Little);
        self.b.ins().bitcast(to, flags, v)
    }

    /// Words, two a vector, as lanes.
    fn parts(&mut self, words: &[(NodeId, usize)], width: u32) -> Vec<Value> {
        let limbs: Vec<Value> = words
            .iter()
            .map(|(node, limb)| match self.get(*node) {
                Val::Wide(limbs) => limbs[*limb],
                _ => self.word(*node),
            })
            .collect();
        let each = |pair: &[Value]| {
            let v = self.b.ins().scalar_to_vector(types::I64X2, pair[0]);
            let v = match pair.get(1) {
                Some(high) => self.b.ins().insertlane(v, *high, 1),
                None => v,
            };
            self.cast(v, vector_type(width))
        };
        limbs.chunks(2).map(each).collect()
    }

    /// An operand with its lanes extended to `width` bits, by signs or zeros.
    fn extended(&mut self, of: Lanes, lanes: usize, width: u32, signed: bool) -> Vec<Value> {
        let from = match of {
            Lanes::Pack(p) => self.packs.packs[p].width,
            Lanes::Registers(g) => {
                let first = self.packs.registers[g][0];
                self.layout.registers[first as usize].width
            }
            Lanes::Same(n) => self.netlist.width(n),
        };
        let v = self.lanes(of, lanes, from);
        let mut bits = lane_bits(from);
        let mut vectors = match signed {
            false => self.clean_vectors(v, from),
            true if bits == from => v.vectors,
            true => {
                let by = self.b.ins().iconst(types::I32, i64::from(bits - from));
                let each = |v| {
                    let high = self.b.ins().ishl(v, by);
                    self.b.ins().sshr(high, by)
                };
                v.vectors.into_iter().map(each).collect()
            }
        };
        while bits < lane_bits(width) {
            let count = (lanes * bits as usize * 2 / 8).div_ceil(VECTOR_BYTES);
            let halves = vectors.into_iter().flat_map(|v| {
                let ins = |l: &mut Self, high: bool| match (signed, high) {
                    (true, false) => l.b.ins().swiden_low(v),
                    (true, true) => l.b.ins().swiden_high(v),
                    (false, false) => l.b.ins().uwiden_low(v),
                    (false, true) => l.b.ins().uwiden_high(v),
                };
                [ins(self, false), ins(self, true)]
            });
            vectors = halves.take(count).collect();
            bits *= 2;
        }
        vectors
    }
}
