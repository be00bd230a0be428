//! A signed multiplier with registered factors and a registered product: pins around the primitive
//! `weft_multiplier` ([`crate::primitives`]), one DSP slice on parts that have them.

use crate::rtl::*;

/// `product = a * b`, two clocks later, sign-extended to `P >= A + B` bits.
#[derive(LogicBlock)]
pub struct SignedMultiplier<const A: usize, const B: usize, const P: usize> {
    /// Rising edge clocks the registers of factors and product.
    pub clock: Signal<In, Clock>,
    /// Left factor, two's complement.
    pub a: Signal<In, Bits<A>>,
    /// Right factor, two's complement.
    pub b: Signal<In, Bits<B>>,
    /// Product of the factors two edges ago, two's complement.
    pub product: Signal<Out, Bits<P>>,
    _held: u64,
}

impl<const A: usize, const B: usize, const P: usize> Default for SignedMultiplier<A, B, P> {
    fn default() -> Self {
        assert!(P >= A + B && P <= 32);
        Self {
            clock: Signal::default(),
            a: Signal::default(),
            b: Signal::default(),
            product: Signal::default(),
            _held: 0,
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
            self.product.next = self._held.to_bits();
            let product =
                signed_value(self.a.val().to_u64(), A) * signed_value(self.b.val().to_u64(), B);
            self._held = product as u64 & ((1 << P) - 1);
        }
    }

    fn connect(&mut self) {
        self.product.connect();
    }

    fn hdl(&self) -> Verilog {
        let raw = A + B;
        let sign = raw - 1;
        let extend = if P > raw {
            format!("{{{{{}{{exact[{sign}]}}}}, exact}}", P - raw)
        } else {
            "exact".into()
        };
        Verilog::Wrapper(Wrapper {
            code: format!(
                "wire [{sign}:0] exact;\nassign product = {extend};\n\
                 weft_multiplier #(.A({A}), .B({B})) inner (.clock(clock), .a(a), .b(b), .product(exact));"
            ),
            cores: String::new(),
        })
    }
}
