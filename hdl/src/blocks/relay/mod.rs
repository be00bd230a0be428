//! A register on a long way: pins around the primitive `weft_relay` ([`crate::primitives`]).

use crate::rtl::*;

/// Hands `d` on to `q` by one clock. Several relays of one word stay several registers, each near its own readers,
/// where synthesis would make one of them.
#[derive(LogicBlock, Default)]
pub struct Relay<const N: usize> {
    /// Rising edge clocks the register.
    pub clock: Signal<In, Clock>,
    /// The word.
    pub d: Signal<In, Bits<N>>,
    /// The word an edge ago; zero after power-up.
    pub q: Signal<Out, Bits<N>>,
}

impl<const N: usize> Logic for Relay<N> {
    fn update(&mut self) {
        if self.clock.pos_edge() {
            self.q.next = self.d.val();
        }
    }

    fn connect(&mut self) {
        self.q.connect();
    }

    fn hdl(&self) -> Verilog {
        Verilog::Wrapper(Wrapper {
            code: format!("weft_relay #(.WIDTH({N})) inner (.clock(clock), .d(d), .q(q));"),
            cores: String::new(),
        })
    }
}
