//! The blocks of the link, wired together.

use super::LinkConfig;
use super::answers::Answers;
use super::deframer::Deframer;
use super::feeder::Feeder;
use super::framer::Framer;
use super::ledger::Ledger;
use super::tally::Tally;
use super::uart::{UartReceiver, UartTransmitter};
use crate::blocks::memory::RegisteredRam;
use crate::core::CoreConfig;
use crate::rtl::*;
use weft_protocol::serial::Identity;

/// A serial line in front of a core.
#[derive(LogicBlock)]
pub struct Link {
    /// Rising edge clocks everything.
    pub clock: Signal<In, Clock>,
    /// Ends the session; the host opens a new one.
    pub reset: Signal<In, Bit>,
    /// The line from the host, asynchronous.
    pub serial_rx: Signal<In, Bit>,
    /// The line to the host.
    pub serial_tx: Signal<Out, Bit>,
    /// A word of the packet stream is offered to the core.
    pub request_valid: Signal<Out, Bit>,
    /// It is taken at this edge if it is offered.
    pub request_ready: Signal<In, Bit>,
    /// The word.
    pub request_word: Signal<Out, Bits<32>>,
    /// The core offers a word of an answer.
    pub answer_valid: Signal<In, Bit>,
    /// It is taken at this edge if it is offered.
    pub answer_ready: Signal<Out, Bit>,
    /// The word.
    pub answer_word: Signal<In, Bits<32>>,
    /// A session is open.
    pub open: Signal<Out, Bit>,
    /// An undamaged frame came; one clock.
    pub good: Signal<Out, Bit>,
    /// A damaged frame came; one clock.
    pub bad: Signal<Out, Bit>,
    receiver: UartReceiver,
    deframer: Deframer,
    ledger: Ledger,
    requests: RegisteredRam<32, 12>,
    feeder: Feeder,
    answers: Answers,
    framer: Framer,
    tally: Tally,
    transmitter: UartTransmitter,
    looped: DFF<Bit>,
    place: DFF<Bits<12>>,
    store: DFF<Bit>,
    magic: Constant<Bits<32>>,
    version: Constant<Bits<32>>,
    map_hash: Constant<Bits<32>>,
    link_hash: Constant<Bits<32>>,
    shape: Constant<Bits<32>>,
    line: Constant<Bits<32>>,
    board: Constant<Bits<32>>,
    buffers: Constant<Bits<32>>,
}

impl Link {
    /// The link of a checked configuration, in front of `core`.
    #[must_use]
    pub fn new(config: &LinkConfig, core: &CoreConfig) -> Self {
        let [
            magic,
            version,
            map_hash,
            link_hash,
            shape,
            line,
            board,
            buffers,
        ] = Identity::words(&config.identity(core)).map(|w| Constant::new(w.to_bits()));
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            serial_rx: Signal::default(),
            serial_tx: Signal::default(),
            request_valid: Signal::default(),
            request_ready: Signal::default(),
            request_word: Signal::default(),
            answer_valid: Signal::default(),
            answer_ready: Signal::default(),
            answer_word: Signal::default(),
            open: Signal::default(),
            good: Signal::default(),
            bad: Signal::default(),
            receiver: UartReceiver::new(config.clocks_per_bit),
            deframer: Deframer::default(),
            ledger: Ledger::new(config.request_units),
            requests: RegisteredRam::new(2 * config.request_units as usize),
            feeder: Feeder::default(),
            answers: Answers::new(config.answer_units),
            framer: Framer::default(),
            tally: Tally::default(),
            transmitter: UartTransmitter::new(config.clocks_per_bit),
            looped: DFF::default(),
            place: DFF::default(),
            store: DFF::default(),
            magic,
            version,
            map_hash,
            link_hash,
            shape,
            line,
            board,
            buffers,
        }
    }
}

impl Logic for Link {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, looped, place, store);
        clock!(
            self,
            clock,
            receiver,
            deframer,
            ledger,
            requests,
            feeder,
            answers,
            framer,
            tally,
            transmitter
        );

        // From the line to a verdict.
        self.receiver.line.next = self.serial_rx.val();
        self.deframer.valid.next = self.receiver.valid.val();
        self.deframer.octet.next = self.receiver.octet.val();
        self.deframer.broken.next = self.receiver.broken.val();
        self.ledger.reset.next = self.reset.val();
        self.ledger.header.next = self.deframer.header.val();
        self.ledger.good.next = self.deframer.good.val();
        self.ledger.bad.next = self.deframer.bad.val();
        self.ledger.broken.next = self.receiver.broken.val();
        self.ledger.flags.next = self.deframer.flags.val();
        self.ledger.units.next = self.deframer.units.val();
        self.ledger.frame_session.next = self.deframer.session.val();
        self.ledger.frame_tag.next = self.deframer.tag.val();
        self.ledger.position.next = self.deframer.position.val();
        self.ledger.acknowledged.next = self.deframer.answers.val();

        // Payload into the request buffer; it counts once its frame is judged. A word stands until the next byte.
        self.place.d.next = (bit_cast::<12, 16>(self.ledger.received.val()) << 1)
            + bit_cast::<12, 6>(self.deframer.word_index.val());
        self.store.d.next = self.deframer.word_write.val() && self.ledger.admitted.val();
        self.requests.write_enable.next = self.store.q.val();
        self.requests.write_address.next = self.place.q.val();
        self.requests.write_data.next = self.deframer.word.val();

        // Request buffer to the core, or back to the answers.
        self.requests.read_address.next = self.feeder.address.val();
        self.feeder.data.next = self.requests.read_data.val();
        self.feeder.received.next = self.ledger.received.val();
        self.feeder.restart.next = self.ledger.restart.val();
        self.feeder.filling.next = self.ledger.filling.val();
        self.ledger.taken.next = self.feeder.taken.val();
        self.ledger.followed.next = self.feeder.followed.val();
        self.ledger.restarted.next = self.feeder.restarted.val();
        if self.feeder.restarted.val() {
            self.looped.d.next = self.ledger.looped.val();
        }
        self.request_word.next = self.feeder.word.val();
        self.request_valid.next = self.feeder.valid.val();
        self.feeder.ready.next = self.request_ready.val();
        self.answers.valid.next = self.answer_valid.val();
        self.answers.word.next = self.answer_word.val();
        self.answer_ready.next = self.answers.ready.val();
        if self.looped.q.val() {
            self.request_valid.next = false;
            self.feeder.ready.next = self.answers.ready.val();
            self.answers.valid.next = self.feeder.valid.val();
            self.answers.word.next = self.feeder.word.val();
            self.answer_ready.next = false;
        }
        self.answers.restart.next = self.ledger.restart.val();
        self.answers.discard.next = self.ledger.discard.val();
        self.answers.base.next = self.ledger.base.val();

        // Answers to the line.
        self.framer.owed.next = self.ledger.owed.val();
        self.framer.info.next = self.ledger.info.val();
        self.framer.told.next = self.ledger.told.val();
        self.framer.speak.next =
            self.ledger.open.val() && !self.ledger.discard.val() && !self.ledger.rewind.val();
        self.framer.session.next = self.ledger.session.val();
        self.framer.tag.next = self.ledger.tag.val();
        self.framer.received.next = self.ledger.received.val();
        self.framer.taken.next = self.feeder.taken.val();
        self.framer.written.next = self.answers.written.val();
        self.framer.base.next = self.ledger.base.val();
        self.framer.rewind.next = self.ledger.rewind.val();
        self.ledger.begun.next = self.framer.begun.val();
        self.ledger.rewound.next = self.framer.rewound.val();
        self.answers.address.next = self.framer.address.val();
        self.framer.data.next = self.answers.data.val();
        self.tally.happened.next = self.ledger.happened.val();
        self.tally.counter.next = self.ledger.counter.val();
        self.tally.hold.next = self.framer.hold.val();
        self.tally.index.next = self.framer.counter_index.val();
        self.framer.counter.next = self.tally.value.val();
        self.framer.ready.next = self.transmitter.ready.val();
        self.transmitter.start.next = self.framer.start.val();
        self.transmitter.octet.next = self.framer.octet.val();
        self.serial_tx.next = self.transmitter.line.val();

        self.framer.identity.next = self.magic.val();
        if self.framer.identity_index.val() == 1 {
            self.framer.identity.next = self.version.val();
        } else if self.framer.identity_index.val() == 2 {
            self.framer.identity.next = self.map_hash.val();
        } else if self.framer.identity_index.val() == 3 {
            self.framer.identity.next = self.link_hash.val();
        } else if self.framer.identity_index.val() == 4 {
            self.framer.identity.next = self.shape.val();
        } else if self.framer.identity_index.val() == 5 {
            self.framer.identity.next = self.line.val();
        } else if self.framer.identity_index.val() == 6 {
            self.framer.identity.next = self.board.val();
        } else if self.framer.identity_index.val() == 7 {
            self.framer.identity.next = self.buffers.val();
        }

        self.open.next = self.ledger.open.val();
        self.good.next = self.deframer.good.val();
        self.bad.next = self.deframer.bad.val();
    }
}
