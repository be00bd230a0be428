//! What the board knows about the session, and what it decides about each frame.

use crate::rtl::*;
use weft_protocol::serial::Counter;

/// Judges frames by session, position and room, and keeps what the next answer will say.
#[derive(LogicBlock)]
pub struct Ledger {
    /// Rising edge clocks everything.
    pub clock: Signal<In, Clock>,
    /// Ends the session.
    pub reset: Signal<In, Bit>,

    /// A header is complete; one clock.
    pub header: Signal<In, Bit>,
    /// Its frame was undamaged; one clock, at least 40 after `header`.
    pub good: Signal<In, Bit>,
    /// A damaged frame; one clock.
    pub bad: Signal<In, Bit>,
    /// A byte without a stop bit; one clock.
    pub broken: Signal<In, Bit>,
    /// Fields of the header.
    pub flags: Signal<In, Bits<8>>,
    /// Length.
    pub units: Signal<In, Bits<8>>,
    /// Session.
    pub frame_session: Signal<In, Bits<8>>,
    /// Tag.
    pub frame_tag: Signal<In, Bits<8>>,
    /// Position.
    pub position: Signal<In, Bits<16>>,
    /// Answers acknowledged.
    pub acknowledged: Signal<In, Bits<16>>,

    /// Units passed on to the core.
    pub taken: Signal<In, Bits<16>>,
    /// The feeder follows what was received since the last fill or hello.
    pub followed: Signal<In, Bit>,
    /// The feeder has restarted.
    pub restarted: Signal<In, Bit>,
    /// An answer has begun with what stands here.
    pub begun: Signal<In, Bit>,
    /// The answer's positions are back at `base`.
    pub rewound: Signal<In, Bit>,

    /// The frame's payload has a place: write it at `received`.
    pub admitted: Signal<Out, Bit>,
    /// Units received without a hole.
    pub received: Signal<Out, Bits<16>>,
    /// Units of answers that the host has.
    pub base: Signal<Out, Bits<16>>,
    /// The open session.
    pub session: Signal<Out, Bits<8>>,
    /// Tag of the last undamaged frame.
    pub tag: Signal<Out, Bits<8>>,
    /// A session is open.
    pub open: Signal<Out, Bit>,
    /// It loops requests back.
    pub looped: Signal<Out, Bit>,
    /// Requests are zeros, whatever the buffer holds.
    pub filling: Signal<Out, Bit>,
    /// The feeder shall start again at position 0.
    pub restart: Signal<Out, Bit>,
    /// Answers of the core are discarded.
    pub discard: Signal<Out, Bit>,
    /// An answer is due.
    pub owed: Signal<Out, Bit>,
    /// It shall hold the identity.
    pub info: Signal<Out, Bit>,
    /// Low four flags of the answer.
    pub told: Signal<Out, Bits<4>>,
    /// The answers shall start again at `base`.
    pub rewind: Signal<Out, Bit>,
    /// Something to count; one clock.
    pub happened: Signal<Out, Bit>,
    /// Which counter.
    pub counter: Signal<Out, Bits<3>>,

    here: DFF<Bits<16>>,
    acked: DFF<Bits<16>>,
    session_id: DFF<Bits<8>>,
    last_tag: DFF<Bits<8>>,
    opened: DFF<Bit>,
    looping: DFF<Bit>,
    zeros: DFF<Bit>,
    starting: DFF<Bit>,
    discarding: DFF<Bit>,
    due: DFF<Bit>,
    identify: DFF<Bit>,
    sticky: DFF<Bits<4>>,
    again: DFF<Bit>,

    // The judgement, one step a clock after the header.
    steps: DFF<Bits<3>>,
    offset: DFF<Bits<16>>,
    used: DFF<Bits<16>>,
    room: DFF<Bit>,
    next: DFF<Bit>,
    behind: DFF<Bit>,
    ours: DFF<Bit>,
    place: DFF<Bit>,

    hello: Signal<Local, Bit>,
    fill: Signal<Local, Bit>,
    grown: Signal<Local, Bits<16>>,
    known: Signal<Local, Bit>,
    capacity: Constant<Bits<16>>,
    good_event: Constant<Bits<3>>,
    duplicate_event: Constant<Bits<3>>,
    gap_event: Constant<Bits<3>>,
    full_event: Constant<Bits<3>>,
    stale_event: Constant<Bits<3>>,
    bad_event: Constant<Bits<3>>,
    broken_event: Constant<Bits<3>>,
    session_event: Constant<Bits<3>>,
}

fn event(counter: Counter) -> Constant<Bits<3>> {
    Constant::new((counter as u8).to_bits())
}

impl Ledger {
    /// A ledger over a buffer of `request_units`.
    #[must_use]
    pub fn new(request_units: u32) -> Self {
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            header: Signal::default(),
            good: Signal::default(),
            bad: Signal::default(),
            broken: Signal::default(),
            flags: Signal::default(),
            units: Signal::default(),
            frame_session: Signal::default(),
            frame_tag: Signal::default(),
            position: Signal::default(),
            acknowledged: Signal::default(),
            taken: Signal::default(),
            followed: Signal::default(),
            restarted: Signal::default(),
            begun: Signal::default(),
            rewound: Signal::default(),
            admitted: Signal::default(),
            received: Signal::default(),
            base: Signal::default(),
            session: Signal::default(),
            tag: Signal::default(),
            open: Signal::default(),
            looped: Signal::default(),
            filling: Signal::default(),
            restart: Signal::default(),
            discard: Signal::default(),
            owed: Signal::default(),
            info: Signal::default(),
            told: Signal::default(),
            rewind: Signal::default(),
            happened: Signal::default(),
            counter: Signal::default(),
            here: DFF::default(),
            acked: DFF::default(),
            session_id: DFF::default(),
            last_tag: DFF::default(),
            opened: DFF::default(),
            looping: DFF::default(),
            zeros: DFF::default(),
            starting: DFF::default(),
            discarding: DFF::default(),
            due: DFF::default(),
            identify: DFF::default(),
            sticky: DFF::default(),
            again: DFF::default(),
            steps: DFF::default(),
            offset: DFF::default(),
            used: DFF::default(),
            room: DFF::default(),
            next: DFF::default(),
            behind: DFF::default(),
            ours: DFF::default(),
            place: DFF::default(),
            hello: Signal::default(),
            fill: Signal::default(),
            grown: Signal::default(),
            known: Signal::default(),
            capacity: Constant::new(request_units.to_bits()),
            good_event: event(Counter::Good),
            duplicate_event: event(Counter::Duplicate),
            gap_event: event(Counter::Gap),
            full_event: event(Counter::Full),
            stale_event: event(Counter::Stale),
            bad_event: event(Counter::Bad),
            broken_event: event(Counter::Broken),
            session_event: event(Counter::Sessions),
        }
    }
}

impl Logic for Ledger {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self, clock, here, acked, session_id, last_tag, opened, looping, zeros, starting,
            discarding, due, identify, sticky, again, steps, offset, used, room, next, behind,
            ours, place
        );
        self.hello.next = self.flags.val().get_bit(0);
        self.fill.next = self.flags.val().get_bit(2);

        // Step 1: how far the frame is from here, and what the buffer would hold. Step 2: compare. Step 3: decide,
        // once a frame: room that appears later must not admit the rest of a payload.
        self.steps.d.next = self.steps.q.val() << 1;
        if self.header.val() {
            self.steps.d.next = 1.into();
        }
        self.offset.d.next = self.position.val() - self.here.q.val();
        self.used.d.next =
            (self.here.q.val() - self.taken.val()) + bit_cast::<16, 8>(self.units.val());
        self.known.next =
            self.opened.q.val() && (self.frame_session.val() == self.session_id.q.val());
        self.ours.d.next = self.known.val();
        self.next.d.next = !self.offset.q.val().any();
        self.behind.d.next = self.offset.q.val().get_bit(15);
        self.room.d.next = self.used.q.val() <= self.capacity.val();
        if self.steps.q.val().get_bit(2) {
            self.place.d.next = self.ours.q.val()
                && self.next.q.val()
                && (self.room.q.val() || self.fill.val())
                && !self.zeros.q.val()
                && !self.starting.q.val()
                && !self.hello.val();
        }
        self.grown.next = self.here.q.val() + bit_cast::<16, 8>(self.units.val());
        if self.fill.val() {
            self.grown.next = self.here.q.val() + (bit_cast::<16, 8>(self.units.val()) << 8);
        }

        if self.zeros.q.val() && self.followed.val() {
            self.zeros.d.next = false;
        }
        if self.restarted.val() {
            self.starting.d.next = false;
        }
        if self.rewound.val() {
            self.again.d.next = false;
        }
        if self.begun.val() {
            self.due.d.next = false;
            self.identify.d.next = false;
            self.sticky.d.next = 0.into();
        }

        self.happened.next = self.good.val();
        self.counter.next = self.good_event.val();
        if self.good.val() {
            self.due.d.next = true;
            self.last_tag.d.next = self.frame_tag.val();
            if self.hello.val() && !self.ours.q.val() {
                self.counter.next = self.session_event.val();
                self.session_id.d.next = self.frame_session.val();
                self.opened.d.next = true;
                self.looping.d.next = self.flags.val().get_bit(1);
                self.here.d.next = 0.into();
                self.acked.d.next = 0.into();
                self.zeros.d.next = false;
                self.starting.d.next = true;
                self.discarding.d.next = true;
                self.again.d.next = true;
                self.identify.d.next = true;
            } else if !self.ours.q.val() {
                self.counter.next = self.stale_event.val();
                self.sticky.d.next = self.sticky.q.val() | 8;
            } else {
                self.identify.d.next =
                    self.hello.val() || self.flags.val().get_bit(4) || self.identify.q.val();
                if !self.hello.val() {
                    self.acked.d.next = self.acknowledged.val();
                }
                if self.flags.val().get_bit(3) {
                    self.again.d.next = true;
                }
                if self.units.val().any() && !self.hello.val() {
                    if self.place.q.val() {
                        self.here.d.next = self.grown.val();
                        self.zeros.d.next = self.fill.val();
                        if !self.fill.val() {
                            self.discarding.d.next = false;
                        }
                    } else if self.next.q.val() {
                        self.counter.next = self.full_event.val();
                        self.sticky.d.next = self.sticky.q.val() | 4;
                    } else if self.behind.q.val() {
                        self.counter.next = self.duplicate_event.val();
                    } else {
                        self.counter.next = self.gap_event.val();
                        self.sticky.d.next = self.sticky.q.val() | 2;
                    }
                }
            }
        }
        if self.bad.val() {
            self.happened.next = true;
            self.counter.next = self.bad_event.val();
            self.due.d.next = self.opened.q.val() || self.due.q.val();
            self.sticky.d.next = self.sticky.q.val() | 1;
        }
        if self.broken.val() {
            self.happened.next = true;
            self.counter.next = self.broken_event.val();
        }
        if self.reset.val() {
            self.opened.d.next = false;
            self.session_id.d.next = 0.into();
            self.discarding.d.next = false;
            self.due.d.next = false;
        }

        self.admitted.next = self.place.q.val();
        self.received.next = self.here.q.val();
        self.base.next = self.acked.q.val();
        self.session.next = self.session_id.q.val();
        self.tag.next = self.last_tag.q.val();
        self.open.next = self.opened.q.val();
        self.looped.next = self.looping.q.val();
        self.filling.next = self.zeros.q.val();
        self.restart.next = self.starting.q.val();
        self.discard.next = self.discarding.q.val();
        self.owed.next = self.due.q.val();
        self.info.next = self.identify.q.val();
        self.told.next = self.sticky.q.val();
        self.rewind.next = self.again.q.val();
    }
}
