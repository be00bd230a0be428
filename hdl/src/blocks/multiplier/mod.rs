//! A signed multiplier with a registered product: the portable form of one DSP slice.

use crate::rtl::*;

/// `product = a * b`, one clock later, sign-extended to `P >= A + B` bits.
#[derive(LogicBlock)]
pub struct SignedMultiplier<const A: usize, const B: usize, const P: usize> {
    /// Rising edge clocks the product register.
    pub clock: Signal<In, Clock>,
    /// Left factor, two's complement.
    pub a: Signal<In, Bits<A>>,
    /// Right factor, two's complement.
    pub b: Signal<In, Bits<B>>,
    /// Product of the factors of the cycle before, two's complement.
    pub product: Signal<Out, Bits<P>>,
}

impl<const A: usize, const B: usize, const P: usize> Default for SignedMultiplier<A, B, P> {
    fn default() -> Self {
        assert!(P >= A + B && P <= 32);
        Self {
            clock: Signal::default(),
            a: Signal::default(),
            b: Signal::default(),
            product: Signal::default(),
        }
    }
}

/// `bits` low bits of `v` as a two's complement number.
fn signed_value(v: u64, bits: usize) -> i64 {
    ((v << (64 - bits)) as i64) >> (64 - bits)
}

impl<const A: usize, const B: usize, const P: usize> Logic for SignedMultiplier<A, B, P> {
    fn update(&mut self) {
        if self.clock.pos_edge() {
            let product =
                signed_value(self.a.val().to_u64(), A) * signed_value(self.b.val().to_u64(), B);
            self.product.next = (product as u64 & ((1 << P) - 1)).to_bits();
        }
    }

    fn connect(&mut self) {
        self.product.connect();
    }

    fn hdl(&self) -> Verilog {
        let raw = A + B;
        let sign = raw - 1;
        let extend = if P > raw {
            format!("{{{{{}{{held[{sign}]}}}}, held}}", P - raw)
        } else {
            "held".into()
        };
        Verilog::Wrapper(Wrapper {
            code: format!(
                "reg signed [{sign}:0] held;\nassign product = {extend};\n\
                 always @(posedge clock) begin\n    held <= $signed(a) * $signed(b);\nend"
            ),
            cores: String::new(),
        })
    }
}
