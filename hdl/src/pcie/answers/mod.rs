//! Takes the core's answers apart and pairs each with a result buffer.

use crate::rtl::*;

/// Where it is in an answer.
#[derive(Copy, Clone, PartialEq, Debug, LogicState)]
pub enum AnswerState {
    /// Waits for the header's low word.
    Low,
    /// Waits for its high word.
    High,
    /// Waits for a result slot's first word.
    First,
    /// Waits for its second word.
    Second,
    /// Checks it.
    Check,
    /// Announces what the writer is to store.
    Announce,
    /// Payload, four bytes at a time.
    Words,
}

/// One answer packet at a time.
#[derive(LogicBlock, Default)]
pub struct Answers {
    /// Rising edge clocks everything.
    pub clock: Signal<In, Clock>,
    /// Drop every answer, the one under way included.
    pub drop_all: Signal<In, Bit>,
    /// Take no further result slot.
    pub halted: Signal<In, Bit>,

    /// The core offers a word.
    pub core_valid: Signal<In, Bit>,
    /// It is taken.
    pub core_ready: Signal<Out, Bit>,
    /// The word.
    pub core_data: Signal<In, Bits<32>>,
    /// A packet that says that the core was reset went by.
    pub reset_seen: Signal<Out, Bit>,

    /// No word of a result slot is queued.
    pub slot_empty: Signal<In, Bit>,
    /// The next one.
    pub slot: Signal<In, Bits<64>>,
    /// It is taken.
    pub slot_read: Signal<Out, Bit>,
    /// Slots taken, modulo 2^16.
    pub taken: Signal<Out, Bits<16>>,

    /// The writer's queue of jobs has no room.
    pub job_full: Signal<In, Bit>,
    /// A job is queued; its words follow.
    pub job_write: Signal<Out, Bit>,
    /// It: outcome (bits 169 to 166), header (165 to 102), cookie (101 to 86), words (85 to 64), address (63 to 0).
    pub job: Signal<Out, Bits<170>>,
    /// The writer's queue of words has no room.
    pub word_full: Signal<In, Bit>,
    /// Eight bytes are stored.
    pub word_write: Signal<Out, Bit>,
    /// They.
    pub word: Signal<Out, Bits<64>>,

    /// The card must halt: a result slot is no buffer.
    pub fault: Signal<Out, Bit>,
    /// Why: a `ring::Outcome`.
    pub fault_code: Signal<Out, Bits<4>>,
    /// Its cookie.
    pub fault_cookie: Signal<Out, Bits<16>>,
    /// Between two answers.
    pub idle: Signal<Out, Bit>,

    state: DFF<AnswerState>,
    low: DFF<Bits<32>>,
    high: DFF<Bits<32>>,
    address: DFF<Bits<64>>,
    length: DFF<Bits<32>>,
    kind: DFF<Bits<8>>,
    cookie: DFF<Bits<16>>,
    head: DFF<Bits<16>>,
    left: DFF<Bits<22>>,
    store: DFF<Bits<22>>,
    outcome: DFF<Bits<4>>,
    half: DFF<Bit>,
    first_half: DFF<Bits<32>>,
    payload: Signal<Local, Bits<22>>,
    total: Signal<Local, Bits<22>>,
    room: Signal<Local, Bits<22>>,
    bad: Signal<Local, Bit>,
    whole: Signal<Local, Bit>,
    after_header: Signal<Local, AnswerState>,
}

#[allow(clippy::collapsible_match, clippy::if_same_then_else)]
impl Logic for Answers {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self, clock, state, low, high, address, length, kind, cookie, head, left, store,
            outcome, half, first_half
        );
        // Words of payload, eight bytes each: half of rows times tokens for sums, none for anything else.
        self.payload.next = 0.into();
        if self.low.q.val().get_bits::<8>(0) == 0x83 {
            self.payload.next = (bit_cast::<22, 16>(self.low.q.val().get_bits::<16>(16)) << 5)
                << self.low.q.val().get_bits::<3>(8);
        }
        self.total.next = self.payload.val() + 1;
        self.room.next = bit_cast::<22, 29>(self.length.q.val().get_bits::<29>(3));
        self.bad.next = self.address.q.val().get_bits::<3>(0).any()
            || self.length.q.val().get_bits::<3>(0).any()
            || !self.length.q.val().any()
            || (self.length.q.val() > 0x0100_0000);

        self.core_ready.next = false;
        self.reset_seen.next = false;
        self.slot_read.next = false;
        self.taken.next = self.head.q.val();
        self.job_write.next = false;
        self.job.next = (bit_cast::<170, 4>(self.outcome.q.val()) << 166)
            | (bit_cast::<170, 32>(self.high.q.val()) << 134)
            | (bit_cast::<170, 32>(self.low.q.val()) << 102)
            | (bit_cast::<170, 16>(self.cookie.q.val()) << 86)
            | (bit_cast::<170, 22>(self.store.q.val()) << 64)
            | bit_cast::<170, 64>(self.address.q.val());
        self.word_write.next = false;
        self.word.next =
            (bit_cast::<64, 32>(self.high.q.val()) << 32) | bit_cast::<64, 32>(self.low.q.val());
        self.fault.next = false;
        self.fault_code.next = self.outcome.q.val();
        self.fault_cookie.next = self.cookie.q.val();
        self.idle.next = false;
        self.whole.next = false;
        self.after_header.next = AnswerState::Low;
        if self.payload.val().any() {
            self.after_header.next = AnswerState::Words;
        }

        match self.state.q.val() {
            AnswerState::Low => {
                self.idle.next = true;
                self.core_ready.next = true;
                if self.core_valid.val() {
                    self.low.d.next = self.core_data.val();
                    self.state.d.next = AnswerState::High;
                }
            }
            AnswerState::High => {
                self.core_ready.next = true;
                if self.core_valid.val() {
                    self.high.d.next = self.core_data.val();
                    self.state.d.next = AnswerState::First;
                }
            }
            AnswerState::First => {
                self.left.d.next = self.payload.val();
                self.half.d.next = false;
                if self.drop_all.val() {
                    self.reset_seen.next = self.low.q.val().get_bits::<8>(0) == 0x85;
                    self.store.d.next = 0.into();
                    self.state.d.next = self.after_header.val();
                } else if !self.slot_empty.val() && !self.halted.val() {
                    self.slot_read.next = true;
                    self.address.d.next = self.slot.val();
                    self.state.d.next = AnswerState::Second;
                }
            }
            AnswerState::Second => {
                if self.drop_all.val() {
                    self.state.d.next = AnswerState::First;
                } else if !self.slot_empty.val() {
                    self.slot_read.next = true;
                    self.length.d.next = self.slot.val().get_bits::<32>(0);
                    self.kind.d.next = self.slot.val().get_bits::<8>(32);
                    self.cookie.d.next = self.slot.val().get_bits::<16>(48);
                    self.head.d.next = self.head.q.val() + 1;
                    self.state.d.next = AnswerState::Check;
                }
            }
            AnswerState::Check => {
                self.outcome.d.next = 0.into();
                self.store.d.next = self.total.val();
                if self.kind.q.val().any() {
                    self.outcome.d.next = 2.into();
                    self.store.d.next = 0.into();
                } else if self.bad.val() {
                    self.outcome.d.next = 1.into();
                    self.store.d.next = 0.into();
                } else if self.room.val() < self.total.val() {
                    self.outcome.d.next = 9.into();
                    self.store.d.next = self.room.val();
                }
                self.state.d.next = AnswerState::Announce;
            }
            AnswerState::Announce => {
                if self.drop_all.val() {
                    self.state.d.next = AnswerState::First;
                } else if !self.job_full.val() && !self.word_full.val() {
                    self.job_write.next = true;
                    self.fault.next = (self.outcome.q.val() == 1) || (self.outcome.q.val() == 2);
                    if self.store.q.val().any() {
                        self.word_write.next = true;
                        self.store.d.next = self.store.q.val() - 1;
                    }
                    self.state.d.next = self.after_header.val();
                }
            }
            AnswerState::Words => {
                self.core_ready.next = !self.word_full.val();
                self.word.next = (bit_cast::<64, 32>(self.core_data.val()) << 32)
                    | bit_cast::<64, 32>(self.first_half.q.val());
                if self.core_valid.val() && !self.word_full.val() {
                    self.first_half.d.next = self.core_data.val();
                    self.half.d.next = !self.half.q.val();
                    self.whole.next = self.half.q.val();
                }
                if self.whole.val() {
                    self.left.d.next = self.left.q.val() - 1;
                    if self.store.q.val().any() {
                        self.word_write.next = !self.drop_all.val();
                        self.store.d.next = self.store.q.val() - 1;
                    }
                    if self.left.q.val() == 1 {
                        self.state.d.next = AnswerState::Low;
                    }
                }
            }
            _ => {}
        }
        if self.drop_all.val() {
            self.head.d.next = 0.into();
        }
    }
}
