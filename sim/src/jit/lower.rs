//! Schedules to Cranelift IR: the walk over steps, loads and stores.
//!
//! A one-bit value is an `i8` holding 0 or 1; up to 64 bits, a value is an `i64`; wider ones are a list of `i64`
//! limbs. Bits above the width of an `i64` may be rubbish ("dirty") until a user needs them clear; which nodes have
//! such a user is known beforehand, and those are masked where they are computed.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, MemFlagsData, Value, types};
use cranelift_codegen::isa::TargetFrontendConfig;
use cranelift_frontend::FunctionBuilder;

use super::layout::{COPY_BYTES, Layout, Slot, bytes_for};
use super::vector::{Packed, relies_on_clean};
use crate::bits::{Bits, limbs_for, mask};
use crate::ir::{Binary, Netlist, NodeId, Op, Unary};
use crate::passes::schedule::{Schedule, Step};

/// A node's value in the function.
#[derive(Debug, Clone)]
pub(super) enum Val {
    /// One bit as an `i8`, 0 or 1.
    Bit(Value),
    /// 2 to 64 bits; the flag says that the bits above the width are zero.
    Word(Value, bool),
    /// More than 64 bits: limbs, lowest first, the last one clean.
    Wide(Vec<Value>),
    /// Lanes side by side.
    Packed(Packed),
}

pub(super) struct Lower<'a, 'f> {
    pub(super) b: FunctionBuilder<'f>,
    pub(super) netlist: &'a Netlist,
    pub(super) layout: &'a Layout,
    pub(super) base: Value,
    values: Vec<Option<Val>>,
    needs_clean: Vec<bool>,
}

/// Emits the body of a function that takes the address of the state block.
pub(super) fn function(
    mut b: FunctionBuilder<'_>,
    netlist: &Netlist,
    layout: &Layout,
    schedule: &Schedule,
    target: TargetFrontendConfig,
) {
    let entry = b.create_block();
    b.append_block_params_for_function_params(entry);
    b.switch_to_block(entry);
    let base = b.block_params(entry)[0];
    let values = vec![None; netlist.nodes.len()];
    let mut l = Lower {
        b,
        netlist,
        layout,
        base,
        values,
        needs_clean: clean_users(netlist),
    };
    l.steps(&schedule.steps);
    l.commit(schedule);
    l.b.ins().return_(&[]);
    l.b.seal_all_blocks();
    l.b.finalize(target);
}

/// Whether storing `width` bits stores rubbish along with them, if they are dirty.
fn store_needs_clean(width: u32) -> bool {
    !matches!(width, 8 | 16 | 32 | 64)
}

/// The nodes of which some user relies on the bits above the width being zero.
fn clean_users(netlist: &Netlist) -> Vec<bool> {
    let mut needs = vec![false; netlist.nodes.len()];
    let mut mark = |id: NodeId| needs[id.index()] = true;
    for n in &netlist.nodes {
        match &n.op {
            Op::Zext(a) | Op::Read(_, a) => mark(*a),
            Op::Unary(Unary::RedAnd | Unary::RedOr | Unary::RedXor, a) => mark(*a),
            Op::Binary(
                Binary::Eq | Binary::Ult | Binary::Udiv | Binary::Urem | Binary::Lshr,
                a,
                b,
            ) => {
                mark(*a);
                mark(*b);
            }
            Op::Binary(Binary::Shl | Binary::Ashr, _, b) => mark(*b),
            Op::Concat(parts) if n.width > 64 => parts.iter().for_each(|p| mark(*p)),
            Op::Concat(parts) => parts[1..].iter().for_each(|p| mark(*p)),
            Op::Vector(v) if relies_on_clean(&v.form) => v.args.iter().for_each(|a| mark(*a)),
            _ => {}
        }
    }
    for n in netlist.outputs.iter().chain(&netlist.signals) {
        if store_needs_clean(netlist.width(n.node)) {
            mark(n.node);
        }
    }
    for r in &netlist.registers {
        if store_needs_clean(r.width) || netlist.shape(r.next).is_some() {
            mark(r.next);
        }
    }
    for w in netlist.memories.iter().flat_map(|m| &m.writes) {
        mark(w.address);
        mark(w.data);
    }
    needs
}

impl Lower<'_, '_> {
    pub(super) fn steps(&mut self, steps: &[Step]) {
        for s in steps {
            match s {
                Step::Eval(id) => {
                    let v = self.node(*id);
                    let v = if self.needs_clean[id.index()] {
                        self.cleaned(v, *id)
                    } else {
                        v
                    };
                    self.values[id.index()] = Some(v);
                }
                Step::Visible(i, node) => {
                    let v = self.get(*node);
                    self.store(self.layout.visible[*i], &v);
                }
                Step::Register {
                    register,
                    node,
                    shadow,
                } => {
                    let v = self.stored(*node);
                    let slot = self.layout.registers[*register as usize];
                    let slot = if *shadow {
                        self.layout.shadow(slot).unwrap_or(slot)
                    } else {
                        slot
                    };
                    self.store(slot, &v);
                }
                Step::Write {
                    memory,
                    write,
                    enable,
                    deferred,
                } => self.write(*memory, *write, *enable, *deferred),
                Step::Switch {
                    selector,
                    values,
                    arms,
                } => self.switch(*selector, values, arms),
                Step::If(condition, then, other) => {
                    self.branch(*condition, then, other);
                }
            }
        }
    }

    /// Copies shadows to registers and performs the remembered writes.
    fn commit(&mut self, schedule: &Schedule) {
        for (i, (memory, write)) in schedule.deferred.iter().enumerate() {
            self.deferred_write(i, *memory, *write);
        }
        for at in (0..self.layout.shadow_bytes).step_by(COPY_BYTES) {
            if schedule.shadows.is_empty() {
                break;
            }
            let (from, to) = (self.layout.shadows + at, self.layout.shadowed + at);
            let v = self
                .b
                .ins()
                .load(types::I8X16, flags(), self.base, from as i32);
            self.b.ins().store(flags(), v, self.base, to as i32);
        }
    }

    pub(super) fn iconst(&mut self, value: u64) -> Value {
        self.b.ins().iconst(types::I64, value as i64)
    }

    /// A node's value, wherever it comes from.
    pub(super) fn get(&mut self, id: NodeId) -> Val {
        if let Some(v) = &self.values[id.index()] {
            return v.clone();
        }
        let netlist = self.netlist;
        match &netlist.node(id).op {
            Op::Const(b) => self.constant(b),
            Op::Input(i) if netlist.is_clock(*i) => self.constant(&Bits::zero(1)),
            Op::Input(i) => self.load(self.layout.inputs[*i as usize]),
            Op::Reg(r) => {
                let slot = self.layout.registers[*r as usize];
                match netlist.shape(id) {
                    Some(shape) => self.load_lanes(self.base, slot.offset, shape),
                    None => self.load(slot),
                }
            }
            op => unreachable!("{op:?} is scheduled before its users"),
        }
    }

    fn constant(&mut self, b: &Bits) -> Val {
        match b.width() {
            1 => Val::Bit(self.b.ins().iconst(types::I8, b.low() as i64)),
            2..=64 => Val::Word(self.iconst(b.low()), true),
            _ => Val::Wide(
                b.limbs()
                    .iter()
                    .map(|l| self.b.ins().iconst(types::I64, *l as i64))
                    .collect(),
            ),
        }
    }

    /// A node of up to 64 bits as an `i64` that may be dirty.
    pub(super) fn word(&mut self, id: NodeId) -> Value {
        match self.get(id) {
            Val::Bit(v) => self.b.ins().uextend(types::I64, v),
            Val::Word(v, _) => v,
            Val::Wide(limbs) => limbs[0],
            Val::Packed(_) => unreachable!("vectors are used as vectors"),
        }
    }

    /// A node of up to 64 bits as a clean `i64`.
    pub(super) fn clean(&mut self, id: NodeId) -> Value {
        let v = self.get(id);
        match self.cleaned(v, id) {
            Val::Bit(v) => self.b.ins().uextend(types::I64, v),
            Val::Word(v, _) => v,
            Val::Wide(limbs) => limbs[0],
            Val::Packed(_) => unreachable!("vectors are used as vectors"),
        }
    }

    /// A one-bit node.
    pub(super) fn bit(&mut self, id: NodeId) -> Value {
        match self.get(id) {
            Val::Bit(v) => v,
            _ => unreachable!("one-bit nodes are bits"),
        }
    }

    /// A node's limbs, extended by zeros to `n` of them.
    pub(super) fn limbs(&mut self, id: NodeId, n: usize) -> Vec<Value> {
        let mut limbs = match self.get(id) {
            Val::Wide(limbs) => limbs,
            _ => vec![self.clean(id)],
        };
        while limbs.len() < n {
            limbs.push(self.iconst(0));
        }
        limbs.truncate(n);
        limbs
    }

    /// The value of node `id` without rubbish.
    pub(super) fn cleaned(&mut self, v: Val, id: NodeId) -> Val {
        match (v, self.netlist.shape(id)) {
            (Val::Word(v, false), _) => Val::Word(self.mask(v, self.netlist.width(id)), true),
            (Val::Packed(p), Some(shape)) => Val::Packed(self.clean_lanes(p, shape)),
            (v, _) => v,
        }
    }

    /// Clears the bits from `width` on.
    pub(super) fn mask(&mut self, v: Value, width: u32) -> Value {
        let narrow = match width {
            64.. => return v,
            8 => types::I8,
            16 => types::I16,
            32 => types::I32,
            _ => {
                let m = self.iconst(mask(width));
                return self.b.ins().band(v, m);
            }
        };
        let v = self.b.ins().ireduce(narrow, v);
        self.b.ins().uextend(types::I64, v)
    }

    /// Clears the bits of the last limb that lie above `width`.
    pub(super) fn clean_top(&mut self, limbs: &mut [Value], width: u32) {
        let rest = width % 64;
        if let (Some(last), true) = (limbs.last_mut(), rest != 0) {
            *last = self.mask(*last, rest);
        }
    }

    pub(super) fn load(&mut self, slot: Slot) -> Val {
        self.load_at(self.base, slot.offset as i32, slot.width)
    }

    pub(super) fn load_at(&mut self, base: Value, offset: i32, width: u32) -> Val {
        let ins = self.b.ins();
        let word = match width {
            0..=1 => return Val::Bit(ins.load(types::I8, flags(), base, offset)),
            2..=8 => ins.uload8(types::I64, flags(), base, offset),
            9..=16 => ins.uload16(types::I64, flags(), base, offset),
            17..=32 => ins.uload32(flags(), base, offset),
            33..=64 => ins.load(types::I64, flags(), base, offset),
            _ => {
                let n = limbs_for(width) as i32;
                let limb =
                    |l: &mut Self, i| l.b.ins().load(types::I64, flags(), base, offset + 8 * i);
                return Val::Wide((0..n).map(|i| limb(self, i)).collect());
            }
        };
        Val::Word(word, true)
    }

    pub(super) fn store(&mut self, slot: Slot, v: &Val) {
        self.store_at(self.base, slot.offset as i32, slot.width, v);
    }

    pub(super) fn store_at(&mut self, base: Value, offset: i32, width: u32, v: &Val) {
        match v {
            Val::Bit(v) => {
                self.b.ins().store(flags(), *v, base, offset);
            }
            Val::Word(v, clean) => {
                let v = if *clean || !store_needs_clean(width) {
                    *v
                } else {
                    self.mask(*v, width)
                };
                match bytes_for(width) {
                    1 => self.b.ins().istore8(flags(), v, base, offset),
                    2 => self.b.ins().istore16(flags(), v, base, offset),
                    4 => self.b.ins().istore32(flags(), v, base, offset),
                    _ => self.b.ins().store(flags(), v, base, offset),
                };
            }
            Val::Wide(limbs) => {
                for (i, limb) in limbs.iter().enumerate() {
                    self.b
                        .ins()
                        .store(flags(), *limb, base, offset + 8 * i as i32);
                }
            }
            Val::Packed(p) => self.store_lanes(p, base, offset),
        }
    }

    /// Computes a node from its operands.
    fn node(&mut self, id: NodeId) -> Val {
        let netlist = self.netlist;
        let n = netlist.node(id);
        if let Op::Read(memory, address) = n.op {
            return self.read(memory, address);
        }
        match &n.op {
            Op::Vector(v) => return Val::Packed(self.vector(v)),
            Op::Lane(a, lane) => return self.lane(*a, *lane, n.width),
            Op::Mux(c, a, b) if netlist.shape(id).is_some() => {
                return self.select_lanes(*c, *a, *b);
            }
            _ => {}
        }
        let mut widest = n.width;
        n.op.each(|a| widest = widest.max(netlist.width(a)));
        if widest > 64 {
            self.wide_node(n)
        } else {
            self.word_node(n)
        }
    }

    /// Selects `a` where `c` is set.
    pub(super) fn select(&mut self, c: Value, a: Value, b: Value) -> Value {
        self.b.ins().select(c, a, b)
    }

    pub(super) fn compare(&mut self, cc: IntCC, a: Value, b: Value) -> Value {
        self.b.ins().icmp(cc, a, b)
    }
}

/// Accesses stay inside the block and are aligned.
pub(super) fn flags() -> MemFlagsData {
    MemFlagsData::trusted()
}
