//! Mask scanner of one bank: mask words in, addresses of surviving rows out, one a cycle.
//!
//! A column's mask must fit beside what is left of the column before, because the codes that would drain
//! the queue come after it: the word queue holds two columns of the tallest tile.

use crate::blocks::queue::Queue;
use crate::rtl::*;

/// Turns the mask words of one bank (`M` rows each) into row addresses, and an end mark after each column.
/// An address costs one cycle, a word without survivors one, the end mark one.
#[derive(LogicBlock)]
pub struct Scanner<const M: usize> {
    /// Rising edge clocks everything.
    pub clock: Signal<In, Clock>,
    /// Drops everything that is queued.
    pub flush: Signal<In, Bit>,
    /// Mask words of a column, minus one; constant while a column is under way.
    pub last_word: Signal<In, Bits<9>>,
    /// One less than that.
    pub next_to_last_word: Signal<In, Bits<9>>,
    /// Appends `word`.
    pub write: Signal<In, Bit>,
    /// Mask bits of this bank's next `M` rows, the lowest row in bit 0.
    pub word: Signal<In, Bits<M>>,
    /// No room for a word.
    pub full: Signal<Out, Bit>,
    /// Takes the head.
    pub read: Signal<In, Bit>,
    /// Bit 10: end of a column; below: address of a surviving row. Valid while `empty` is low.
    pub head: Signal<Out, Bits<11>>,
    /// No head.
    pub empty: Signal<Out, Bit>,
    words: Queue<M, 11, 12>,
    current: DFF<Bits<M>>,
    loaded: DFF<Bit>,
    index: DFF<Bits<9>>,
    at_last: DFF<Bit>,
    ending: DFF<Bit>,
    positions: Queue<11, 4, 5>,
    rest: Signal<Local, Bits<M>>,
    lowest: Signal<Local, Bits<M>>,
    alive: Signal<Local, Bit>,
    number: Vec<Signal<Local, Bits<6>>>,
    first: Signal<Local, Bits<6>>,
    room: Signal<Local, Bit>,
    spent: Signal<Local, Bit>,
    take: Signal<Local, Bit>,
    shift: Constant<Bits<3>>,
    _bits: usize,
}

impl<const M: usize> Scanner<M> {
    /// A scanner for banks of `depth` rows.
    #[must_use]
    pub fn new(depth: usize) -> Self {
        Self {
            clock: Signal::default(),
            flush: Signal::default(),
            last_word: Signal::default(),
            next_to_last_word: Signal::default(),
            write: Signal::default(),
            word: Signal::default(),
            full: Signal::default(),
            read: Signal::default(),
            head: Signal::default(),
            empty: Signal::default(),
            words: Queue::new((2 * depth / M).max(16)),
            current: DFF::default(),
            loaded: DFF::default(),
            index: DFF::default(),
            at_last: DFF::default(),
            ending: DFF::default(),
            positions: Queue::default(),
            rest: Signal::default(),
            lowest: Signal::default(),
            alive: Signal::default(),
            number: vec![Signal::default(); M + 1],
            first: Signal::default(),
            room: Signal::default(),
            spent: Signal::default(),
            take: Signal::default(),
            shift: Constant::new(clog2(M).to_bits()),
            _bits: M,
        }
    }
}

impl<const M: usize> Logic for Scanner<M> {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, current, loaded, index, at_last, ending);
        clock!(self, clock, words, positions);

        self.words.clear.next = self.flush.val();
        self.words.write.next = self.write.val();
        self.words.data.next = self.word.val();
        self.words.read.next = self.take.val();
        self.full.next = self.words.full.val();

        // The lowest survivor of the current word.
        self.rest.next = self.current.q.val() & (self.current.q.val() - 1);
        self.lowest.next = self.current.q.val() ^ self.rest.val();
        // One bit at most is set, so the numbers of the set bits need no order: an OR, not a chain of choices.
        self.number[0].next = 0.into();
        for i in 0..self._bits {
            self.number[i + 1].next = self.number[i].val();
            if self.lowest.val().get_bit(i) {
                self.number[i + 1].next = self.number[i].val() | i.to_bits::<6>();
            }
            self.first.next = self.number[i + 1].val();
        }
        self.room.next = !self.positions.full.val();
        self.alive.next = self.current.q.val().any();
        self.spent.next =
            self.loaded.q.val() && (self.rest.val() == 0) && (self.room.val() || !self.alive.val());
        self.take.next = !self.words.empty.val()
            && ((!self.loaded.q.val() && (!self.ending.q.val() || self.room.val()))
                || (self.spent.val() && !self.at_last.q.val()));

        // Survivors and end marks.
        self.positions.clear.next = self.flush.val();
        self.positions.read.next = self.read.val();
        self.head.next = self.positions.head.val();
        self.empty.next = self.positions.empty.val();
        self.positions.write.next =
            self.room.val() && (self.ending.q.val() || (self.loaded.q.val() && self.alive.val()));
        self.positions.data.next = (bit_cast::<11, 9>(self.index.q.val()) << self.shift.val())
            | bit_cast::<11, 6>(self.first.val());
        if self.ending.q.val() {
            self.positions.data.next = 0x400.into();
        }

        if self.room.val() {
            self.ending.d.next = false;
            self.current.d.next = self.rest.val();
        }
        // Whether `index` is the column's last word is known with it, not worked out from it.
        self.at_last.d.next = self.index.q.val() == self.last_word.val();
        if self.spent.val() {
            self.loaded.d.next = false;
            self.index.d.next = self.index.q.val() + 1;
            self.at_last.d.next = self.index.q.val() == self.next_to_last_word.val();
            if self.at_last.q.val() {
                self.index.d.next = 0.into();
                self.at_last.d.next = !self.last_word.val().any();
                self.ending.d.next = true;
            }
        }
        if self.take.val() {
            self.current.d.next = self.words.head.val();
            self.loaded.d.next = true;
        }

        if self.flush.val() {
            self.loaded.d.next = false;
            self.index.d.next = 0.into();
            self.at_last.d.next = !self.last_word.val().any();
            self.ending.d.next = false;
        }
    }
}
