//! Code words: beats of codes become words of as many codes as a beat has nibbles, whatever the kind.

use crate::rtl::*;

/// Makes code words of `F = 2 D` bits from beats of `D`: low nibbles of `D / 4` codes in the low half, high nibbles in
/// the high half. A beat of `g4` codes is a word (its high half means nothing); two beats of signed 8-bit codes are.
#[derive(LogicBlock)]
pub struct CodeWords<const D: usize, const F: usize> {
    /// Rising edge clocks everything.
    pub clock: Signal<In, Clock>,
    /// Forgets half a word.
    pub flush: Signal<In, Bit>,
    /// A beat of codes.
    pub write: Signal<In, Bit>,
    /// It is the last beat of its column.
    pub last: Signal<In, Bit>,
    /// Its codes are signed 8-bit weights.
    pub plain: Signal<In, Bit>,
    /// The beat.
    pub beat: Signal<In, Bits<D>>,
    /// The beat with low nibbles in its low half, high nibbles in its high half.
    pub planes: Signal<In, Bits<D>>,
    /// A word is complete.
    pub word_write: Signal<Out, Bit>,
    /// The word.
    pub word: Signal<Out, Bits<F>>,
    odd: DFF<Bit>,
    first: DFF<Bits<D>>,
    done: DFF<Bit>,
    low: DFF<Bits<D>>,
    high: DFF<Bits<D>>,
    half: Constant<Bits<7>>,
    width: Constant<Bits<8>>,
    half_mask: Constant<Bits<D>>,
}

impl<const D: usize, const F: usize> Default for CodeWords<D, F> {
    fn default() -> Self {
        assert!(F == 2 * D && D <= 64);
        Self {
            clock: Signal::default(),
            flush: Signal::default(),
            write: Signal::default(),
            last: Signal::default(),
            plain: Signal::default(),
            beat: Signal::default(),
            planes: Signal::default(),
            word_write: Signal::default(),
            word: Signal::default(),
            odd: DFF::default(),
            first: DFF::default(),
            done: DFF::default(),
            low: DFF::default(),
            high: DFF::default(),
            half: Constant::new((D / 2).to_bits()),
            width: Constant::new(D.to_bits()),
            half_mask: Constant::new((u64::MAX >> (64 - D / 2)).into()),
        }
    }
}

impl<const D: usize, const F: usize> Logic for CodeWords<D, F> {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, odd, first, done, low, high);
        self.done.d.next =
            self.write.val() && (!self.plain.val() || self.odd.q.val() || self.last.val());
        self.low.d.next = self.beat.val();
        self.high.d.next = self.planes.val() >> self.half.val();
        if self.plain.val() {
            self.low.d.next = self.planes.val() & self.half_mask.val();
            if self.odd.q.val() {
                self.low.d.next = (self.first.q.val() & self.half_mask.val())
                    | (self.planes.val() << self.half.val());
                self.high.d.next = (self.first.q.val() >> self.half.val())
                    | (self.planes.val() & !self.half_mask.val());
            }
        }
        if self.write.val() {
            self.odd.d.next = self.plain.val() && !self.odd.q.val() && !self.last.val();
            self.first.d.next = self.planes.val();
        }
        self.word_write.next = self.done.q.val();
        self.word.next = bit_cast::<F, D>(self.low.q.val())
            | (bit_cast::<F, D>(self.high.q.val()) << self.width.val());
        if self.flush.val() {
            self.odd.d.next = false;
            self.done.d.next = false;
        }
    }
}
