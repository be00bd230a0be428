//! Four lanes' activations in use, and beside them the next ones, set aside.

use crate::blocks::relay::Relay;
use crate::rtl::*;

/// Holds 32 bits of a vector. With its own copies of `take` and `show` it may lie away from what decides about them.
#[derive(LogicBlock)]
pub struct Holder {
    /// Rising edge clocks everything.
    pub clock: Signal<In, Clock>,
    /// The next activations; they stand for a clock after `take`, too.
    pub next_x: Signal<In, Bits<32>>,
    /// Sets them aside, a relay later.
    pub take: Signal<In, Bit>,
    /// Makes those set aside the ones in use, a relay later.
    pub show: Signal<In, Bit>,
    /// Activations in use, a clock after the relay of `show`.
    pub x: Signal<Out, Bits<32>>,
    take_here: Relay<1>,
    show_here: Relay<1>,
    aside: DFF<Bits<32>>,
    used: DFF<Bits<32>>,
}

impl Holder {
    /// A holder whose relays take `hops` clocks.
    #[must_use]
    pub fn new(hops: usize) -> Self {
        Self {
            clock: Signal::default(),
            next_x: Signal::default(),
            take: Signal::default(),
            show: Signal::default(),
            x: Signal::default(),
            take_here: Relay::new(hops),
            show_here: Relay::new(hops),
            aside: DFF::default(),
            used: DFF::default(),
        }
    }
}

impl Logic for Holder {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, aside, used);
        clock!(self, clock, take_here, show_here);
        self.take_here.d.next = self.take.val().into();
        self.show_here.d.next = self.show.val().into();
        if self.take_here.q.val().any() {
            self.aside.d.next = self.next_x.val();
        }
        if self.show_here.q.val().any() {
            self.used.d.next = self.aside.q.val();
        }
        self.x.next = self.used.q.val();
    }
}
