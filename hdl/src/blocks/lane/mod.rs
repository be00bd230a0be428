//! One lane of a bank: multiplier, accumulator memory and adder for one token.

use crate::blocks::memory::RegisteredRam;
use crate::blocks::multiplier::SignedMultiplier;
use crate::rtl::*;

/// Adds `weight * x` to an accumulator. Factors and `read_address` stand in stage 8, `clear` in stage 11,
/// `write_enable` and `write_address` in stage 12 of the bank's pipeline.
#[derive(LogicBlock)]
pub struct Lane {
    /// Rising edge clocks everything.
    pub clock: Signal<In, Clock>,
    /// Signed weight (stage 8).
    pub weight: Signal<In, Bits<8>>,
    /// Signed activation (stage 8).
    pub x: Signal<In, Bits<8>>,
    /// Accumulator to read (stage 8).
    pub read_address: Signal<In, Bits<ADDRESS>>,
    /// Makes the sum zero instead (stage 11).
    pub clear: Signal<In, Bit>,
    /// Stores the sum (stage 12).
    pub write_enable: Signal<In, Bit>,
    /// Where to store it (stage 12).
    pub write_address: Signal<In, Bits<ADDRESS>>,
    /// The accumulator read, before the addition (stage 11).
    pub accumulator: Signal<Out, Bits<24>>,
    memory: RegisteredRam<24, ADDRESS>,
    multiplier: SignedMultiplier<8, 8, 24>,
    read: DFF<Bits<24>>,
    product: DFF<Bits<24>>,
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
            memory: RegisteredRam::new(depth),
            multiplier: SignedMultiplier::default(),
            read: DFF::default(),
            product: DFF::default(),
            sum: DFF::default(),
        }
    }
}

impl Logic for Lane {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, read, product, sum);
        clock!(self, clock, memory, multiplier);
        self.multiplier.a.next = self.weight.val();
        self.multiplier.b.next = self.x.val();
        self.memory.read_address.next = self.read_address.val();
        // A register behind the wires from memory and multiplier, which may be far away.
        self.read.d.next = self.memory.read_data.val();
        self.product.d.next = self.multiplier.product.val();
        self.accumulator.next = self.read.q.val();
        self.sum.d.next = self.read.q.val() + self.product.q.val();
        if self.clear.val() {
            self.sum.d.next = 0.into();
        }
        self.memory.write_data.next = self.sum.q.val();
        self.memory.write_address.next = self.write_address.val();
        self.memory.write_enable.next = self.write_enable.val();
    }
}
