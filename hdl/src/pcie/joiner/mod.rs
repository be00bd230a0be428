//! Joins segments into the core's packet stream, in order; empties and resets the core when the card is reset.

use crate::blocks::ram::LookupRam;
use crate::rtl::*;
use weft_protocol::packet::Request;

/// What the joiner does.
#[derive(Copy, Clone, PartialEq, Debug, LogicState)]
pub enum JoinState {
    /// Waits until the oldest segment is in the buffer.
    Wait,
    /// Hands its words to the core.
    Stream,
    /// The slot failed: writes its record.
    Fail,
    /// Halted until a reset.
    Halt,
    /// Reset: zeros, until no packet can be open in the core.
    Zeros,
    /// Reset: the packet that resets the core.
    Reset,
    /// Reset: done.
    Flushed,
}

/// Feeds a core of `D` bits a beat.
#[derive(LogicBlock)]
pub struct Joiner<const D: usize> {
    /// Rising edge clocks everything.
    pub clock: Signal<In, Clock>,
    /// The card is being reset; held until that is done.
    pub resetting: Signal<In, Bit>,
    /// The core was emptied and sent its reset packet.
    pub flushed: Signal<Out, Bit>,
    /// Hand out nothing more.
    pub halted: Signal<In, Bit>,
    /// Cycles after which a read counts as lost.
    pub timeout: Signal<In, Bits<32>>,

    /// No segment is queued.
    pub segment_empty: Signal<In, Bit>,
    /// The oldest; see [`super::commands::Commands::segment`].
    pub segment: Signal<In, Bits<35>>,
    /// It is done with.
    pub segment_read: Signal<Out, Bit>,
    /// Its words, for those who keep the accounts.
    pub release_words: Signal<Out, Bits<7>>,
    /// It had a tag.
    pub release_tag: Signal<Out, Bit>,

    /// A tag is booked: its time starts.
    pub book: Signal<In, Bit>,
    /// Which.
    pub book_tag: Signal<In, Bits<5>>,
    /// Tags whose answer is owed.
    pub pending: Signal<In, Bits<32>>,
    /// Tag whose outcome is asked.
    pub ask_tag: Signal<Out, Bits<5>>,
    /// Its outcome.
    pub outcome: Signal<In, Bits<4>>,

    /// Word of the buffer to read.
    pub buffer_address: Signal<Out, Bits<10>>,
    /// The word addressed one edge ago.
    pub buffer_data: Signal<In, Bits<64>>,

    /// A beat for the core.
    pub core_valid: Signal<Out, Bit>,
    /// The core takes it.
    pub core_ready: Signal<In, Bit>,
    /// The beat.
    pub core_data: Signal<Out, Bits<D>>,

    /// The queue of records has no room.
    pub record_full: Signal<In, Bit>,
    /// A record is queued.
    pub record_write: Signal<Out, Bit>,
    /// It: outcome (bits 47 to 44), cookie (43 to 28), bytes (27 to 0).
    pub record: Signal<Out, Bits<48>>,

    /// The card must halt.
    pub fault: Signal<Out, Bit>,
    /// Because of this.
    pub fault_code: Signal<Out, Bits<4>>,
    /// The slot's cookie.
    pub fault_cookie: Signal<Out, Bits<16>>,
    /// Counts a read that was not answered in time.
    pub lost: Signal<Out, Bit>,
    /// No segment is under way.
    pub idle: Signal<Out, Bit>,

    state: DFF<JoinState>,
    stamps: LookupRam<32, 5>,
    now: DFF<Bits<32>>,
    place: DFF<Bits<10>>,
    count: DFF<Bits<7>>,
    moved: DFF<Bits<25>>,
    half: DFF<Bit>,
    zeros: DFF<Bits<20>>,
    code: DFF<Bits<4>>,
    words: Signal<Local, Bits<7>>,
    tag: Signal<Local, Bits<5>>,
    asked_for: Signal<Local, Bit>,
    last: Signal<Local, Bit>,
    notify: Signal<Local, Bit>,
    refusal: Signal<Local, Bits<4>>,
    owed: Signal<Local, Bit>,
    age: Signal<Local, Bits<32>>,
    blocked: Signal<Local, Bit>,
    taken: Signal<Local, Bit>,
    whole: Signal<Local, Bit>,
    next_count: Signal<Local, Bits<7>>,
    next_place: Signal<Local, Bits<10>>,
    word: Signal<Local, Bits<64>>,
    next_moved: Signal<Local, Bits<25>>,
    report: Signal<Local, Bits<4>>,
    report_moved: Signal<Local, Bits<25>>,
    wide: Constant<Bit>,
    shift: Constant<Bits<6>>,
    zero_units: Constant<Bits<20>>,
    reset_packet: Constant<Bits<64>>,
}

impl<const D: usize> Joiner<D> {
    /// The joiner of a core that no packet occupies for more than `zero_units` units of eight zero bytes.
    #[must_use]
    pub fn new(zero_units: usize) -> Self {
        let reset = u64::from_le_bytes(Request::Reset.header().to_bytes());
        Self {
            clock: Signal::default(),
            resetting: Signal::default(),
            flushed: Signal::default(),
            halted: Signal::default(),
            timeout: Signal::default(),
            segment_empty: Signal::default(),
            segment: Signal::default(),
            segment_read: Signal::default(),
            release_words: Signal::default(),
            release_tag: Signal::default(),
            book: Signal::default(),
            book_tag: Signal::default(),
            pending: Signal::default(),
            ask_tag: Signal::default(),
            outcome: Signal::default(),
            buffer_address: Signal::default(),
            buffer_data: Signal::default(),
            core_valid: Signal::default(),
            core_ready: Signal::default(),
            core_data: Signal::default(),
            record_full: Signal::default(),
            record_write: Signal::default(),
            record: Signal::default(),
            fault: Signal::default(),
            fault_code: Signal::default(),
            fault_cookie: Signal::default(),
            lost: Signal::default(),
            idle: Signal::default(),
            state: DFF::default(),
            stamps: LookupRam::default(),
            now: DFF::default(),
            place: DFF::default(),
            count: DFF::default(),
            moved: DFF::default(),
            half: DFF::default(),
            zeros: DFF::default(),
            code: DFF::default(),
            words: Signal::default(),
            tag: Signal::default(),
            asked_for: Signal::default(),
            last: Signal::default(),
            notify: Signal::default(),
            refusal: Signal::default(),
            owed: Signal::default(),
            age: Signal::default(),
            blocked: Signal::default(),
            taken: Signal::default(),
            whole: Signal::default(),
            next_count: Signal::default(),
            next_place: Signal::default(),
            word: Signal::default(),
            next_moved: Signal::default(),
            report: Signal::default(),
            report_moved: Signal::default(),
            wide: Constant::new(D == 64),
            shift: Constant::new((D % 64).to_bits()),
            zero_units: Constant::new(zero_units.to_bits()),
            reset_packet: Constant::new(reset.to_bits()),
        }
    }
}

#[allow(clippy::collapsible_match, clippy::if_same_then_else)]
impl<const D: usize> Logic for Joiner<D> {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self, clock, state, now, place, count, moved, half, zeros, code
        );
        clock!(self, clock, stamps);
        self.words.next = self.segment.val().get_bits::<7>(0);
        self.tag.next = self.segment.val().get_bits::<5>(7);
        self.asked_for.next = self.segment.val().get_bit(12);
        self.last.next = self.segment.val().get_bit(13);
        self.notify.next = self.segment.val().get_bit(14);
        self.refusal.next = self.segment.val().get_bits::<4>(31);

        // How long the oldest tag has been out.
        self.now.d.next = self.now.q.val() + 1;
        self.stamps.write_enable.next = self.book.val();
        self.stamps.write_address.next = self.book_tag.val();
        self.stamps.write_data.next = self.now.q.val();
        self.stamps.read_address.next = self.tag.val();
        self.age.next = self.now.q.val() - self.stamps.read_data.val();
        self.ask_tag.next = self.tag.val();
        self.owed.next = self.asked_for.val() && self.pending.val().get_bit(self.tag.val().index());

        // The beat.
        self.word.next = self.buffer_data.val();
        self.core_valid.next = false;
        if self.state.q.val() == JoinState::Stream {
            self.core_valid.next = true;
        } else if self.state.q.val() == JoinState::Zeros {
            self.core_valid.next = true;
            self.word.next = 0.into();
        } else if self.state.q.val() == JoinState::Reset {
            self.core_valid.next = true;
            self.word.next = self.reset_packet.val();
        }
        self.core_data.next = bit_cast::<D, 64>(self.word.val());
        if self.half.q.val() {
            self.core_data.next = bit_cast::<D, 64>(self.word.val() >> self.shift.val());
        }
        self.taken.next = self.core_valid.val() && self.core_ready.val();
        self.whole.next = self.taken.val() && (self.wide.val() || self.half.q.val());
        if self.taken.val() && !self.wide.val() {
            self.half.d.next = !self.half.q.val();
        }
        self.next_count.next = self.count.q.val() + 1;
        self.next_moved.next = self.moved.q.val() + 1;
        self.next_place.next = self.place.q.val();

        // Accounts and records.
        self.blocked.next = self.last.val() && self.notify.val() && self.record_full.val();
        self.segment_read.next = false;
        self.release_words.next = self.words.val();
        self.release_tag.next = false;
        self.record_write.next = false;
        self.report.next = 0.into();
        self.report_moved.next = self.next_moved.val();
        self.fault.next = false;
        self.fault_code.next = self.code.q.val();
        self.fault_cookie.next = self.segment.val().get_bits::<16>(15);
        self.lost.next = false;
        self.idle.next = self.segment_empty.val();
        self.flushed.next = false;

        match self.state.q.val() {
            JoinState::Wait => {
                self.count.d.next = 0.into();
                if self.resetting.val() {
                    self.state.d.next = JoinState::Zeros;
                } else if !self.segment_empty.val() && !self.halted.val() {
                    self.code.d.next = self.outcome.val();
                    if self.refusal.val().any() {
                        self.code.d.next = self.refusal.val();
                        self.state.d.next = JoinState::Fail;
                    } else if self.owed.val() {
                        if self.age.val() >= self.timeout.val() {
                            self.lost.next = true;
                            self.code.d.next = 7.into();
                            self.state.d.next = JoinState::Fail;
                        }
                    } else if self.asked_for.val() && self.outcome.val().any() {
                        self.state.d.next = JoinState::Fail;
                    } else if !self.blocked.val() {
                        self.state.d.next = JoinState::Stream;
                    }
                }
            }
            JoinState::Stream => {
                if self.whole.val() {
                    self.next_place.next = self.place.q.val() + 1;
                    self.count.d.next = self.next_count.val();
                    self.moved.d.next = self.next_moved.val();
                    if self.next_count.val() == self.words.val() {
                        self.segment_read.next = true;
                        self.release_tag.next = self.asked_for.val();
                        self.record_write.next = self.last.val() && self.notify.val();
                        self.state.d.next = JoinState::Wait;
                        if self.last.val() {
                            self.moved.d.next = 0.into();
                        }
                    }
                }
                if self.resetting.val() {
                    self.state.d.next = JoinState::Zeros;
                }
            }
            JoinState::Fail => {
                self.report.next = self.code.q.val();
                self.report_moved.next = self.moved.q.val();
                if self.resetting.val() {
                    self.state.d.next = JoinState::Zeros;
                } else if !self.record_full.val() {
                    self.record_write.next = true;
                    self.fault.next = true;
                    self.state.d.next = JoinState::Halt;
                }
            }
            JoinState::Halt => {
                self.idle.next = true;
                if self.resetting.val() {
                    self.state.d.next = JoinState::Zeros;
                }
            }
            JoinState::Zeros => {
                if self.whole.val() {
                    self.zeros.d.next = self.zeros.q.val() + 1;
                    if self.zeros.q.val() == self.zero_units.val() {
                        self.state.d.next = JoinState::Reset;
                    }
                }
            }
            JoinState::Reset => {
                if self.whole.val() {
                    self.state.d.next = JoinState::Flushed;
                }
            }
            JoinState::Flushed => {
                self.flushed.next = true;
                self.zeros.d.next = 0.into();
                self.next_place.next = 0.into();
                self.moved.d.next = 0.into();
                if !self.resetting.val() {
                    self.state.d.next = JoinState::Wait;
                }
            }
            _ => {}
        }
        self.place.d.next = self.next_place.val();
        self.buffer_address.next = self.next_place.val();
        self.record.next = (bit_cast::<48, 4>(self.report.val()) << 44)
            | (bit_cast::<48, 16>(self.segment.val().get_bits::<16>(15)) << 28)
            | (bit_cast::<48, 25>(self.report_moved.val()) << 3);
    }
}
