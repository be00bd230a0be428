//! Finds frames among the bytes of the line.

use super::crc::Crc;
use crate::rtl::*;
use weft_protocol::serial::{MAX_UNITS, SYNC};

/// What the next byte is.
#[derive(Copy, Clone, PartialEq, Debug, LogicState)]
pub enum State {
    /// Nothing yet.
    Hunt,
    /// The second sync byte.
    Second,
    /// A byte of the header.
    Header,
    /// No byte: the header is judged.
    Measure,
    /// A byte of the payload.
    Payload,
    /// A byte of the CRC.
    Check,
    /// No byte: the last one goes into the CRC.
    Settle,
    /// No byte: the frame is judged.
    Judge,
}

/// Takes frames apart. Header fields hold from `header` to the next frame's header.
#[derive(LogicBlock)]
pub struct Deframer {
    /// Rising edge clocks everything.
    pub clock: Signal<In, Clock>,
    /// A byte came; one clock.
    pub valid: Signal<In, Bit>,
    /// The byte.
    pub octet: Signal<In, Bits<8>>,
    /// A byte was lost; one clock.
    pub broken: Signal<In, Bit>,
    /// The header is complete, and its length possible; one clock.
    pub header: Signal<Out, Bit>,
    /// Its flags.
    pub flags: Signal<Out, Bits<8>>,
    /// Its length.
    pub units: Signal<Out, Bits<8>>,
    /// Its session.
    pub session: Signal<Out, Bits<8>>,
    /// Its tag.
    pub tag: Signal<Out, Bits<8>>,
    /// Its position.
    pub position: Signal<Out, Bits<16>>,
    /// Its acknowledgement of answers.
    pub answers: Signal<Out, Bits<16>>,
    /// `word` is a word of the payload; one clock.
    pub word_write: Signal<Out, Bit>,
    /// The word.
    pub word: Signal<Out, Bits<32>>,
    /// Its number in the payload.
    pub word_index: Signal<Out, Bits<6>>,
    /// The frame was undamaged; one clock.
    pub good: Signal<Out, Bit>,
    /// What began like a frame was none; one clock.
    pub bad: Signal<Out, Bit>,
    crc: Crc,
    state: DFF<State>,
    fields: DFF<Bits<64>>,
    data: DFF<Bits<32>>,
    left: DFF<Bits<9>>,
    index: DFF<Bits<6>>,
    wrote: DFF<Bit>,
    sound: DFF<Bit>,
    fill: Signal<Local, Bit>,
    counted: Signal<Local, Bit>,
    last: Signal<Local, Bit>,
    taking: Signal<Local, Bit>,
    sync0: Constant<Bits<8>>,
    sync1: Constant<Bits<8>>,
    most: Constant<Bits<8>>,
}

impl Default for Deframer {
    fn default() -> Self {
        Self {
            clock: Signal::default(),
            valid: Signal::default(),
            octet: Signal::default(),
            broken: Signal::default(),
            header: Signal::default(),
            flags: Signal::default(),
            units: Signal::default(),
            session: Signal::default(),
            tag: Signal::default(),
            position: Signal::default(),
            answers: Signal::default(),
            word_write: Signal::default(),
            word: Signal::default(),
            word_index: Signal::default(),
            good: Signal::default(),
            bad: Signal::default(),
            crc: Crc::default(),
            state: DFF::default(),
            fields: DFF::default(),
            data: DFF::default(),
            left: DFF::default(),
            index: DFF::default(),
            wrote: DFF::default(),
            sound: DFF::default(),
            fill: Signal::default(),
            counted: Signal::default(),
            last: Signal::default(),
            taking: Signal::default(),
            sync0: Constant::new(SYNC[0].to_bits()),
            sync1: Constant::new(SYNC[1].to_bits()),
            most: Constant::new(MAX_UNITS.to_bits()),
        }
    }
}

#[allow(clippy::collapsible_match)] // the description language has no match guards
impl Logic for Deframer {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, state, fields, data, left, index, wrote, sound);
        clock!(self, clock, crc);

        self.flags.next = self.fields.q.val().get_bits::<8>(0);
        self.units.next = self.fields.q.val().get_bits::<8>(8);
        self.session.next = self.fields.q.val().get_bits::<8>(16);
        self.tag.next = self.fields.q.val().get_bits::<8>(24);
        self.position.next = self.fields.q.val().get_bits::<16>(32);
        self.answers.next = self.fields.q.val().get_bits::<16>(48);
        self.fill.next = self.fields.q.val().get_bit(2);

        self.crc.octet.next = self.octet.val();
        self.crc.clear.next = self.state.q.val() == State::Second;
        self.counted.next = (self.state.q.val() == State::Header)
            || (self.state.q.val() == State::Payload)
            || (self.state.q.val() == State::Check);
        self.taking.next = self.valid.val() && self.counted.val();
        self.crc.start.next = self.taking.val();
        self.last.next = !self.left.q.val().any();
        // 32 bits against zero are a clock of their own.
        self.sound.d.next = self.crc.zero.val();
        if self.taking.val() {
            self.left.d.next = self.left.q.val() - 1;
        }

        // A word is complete when as many bytes are left as fill words.
        self.wrote.d.next = false;
        if self.wrote.q.val() {
            self.index.d.next = self.index.q.val() + 1;
        }
        self.word_write.next = self.wrote.q.val();
        self.word.next = self.data.q.val();
        self.word_index.next = self.index.q.val();

        self.header.next = false;
        self.good.next = false;
        self.bad.next = false;
        match self.state.q.val() {
            State::Hunt => {
                if self.valid.val() && (self.octet.val() == self.sync0.val()) {
                    self.state.d.next = State::Second;
                }
            }
            State::Second => {
                self.left.d.next = 7.into();
                self.index.d.next = 0.into();
                if self.valid.val() {
                    if self.octet.val() == self.sync1.val() {
                        self.state.d.next = State::Header;
                    } else if self.octet.val() != self.sync0.val() {
                        self.state.d.next = State::Hunt;
                    }
                }
            }
            State::Header => {
                if self.valid.val() {
                    self.fields.d.next =
                        (self.fields.q.val() >> 8) | (bit_cast::<64, 8>(self.octet.val()) << 56);
                    if self.last.val() {
                        self.state.d.next = State::Measure;
                    }
                }
            }
            State::Measure => {
                self.left.d.next = (bit_cast::<9, 8>(self.units.val()) << 3) - 1;
                self.state.d.next = State::Payload;
                self.header.next = true;
                if !self.units.val().any() || self.fill.val() {
                    self.left.d.next = 3.into();
                    self.state.d.next = State::Check;
                } else if self.units.val() > self.most.val() {
                    self.header.next = false;
                    self.bad.next = true;
                    self.state.d.next = State::Hunt;
                }
            }
            State::Payload => {
                if self.valid.val() {
                    self.data.d.next =
                        (self.data.q.val() >> 8) | (bit_cast::<32, 8>(self.octet.val()) << 24);
                    self.wrote.d.next = self.left.q.val().get_bits::<2>(0) == 0;
                    if self.last.val() {
                        self.left.d.next = 3.into();
                        self.state.d.next = State::Check;
                    }
                }
            }
            State::Check => {
                if self.valid.val() && self.last.val() {
                    self.state.d.next = State::Settle;
                }
            }
            State::Settle => {
                if !self.crc.busy.val() {
                    self.state.d.next = State::Judge;
                }
            }
            State::Judge => {
                self.good.next = self.sound.q.val();
                self.bad.next = !self.sound.q.val();
                self.state.d.next = State::Hunt;
            }
            _ => {}
        }
        if self.broken.val() {
            self.bad.next = self.counted.val();
            self.state.d.next = State::Hunt;
        }
    }
}
