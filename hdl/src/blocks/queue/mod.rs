//! A queue whose every output is a register: memory with a registered read, then two words of output stage.

use crate::blocks::memory::QueueRam;
use crate::rtl::*;

/// Words that still fit when `full` has risen: what a writer may have on the way.
pub const MARGIN: usize = 6;

/// Queue of at most `1 << A` words of `N` bits; `P` is `A + 1`. The head stands on `head` while `empty` is low.
/// Reading an empty queue, or writing more than [`MARGIN`] words after `full`, is the caller's fault and loses words.
#[derive(LogicBlock)]
pub struct Queue<const N: usize, const A: usize, const P: usize> {
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
    /// No word stands on `head`; one may be on its way there.
    pub empty: Signal<Out, Bit>,
    /// No word is anywhere in the queue.
    pub idle: Signal<Out, Bit>,
    /// At most [`MARGIN`] words of room were left an edge ago.
    pub full: Signal<Out, Bit>,
    memory: QueueRam<N, A>,
    writes: DFF<Bits<P>>,
    reads: DFF<Bits<P>>,
    ahead: DFF<Bits<P>>,
    fetched: DFF<Bit>,
    head_valid: DFF<Bit>,
    head_word: DFF<Bits<N>>,
    spare_valid: DFF<Bit>,
    spare_word: DFF<Bits<N>>,
    nearly: DFF<Bit>,
    after: Signal<Local, Bits<P>>,
    next_read: Signal<Local, Bits<P>>,
    open: Signal<Local, Bit>,
    limit: Constant<Bits<P>>,
    wrap: Constant<Bits<P>>,
}

impl<const N: usize, const A: usize, const P: usize> Default for Queue<N, A, P> {
    fn default() -> Self {
        Self::new(1 << A)
    }
}

impl<const N: usize, const A: usize, const P: usize> Queue<N, A, P> {
    /// A queue of `words` words: a power of two, at most `1 << A`. With fewer than sixteen there is no sense in
    /// `full`: the writer must know by itself that there is room.
    #[must_use]
    pub fn new(words: usize) -> Self {
        assert!(P == A + 1 && words.is_power_of_two() && words <= 1 << A);
        Self {
            clock: Signal::default(),
            clear: Signal::default(),
            write: Signal::default(),
            data: Signal::default(),
            read: Signal::default(),
            head: Signal::default(),
            empty: Signal::default(),
            idle: Signal::default(),
            full: Signal::default(),
            memory: QueueRam::new(words),
            writes: DFF::default(),
            reads: DFF::default(),
            ahead: DFF::default(),
            fetched: DFF::default(),
            head_valid: DFF::default(),
            head_word: DFF::default(),
            spare_valid: DFF::default(),
            spare_word: DFF::default(),
            nearly: DFF::default(),
            after: Signal::default(),
            next_read: Signal::default(),
            open: Signal::default(),
            limit: Constant::new(words.saturating_sub(MARGIN).max(1).to_bits()),
            wrap: Constant::new((2 * words - 1).to_bits()),
        }
    }
}

impl<const N: usize, const A: usize, const P: usize> Logic for Queue<N, A, P> {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self,
            clock,
            writes,
            reads,
            ahead,
            fetched,
            head_valid,
            head_word,
            spare_valid,
            spare_word,
            nearly
        );
        clock!(self, clock, memory);

        // `reads` is the number of the word that stands on the memory's output, if `fetched` says so. It moves up
        // while the spare word is free, so the address depends on registers only. Its successor stands in a register
        // too, with bit 0 turned so that zero is right for it after power-up.
        self.after.next = self.ahead.q.val() ^ 1;
        self.next_read.next = self.reads.q.val();
        if self.fetched.q.val() && !self.spare_valid.q.val() {
            self.next_read.next = self.after.val();
            self.ahead.d.next = (self.after.val() + 1) ^ 1;
        }
        self.reads.d.next = self.next_read.val();
        self.fetched.d.next =
            ((self.next_read.val() ^ self.writes.q.val()) & self.wrap.val()).any();
        self.memory.read_address.next = bit_cast::<A, P>(self.next_read.val());
        self.memory.write_enable.next = self.write.val();
        self.memory.write_address.next = bit_cast::<A, P>(self.writes.q.val());
        self.memory.write_data.next = self.data.val();
        if self.write.val() {
            self.writes.d.next = self.writes.q.val() + 1;
        }
        self.nearly.d.next =
            ((self.writes.q.val() - self.reads.q.val()) & self.wrap.val()) >= self.limit.val();

        // Head, and a spare word for what the memory answers while the head stands.
        self.open.next = !self.head_valid.q.val() || self.read.val();
        if !self.spare_valid.q.val() {
            self.spare_word.d.next = self.memory.read_data.val();
        }
        if self.open.val() {
            self.head_valid.d.next = self.fetched.q.val() || self.spare_valid.q.val();
            self.spare_valid.d.next = false;
            self.head_word.d.next = self.memory.read_data.val();
            if self.spare_valid.q.val() {
                self.head_word.d.next = self.spare_word.q.val();
            }
        } else if self.fetched.q.val() {
            self.spare_valid.d.next = true;
        }
        self.head.next = self.head_word.q.val();
        self.empty.next = !self.head_valid.q.val();
        self.idle.next = !self.head_valid.q.val()
            && !((self.writes.q.val() ^ self.reads.q.val()) & self.wrap.val()).any();
        self.full.next = self.nearly.q.val();

        if self.clear.val() {
            self.writes.d.next = 0.into();
            self.reads.d.next = 0.into();
            self.ahead.d.next = 0.into();
            self.fetched.d.next = false;
            self.head_valid.d.next = false;
            self.spare_valid.d.next = false;
        }
    }
}
