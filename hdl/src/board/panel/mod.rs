//! What a board shows and how it starts: power-on reset, reset button, LEDs.

use crate::rtl::*;

/// LEDs that mean something: session open, frames coming, damage seen, clock running.
pub const LEDS: usize = 4;

/// Holds link and core in reset until the clock is good, and drives the LEDs.
#[derive(LogicBlock, Default)]
pub struct Panel {
    /// Rising edge clocks everything.
    pub clock: Signal<In, Clock>,
    /// The clock is what it should be; asynchronous.
    pub locked: Signal<In, Bit>,
    /// The reset button is pressed; asynchronous.
    pub pressed: Signal<In, Bit>,
    /// A session is open.
    pub open: Signal<In, Bit>,
    /// An undamaged frame came; one clock.
    pub good: Signal<In, Bit>,
    /// A damaged frame came; one clock.
    pub bad: Signal<In, Bit>,
    /// Resets link and core; high from power-up on.
    pub reset: Signal<Out, Bit>,
    /// LEDs, high lights: bit 0 session, 1 frames, 2 damage, 3 heartbeat.
    pub leds: Signal<Out, Bits<LEDS>>,
    ready: DFF<Bits<2>>,
    button: DFF<Bits<2>>,
    count: DFF<Bits<6>>,
    running: DFF<Bit>,
    beat: DFF<Bits<24>>,
    seen_good: DFF<Bit>,
    show_good: DFF<Bit>,
    seen_bad: DFF<Bit>,
    show_bad: DFF<Bit>,
    hold: Signal<Local, Bit>,
    tick: DFF<Bit>,
}

impl Logic for Panel {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self, clock, ready, button, count, running, beat, seen_good, show_good, seen_bad,
            show_bad, tick
        );
        // Two registers against metastability, then 63 good clocks.
        self.ready.d.next = (self.ready.q.val() << 1) | bit_cast::<2, 1>(self.locked.val().into());
        self.button.d.next =
            (self.button.q.val() << 1) | bit_cast::<2, 1>(self.pressed.val().into());
        self.hold.next = !self.ready.q.val().get_bit(1) || self.button.q.val().get_bit(1);
        if self.hold.val() {
            self.count.d.next = 0.into();
        } else if !self.count.q.val().all() {
            self.count.d.next = self.count.q.val() + 1;
        }
        self.running.d.next = self.count.q.val().all();
        self.reset.next = !self.running.q.val();

        // A frame lights its LED until the end of the next period of 2^20 clocks.
        self.beat.d.next = self.beat.q.val() + 1;
        self.tick.d.next = self.beat.q.val().get_bits::<20>(0).all();
        if self.tick.q.val() {
            self.show_good.d.next = self.seen_good.q.val();
            self.show_bad.d.next = self.seen_bad.q.val();
            self.seen_good.d.next = false;
            self.seen_bad.d.next = false;
        }
        if self.good.val() {
            self.seen_good.d.next = true;
        }
        if self.bad.val() {
            self.seen_bad.d.next = true;
        }
        self.leds.next = (bit_cast::<LEDS, 1>(self.beat.q.val().get_bit(23).into()) << 3)
            | (bit_cast::<LEDS, 1>(self.show_bad.q.val().into()) << 2)
            | (bit_cast::<LEDS, 1>(self.show_good.q.val().into()) << 1)
            | bit_cast::<LEDS, 1>(self.open.val().into());
    }
}
