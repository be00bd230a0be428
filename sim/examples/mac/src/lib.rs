//! A multiply-accumulate unit, described in rust-hdl.

use rust_hdl::prelude::*;

/// Sums products of signed 16-bit pairs.
#[derive(LogicBlock, Default)]
pub struct Mac {
    /// Everything happens at its rising edge.
    pub clock: Signal<In, Clock>,
    /// A pair is there.
    pub enable: Signal<In, Bit>,
    /// The pair begins a new sum.
    pub first: Signal<In, Bit>,
    /// One factor.
    pub a: Signal<In, Signed<16>>,
    /// The other factor.
    pub b: Signal<In, Signed<16>>,
    /// The sum of the pairs before this cycle, modulo 2^32.
    pub sum: Signal<Out, Signed<32>>,
    total: DFF<Signed<32>>,
}

impl Logic for Mac {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, total);
        if self.enable.val() {
            self.total.d.next = self.total.q.val() + self.a.val() * self.b.val();
            if self.first.val() {
                self.total.d.next = self.a.val() * self.b.val();
            }
        }
        self.sum.next = self.total.q.val();
    }
}

/// The block's Verilog; its top module is called `top`.
pub fn verilog() -> String {
    let mut mac = Mac::default();
    mac.connect_all();
    generate_verilog(&mac)
}
