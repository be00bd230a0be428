//! Takes packets off the stream and hands each to the unit that it is for.

use super::header::{Doublewords, HeaderFields};
use crate::rtl::*;

/// Where the receiver is in a packet.
#[derive(Copy, Clone, PartialEq, Debug, LogicState)]
pub enum ReceiveState {
    /// Waits for the first two doublewords.
    First,
    /// Waits for the next two.
    Second,
    /// Decides what the packet is; takes no beat.
    Judge,
    /// Data of a completion, two doublewords at a time.
    Words,
    /// Data of a write: the doubleword that came with the header.
    Held,
    /// Data of a write: low doubleword of the beat.
    Low,
    /// Data of a write: high doubleword of the beat.
    High,
    /// Drops the rest.
    Skip,
}

/// Splits received packets into completions, writes, and requests that want an answer.
#[derive(LogicBlock, Default)]
pub struct Receiver {
    /// Rising edge clocks everything.
    pub clock: Signal<In, Clock>,

    /// A beat is offered.
    pub valid: Signal<In, Bit>,
    /// It is taken at this edge if offered.
    pub ready: Signal<Out, Bit>,
    /// Eight bytes of the packet, the first one in the low bits.
    pub data: Signal<In, Bits<64>>,
    /// Last beat of the packet.
    pub last: Signal<In, Bit>,
    /// The high doubleword counts; low only in a last beat.
    pub keep: Signal<In, Bit>,
    /// The packet's data are not to be trusted; the same in all beats.
    pub poison: Signal<In, Bit>,
    /// The request's address is in BAR0 (bit 0) or in BAR2 (bit 1); the same in all beats.
    pub bar: Signal<In, Bits<2>>,

    /// The header of a completion stands on the next seven pins, for one cycle; its words follow.
    pub completion: Signal<Out, Bit>,
    /// It carries data.
    pub completion_data: Signal<Out, Bit>,
    /// Its data are poisoned.
    pub completion_poisoned: Signal<Out, Bit>,
    /// Its status.
    pub status: Signal<Out, Bits<3>>,
    /// Its length in doublewords.
    pub length: Signal<Out, Bits<10>>,
    /// Bytes that the transaction is still owed, these included.
    pub byte_count: Signal<Out, Bits<12>>,
    /// Whose transaction it answers.
    pub answered: Signal<Out, Bits<16>>,
    /// Its tag.
    pub tag: Signal<Out, Bits<8>>,
    /// Low bits of the first byte's address.
    pub lower_address: Signal<Out, Bits<7>>,
    /// Eight bytes of data.
    pub word: Signal<Out, Bits<64>>,
    /// They are valid.
    pub word_write: Signal<Out, Bit>,
    /// The completion ends with this cycle.
    pub completion_end: Signal<Out, Bit>,

    /// A doubleword is written to the card.
    pub write: Signal<Out, Bit>,
    /// Into the window, else into BAR0.
    pub write_window: Signal<Out, Bit>,
    /// Its doubleword address in the BAR.
    pub write_address: Signal<Out, Bits<22>>,
    /// The doubleword, lowest byte in the low bits.
    pub write_data: Signal<Out, Bits<32>>,
    /// Bytes that are written.
    pub write_enable: Signal<Out, Bits<4>>,

    /// A request that wants an answer is queued.
    pub request: Signal<Out, Bit>,
    /// See [`super::completer::Completer::request`].
    pub request_fields: Signal<Out, Bits<72>>,
    /// No room for it.
    pub request_full: Signal<In, Bit>,

    /// Counts a request that was dropped as unsupported, nobody waiting for an answer.
    pub unsupported: Signal<Out, Bit>,
    /// Counts a write that was dropped because of poisoned data.
    pub poisoned_write: Signal<Out, Bit>,

    state: DFF<ReceiveState>,
    dword0: DFF<Bits<32>>,
    dword1: DFF<Bits<32>>,
    dword2: DFF<Bits<32>>,
    dword3: DFF<Bits<32>>,
    held: DFF<Bits<32>>,
    ended: DFF<Bit>,
    bars: DFF<Bits<2>>,
    poisoned: DFF<Bit>,
    address: DFF<Bits<22>>,
    left: DFF<Bits<10>>,
    start: DFF<Bit>,
    swap: Doublewords,
    fields: HeaderFields,
    body: Signal<Local, ReceiveState>,
    memory: Signal<Local, Bit>,
    answerable: Signal<Local, Bit>,
    bad: Signal<Local, Bit>,
    target: Signal<Local, Bits<22>>,
    first_enable: Signal<Local, Bits<4>>,
    last_enable: Signal<Local, Bits<4>>,
    only: Signal<Local, Bit>,
    final_dword: Signal<Local, Bit>,
    dword_taken: Signal<Local, Bit>,
}

#[allow(clippy::collapsible_match, clippy::if_same_then_else)]
impl Logic for Receiver {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self, clock, state, dword0, dword1, dword2, dword3, held, ended, bars, poisoned,
            address, left, start
        );
        self.swap.beat.next = self.data.val();
        self.fields.dword0.next = self.dword0.q.val();
        self.fields.dword1.next = self.dword1.q.val();
        self.fields.dword2.next = self.dword2.q.val();
        self.fields.dword3.next = self.dword3.q.val();

        // What the packet is.
        self.memory.next = self.fields.kind.val() == 0;
        self.answerable.next = (self.memory.val() && !self.fields.fmt.val().get_bit(1))
            || (self.fields.kind.val() == 0x01)
            || (self.fields.kind.val() == 0x02)
            || (self.fields.kind.val() == 0x04)
            || (self.fields.kind.val() == 0x05)
            || (self.fields.kind.val() == 0x0c)
            || (self.fields.kind.val() == 0x0d)
            || (self.fields.kind.val() == 0x0e);
        self.bad.next = self.poisoned.q.val() || self.fields.poisoned.val().any();
        self.target.next = bit_cast::<22, 30>(self.fields.short_address.val());
        if self.fields.fmt.val().get_bit(0) {
            self.target.next = bit_cast::<22, 30>(self.fields.long_address.val());
        }
        self.body.next = ReceiveState::Skip;
        if self.ended.q.val() {
            self.body.next = ReceiveState::First;
        }

        // Towards the units.
        self.completion.next = false;
        self.completion_data.next = self.fields.fmt.val().get_bit(1);
        self.completion_poisoned.next = self.bad.val();
        self.status.next = self.fields.status.val();
        self.length.next = self.fields.length.val();
        self.byte_count.next = self.fields.byte_count.val();
        self.answered.next = self.fields.answered.val();
        self.tag.next = self.fields.answered_tag.val();
        self.lower_address.next = self.fields.lower_address.val();
        self.word.next = (bit_cast::<64, 32>(self.data.val().get_bits::<32>(0)) << 32)
            | bit_cast::<64, 32>(self.held.q.val());
        self.word_write.next = false;
        self.completion_end.next = false;
        self.request.next = false;
        self.request_fields.next = (bit_cast::<72, 22>(self.target.val()) << 50)
            | (bit_cast::<72, 16>(self.fields.requester.val()) << 34)
            | (bit_cast::<72, 8>(self.fields.tag.val()) << 26)
            | (bit_cast::<72, 10>(self.fields.length.val()) << 16)
            | (bit_cast::<72, 4>(self.fields.last_enable.val()) << 12)
            | (bit_cast::<72, 4>(self.fields.first_enable.val()) << 8)
            | (bit_cast::<72, 3>(self.fields.traffic.val()) << 5)
            | (bit_cast::<72, 2>(self.fields.attributes.val()) << 3)
            | (bit_cast::<72, 1>(self.bars.q.val().get_bits::<1>(1)) << 2)
            | (bit_cast::<72, 1>(self.memory.val().into()) << 1)
            | bit_cast::<72, 1>((self.memory.val() && self.bars.q.val().any()).into());
        self.unsupported.next = false;
        self.poisoned_write.next = false;

        // A write, one doubleword a cycle.
        self.only.next = self.fields.length.val() == 1;
        self.final_dword.next = self.left.q.val() == 1;
        self.first_enable.next = self.fields.first_enable.val();
        self.last_enable.next = self.fields.last_enable.val();
        if self.only.val() {
            self.last_enable.next = self.fields.first_enable.val();
        }
        self.dword_taken.next = false;
        self.write.next = false;
        self.write_window.next = self.bars.q.val().get_bit(1);
        self.write_address.next = self.address.q.val();
        self.write_data.next = self.held.q.val();
        self.write_enable.next = 15.into();
        if self.start.q.val() {
            self.write_enable.next = self.first_enable.val();
        } else if self.final_dword.val() {
            self.write_enable.next = self.last_enable.val();
        }

        self.ready.next = false;
        match self.state.q.val() {
            ReceiveState::First => {
                self.ready.next = true;
                self.dword0.d.next = self.swap.first.val();
                self.dword1.d.next = self.swap.second.val();
                self.bars.d.next = self.bar.val();
                self.poisoned.d.next = self.poison.val();
                if self.valid.val() && !self.last.val() {
                    self.state.d.next = ReceiveState::Second;
                }
            }
            ReceiveState::Second => {
                self.ready.next = true;
                self.dword2.d.next = self.swap.first.val();
                self.dword3.d.next = self.swap.second.val();
                self.held.d.next = self.data.val().get_bits::<32>(32);
                self.ended.d.next = self.last.val();
                if self.valid.val() {
                    self.state.d.next = ReceiveState::Judge;
                }
            }
            ReceiveState::Judge => {
                self.state.d.next = self.body.val();
                self.address.d.next = self.target.val();
                self.left.d.next = self.fields.length.val();
                self.start.d.next = true;
                if (self.fields.kind.val() == 0x0a) || (self.fields.kind.val() == 0x0b) {
                    self.completion.next = true;
                    self.completion_end.next = self.ended.q.val();
                    if !self.ended.q.val() {
                        self.state.d.next = ReceiveState::Words;
                    }
                } else if self.memory.val() && self.fields.fmt.val().get_bit(1) {
                    if !self.bars.q.val().any() {
                        self.unsupported.next = true;
                    } else if self.bad.val() {
                        self.poisoned_write.next = true;
                    } else if self.fields.fmt.val().get_bit(0) {
                        self.state.d.next = ReceiveState::Low;
                    } else {
                        self.state.d.next = ReceiveState::Held;
                    }
                } else if self.answerable.val() {
                    self.request.next = !self.request_full.val();
                    if self.request_full.val() {
                        self.state.d.next = ReceiveState::Judge;
                    }
                }
            }
            ReceiveState::Words => {
                self.ready.next = true;
                self.word_write.next = self.valid.val();
                self.completion_end.next = self.valid.val() && self.last.val();
                if self.valid.val() {
                    self.held.d.next = self.data.val().get_bits::<32>(32);
                    if self.last.val() {
                        self.state.d.next = ReceiveState::First;
                    }
                }
            }
            ReceiveState::Held => {
                self.dword_taken.next = true;
                self.state.d.next = ReceiveState::Low;
                if self.ended.q.val() {
                    self.state.d.next = ReceiveState::First;
                }
            }
            ReceiveState::Low => {
                self.write_data.next = self.data.val().get_bits::<32>(0);
                if self.valid.val() {
                    self.dword_taken.next = true;
                    self.state.d.next = ReceiveState::High;
                    if self.last.val() && !self.keep.val() {
                        self.ready.next = true;
                        self.state.d.next = ReceiveState::First;
                    }
                }
            }
            ReceiveState::High => {
                self.write_data.next = self.data.val().get_bits::<32>(32);
                if self.valid.val() {
                    self.ready.next = true;
                    self.dword_taken.next = true;
                    self.state.d.next = ReceiveState::Low;
                    if self.last.val() {
                        self.state.d.next = ReceiveState::First;
                    }
                }
            }
            ReceiveState::Skip => {
                self.ready.next = true;
                if self.valid.val() && self.last.val() {
                    self.state.d.next = ReceiveState::First;
                }
            }
            _ => {}
        }
        if self.dword_taken.val() {
            self.write.next = true;
            self.start.d.next = false;
            self.address.d.next = self.address.q.val() + 1;
            self.left.d.next = self.left.q.val() - 1;
        }
    }
}
