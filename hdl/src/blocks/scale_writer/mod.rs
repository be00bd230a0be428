//! Spreads the scale words of a beat over the banks.

use crate::rtl::*;

/// Takes beats of 16-bit scale words in row order and writes each to its bank. With fewer banks than words a
/// beat it takes several cycles a beat.
#[derive(LogicBlock)]
pub struct ScaleWriter<const D: usize> {
    /// Rising edge clocks everything.
    pub clock: Signal<In, Clock>,
    /// Starts at row 0 again.
    pub restart: Signal<In, Bit>,
    /// A beat of scale words is offered.
    pub offer: Signal<In, Bit>,
    /// The beat.
    pub beat: Signal<In, Bits<D>>,
    /// Half of the scale memory to write.
    pub half: Signal<In, Bit>,
    /// The beat offered, if one is, is used up this cycle.
    pub accept: Signal<Out, Bit>,
    /// Stores a word in this bank, a cycle after it was offered.
    pub write: Vec<Signal<Out, Bit>>,
    /// Where, in every bank.
    pub address: Signal<Out, Bits<11>>,
    /// Word for each bank.
    pub data: Vec<Signal<Out, Bits<16>>>,
    row: DFF<Bits<14>>,
    writing: Vec<DFF<Bit>>,
    written: Vec<DFF<Bits<16>>>,
    place: DFF<Bits<11>>,
    next_row: Signal<Local, Bits<14>>,
    bank: Signal<Local, Bits<14>>,
    skipped: Signal<Local, Bits<D>>,
    step: Constant<Bits<14>>,
    word_mask: Constant<Bits<14>>,
    bank_mask: Constant<Bits<14>>,
    log2_banks: Constant<Bits<3>>,
    upper: Constant<Bits<11>>,
    first_of: Vec<Constant<Bits<14>>>,
    offset_of: Vec<Constant<Bits<6>>>,
    _banks: usize,
}

impl<const D: usize> ScaleWriter<D> {
    /// The writer for `banks` banks of `depth` rows.
    #[must_use]
    pub fn new(banks: usize, depth: usize) -> Self {
        let words = D / 16;
        let step = words.min(banks);
        Self {
            clock: Signal::default(),
            restart: Signal::default(),
            offer: Signal::default(),
            beat: Signal::default(),
            half: Signal::default(),
            accept: Signal::default(),
            write: vec![Signal::default(); banks],
            address: Signal::default(),
            data: vec![Signal::default(); banks],
            row: DFF::default(),
            writing: vec![DFF::default(); banks],
            written: vec![DFF::default(); banks],
            place: DFF::default(),
            next_row: Signal::default(),
            bank: Signal::default(),
            skipped: Signal::default(),
            step: Constant::new(step.to_bits()),
            word_mask: Constant::new((words - 1).to_bits()),
            bank_mask: Constant::new((banks - 1).to_bits()),
            log2_banks: Constant::new(clog2(banks).to_bits()),
            upper: Constant::new(depth.to_bits()),
            first_of: (0..banks)
                .map(|b| Constant::new((b - b % step).to_bits()))
                .collect(),
            offset_of: (0..banks)
                .map(|b| Constant::new((b % step * 16).to_bits()))
                .collect(),
            _banks: banks,
        }
    }
}

impl<const D: usize> Logic for ScaleWriter<D> {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, row, place);
        self.next_row.next = self.row.q.val() + self.step.val();
        self.bank.next = self.row.q.val() & self.bank_mask.val();
        self.accept.next = (self.next_row.val() & self.word_mask.val()) == 0;
        if self.offer.val() {
            self.row.d.next = self.next_row.val();
        }
        if self.restart.val() {
            self.row.d.next = 0.into();
        }
        self.place.d.next = bit_cast::<11, 14>(self.row.q.val() >> self.log2_banks.val());
        if self.half.val() {
            self.place.d.next =
                bit_cast::<11, 14>(self.row.q.val() >> self.log2_banks.val()) | self.upper.val();
        }
        self.address.next = self.place.q.val();
        self.skipped.next =
            self.beat.val() >> (bit_cast::<7, 14>(self.row.q.val() & self.word_mask.val()) << 4);
        for i in 0..self._banks {
            self.writing[i].clock.next = self.clock.val();
            self.writing[i].d.next =
                self.offer.val() && (self.bank.val() == self.first_of[i].val());
            self.write[i].next = self.writing[i].q.val();
            self.written[i].clock.next = self.clock.val();
            self.data[i].next = self.written[i].q.val();
            self.written[i].d.next = self
                .skipped
                .val()
                .get_bits::<16>(self.offset_of[i].val().index());
        }
    }
}
