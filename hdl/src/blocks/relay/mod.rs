//! A register on a long way: pins around the primitive `weft_relay` ([`crate::primitives`]).

use crate::rtl::*;

/// Hands `d` on to `q`, by one clock or, in a core so small that no way is long, at once. Several relays of one word
/// stay several registers, each near its own readers, where synthesis would make one of them.
#[derive(LogicBlock)]
pub struct Relay<const N: usize> {
    /// Rising edge clocks the register.
    pub clock: Signal<In, Clock>,
    /// The word.
    pub d: Signal<In, Bits<N>>,
    /// The word `hops` edges ago; zero after power-up.
    pub q: Signal<Out, Bits<N>>,
    _hops: usize,
}

impl<const N: usize> Relay<N> {
    /// A register, or with no hops a wire.
    #[must_use]
    pub fn new(hops: usize) -> Self {
        assert!(hops <= 1);
        Self {
            clock: Signal::default(),
            d: Signal::default(),
            q: Signal::default(),
            _hops: hops,
        }
    }
}

impl<const N: usize> Logic for Relay<N> {
    fn update(&mut self) {
        if self._hops == 0 || self.clock.pos_edge() {
            self.q.next = self.d.val();
        }
    }

    fn connect(&mut self) {
        self.q.connect();
    }

    fn hdl(&self) -> Verilog {
        let code = if self._hops == 0 {
            "assign q = d;".to_owned()
        } else {
            format!("weft_relay #(.WIDTH({N})) inner (.clock(clock), .d(d), .q(q));")
        };
        Verilog::Wrapper(Wrapper {
            code,
            cores: String::new(),
        })
    }
}
