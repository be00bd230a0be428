//! One lane of a bank: multiplier, accumulator memory and adder for one token.

use crate::blocks::multiplier::SignedMultiplier;
use crate::blocks::ram::BlockRam;
use crate::rtl::*;

/// Adds `weight * x` to an accumulator. The factors stand in stage 6, `read_address` in stage 5, `clear` in
/// stage 7, `write_enable` and `write_address` in stage 8 of the bank's pipeline.
#[derive(LogicBlock)]
pub struct Lane {
    /// Rising edge clocks everything.
    pub clock: Signal<In, Clock>,
    /// Signed weight (stage 6).
    pub weight: Signal<In, Bits<8>>,
    /// Signed activation (stage 6).
    pub x: Signal<In, Bits<8>>,
    /// Accumulator to read (stage 5).
    pub read_address: Signal<In, Bits<ADDRESS>>,
    /// Makes the sum zero instead (stage 7).
    pub clear: Signal<In, Bit>,
    /// Stores the sum (stage 8).
    pub write_enable: Signal<In, Bit>,
    /// Where to store it (stage 8).
    pub write_address: Signal<In, Bits<ADDRESS>>,
    /// The accumulator read, before the addition (stage 7).
    pub accumulator: Signal<Out, Bits<24>>,
    memory: BlockRam<24, ADDRESS>,
    multiplier: SignedMultiplier<8, 8, 24>,
    sum: DFF<Bits<24>>,
}

impl Lane {
    /// A lane of `depth` accumulators.
    #[must_use]
    pub fn new(depth: usize) -> Self {
        Self {
            clock: Signal::default(),
            weight: Signal::default(),
            x: Signal::default(),
            read_address: Signal::default(),
            clear: Signal::default(),
            write_enable: Signal::default(),
            write_address: Signal::default(),
            accumulator: Signal::default(),
            memory: BlockRam::new(depth, true),
            multiplier: SignedMultiplier::default(),
            sum: DFF::default(),
        }
    }
}

impl Logic for Lane {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, sum);
        clock!(self, clock, memory, multiplier);
        self.multiplier.a.next = self.weight.val();
        self.multiplier.b.next = self.x.val();
        self.memory.read_address.next = self.read_address.val();
        self.accumulator.next = self.memory.read_data.val();
        self.sum.d.next = self.memory.read_data.val() + self.multiplier.product.val();
        if self.clear.val() {
            self.sum.d.next = 0.into();
        }
        self.memory.write_data.next = self.sum.q.val();
        self.memory.write_address.next = self.write_address.val();
        self.memory.write_enable.next = self.write_enable.val();
    }
}
