//! A first-word-fall-through queue in block RAM, for what is too much for distributed RAM.

use crate::blocks::ram::BlockRam;
use crate::rtl::*;

/// Queue of `1 << A` words of `N` bits; `P` is `A + 1`. The head stands on `head` while `empty` is low.
/// Writing a full queue or reading an empty one is the caller's fault and loses words.
#[derive(LogicBlock)]
pub struct Buffer<const N: usize, const A: usize, const P: usize> {
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
    /// No word can be read.
    pub empty: Signal<Out, Bit>,
    /// No room is left.
    pub full: Signal<Out, Bit>,
    /// Words that can be read without a pause.
    pub count: Signal<Out, Bits<P>>,
    memory: BlockRam<N, A>,
    writes: DFF<Bits<P>>,
    seen: DFF<Bits<P>>,
    reads: DFF<Bits<P>>,
    next_read: Signal<Local, Bits<P>>,
    used: Signal<Local, Bits<P>>,
    capacity: Constant<Bits<P>>,
}

impl<const N: usize, const A: usize, const P: usize> Default for Buffer<N, A, P> {
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
            count: Signal::default(),
            memory: BlockRam::new(1 << A, false),
            writes: DFF::default(),
            seen: DFF::default(),
            reads: DFF::default(),
            next_read: Signal::default(),
            used: Signal::default(),
            capacity: Constant::new((1_u64 << A).to_bits()),
        }
    }
}

impl<const N: usize, const A: usize, const P: usize> Logic for Buffer<N, A, P> {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, writes, seen, reads);
        self.memory.clock.next = self.clock.val();
        self.next_read.next = self.reads.q.val();
        if self.read.val() {
            self.next_read.next = self.reads.q.val() + 1;
        }
        self.reads.d.next = self.next_read.val();
        self.memory.write_enable.next = self.write.val();
        self.memory.write_address.next = bit_cast::<A, P>(self.writes.q.val());
        self.memory.write_data.next = self.data.val();
        // The memory shows the word that will be the head after this edge, if it was written before.
        self.memory.read_address.next = bit_cast::<A, P>(self.next_read.val());
        self.seen.d.next = self.writes.q.val();
        self.head.next = self.memory.read_data.val();
        self.count.next = self.seen.q.val() - self.reads.q.val();
        self.empty.next = self.seen.q.val() == self.reads.q.val();
        self.used.next = self.writes.q.val() - self.reads.q.val();
        self.full.next = self.used.val() == self.capacity.val();
        if self.write.val() {
            self.writes.d.next = self.writes.q.val() + 1;
        }
        if self.clear.val() {
            self.writes.d.next = 0.into();
            self.seen.d.next = 0.into();
            self.reads.d.next = 0.into();
        }
    }
}
