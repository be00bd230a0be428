//! Sends the card's read requests: picks a client, books the tag, offers the packet.

use super::header::RequestHeader;
use crate::rtl::*;

/// What is done for the picked client.
#[derive(Copy, Clone, PartialEq, Debug, LogicState)]
pub enum AskState {
    /// Nobody is picked.
    Pick,
    /// The tag is booked as soon as the table has a cycle for it.
    Book,
    /// The packet is offered.
    Send,
}

/// Three clients, in this order: result slots, command slots, data. Each holds its request until its `done`.
#[derive(LogicBlock, Default)]
pub struct Requests {
    /// Rising edge clocks everything.
    pub clock: Signal<In, Clock>,
    /// Requests may be sent.
    pub allow: Signal<In, Bit>,
    /// Bus, device and function of the card.
    pub requester: Signal<In, Bits<16>>,

    /// Result slots are wanted.
    pub result: Signal<In, Bit>,
    /// From here on.
    pub result_address: Signal<In, Bits<64>>,
    /// Words of eight bytes.
    pub result_words: Signal<In, Bits<7>>,
    /// Asked for.
    pub result_done: Signal<Out, Bit>,
    /// Command slots are wanted.
    pub command: Signal<In, Bit>,
    /// From here on.
    pub command_address: Signal<In, Bits<64>>,
    /// Words of eight bytes.
    pub command_words: Signal<In, Bits<7>>,
    /// Asked for.
    pub command_done: Signal<Out, Bit>,
    /// Data are wanted.
    pub data: Signal<In, Bit>,
    /// From here on.
    pub data_address: Signal<In, Bits<64>>,
    /// Words of eight bytes.
    pub data_words: Signal<In, Bits<7>>,
    /// Their tag.
    pub data_tag: Signal<In, Bits<5>>,
    /// Their place in the buffer.
    pub data_place: Signal<In, Bits<10>>,
    /// Asked for.
    pub data_done: Signal<Out, Bit>,

    /// Book `tag`.
    pub book: Signal<Out, Bit>,
    /// The table has a cycle for it.
    pub book_ok: Signal<In, Bit>,
    /// Tag to book.
    pub tag: Signal<Out, Bits<5>>,
    /// Words asked for.
    pub words: Signal<Out, Bits<7>>,
    /// Low bits of the address.
    pub lower_address: Signal<Out, Bits<7>>,
    /// Place in the buffer.
    pub place: Signal<Out, Bits<10>>,

    /// A packet is offered.
    pub offer: Signal<Out, Bit>,
    /// Its header.
    pub header: Signal<Out, Bits<128>>,
    /// It has four doublewords.
    pub long: Signal<Out, Bit>,
    /// It is on its way.
    pub done: Signal<In, Bit>,
    /// Nothing is under way.
    pub idle: Signal<Out, Bit>,

    state: DFF<AskState>,
    client: DFF<Bits<2>>,
    address: DFF<Bits<64>>,
    size: DFF<Bits<7>>,
    number: DFF<Bits<5>>,
    where_to: DFF<Bits<10>>,
    form: RequestHeader,
}

#[allow(clippy::collapsible_match)]
impl Logic for Requests {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, state, client, address, size, number, where_to);
        self.form.write.next = false;
        self.form.address.next = self.address.q.val();
        self.form.length.next = bit_cast::<10, 7>(self.size.q.val()) << 1;
        self.form.requester.next = self.requester.val();
        self.form.tag.next = bit_cast::<8, 5>(self.number.q.val());
        self.header.next = self.form.header.val();
        self.long.next = self.form.long.val();
        self.tag.next = self.number.q.val();
        self.words.next = self.size.q.val();
        self.lower_address.next = bit_cast::<7, 64>(self.address.q.val());
        self.place.next = self.where_to.q.val();
        self.book.next = false;
        self.offer.next = false;
        self.idle.next = self.state.q.val() == AskState::Pick;
        self.result_done.next = false;
        self.command_done.next = false;
        self.data_done.next = false;
        match self.state.q.val() {
            AskState::Pick => {
                self.where_to.d.next = self.data_place.val();
                if self.allow.val() && self.result.val() {
                    self.client.d.next = 2.into();
                    self.address.d.next = self.result_address.val();
                    self.size.d.next = self.result_words.val();
                    self.number.d.next = 31.into();
                    self.state.d.next = AskState::Book;
                } else if self.allow.val() && self.command.val() {
                    self.client.d.next = 1.into();
                    self.address.d.next = self.command_address.val();
                    self.size.d.next = self.command_words.val();
                    self.number.d.next = 30.into();
                    self.state.d.next = AskState::Book;
                } else if self.allow.val() && self.data.val() {
                    self.client.d.next = 0.into();
                    self.address.d.next = self.data_address.val();
                    self.size.d.next = self.data_words.val();
                    self.number.d.next = self.data_tag.val();
                    self.state.d.next = AskState::Book;
                }
            }
            AskState::Book => {
                self.book.next = self.book_ok.val();
                if self.book_ok.val() {
                    self.state.d.next = AskState::Send;
                    self.data_done.next = self.client.q.val() == 0;
                    self.command_done.next = self.client.q.val() == 1;
                    self.result_done.next = self.client.q.val() == 2;
                }
            }
            AskState::Send => {
                self.offer.next = true;
                if self.done.val() {
                    self.state.d.next = AskState::Pick;
                }
            }
            _ => {}
        }
    }
}
