//! Everything that the card writes into host memory: answers, completion records, interrupts, in that order.

use super::header::RequestHeader;
use crate::rtl::*;

/// What the writer does.
#[derive(Copy, Clone, PartialEq, Debug, LogicState)]
pub enum WriteState {
    /// Picks what to do next.
    Pick,
    /// Works out the next packet of an answer.
    Split,
    /// Waits until all its data are there.
    Gather,
    /// Offers it.
    Data,
    /// Offers a completion record.
    Record,
    /// Offers an interrupt.
    Interrupt,
}

/// One packet after the other; posted writes keep their order, so a record comes behind the answer that it announces.
#[derive(LogicBlock, Default)]
pub struct Writer {
    /// Rising limit clocks everything.
    pub clock: Signal<In, Clock>,
    /// Forget the answer under way, once the packet under way is gone.
    pub clear: Signal<In, Bit>,
    /// Packets may be sent.
    pub allow: Signal<In, Bit>,
    /// Bus, device and function of the card.
    pub requester: Signal<In, Bits<16>>,
    /// Words of the maximum payload, at most 64.
    pub max_words: Signal<In, Bits<7>>,

    /// No answer is announced.
    pub job_empty: Signal<In, Bit>,
    /// The oldest one; see [`super::answers::Answers::job`].
    pub job: Signal<In, Bits<170>>,
    /// It is taken.
    pub job_read: Signal<Out, Bit>,
    /// Words of answers that are there.
    pub word_count: Signal<In, Bits<9>>,
    /// The oldest one.
    pub word: Signal<In, Bits<64>>,
    /// It is taken.
    pub word_read: Signal<Out, Bit>,

    /// No record of the command ring waits.
    pub record_empty: Signal<In, Bit>,
    /// The oldest one; see [`super::joiner::Joiner::record`].
    pub record: Signal<In, Bits<48>>,
    /// It is taken.
    pub record_read: Signal<Out, Bit>,
    /// Address of the completion ring.
    pub base: Signal<In, Bits<64>>,
    /// Log2 of its records.
    pub log2: Signal<In, Bits<4>>,
    /// Records taken by the host.
    pub head: Signal<In, Bits<16>>,
    /// Records written.
    pub tail: Signal<Out, Bits<16>>,
    /// A record is on its way.
    pub record_sent: Signal<Out, Bit>,

    /// An interrupt wants to be sent.
    pub interrupt: Signal<In, Bit>,
    /// Where to.
    pub interrupt_address: Signal<In, Bits<64>>,
    /// What.
    pub interrupt_data: Signal<In, Bits<32>>,
    /// It is on its way.
    pub interrupt_done: Signal<Out, Bit>,

    /// A packet is offered.
    pub offer: Signal<Out, Bit>,
    /// Its header.
    pub header: Signal<Out, Bits<128>>,
    /// It has four doublewords.
    pub long: Signal<Out, Bit>,
    /// Its doublewords of data.
    pub dwords: Signal<Out, Bits<10>>,
    /// Its next eight bytes.
    pub out_word: Signal<Out, Bits<64>>,
    /// They are taken.
    pub take: Signal<In, Bit>,
    /// It is on its way.
    pub done: Signal<In, Bit>,
    /// A packet that is no interrupt is on its way.
    pub sent: Signal<Out, Bit>,
    /// No packet is offered.
    pub resting: Signal<Out, Bit>,
    /// Nothing is announced or under way.
    pub idle: Signal<Out, Bit>,

    form: RequestHeader,
    state: DFF<WriteState>,
    busy: DFF<Bit>,
    address: DFF<Bits<64>>,
    left: DFF<Bits<22>>,
    size: DFF<Bits<7>>,
    job_header: DFF<Bits<64>>,
    cookie: DFF<Bits<16>>,
    outcome: DFF<Bits<4>>,
    stored: DFF<Bits<22>>,
    of_result: DFF<Bit>,
    second: DFF<Bit>,
    written: DFF<Bits<16>>,
    ring_size: Signal<Local, Bits<16>>,
    index: Signal<Local, Bits<16>>,
    used: Signal<Local, Bits<16>>,
    room: Signal<Local, Bit>,
    lap: Signal<Local, Bits<16>>,
    phase: Signal<Local, Bit>,
    offset: Signal<Local, Bits<7>>,
    limit: Signal<Local, Bits<7>>,
    low: Signal<Local, Bits<64>>,
    high: Signal<Local, Bits<64>>,
}

#[allow(clippy::collapsible_match, clippy::if_same_then_else)]
impl Logic for Writer {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self, clock, state, busy, address, left, size, job_header, cookie, outcome, stored,
            of_result, second, written
        );
        // The completion ring.
        self.ring_size.next = bits::<16>(1) << self.log2.val();
        self.index.next = self.written.q.val() & (self.ring_size.val() - 1);
        self.used.next = self.written.q.val() - self.head.val();
        self.room.next = self.used.val() < self.ring_size.val();
        self.lap.next = self.written.q.val() >> self.log2.val();
        self.phase.next = !self.lap.val().get_bit(0);
        self.tail.next = self.written.q.val();

        // A record: bytes, cookie, outcome, phase and ring; then the answer's header.
        self.low.next = (bit_cast::<64, 1>(self.phase.val().into()) << 56)
            | (bit_cast::<64, 4>(self.record.val().get_bits::<4>(44)) << 48)
            | (bit_cast::<64, 16>(self.record.val().get_bits::<16>(28)) << 32)
            | bit_cast::<64, 28>(self.record.val().get_bits::<28>(0));
        self.high.next = 0.into();
        if self.of_result.q.val() {
            self.low.next = (bit_cast::<64, 1>(self.of_result.q.val().into()) << 57)
                | (bit_cast::<64, 1>(self.phase.val().into()) << 56)
                | (bit_cast::<64, 4>(self.outcome.q.val()) << 48)
                | (bit_cast::<64, 16>(self.cookie.q.val()) << 32)
                | (bit_cast::<64, 22>(self.stored.q.val()) << 3);
            self.high.next = self.job_header.q.val();
        }

        // The next packet of an answer ends where the answer does or at a multiple of the maximum payload.
        self.offset.next =
            bit_cast::<7, 6>(self.address.q.val().get_bits::<6>(3)) & (self.max_words.val() - 1);
        self.limit.next = self.max_words.val() - self.offset.val();

        self.form.write.next = true;
        self.form.address.next = self.address.q.val();
        self.form.length.next = bit_cast::<10, 7>(self.size.q.val()) << 1;
        self.form.requester.next = self.requester.val();
        self.form.tag.next = 0.into();
        self.offer.next = false;
        self.dwords.next = bit_cast::<10, 7>(self.size.q.val()) << 1;
        self.out_word.next = self.word.val();
        self.word_read.next = false;
        self.job_read.next = false;
        self.record_read.next = false;
        self.record_sent.next = false;
        self.interrupt_done.next = false;
        self.sent.next = false;
        self.resting.next = false;
        self.idle.next = false;

        match self.state.q.val() {
            WriteState::Pick => {
                self.resting.next = true;
                self.idle.next =
                    !self.busy.q.val() && self.job_empty.val() && self.record_empty.val();
                self.second.d.next = false;
                if self.clear.val() {
                    self.busy.d.next = false;
                } else if self.interrupt.val() && self.allow.val() {
                    self.state.d.next = WriteState::Interrupt;
                } else if !self.record_empty.val() && self.room.val() && self.allow.val() {
                    self.of_result.d.next = false;
                    self.state.d.next = WriteState::Record;
                } else if self.busy.q.val() {
                    if self.left.q.val().any() {
                        self.state.d.next = WriteState::Split;
                    } else if self.room.val() && self.allow.val() {
                        self.of_result.d.next = true;
                        self.state.d.next = WriteState::Record;
                    }
                } else if !self.job_empty.val() {
                    self.job_read.next = true;
                    self.busy.d.next = true;
                    self.address.d.next = self.job.val().get_bits::<64>(0);
                    self.left.d.next = self.job.val().get_bits::<22>(64);
                    self.stored.d.next = self.job.val().get_bits::<22>(64);
                    self.cookie.d.next = self.job.val().get_bits::<16>(86);
                    self.job_header.d.next = self.job.val().get_bits::<64>(102);
                    self.outcome.d.next = self.job.val().get_bits::<4>(166);
                }
            }
            WriteState::Split => {
                self.resting.next = true;
                self.size.d.next = self.limit.val();
                if self.left.q.val() < bit_cast::<22, 7>(self.limit.val()) {
                    self.size.d.next = bit_cast::<7, 22>(self.left.q.val());
                }
                self.state.d.next = WriteState::Gather;
            }
            WriteState::Gather => {
                self.resting.next = true;
                if self.clear.val() {
                    self.state.d.next = WriteState::Pick;
                } else if self.interrupt.val() {
                    self.state.d.next = WriteState::Pick;
                } else if !self.record_empty.val() && self.room.val() {
                    self.state.d.next = WriteState::Pick;
                } else if (self.word_count.val() >= bit_cast::<9, 7>(self.size.q.val()))
                    && self.allow.val()
                {
                    self.state.d.next = WriteState::Data;
                }
            }
            WriteState::Data => {
                self.offer.next = true;
                self.word_read.next = self.take.val();
                if self.done.val() {
                    self.sent.next = true;
                    self.address.d.next =
                        self.address.q.val() + (bit_cast::<64, 7>(self.size.q.val()) << 3);
                    self.left.d.next = self.left.q.val() - bit_cast::<22, 7>(self.size.q.val());
                    self.state.d.next = WriteState::Pick;
                }
            }
            WriteState::Record => {
                self.offer.next = true;
                self.form.address.next =
                    self.base.val() + (bit_cast::<64, 16>(self.index.val()) << 4);
                self.form.length.next = 4.into();
                self.dwords.next = 4.into();
                self.out_word.next = self.low.val();
                if self.second.q.val() {
                    self.out_word.next = self.high.val();
                }
                if self.take.val() {
                    self.second.d.next = !self.second.q.val();
                }
                if self.done.val() {
                    self.sent.next = true;
                    self.record_sent.next = true;
                    self.written.d.next = self.written.q.val() + 1;
                    self.record_read.next = !self.of_result.q.val();
                    if self.of_result.q.val() {
                        self.busy.d.next = false;
                    }
                    self.state.d.next = WriteState::Pick;
                }
            }
            WriteState::Interrupt => {
                self.offer.next = true;
                self.form.address.next = self.interrupt_address.val();
                self.form.length.next = 1.into();
                self.dwords.next = 1.into();
                self.out_word.next = bit_cast::<64, 32>(self.interrupt_data.val());
                if self.done.val() {
                    self.interrupt_done.next = true;
                    self.state.d.next = WriteState::Pick;
                }
            }
            _ => {}
        }
        if self.clear.val() && (self.state.q.val() == WriteState::Pick) {
            self.written.d.next = 0.into();
        }
        self.header.next = self.form.header.val();
        self.long.next = self.form.long.val();
    }
}
