//! The buffer of answers: a ring that keeps what the host has not acknowledged.

use crate::blocks::memory::RegisteredRam;
use crate::rtl::*;

/// Words of slack between the registered comparison and the buffer's end.
const SLACK: u32 = 4;

/// Takes words while there is room; the framer reads any of them as often as it likes.
#[derive(LogicBlock)]
pub struct Answers {
    /// Rising edge clocks everything.
    pub clock: Signal<In, Clock>,
    /// Start again at position 0.
    pub restart: Signal<In, Bit>,
    /// Take words and forget them.
    pub discard: Signal<In, Bit>,
    /// A word is offered.
    pub valid: Signal<In, Bit>,
    /// The word.
    pub word: Signal<In, Bits<32>>,
    /// The word is taken at this edge if it is offered.
    pub ready: Signal<Out, Bit>,
    /// Units that the host has.
    pub base: Signal<In, Bits<16>>,
    /// Whole units held, from position 0 on.
    pub written: Signal<Out, Bits<16>>,
    /// Word to read.
    pub address: Signal<In, Bits<12>>,
    /// It, two clocks later.
    pub data: Signal<Out, Bits<32>>,
    memory: RegisteredRam<32, 12>,
    count: DFF<Bits<17>>,
    held: DFF<Bits<17>>,
    room: DFF<Bit>,
    keep: Signal<Local, Bit>,
    most: Constant<Bits<17>>,
}

impl Answers {
    /// A ring of `units`, a power of two.
    #[must_use]
    pub fn new(units: u32) -> Self {
        Self {
            clock: Signal::default(),
            restart: Signal::default(),
            discard: Signal::default(),
            valid: Signal::default(),
            word: Signal::default(),
            ready: Signal::default(),
            base: Signal::default(),
            written: Signal::default(),
            address: Signal::default(),
            data: Signal::default(),
            memory: RegisteredRam::new(2 * units as usize),
            count: DFF::default(),
            held: DFF::default(),
            room: DFF::default(),
            keep: Signal::default(),
            most: Constant::new((2 * units - SLACK).to_bits()),
        }
    }
}

impl Logic for Answers {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, count, held, room);
        clock!(self, clock, memory);
        self.held.d.next = self.count.q.val() - (bit_cast::<17, 16>(self.base.val()) << 1);
        self.room.d.next = self.held.q.val() < self.most.val();
        self.ready.next = self.room.q.val() || self.discard.val();
        self.keep.next = self.valid.val() && self.room.q.val() && !self.discard.val();
        self.memory.write_enable.next = self.keep.val();
        self.memory.write_address.next = bit_cast::<12, 17>(self.count.q.val());
        self.memory.write_data.next = self.word.val();
        self.memory.read_address.next = self.address.val();
        self.data.next = self.memory.read_data.val();
        if self.keep.val() {
            self.count.d.next = self.count.q.val() + 1;
        }
        if self.restart.val() {
            self.count.d.next = 0.into();
        }
        self.written.next = bit_cast::<16, 17>(self.count.q.val() >> 1);
    }
}
