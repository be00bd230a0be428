//! Two words to a beat, for cores that take eight bytes a cycle.

use crate::rtl::*;

/// Collects two words, the first in the low half.
#[derive(LogicBlock, Default)]
pub struct Pairs {
    /// Rising edge clocks everything.
    pub clock: Signal<In, Clock>,
    /// A word is offered.
    pub in_valid: Signal<In, Bit>,
    /// It is taken at this edge if it is offered.
    pub in_ready: Signal<Out, Bit>,
    /// The word.
    pub in_data: Signal<In, Bits<32>>,
    /// A beat is offered.
    pub out_valid: Signal<Out, Bit>,
    /// It is taken at this edge if it is offered.
    pub out_ready: Signal<In, Bit>,
    /// The beat.
    pub out_data: Signal<Out, Bits<64>>,
    beat: DFF<Bits<64>>,
    half: DFF<Bit>,
    whole: DFF<Bit>,
}

impl Logic for Pairs {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, beat, half, whole);
        self.in_ready.next = !self.whole.q.val();
        if self.in_valid.val() && !self.whole.q.val() {
            self.beat.d.next =
                (self.beat.q.val() >> 32) | (bit_cast::<64, 32>(self.in_data.val()) << 32);
            self.half.d.next = !self.half.q.val();
            self.whole.d.next = self.half.q.val();
        }
        if self.whole.q.val() && self.out_ready.val() {
            self.whole.d.next = false;
        }
        self.out_valid.next = self.whole.q.val();
        self.out_data.next = self.beat.q.val();
    }
}
