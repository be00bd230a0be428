//! The link's counters, in a memory.

use crate::blocks::memory::QueueRam;
use crate::rtl::*;

/// Eight 16-bit counters behind one adder. Their first values are whatever the memory holds. A counter that is being
/// written must not be read: a reader holds for four clocks at least.
#[derive(LogicBlock)]
pub struct Tally {
    /// Rising edge clocks everything.
    pub clock: Signal<In, Clock>,
    /// Counts; one clock, at most once in eight.
    pub happened: Signal<In, Bit>,
    /// Which counter.
    pub counter: Signal<In, Bits<3>>,
    /// A reader needs the memory; counting waits, a few clocks at most.
    pub hold: Signal<In, Bit>,
    /// Counter to read while `hold` is high.
    pub index: Signal<In, Bits<3>>,
    /// It, two clocks later.
    pub value: Signal<Out, Bits<16>>,
    memory: QueueRam<16, 3>,
    held: DFF<Bits<16>>,
    waiting: DFF<Bit>,
    looking: DFF<Bit>,
    adding: DFF<Bit>,
    which: DFF<Bits<3>>,
    go: Signal<Local, Bit>,
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            clock: Signal::default(),
            happened: Signal::default(),
            counter: Signal::default(),
            hold: Signal::default(),
            index: Signal::default(),
            value: Signal::default(),
            memory: QueueRam::new(8),
            held: DFF::default(),
            waiting: DFF::default(),
            looking: DFF::default(),
            adding: DFF::default(),
            which: DFF::default(),
            go: Signal::default(),
        }
    }
}

impl Logic for Tally {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, held, waiting, looking, adding, which);
        clock!(self, clock, memory);
        self.held.d.next = self.memory.read_data.val();
        self.memory.read_address.next = self.which.q.val();
        if self.hold.val() {
            self.memory.read_address.next = self.index.val();
        }
        self.go.next = self.waiting.q.val()
            && !self.hold.val()
            && !self.looking.q.val()
            && !self.adding.q.val();
        self.looking.d.next = self.go.val();
        self.adding.d.next = self.looking.q.val();
        if self.go.val() {
            self.waiting.d.next = false;
        }
        self.memory.write_enable.next = self.adding.q.val();
        self.memory.write_address.next = self.which.q.val();
        self.memory.write_data.next = self.held.q.val() + 1;
        if self.happened.val() {
            self.waiting.d.next = true;
            self.which.d.next = self.counter.val();
        }
        self.value.next = self.held.q.val();
    }
}
