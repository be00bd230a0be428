//! A first-word-fall-through queue in distributed RAM.

use crate::blocks::ram::LookupRam;
use crate::rtl::*;

/// Queue of `1 << A` words of `N` bits; `P` is `A + 1`. The head stands on `head` while `empty` is low.
/// Writing a full queue or reading an empty one is the caller's fault and loses words.
#[derive(LogicBlock)]
pub struct Fifo<const N: usize, const A: usize, const P: usize> {
    /// Rising edge clocks everything.
    pub clock: Signal<In, Clock>,
    /// Empties the queue at the next edge.
    pub clear: Signal<In, Bit>,
    /// Appends `data` at the next edge.
    pub write: Signal<In, Bit>,
    /// Word to append.
    pub data: Signal<In, Bits<N>>,
    /// Drops the head at the next edge.
    pub read: Signal<In, Bit>,
    /// Oldest word, valid while `empty` is low.
    pub head: Signal<Out, Bits<N>>,
    /// No word is queued.
    pub empty: Signal<Out, Bit>,
    /// No room is left.
    pub full: Signal<Out, Bit>,
    memory: LookupRam<N, A>,
    writes: DFF<Bits<P>>,
    reads: DFF<Bits<P>>,
    capacity: Constant<Bits<P>>,
}

impl<const N: usize, const A: usize, const P: usize> Default for Fifo<N, A, P> {
    fn default() -> Self {
        assert_eq!(P, A + 1);
        Self {
            clock: Signal::default(),
            clear: Signal::default(),
            write: Signal::default(),
            data: Signal::default(),
            read: Signal::default(),
            head: Signal::default(),
            empty: Signal::default(),
            full: Signal::default(),
            memory: LookupRam::default(),
            writes: DFF::default(),
            reads: DFF::default(),
            capacity: Constant::new((1_u64 << A).to_bits()),
        }
    }
}

impl<const N: usize, const A: usize, const P: usize> Logic for Fifo<N, A, P> {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, writes, reads);
        self.memory.clock.next = self.clock.val();
        self.memory.write_enable.next = self.write.val();
        self.memory.write_address.next = bit_cast::<A, P>(self.writes.q.val());
        self.memory.write_data.next = self.data.val();
        self.memory.read_address.next = bit_cast::<A, P>(self.reads.q.val());
        self.head.next = self.memory.read_data.val();
        self.empty.next = self.writes.q.val() == self.reads.q.val();
        self.full.next = (self.writes.q.val() ^ self.reads.q.val()) == self.capacity.val();
        if self.write.val() {
            self.writes.d.next = self.writes.q.val() + 1;
        }
        if self.read.val() {
            self.reads.d.next = self.reads.q.val() + 1;
        }
        if self.clear.val() {
            self.writes.d.next = 0.into();
            self.reads.d.next = 0.into();
        }
    }
}
