//! A FIFO of 16 words of 16 bits, described in rust-hdl.

use rust_hdl::prelude::*;

/// A FIFO of 16 words. A word that is popped stands at `data_out` in the next cycle, marked by `valid`.
#[derive(LogicBlock)]
pub struct Fifo {
    /// Everything happens at its rising edge.
    pub clock: Signal<In, Clock>,
    /// Take `data_in`, unless `full`.
    pub push: Signal<In, Bit>,
    /// The word to take.
    pub data_in: Signal<In, Bits<16>>,
    /// No word is taken.
    pub full: Signal<Out, Bit>,
    /// Give the oldest word, unless `empty`.
    pub pop: Signal<In, Bit>,
    /// No word is given.
    pub empty: Signal<Out, Bit>,
    /// A word stands at `data_out`.
    pub valid: Signal<Out, Bit>,
    /// The word that was popped in the cycle before.
    pub data_out: Signal<Out, Bits<16>>,
    words: RAM<Bits<16>, 4>,
    head: DFF<Bits<4>>,
    tail: DFF<Bits<4>>,
    count: DFF<Bits<5>>,
    given: DFF<Bit>,
    taking: Signal<Local, Bit>,
    giving: Signal<Local, Bit>,
    depth: Constant<Bits<5>>,
}

impl Default for Fifo {
    fn default() -> Self {
        Fifo {
            clock: Default::default(),
            push: Default::default(),
            data_in: Default::default(),
            full: Default::default(),
            pop: Default::default(),
            empty: Default::default(),
            valid: Default::default(),
            data_out: Default::default(),
            words: RAM::from((0..16).map(|_| 0u64.to_bits::<16>())),
            head: Default::default(),
            tail: Default::default(),
            count: Default::default(),
            given: Default::default(),
            taking: Default::default(),
            giving: Default::default(),
            depth: Constant::new(16.into()),
        }
    }
}

impl Logic for Fifo {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, head, tail, count, given);
        self.full.next = self.count.q.val() == self.depth.val();
        self.empty.next = !self.count.q.val().any();
        self.taking.next = self.push.val() & (self.count.q.val() != self.depth.val());
        self.giving.next = self.pop.val() & self.count.q.val().any();
        self.words.write_clock.next = self.clock.val();
        self.words.write_address.next = self.tail.q.val();
        self.words.write_data.next = self.data_in.val();
        self.words.write_enable.next = self.taking.val();
        self.words.read_clock.next = self.clock.val();
        self.words.read_address.next = self.head.q.val();
        if self.taking.val() {
            self.tail.d.next = self.tail.q.val() + 1;
        }
        if self.giving.val() {
            self.head.d.next = self.head.q.val() + 1;
        }
        if self.taking.val() & !self.giving.val() {
            self.count.d.next = self.count.q.val() + 1;
        }
        if !self.taking.val() & self.giving.val() {
            self.count.d.next = self.count.q.val() - 1;
        }
        self.given.d.next = self.giving.val();
        self.valid.next = self.given.q.val();
        self.data_out.next = self.words.read_data.val();
    }
}

/// The block's Verilog; its top module is called `top`.
pub fn verilog() -> String {
    let mut fifo = Fifo::default();
    fifo.connect_all();
    generate_verilog(&fifo)
}
