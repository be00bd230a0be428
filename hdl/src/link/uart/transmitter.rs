//! The sending half.

use super::TIMER;
use crate::rtl::*;

/// Puts bytes on a line.
#[derive(LogicBlock)]
pub struct UartTransmitter {
    /// Rising edge clocks everything.
    pub clock: Signal<In, Clock>,
    /// Sends `octet`; only while `ready`.
    pub start: Signal<In, Bit>,
    /// The byte.
    pub octet: Signal<In, Bits<8>>,
    /// The next byte can start.
    pub ready: Signal<Out, Bit>,
    /// The line, high when idle; from a register.
    pub line: Signal<Out, Bit>,
    // Inverted, so that the registers' first value, zero, means idle.
    low: DFF<Bit>,
    data: DFF<Bits<8>>,
    timer: DFF<Bits<TIMER>>,
    left: DFF<Bits<4>>,
    full: Constant<Bits<TIMER>>,
}

impl UartTransmitter {
    /// A transmitter at `clocks_per_bit`.
    #[must_use]
    pub fn new(clocks_per_bit: u32) -> Self {
        Self {
            clock: Signal::default(),
            start: Signal::default(),
            octet: Signal::default(),
            ready: Signal::default(),
            line: Signal::default(),
            low: DFF::default(),
            data: DFF::default(),
            timer: DFF::default(),
            left: DFF::default(),
            full: Constant::new((clocks_per_bit - 1).to_bits()),
        }
    }
}

impl Logic for UartTransmitter {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, low, data, timer, left);
        self.ready.next = !self.left.q.val().any();
        self.timer.d.next = self.timer.q.val() - 1;
        if self.start.val() {
            self.low.d.next = true;
            self.data.d.next = !self.octet.val();
            self.left.d.next = 10.into();
            self.timer.d.next = self.full.val();
        } else if self.left.q.val().any() && !self.timer.q.val().any() {
            self.low.d.next = self.data.q.val().get_bit(0);
            self.data.d.next = self.data.q.val() >> 1;
            self.left.d.next = self.left.q.val() - 1;
            self.timer.d.next = self.full.val();
        }
        self.line.next = !self.low.q.val();
    }
}
