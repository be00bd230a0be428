//! Reads the sums out, one word a cycle, and leaves zeros; sweeps zeros over everything at a reset.

use crate::rtl::*;

/// Words of the answer queue; a drain keeps 8 free for a header.
pub const ANSWERS: usize = 32;

/// Walks the accumulators of all banks. Its operations enter the banks' pipelines where rounds do; the lane of the
/// word that it asked for is named in stage 9, and the word comes out of its bank in stage 13.
#[derive(LogicBlock)]
pub struct Drain {
    /// Rising edge clocks everything.
    pub clock: Signal<In, Clock>,
    /// Drain the rows; held until `done`.
    pub run: Signal<In, Bit>,
    /// Write zeros to every row of every bank; held until `sweep_done`.
    pub sweep: Signal<In, Bit>,
    /// Rows a bank, minus one.
    pub last_row: Signal<In, Bits<ADDRESS>>,
    /// Tokens, minus one.
    pub last_lane: Signal<In, Bits<4>>,
    /// An answer word leaves the core.
    pub answer_read: Signal<In, Bit>,
    /// Accumulator of each bank in stage 13, of the lane that `lane_shown` named four cycles ago.
    pub accumulator: Vec<Signal<In, Bits<24>>>,
    /// Lane whose accumulators are looked at, named in stage 9.
    pub lane_shown: Signal<Out, Bits<4>>,
    /// Row address for every bank.
    pub address: Signal<Out, Bits<ADDRESS>>,
    /// Issue the address as a write of zero, in every bank.
    pub issue: Signal<Out, Bit>,
    /// Address and issue are the banks', not those of a round.
    pub active: Signal<Out, Bit>,
    /// A sum for the answer queue.
    pub word_write: Signal<Out, Bit>,
    /// The sum, sign-extended.
    pub word: Signal<Out, Bits<32>>,
    /// Every sum was handed over.
    pub done: Signal<Out, Bit>,
    /// The last zero of a sweep is issued.
    pub sweep_done: Signal<Out, Bit>,
    row: DFF<Bits<ADDRESS>>,
    bank: DFF<Bits<4>>,
    lane: DFF<Bits<4>>,
    asked_all: DFF<Bit>,
    flight: DFF<Bits<14>>,
    outstanding: DFF<Bits<6>>,
    word_bank: DFF<Bits<4>>,
    word_lane: DFF<Bits<4>>,
    bank_pipe: DFF<Bits<16>>,
    asked_row: DFF<Bits<ADDRESS>>,
    issued: DFF<Bit>,
    running: DFF<Bit>,
    swept: DFF<Bit>,
    held: DFF<Bits<24>>,
    holding: DFF<Bit>,
    ask: Signal<Local, Bit>,
    row_end: Signal<Local, Bit>,
    lane_at: Constant<Bits<4>>,
    word_at: Constant<Bits<4>>,
    bank_at: Constant<Bits<4>>,
    last_bank: Constant<Bits<4>>,
    last_address: Constant<Bits<ADDRESS>>,
    credit: Constant<Bits<6>>,
    sign: Constant<Bits<32>>,
    _banks: usize,
}

impl Drain {
    /// The unit for `banks` banks of `depth` accumulators a lane; relays take `hops` clocks.
    #[must_use]
    pub fn new(banks: usize, depth: usize, hops: usize) -> Self {
        Self {
            clock: Signal::default(),
            run: Signal::default(),
            sweep: Signal::default(),
            last_row: Signal::default(),
            last_lane: Signal::default(),
            answer_read: Signal::default(),
            accumulator: vec![Signal::default(); banks],
            lane_shown: Signal::default(),
            address: Signal::default(),
            issue: Signal::default(),
            active: Signal::default(),
            word_write: Signal::default(),
            word: Signal::default(),
            done: Signal::default(),
            sweep_done: Signal::default(),
            row: DFF::default(),
            bank: DFF::default(),
            lane: DFF::default(),
            asked_all: DFF::default(),
            flight: DFF::default(),
            outstanding: DFF::default(),
            word_bank: DFF::default(),
            word_lane: DFF::default(),
            bank_pipe: DFF::default(),
            asked_row: DFF::default(),
            issued: DFF::default(),
            running: DFF::default(),
            swept: DFF::default(),
            held: DFF::default(),
            holding: DFF::default(),
            ask: Signal::default(),
            row_end: Signal::default(),
            // Relays on the way to the accumulators and back are in the way of the lane's name and of the word.
            lane_at: Constant::new((10 - hops).to_bits()),
            word_at: Constant::new((12 + hops).to_bits()),
            bank_at: Constant::new((4 + 8 * hops).to_bits()),
            last_bank: Constant::new((banks - 1).to_bits()),
            last_address: Constant::new((depth - 1).to_bits()),
            sign: Constant::new(0xff00_0000_u32.to_bits()),
            credit: Constant::new((ANSWERS - 8).to_bits()),
            _banks: banks,
        }
    }
}

impl Logic for Drain {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self,
            clock,
            row,
            bank,
            lane,
            asked_all,
            flight,
            outstanding,
            word_bank,
            word_lane,
            bank_pipe,
            asked_row,
            issued,
            running,
            swept,
            held,
            holding
        );

        // Ask: row by row, bank by bank, lane by lane; zero a row with its last word.
        self.ask.next = self.run.val()
            && !self.asked_all.q.val()
            && (self.outstanding.q.val() < self.credit.val());
        self.row_end.next = self.ask.val()
            && (self.bank.q.val() == self.last_bank.val())
            && (self.lane.q.val() == self.last_lane.val());
        self.asked_row.d.next = self.row.q.val();
        self.issued.d.next = self.sweep.val() || self.row_end.val();
        self.running.d.next = self.sweep.val() || self.run.val();
        self.address.next = self.asked_row.q.val();
        self.issue.next = self.issued.q.val();
        self.active.next = self.running.q.val();
        self.swept.d.next = self.sweep.val() && (self.row.q.val() == self.last_address.val());
        self.sweep_done.next = self.swept.q.val();
        if self.ask.val() {
            self.lane.d.next = self.lane.q.val() + 1;
            if self.lane.q.val() == self.last_lane.val() {
                self.lane.d.next = 0.into();
                self.bank.d.next = self.bank.q.val() + 1;
            }
        }
        if self.row_end.val() {
            self.bank.d.next = 0.into();
            self.row.d.next = self.row.q.val() + 1;
            if self.row.q.val() == self.last_row.val() {
                self.asked_all.d.next = true;
            }
        }
        if self.sweep.val() {
            self.row.d.next = self.row.q.val() + 1;
        }
        if self.ask.val() && !self.answer_read.val() {
            self.outstanding.d.next = self.outstanding.q.val() + 1;
        }
        if !self.ask.val() && self.answer_read.val() && self.outstanding.q.val().any() {
            self.outstanding.d.next = self.outstanding.q.val() - 1;
        }

        // Answer: ten cycles after the request its lane is named, four later the word is there; with no relays eleven and two.
        self.flight.d.next = self.flight.q.val() << 1;
        if self.ask.val() {
            self.flight.d.next = (self.flight.q.val() << 1) | 1;
        }
        self.lane_shown.next = self.word_lane.q.val();
        self.bank_pipe.d.next =
            (self.bank_pipe.q.val() << 4) | bit_cast::<16, 4>(self.word_bank.q.val());
        if self.flight.q.val().get_bit(self.lane_at.val().index()) {
            self.word_lane.d.next = self.word_lane.q.val() + 1;
            if self.word_lane.q.val() == self.last_lane.val() {
                self.word_lane.d.next = 0.into();
                self.word_bank.d.next = self.word_bank.q.val() + 1;
                if self.word_bank.q.val() == self.last_bank.val() {
                    self.word_bank.d.next = 0.into();
                }
            }
        }
        self.holding.d.next = self.flight.q.val().get_bit(self.word_at.val().index());
        for i in 0..self._banks {
            if self
                .bank_pipe
                .q
                .val()
                .get_bits::<4>(self.bank_at.val().index())
                == i.to_bits::<4>()
            {
                self.held.d.next = self.accumulator[i].val();
            }
        }
        self.word_write.next = self.holding.q.val();
        self.word.next = bit_cast::<32, 24>(self.held.q.val());
        if self.held.q.val().get_bit(23) {
            self.word.next = bit_cast::<32, 24>(self.held.q.val()) | self.sign.val();
        }
        self.done.next =
            self.asked_all.q.val() && !self.flight.q.val().any() && !self.holding.q.val();

        if !self.run.val() && !self.sweep.val() {
            self.row.d.next = 0.into();
            self.bank.d.next = 0.into();
            self.lane.d.next = 0.into();
            self.asked_all.d.next = false;
            self.outstanding.d.next = 0.into();
            self.word_lane.d.next = 0.into();
            self.word_bank.d.next = 0.into();
        }
    }
}
