//! The frames' check sum, a bit a clock.

use crate::rtl::*;
use weft_protocol::serial::CRC_POLYNOMIAL;

/// CRC-32/JAMCRC over bytes. A byte takes eight clocks; the line needs at least forty.
#[derive(LogicBlock)]
pub struct Crc {
    /// Rising edge clocks everything.
    pub clock: Signal<In, Clock>,
    /// Begins a new sum.
    pub clear: Signal<In, Bit>,
    /// Adds `octet`; only while not `busy`.
    pub start: Signal<In, Bit>,
    /// The byte.
    pub octet: Signal<In, Bits<8>>,
    /// The low byte of the sum is the next one to send; adding it shifts the sum down by eight bits.
    pub low: Signal<Out, Bits<8>>,
    /// The sum is zero: a frame with its CRC was undamaged.
    pub zero: Signal<Out, Bit>,
    /// A byte is being added.
    pub busy: Signal<Out, Bit>,
    sum: DFF<Bits<32>>,
    data: DFF<Bits<8>>,
    left: DFF<Bits<4>>,
    polynomial: Constant<Bits<32>>,
    ones: Constant<Bits<32>>,
}

impl Default for Crc {
    fn default() -> Self {
        Self {
            clock: Signal::default(),
            clear: Signal::default(),
            start: Signal::default(),
            octet: Signal::default(),
            low: Signal::default(),
            zero: Signal::default(),
            busy: Signal::default(),
            sum: DFF::default(),
            data: DFF::default(),
            left: DFF::default(),
            polynomial: Constant::new(CRC_POLYNOMIAL.to_bits()),
            ones: Constant::new(u32::MAX.to_bits()),
        }
    }
}

impl Logic for Crc {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, sum, data, left);
        self.busy.next = self.left.q.val().any();
        self.low.next = self.sum.q.val().get_bits::<8>(0);
        self.zero.next = !self.sum.q.val().any();
        if self.left.q.val().any() {
            self.left.d.next = self.left.q.val() - 1;
            self.data.d.next = self.data.q.val() >> 1;
            self.sum.d.next = self.sum.q.val() >> 1;
            if self.sum.q.val().get_bit(0) ^ self.data.q.val().get_bit(0) {
                self.sum.d.next = (self.sum.q.val() >> 1) ^ self.polynomial.val();
            }
        }
        if self.start.val() {
            self.data.d.next = self.octet.val();
            self.left.d.next = 8.into();
        }
        if self.clear.val() {
            self.sum.d.next = self.ones.val();
            self.left.d.next = 0.into();
        }
    }
}
