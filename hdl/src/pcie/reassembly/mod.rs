//! Judges completions and puts their data where the request's tag says.

use crate::blocks::ram::LookupRam;
use crate::rtl::*;

/// The table of tags. Completions of different tags come in any order, those of one tag in order of address (2.3.1.1).
#[derive(LogicBlock, Default)]
pub struct Reassembly {
    /// Rising edge clocks everything.
    pub clock: Signal<In, Clock>,
    /// Nothing is owed any more, whatever comes.
    pub forget: Signal<In, Bit>,
    /// Bus, device and function of the card.
    pub requester: Signal<In, Bits<16>>,

    /// Book a tag; only while `book_ok`.
    pub book: Signal<In, Bit>,
    /// A tag can be booked.
    pub book_ok: Signal<Out, Bit>,
    /// Which.
    pub book_tag: Signal<In, Bits<5>>,
    /// Words asked for.
    pub book_words: Signal<In, Bits<7>>,
    /// Low bits of the address.
    pub book_lower: Signal<In, Bits<7>>,
    /// Place in the buffer for the first one.
    pub book_place: Signal<In, Bits<10>>,

    /// A completion's header is shown.
    pub completion: Signal<In, Bit>,
    /// It carries data.
    pub has_data: Signal<In, Bit>,
    /// They are poisoned.
    pub poisoned: Signal<In, Bit>,
    /// Its status.
    pub status: Signal<In, Bits<3>>,
    /// Its doublewords.
    pub length: Signal<In, Bits<10>>,
    /// Bytes still owed, these included.
    pub byte_count: Signal<In, Bits<12>>,
    /// Whose transaction it answers.
    pub answered: Signal<In, Bits<16>>,
    /// Its tag.
    pub tag: Signal<In, Bits<8>>,
    /// Low bits of the first byte's address.
    pub lower_address: Signal<In, Bits<7>>,
    /// Eight bytes of its data are shown.
    pub word_write: Signal<In, Bit>,
    /// It ends.
    pub completion_end: Signal<In, Bit>,

    /// The shown word is for the data buffer.
    pub data_write: Signal<Out, Bit>,
    /// At this place.
    pub data_place: Signal<Out, Bits<10>>,
    /// The shown word is of the command ring.
    pub command_write: Signal<Out, Bit>,
    /// The shown word is of the result ring.
    pub result_write: Signal<Out, Bit>,

    /// Tags whose answer is owed, a bit each.
    pub pending: Signal<Out, Bits<32>>,
    /// How many.
    pub outstanding: Signal<Out, Bits<8>>,
    /// Tag whose outcome is asked.
    pub ask_tag: Signal<In, Bits<5>>,
    /// Its outcome once it is no longer pending: 0 or a `ring::Outcome`.
    pub outcome: Signal<Out, Bits<4>>,
    /// Outcome of the command ring's tag.
    pub command_outcome: Signal<Out, Bits<4>>,
    /// Outcome of the result ring's tag.
    pub result_outcome: Signal<Out, Bits<4>>,

    /// Counts a completion that answers no outstanding tag.
    pub unexpected: Signal<Out, Bit>,
    /// Counts a completion that failed.
    pub failed: Signal<Out, Bit>,

    entries: LookupRam<24, 5>,
    outcomes: LookupRam<4, 5>,
    owed: DFF<Bits<32>>,
    owed_count: DFF<Bits<6>>,
    command_failure: DFF<Bits<4>>,
    result_failure: DFF<Bits<4>>,
    current: DFF<Bits<5>>,
    storing: DFF<Bit>,
    place: DFF<Bits<10>>,
    left: DFF<Bits<10>>,
    next_words: DFF<Bits<7>>,
    next_lower: DFF<Bits<7>>,
    final_part: DFF<Bit>,
    failure: DFF<Bits<4>>,
    active: DFF<Bit>,
    ending: DFF<Bit>,

    slot: Signal<Local, Bits<5>>,
    known: Signal<Local, Bit>,
    want_words: Signal<Local, Bits<7>>,
    want_place: Signal<Local, Bits<10>>,
    want_lower: Signal<Local, Bits<7>>,
    want_bytes: Signal<Local, Bits<12>>,
    words: Signal<Local, Bits<10>>,
    behind: Signal<Local, Bits<7>>,
    whole: Signal<Local, Bit>,
    allowed: Signal<Local, Bit>,
    code: Signal<Local, Bits<4>>,
    closes: Signal<Local, Bit>,
    settle: Signal<Local, Bit>,
    one: Signal<Local, Bits<32>>,
}

#[allow(clippy::if_same_then_else)]
impl Logic for Reassembly {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self,
            clock,
            owed,
            owed_count,
            command_failure,
            result_failure,
            current,
            storing,
            place,
            left,
            next_words,
            next_lower,
            final_part,
            failure,
            active,
            ending
        );
        clock!(self, clock, entries, outcomes);
        self.one.next = 1.into();

        // What the table says about the tag of the completion that is shown.
        self.slot.next = bit_cast::<5, 8>(self.tag.val());
        self.entries.read_address.next = self.slot.val();
        self.want_words.next = self.entries.read_data.val().get_bits::<7>(0);
        self.want_place.next = self.entries.read_data.val().get_bits::<10>(7);
        self.want_lower.next = self.entries.read_data.val().get_bits::<7>(17);
        self.want_bytes.next = bit_cast::<12, 7>(self.want_words.val()) << 3;
        self.known.next = (self.answered.val() == self.requester.val())
            && (self.tag.val() < 32)
            && self.owed.q.val().get_bit(self.slot.val().index());
        self.words.next = self.length.val() >> 1;
        self.whole.next = self.words.val() == bit_cast::<10, 7>(self.want_words.val());
        self.behind.next = self.want_lower.val() + (bit_cast::<7, 10>(self.length.val()) << 2);
        self.allowed.next = self.has_data.val()
            && !self.length.val().get_bit(0)
            && self.length.val().any()
            && (self.byte_count.val() == self.want_bytes.val())
            && (self.lower_address.val() == self.want_lower.val())
            && (self.whole.val()
                || ((self.words.val() < bit_cast::<10, 7>(self.want_words.val()))
                    && !self.behind.val().get_bits::<6>(0).any()));
        self.code.next = 0.into();
        self.closes.next = true;
        if self.status.val() == 1 {
            self.code.next = 4.into();
        } else if self.status.val() == 4 {
            self.code.next = 5.into();
        } else if self.status.val().any() || !self.allowed.val() {
            self.code.next = 8.into();
        } else {
            self.closes.next = self.whole.val();
            if self.poisoned.val() {
                self.code.next = 6.into();
            }
        }

        // The completion under way.
        self.unexpected.next = self.completion.val() && !self.known.val();
        self.ending.d.next = self.completion_end.val();
        if self.completion.val() {
            self.active.d.next = self.known.val();
            self.current.d.next = self.slot.val();
            self.storing.d.next = self.known.val() && !self.code.val().any();
            self.place.d.next = self.want_place.val();
            self.left.d.next = self.words.val();
            self.next_words.d.next = self.want_words.val() - bit_cast::<7, 10>(self.words.val());
            self.next_lower.d.next = self.behind.val();
            self.final_part.d.next = self.closes.val();
            self.failure.d.next = self.code.val();
        }
        self.data_write.next = false;
        self.command_write.next = false;
        self.result_write.next = false;
        self.data_place.next = self.place.q.val();
        if self.word_write.val() && self.storing.q.val() && self.left.q.val().any() {
            self.place.d.next = self.place.q.val() + 1;
            self.left.d.next = self.left.q.val() - 1;
            if self.current.q.val() == 30 {
                self.command_write.next = true;
            } else if self.current.q.val() == 31 {
                self.result_write.next = true;
            } else {
                self.data_write.next = true;
            }
        }

        // Its end: the tag is answered, or what it is still owed is noted.
        self.settle.next = self.ending.q.val() && self.active.q.val();
        self.failed.next = self.settle.val() && self.failure.q.val().any();
        self.book_ok.next = !self.ending.q.val();
        self.entries.write_enable.next = self.settle.val() || self.book.val();
        self.entries.write_address.next = self.current.q.val();
        self.entries.write_data.next = (bit_cast::<24, 7>(self.next_lower.q.val()) << 17)
            | (bit_cast::<24, 10>(self.place.q.val()) << 7)
            | bit_cast::<24, 7>(self.next_words.q.val());
        self.outcomes.write_enable.next = self.failed.val() || self.book.val();
        self.outcomes.write_address.next = self.current.q.val();
        self.outcomes.write_data.next = self.failure.q.val();
        if self.settle.val() {
            self.active.d.next = false;
            if self.final_part.q.val() {
                self.owed.d.next = self.owed.q.val() & !(self.one.val() << self.current.q.val());
                self.owed_count.d.next = self.owed_count.q.val() - 1;
            }
            if self.failure.q.val().any() && (self.current.q.val() == 30) {
                self.command_failure.d.next = self.failure.q.val();
            }
            if self.failure.q.val().any() && (self.current.q.val() == 31) {
                self.result_failure.d.next = self.failure.q.val();
            }
        }
        if self.book.val() {
            self.entries.write_address.next = self.book_tag.val();
            self.entries.write_data.next = (bit_cast::<24, 7>(self.book_lower.val()) << 17)
                | (bit_cast::<24, 10>(self.book_place.val()) << 7)
                | bit_cast::<24, 7>(self.book_words.val());
            self.outcomes.write_address.next = self.book_tag.val();
            self.outcomes.write_data.next = 0.into();
            self.owed.d.next = self.owed.q.val() | (self.one.val() << self.book_tag.val());
            self.owed_count.d.next = self.owed_count.q.val() + 1;
            if self.book_tag.val() == 30 {
                self.command_failure.d.next = 0.into();
            }
            if self.book_tag.val() == 31 {
                self.result_failure.d.next = 0.into();
            }
        }
        if self.forget.val() {
            self.owed.d.next = 0.into();
            self.owed_count.d.next = 0.into();
            self.active.d.next = false;
            self.storing.d.next = false;
        }

        self.pending.next = self.owed.q.val();
        self.outstanding.next = bit_cast::<8, 6>(self.owed_count.q.val());
        self.outcomes.read_address.next = self.ask_tag.val();
        self.outcome.next = self.outcomes.read_data.val();
        self.command_outcome.next = self.command_failure.q.val();
        self.result_outcome.next = self.result_failure.q.val();
    }
}
