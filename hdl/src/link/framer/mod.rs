//! Puts answers together, byte by byte.

use super::crc::Crc;
use crate::rtl::*;
use weft_protocol::serial::{FROM_BOARD_HEADER, Identity, MAX_UNITS, SYNC, tell};

/// What the framer does.
#[derive(Copy, Clone, PartialEq, Debug, LogicState)]
pub enum State {
    /// Nothing is due.
    Idle,
    /// What is there to send is being compared.
    Measure,
    /// The comparison catches up.
    Settle,
    /// The answer's fields are fixed.
    Begin,
    /// The next byte is looked up.
    Look,
    /// The memories answer.
    Wait,
    /// Their output registers answer.
    Choose,
    /// The byte waits for the line.
    Send,
}

/// Which part of the frame is sent.
#[derive(Copy, Clone, PartialEq, Debug, LogicState)]
pub enum Part {
    /// Header.
    Header,
    /// Payload.
    Payload,
    /// CRC.
    Check,
}

/// Sends one answer at a time.
#[derive(LogicBlock)]
pub struct Framer {
    /// Rising edge clocks everything.
    pub clock: Signal<In, Clock>,
    /// An answer is due.
    pub owed: Signal<In, Bit>,
    /// It shall hold the identity.
    pub info: Signal<In, Bit>,
    /// Low four flags.
    pub told: Signal<In, Bits<4>>,
    /// Full frames of answers are sent unasked.
    pub speak: Signal<In, Bit>,
    /// Session.
    pub session: Signal<In, Bits<8>>,
    /// Tag.
    pub tag: Signal<In, Bits<8>>,
    /// Units received.
    pub received: Signal<In, Bits<16>>,
    /// Units passed on.
    pub taken: Signal<In, Bits<16>>,
    /// Units of answers held.
    pub written: Signal<In, Bits<16>>,
    /// Units of answers that the host has.
    pub base: Signal<In, Bits<16>>,
    /// Start again at `base`.
    pub rewind: Signal<In, Bit>,
    /// The fields were taken over; one clock.
    pub begun: Signal<Out, Bit>,
    /// The position is back at `base`; one clock.
    pub rewound: Signal<Out, Bit>,
    /// Word of the answers; it comes two clocks later.
    pub address: Signal<Out, Bits<12>>,
    /// It.
    pub data: Signal<In, Bits<32>>,
    /// Word of the identity.
    pub identity_index: Signal<Out, Bits<3>>,
    /// It, in the same clock.
    pub identity: Signal<In, Bits<32>>,
    /// Counters are being read.
    pub hold: Signal<Out, Bit>,
    /// Counter.
    pub counter_index: Signal<Out, Bits<3>>,
    /// It, two clocks later.
    pub counter: Signal<In, Bits<16>>,
    /// The line takes a byte.
    pub ready: Signal<In, Bit>,
    /// Here it is; one clock.
    pub start: Signal<Out, Bit>,
    /// The byte.
    pub octet: Signal<Out, Bits<8>>,
    crc: Crc,
    state: DFF<State>,
    part: DFF<Part>,
    at: DFF<Bits<9>>,
    last: DFF<Bits<9>>,
    next: DFF<Bits<17>>,
    unsent: DFF<Bits<16>>,
    flags: DFF<Bits<8>>,
    units: DFF<Bits<8>>,
    who: DFF<Bits<8>>,
    which: DFF<Bits<8>>,
    high: DFF<Bits<8>>,
    heading: DFF<Bits<8>>,
    chosen: DFF<Bits<8>>,
    identifying: DFF<Bit>,
    full: DFF<Bit>,
    number: Signal<Local, Bits<4>>,
    word: Signal<Local, Bits<32>>,
    pair: Signal<Local, Bits<16>>,
    sending: Signal<Local, Bit>,
    counted: Signal<Local, Bit>,
    sync0: Constant<Bits<8>>,
    sync1: Constant<Bits<8>>,
    header_last: Constant<Bits<9>>,
    most: Constant<Bits<8>>,
    frame_units: Constant<Bits<16>>,
    info_units: Constant<Bits<8>>,
    board: Constant<Bits<8>>,
    info_flag: Constant<Bits<8>>,
}

impl Default for Framer {
    fn default() -> Self {
        Self {
            clock: Signal::default(),
            owed: Signal::default(),
            info: Signal::default(),
            told: Signal::default(),
            speak: Signal::default(),
            session: Signal::default(),
            tag: Signal::default(),
            received: Signal::default(),
            taken: Signal::default(),
            written: Signal::default(),
            base: Signal::default(),
            rewind: Signal::default(),
            begun: Signal::default(),
            rewound: Signal::default(),
            address: Signal::default(),
            data: Signal::default(),
            identity_index: Signal::default(),
            identity: Signal::default(),
            hold: Signal::default(),
            counter_index: Signal::default(),
            counter: Signal::default(),
            ready: Signal::default(),
            start: Signal::default(),
            octet: Signal::default(),
            crc: Crc::default(),
            state: DFF::default(),
            part: DFF::default(),
            at: DFF::default(),
            last: DFF::default(),
            next: DFF::default(),
            unsent: DFF::default(),
            flags: DFF::default(),
            units: DFF::default(),
            who: DFF::default(),
            which: DFF::default(),
            high: DFF::default(),
            heading: DFF::default(),
            chosen: DFF::default(),
            identifying: DFF::default(),
            full: DFF::default(),
            word: Signal::default(),
            number: Signal::default(),
            pair: Signal::default(),
            sending: Signal::default(),
            counted: Signal::default(),
            sync0: Constant::new(SYNC[0].to_bits()),
            sync1: Constant::new(SYNC[1].to_bits()),
            header_last: Constant::new((FROM_BOARD_HEADER - 1).to_bits()),
            most: Constant::new(MAX_UNITS.to_bits()),
            frame_units: Constant::new(MAX_UNITS.to_bits()),
            info_units: Constant::new(Identity::UNITS.to_bits()),
            board: Constant::new(tell::BOARD.to_bits()),
            info_flag: Constant::new(tell::INFO.to_bits()),
        }
    }
}

#[allow(clippy::collapsible_match)] // the description language has no match guards
impl Logic for Framer {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self,
            clock,
            state,
            part,
            at,
            last,
            next,
            unsent,
            flags,
            units,
            who,
            which,
            high,
            heading,
            chosen,
            identifying,
            full
        );
        clock!(self, clock, crc);

        self.unsent.d.next = self.written.val() - bit_cast::<16, 17>(self.next.q.val() >> 1);
        self.full.d.next = self.unsent.q.val() >= self.frame_units.val();
        self.address.next = bit_cast::<12, 17>(self.next.q.val());
        self.identity_index.next = bit_cast::<3, 9>(self.at.q.val() >> 2);
        self.counter_index.next = bit_cast::<3, 9>(self.at.q.val() >> 1);

        // A byte of the header, a clock ahead.
        self.number.next = self.at.q.val().get_bits::<4>(0);
        self.heading.d.next = self.high.q.val();
        if self.number.val() == 0 {
            self.heading.d.next = self.sync0.val();
        } else if self.number.val() == 1 {
            self.heading.d.next = self.sync1.val();
        } else if self.number.val() == 2 {
            self.heading.d.next = self.flags.q.val();
        } else if self.number.val() == 3 {
            self.heading.d.next = self.units.q.val();
        } else if self.number.val() == 4 {
            self.heading.d.next = self.who.q.val();
        } else if self.number.val() == 5 {
            self.heading.d.next = self.which.q.val();
        } else if self.number.val() == 6 {
            self.heading.d.next = self.next.q.val().get_bits::<8>(1);
        } else if self.number.val() == 7 {
            self.heading.d.next = self.next.q.val().get_bits::<8>(9);
        } else if self.number.val() == 8 {
            self.heading.d.next = self.received.val().get_bits::<8>(0);
        } else if self.number.val() == 10 {
            self.heading.d.next = self.taken.val().get_bits::<8>(0);
        }

        // A byte of the payload.
        self.word.next = self.data.val();
        if self.identifying.q.val() {
            self.word.next = self.identity.val();
        }
        self.pair.next = self.word.val().get_bits::<16>(0);
        if self.at.q.val().get_bit(1) {
            self.pair.next = self.word.val().get_bits::<16>(16);
        }
        if self.identifying.q.val() && self.at.q.val().get_bit(5) {
            self.pair.next = self.counter.val();
        }

        self.begun.next = false;
        self.rewound.next = false;
        self.hold.next = false;
        self.sending.next = false;
        self.crc.clear.next = false;
        self.counted.next = !(self.part.q.val() == Part::Header) || (self.at.q.val() > 1);
        match self.state.q.val() {
            State::Idle => {
                if self.owed.val() || (self.speak.val() && self.full.q.val()) {
                    self.state.d.next = State::Measure;
                    if self.rewind.val() {
                        self.rewound.next = true;
                        self.next.d.next = bit_cast::<17, 16>(self.base.val()) << 1;
                    }
                }
            }
            State::Measure => {
                self.state.d.next = State::Settle;
            }
            State::Settle => {
                self.units.d.next = bit_cast::<8, 16>(self.unsent.q.val());
                self.state.d.next = State::Begin;
            }
            State::Begin => {
                self.begun.next = true;
                self.crc.clear.next = true;
                // Whether it was more than a frame holds is known a clock after it.
                if self.full.q.val() {
                    self.units.d.next = self.most.val();
                }
                self.flags.d.next = self.board.val() | bit_cast::<8, 4>(self.told.val());
                self.identifying.d.next = self.info.val();
                if self.info.val() {
                    self.flags.d.next =
                        self.board.val() | self.info_flag.val() | bit_cast::<8, 4>(self.told.val());
                    self.units.d.next = self.info_units.val();
                }
                self.who.d.next = self.session.val();
                self.which.d.next = self.tag.val();
                self.part.d.next = Part::Header;
                self.at.d.next = 0.into();
                self.last.d.next = self.header_last.val();
                self.state.d.next = State::Look;
            }
            State::Look => {
                self.hold.next = true;
                self.state.d.next = State::Wait;
            }
            State::Wait => {
                self.hold.next = true;
                // The halves of a position are of one moment.
                if self.number.val() == 8 {
                    self.high.d.next = self.received.val().get_bits::<8>(8);
                } else if self.number.val() == 10 {
                    self.high.d.next = self.taken.val().get_bits::<8>(8);
                }
                if !self.crc.busy.val() {
                    self.state.d.next = State::Choose;
                }
            }
            State::Choose => {
                self.state.d.next = State::Send;
                self.chosen.d.next = self.crc.low.val();
                if self.part.q.val() == Part::Payload {
                    self.chosen.d.next = self.pair.val().get_bits::<8>(0);
                    if self.at.q.val().get_bit(0) {
                        self.chosen.d.next = self.pair.val().get_bits::<8>(8);
                    }
                } else if self.part.q.val() == Part::Header {
                    self.chosen.d.next = self.heading.q.val();
                }
            }
            State::Send => {
                if self.ready.val() {
                    self.sending.next = true;
                    self.at.d.next = self.at.q.val() + 1;
                    self.state.d.next = State::Look;
                    if (self.part.q.val() == Part::Payload)
                        && !self.identifying.q.val()
                        && (self.at.q.val().get_bits::<2>(0) == 3)
                    {
                        self.next.d.next = self.next.q.val() + 1;
                    }
                    if self.at.q.val() == self.last.q.val() {
                        self.at.d.next = 0.into();
                        if self.part.q.val() == Part::Check {
                            self.state.d.next = State::Idle;
                        } else if (self.part.q.val() == Part::Header) && self.units.q.val().any() {
                            self.part.d.next = Part::Payload;
                            self.last.d.next = (bit_cast::<9, 8>(self.units.q.val()) << 3) - 1;
                        } else {
                            self.part.d.next = Part::Check;
                            self.last.d.next = 3.into();
                        }
                    }
                }
            }
            _ => {}
        }
        self.start.next = self.sending.val();
        self.octet.next = self.chosen.q.val();
        self.crc.octet.next = self.chosen.q.val();
        self.crc.start.next = self.sending.val() && self.counted.val();
    }
}
