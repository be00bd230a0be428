//! Memories: reads, writes at once and writes remembered until the end of the cycle.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, Value};

use super::layout::Array;
use super::lower::{Lower, Val};
use crate::bits::{Bits, limbs_for};
use crate::ir::NodeId;

impl Lower<'_, '_> {
    /// Whether every value of an address of `width` bits is below the depth.
    fn always_inside(width: u32, array: Array) -> bool {
        width < 64 && 1u64 << width <= array.depth
    }

    fn inside(&mut self, address: Value, array: Array) -> Value {
        let depth = self.iconst(array.depth);
        self.compare(IntCC::UnsignedLessThan, address, depth)
    }

    /// The address of a word without the array's own offset.
    pub(super) fn word_address(&mut self, address: Value, array: Array) -> Value {
        let scaled = if array.stride.is_power_of_two() {
            let by = self.iconst(array.stride.trailing_zeros().into());
            self.b.ins().ishl(address, by)
        } else {
            let by = self.iconst(array.stride as u64);
            self.b.ins().imul(address, by)
        };
        self.b.ins().iadd(self.base, scaled)
    }

    pub(super) fn read(&mut self, memory: u32, address: NodeId) -> Val {
        let array = self.layout.memories[memory as usize];
        let at = self.amount(address);
        if let Some(Some(shape)) = self.netlist.shapes.memories.get(memory as usize) {
            let base = self.word_address(at, array);
            return self.load_lanes(base, array.offset, *shape);
        }
        if Self::always_inside(self.netlist.width(address), array) {
            let base = self.word_address(at, array);
            return self.load_at(base, array.offset as i32, array.width);
        }
        let inside = self.inside(at, array);
        let zero = self.iconst(0);
        let at = self.select(inside, at, zero);
        let base = self.word_address(at, array);
        match self.load_at(base, array.offset as i32, array.width) {
            Val::Bit(v) => Val::Bit(self.b.ins().band(v, inside)),
            Val::Word(v, clean) => Val::Word(self.select(inside, v, zero), clean),
            Val::Wide(limbs) => Val::Wide(
                limbs
                    .into_iter()
                    .map(|l| self.select(inside, l, zero))
                    .collect(),
            ),
            Val::Packed(_) => unreachable!("what is loaded is no vector"),
        }
    }

    /// A write that happens now or is remembered.
    pub(super) fn write(
        &mut self,
        memory: u32,
        write: usize,
        enable: Option<NodeId>,
        deferred: Option<usize>,
    ) {
        let w = &self.netlist.memories[memory as usize].writes[write];
        let (address, data) = (w.address, w.data);
        let array = self.layout.memories[memory as usize];
        if let Some(pending) = deferred {
            let p = self.layout.pending[pending];
            let on = match enable {
                Some(e) => self.get(e),
                None => Val::Bit(self.b.ins().iconst(cranelift_codegen::ir::types::I8, 1)),
            };
            self.store(p.enable, &on);
            let at = self.amount(address);
            self.store(p.address, &Val::Word(at, true));
            let v = self.stored(data);
            self.store(p.data, &v);
            return;
        }
        if enable
            .and_then(|e| self.netlist.constant(e))
            .is_some_and(Bits::is_zero)
        {
            return;
        }
        let at = self.amount(address);
        let inside = !Self::always_inside(self.netlist.width(address), array);
        let mut condition = enable
            .filter(|e| self.netlist.constant(*e).is_none())
            .map(|e| self.bit(e));
        if inside {
            let ok = self.inside(at, array);
            condition = Some(match condition {
                Some(c) => self.b.ins().band(c, ok),
                None => ok,
            });
        }
        // Fetched outside the branch, so that later users may rely on it.
        let v = self.stored(data);
        self.guarded(condition, |l| {
            l.store_word(array, at, w.lo, l.netlist.width(data), v)
        });
    }

    pub(super) fn deferred_write(&mut self, index: usize, memory: u32, write: usize) {
        let w = &self.netlist.memories[memory as usize].writes[write];
        let array = self.layout.memories[memory as usize];
        let p = self.layout.pending[index];
        let Val::Bit(on) = self.load(p.enable) else {
            unreachable!("an enable is one bit")
        };
        self.guarded(Some(on), |l| {
            let off = Val::Bit(l.b.ins().iconst(cranelift_codegen::ir::types::I8, 0));
            l.store(p.enable, &off);
            let Val::Word(at, _) = l.load(p.address) else {
                unreachable!("an address is one word")
            };
            let v = l.load(p.data);
            let ok = l.inside(at, array);
            l.guarded(Some(ok), |l| l.store_word(array, at, w.lo, p.data.width, v));
        });
    }

    /// Stores `width` bits at bit `lo` of the word at `at`, which is inside the memory.
    fn store_word(&mut self, array: Array, at: Value, lo: u32, width: u32, v: Val) {
        let base = self.word_address(at, array);
        let offset = array.offset as i32;
        if width == array.width {
            return self.store_at(base, offset, width, &v);
        }
        // Only a part changes: merge it with the rest of the word.
        let n = limbs_for(array.width);
        let new = match v {
            Val::Bit(v) => vec![self.b.ins().uextend(cranelift_codegen::ir::types::I64, v)],
            Val::Word(v, true) => vec![v],
            Val::Word(v, false) => vec![self.mask(v, width)],
            Val::Wide(limbs) => limbs,
            Val::Packed(_) => unreachable!("vectors are written whole"),
        };
        let hole = Bits::ones(width).zext(array.width).shl(lo.into()).not();
        let old = match self.load_at(base, offset, array.width) {
            Val::Word(v, _) => vec![v],
            Val::Wide(limbs) => limbs,
            _ => unreachable!("a bit has no parts, and what is loaded is no vector"),
        };
        let mut out = Vec::with_capacity(n);
        for (old, keep) in old.into_iter().zip(hole.limbs()) {
            let keep = self.iconst(*keep);
            out.push(self.b.ins().band(old, keep));
        }
        let mut slots: Vec<Option<Value>> = out.into_iter().map(Some).collect();
        for (j, limb) in new.into_iter().enumerate() {
            self.place_limb(
                &mut slots,
                limb,
                lo + 64 * j as u32,
                (width - 64 * j as u32).min(64),
            );
        }
        let merged: Vec<Value> = slots.into_iter().flatten().collect();
        let v = if n == 1 {
            Val::Word(merged[0], true)
        } else {
            Val::Wide(merged)
        };
        self.store_at(base, offset, array.width, &v);
    }
}
