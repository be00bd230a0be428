//! Puts packets onto the stream: picks one of three sources, joins its header and its data.

use crate::rtl::*;

/// Where the sender is in a packet.
#[derive(Copy, Clone, PartialEq, Debug, LogicState)]
pub enum SendState {
    /// Picks a source that offers a packet and has the credits for it.
    Pick,
    /// Sends the first two doublewords.
    First,
    /// Sends the next two.
    Second,
    /// Sends data.
    Rest,
}

/// One packet after the other. Sources hold offer, header and length until `done`; their next eight bytes of data stand
/// on `word` until taken.
#[derive(LogicBlock, Default)]
pub struct Sender {
    /// Rising edge clocks everything.
    pub clock: Signal<In, Clock>,

    /// A beat is offered.
    pub valid: Signal<Out, Bit>,
    /// It is taken at this edge.
    pub ready: Signal<In, Bit>,
    /// Eight bytes of the packet, the first one in the low bits.
    pub data: Signal<Out, Bits<64>>,
    /// Last beat of the packet.
    pub last: Signal<Out, Bit>,
    /// The high doubleword counts.
    pub keep: Signal<Out, Bit>,
    /// Credits for a write of the maximum payload.
    pub allow_write: Signal<In, Bit>,
    /// Credits for a read.
    pub allow_read: Signal<In, Bit>,
    /// Credits for a completion of 128 bytes.
    pub allow_completion: Signal<In, Bit>,

    /// A completion is offered.
    pub completion: Signal<In, Bit>,
    /// Its header.
    pub completion_header: Signal<In, Bits<128>>,
    /// Its doublewords of data.
    pub completion_dwords: Signal<In, Bits<10>>,
    /// Its next eight bytes.
    pub completion_word: Signal<In, Bits<64>>,
    /// They are taken.
    pub completion_take: Signal<Out, Bit>,
    /// Its last beat is in the output register.
    pub completion_done: Signal<Out, Bit>,

    /// A read is offered.
    pub read: Signal<In, Bit>,
    /// Its header.
    pub read_header: Signal<In, Bits<128>>,
    /// It has four doublewords.
    pub read_long: Signal<In, Bit>,
    /// Its last beat is in the output register.
    pub read_done: Signal<Out, Bit>,

    /// A write is offered.
    pub write: Signal<In, Bit>,
    /// Its header.
    pub write_header: Signal<In, Bits<128>>,
    /// It has four doublewords.
    pub write_long: Signal<In, Bit>,
    /// Its doublewords of data.
    pub write_dwords: Signal<In, Bits<10>>,
    /// Its next eight bytes.
    pub write_word: Signal<In, Bits<64>>,
    /// They are taken.
    pub write_take: Signal<Out, Bit>,
    /// Its last beat is in the output register.
    pub write_done: Signal<Out, Bit>,

    state: DFF<SendState>,
    source: DFF<Bits<2>>,
    out_valid: DFF<Bit>,
    out_data: DFF<Bits<64>>,
    out_last: DFF<Bit>,
    out_keep: DFF<Bit>,
    held: DFF<Bits<32>>,
    left: DFF<Bits<10>>,
    header: Signal<Local, Bits<128>>,
    long: Signal<Local, Bit>,
    dwords: Signal<Local, Bits<10>>,
    word: Signal<Local, Bits<64>>,
    advance: Signal<Local, Bit>,
    take: Signal<Local, Bit>,
    done: Signal<Local, Bit>,
    after: Signal<Local, Bits<10>>,
}

#[allow(clippy::collapsible_match)]
impl Logic for Sender {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self, clock, state, source, out_valid, out_data, out_last, out_keep, held, left
        );
        self.valid.next = self.out_valid.q.val();
        self.data.next = self.out_data.q.val();
        self.last.next = self.out_last.q.val();
        self.keep.next = self.out_keep.q.val();
        self.advance.next = self.ready.val() || !self.out_valid.q.val();

        // The source that was picked.
        self.header.next = self.write_header.val();
        self.long.next = self.write_long.val();
        self.dwords.next = self.write_dwords.val();
        self.word.next = self.write_word.val();
        if self.source.q.val() == 1 {
            self.header.next = self.read_header.val();
            self.long.next = self.read_long.val();
            self.dwords.next = 0.into();
        } else if self.source.q.val() == 0 {
            self.header.next = self.completion_header.val();
            self.long.next = false;
            self.dwords.next = self.completion_dwords.val();
            self.word.next = self.completion_word.val();
        }

        self.take.next = false;
        self.done.next = false;
        self.after.next = self.left.q.val() - 2;
        if self.ready.val() {
            self.out_valid.d.next = false;
        }
        match self.state.q.val() {
            SendState::Pick => {
                if self.completion.val() && self.allow_completion.val() {
                    self.source.d.next = 0.into();
                    self.state.d.next = SendState::First;
                } else if self.read.val() && self.allow_read.val() {
                    self.source.d.next = 1.into();
                    self.state.d.next = SendState::First;
                } else if self.write.val() && self.allow_write.val() {
                    self.source.d.next = 2.into();
                    self.state.d.next = SendState::First;
                }
            }
            SendState::First => {
                if self.advance.val() {
                    self.out_valid.d.next = true;
                    self.out_data.d.next = self.header.val().get_bits::<64>(0);
                    self.out_last.d.next = false;
                    self.out_keep.d.next = true;
                    self.state.d.next = SendState::Second;
                }
            }
            SendState::Second => {
                if self.advance.val() {
                    self.out_valid.d.next = true;
                    self.out_data.d.next = self.header.val().get_bits::<64>(64);
                    self.out_keep.d.next = self.long.val();
                    self.left.d.next = self.dwords.val();
                    self.held.d.next = self.word.val().get_bits::<32>(32);
                    self.state.d.next = SendState::Rest;
                    self.out_last.d.next = false;
                    if self.dwords.val() == 0 {
                        self.done.next = true;
                    } else if !self.long.val() {
                        self.take.next = true;
                        self.out_data.d.next =
                            (bit_cast::<64, 32>(self.word.val().get_bits::<32>(0)) << 32)
                                | bit_cast::<64, 32>(self.header.val().get_bits::<32>(64));
                        self.out_keep.d.next = true;
                        self.left.d.next = self.dwords.val() - 1;
                        self.done.next = self.dwords.val() == 1;
                    }
                }
            }
            SendState::Rest => {
                if self.advance.val() {
                    self.out_valid.d.next = true;
                    self.out_data.d.next = self.word.val();
                    self.out_keep.d.next = self.left.q.val() > 1;
                    self.held.d.next = self.word.val().get_bits::<32>(32);
                    self.left.d.next = self.after.val();
                    self.done.next = self.left.q.val() < 3;
                    self.take.next = true;
                    if !self.long.val() {
                        self.take.next = self.left.q.val() > 1;
                        self.out_data.d.next =
                            (bit_cast::<64, 32>(self.word.val().get_bits::<32>(0)) << 32)
                                | bit_cast::<64, 32>(self.held.q.val());
                    }
                }
            }
            _ => {}
        }
        if self.done.val() {
            self.out_last.d.next = true;
            self.state.d.next = SendState::Pick;
        }
        self.completion_take.next = self.take.val() && (self.source.q.val() == 0);
        self.completion_done.next = self.done.val() && (self.source.q.val() == 0);
        self.read_done.next = self.done.val() && (self.source.q.val() == 1);
        self.write_take.next = self.take.val() && (self.source.q.val() == 2);
        self.write_done.next = self.done.val() && (self.source.q.val() == 2);
    }
}
