//! The receiving half.

use super::TIMER;
use crate::rtl::*;

/// Takes bytes from a line. A bit is sampled once, in its middle.
#[derive(LogicBlock)]
pub struct UartReceiver {
    /// Rising edge clocks everything.
    pub clock: Signal<In, Clock>,
    /// The line, asynchronous, high when idle.
    pub line: Signal<In, Bit>,
    /// The byte, while `valid` is high.
    pub octet: Signal<Out, Bits<8>>,
    /// A byte came; one clock.
    pub valid: Signal<Out, Bit>,
    /// A byte came whose stop bit was low; one clock.
    pub broken: Signal<Out, Bit>,
    // The line inverted, so that the registers' first value, zero, means idle.
    first: DFF<Bit>,
    second: DFF<Bit>,
    third: DFF<Bit>,
    busy: DFF<Bit>,
    timer: DFF<Bits<TIMER>>,
    index: DFF<Bits<4>>,
    data: DFF<Bits<8>>,
    done: DFF<Bit>,
    bad: DFF<Bit>,
    tick: Signal<Local, Bit>,
    half: Constant<Bits<TIMER>>,
    full: Constant<Bits<TIMER>>,
}

impl UartReceiver {
    /// A receiver at `clocks_per_bit`.
    #[must_use]
    pub fn new(clocks_per_bit: u32) -> Self {
        Self {
            clock: Signal::default(),
            line: Signal::default(),
            octet: Signal::default(),
            valid: Signal::default(),
            broken: Signal::default(),
            first: DFF::default(),
            second: DFF::default(),
            third: DFF::default(),
            busy: DFF::default(),
            timer: DFF::default(),
            index: DFF::default(),
            data: DFF::default(),
            done: DFF::default(),
            bad: DFF::default(),
            tick: Signal::default(),
            half: Constant::new((clocks_per_bit / 2 - 1).to_bits()),
            full: Constant::new((clocks_per_bit - 1).to_bits()),
        }
    }
}

impl Logic for UartReceiver {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self, clock, first, second, third, busy, timer, index, data, done, bad
        );
        self.first.d.next = !self.line.val();
        self.second.d.next = self.first.q.val();
        self.third.d.next = self.second.q.val();
        self.done.d.next = false;
        self.bad.d.next = false;
        self.tick.next = self.busy.q.val() && !self.timer.q.val().any();
        self.timer.d.next = self.timer.q.val() - 1;
        if !self.busy.q.val() {
            self.timer.d.next = self.half.val();
            self.index.d.next = 0.into();
            self.busy.d.next = self.second.q.val() && !self.third.q.val();
        } else if self.tick.val() {
            self.timer.d.next = self.full.val();
            self.index.d.next = self.index.q.val() + 1;
            self.data.d.next = self.data.q.val() >> 1;
            if !self.second.q.val() {
                self.data.d.next = (self.data.q.val() >> 1) | 0x80;
            }
            // The start bit must still be there; the ninth bit after it is the stop bit.
            if self.index.q.val() == 0 {
                self.busy.d.next = self.second.q.val();
            } else if self.index.q.val() == 9 {
                self.busy.d.next = false;
                self.data.d.next = self.data.q.val();
                self.done.d.next = !self.second.q.val();
                self.bad.d.next = self.second.q.val();
            }
        }
        self.octet.next = self.data.q.val();
        self.valid.next = self.done.q.val();
        self.broken.next = self.bad.q.val();
    }
}
