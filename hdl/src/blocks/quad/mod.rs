//! Up to four lanes of a bank that lie together, with registers of their own for what comes from far away.

use crate::blocks::lane::Lane;
use crate::blocks::relay::Relay;
use crate::rtl::*;

/// Lanes a quad.
pub const LANES: usize = 4;

/// Relays weight, activations and addresses to the lanes, and picks one of their accumulators. Stages are those of the
/// bank's pipeline, with relays of a clock.
#[derive(LogicBlock)]
pub struct Quad {
    /// Rising edge clocks everything.
    pub clock: Signal<In, Clock>,
    /// Signed weight (stage 7).
    pub weight: Signal<In, Bits<8>>,
    /// Signed activations, the first lane's in the low byte (stage 7).
    pub x: Signal<In, Bits<32>>,
    /// Accumulators to read (stage 7).
    pub read_address: Signal<In, Bits<ADDRESS>>,
    /// Makes the sums zero instead (stage 10).
    pub clear: Signal<In, Bit>,
    /// Stores the sums (stage 11).
    pub write_enable: Signal<In, Bit>,
    /// Where to store them (stage 11).
    pub write_address: Signal<In, Bits<ADDRESS>>,
    /// Lane whose accumulator is shown (stage 10).
    pub lane_shown: Signal<In, Bits<2>>,
    /// Its accumulator, two cycles later (stage 12).
    pub accumulator: Signal<Out, Bits<24>>,
    weight_here: Relay<8>,
    x_here: Vec<Relay<8>>,
    read_here: Relay<ADDRESS>,
    clear_here: Relay<1>,
    enable_here: Relay<1>,
    write_here: Relay<ADDRESS>,
    shown_here: Relay<2>,
    lane: Vec<Lane>,
    shown: DFF<Bits<24>>,
    byte_of: Vec<Constant<Bits<5>>>,
    _lanes: usize,
}

impl Quad {
    /// `lanes` lanes, at most [`LANES`], of `depth` accumulators each; relays take `hops` clocks.
    #[must_use]
    pub fn new(lanes: usize, depth: usize, hops: usize) -> Self {
        assert!((1..=LANES).contains(&lanes));
        Self {
            clock: Signal::default(),
            weight: Signal::default(),
            x: Signal::default(),
            read_address: Signal::default(),
            clear: Signal::default(),
            write_enable: Signal::default(),
            write_address: Signal::default(),
            lane_shown: Signal::default(),
            accumulator: Signal::default(),
            weight_here: Relay::new(hops),
            x_here: (0..lanes).map(|_| Relay::new(hops)).collect(),
            read_here: Relay::new(hops),
            clear_here: Relay::new(hops),
            enable_here: Relay::new(hops),
            write_here: Relay::new(hops),
            shown_here: Relay::new(hops),
            lane: (0..lanes).map(|_| Lane::new(depth)).collect(),
            shown: DFF::default(),
            byte_of: (0..lanes)
                .map(|l| Constant::new((l * 8).to_bits()))
                .collect(),
            _lanes: lanes,
        }
    }
}

impl Logic for Quad {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, shown);
        clock!(
            self,
            clock,
            weight_here,
            read_here,
            clear_here,
            enable_here,
            write_here,
            shown_here
        );
        self.weight_here.d.next = self.weight.val();
        self.read_here.d.next = self.read_address.val();
        self.clear_here.d.next = self.clear.val().into();
        self.enable_here.d.next = self.write_enable.val().into();
        self.write_here.d.next = self.write_address.val();
        self.shown_here.d.next = self.lane_shown.val();

        self.shown.d.next = self.lane[0].accumulator.val();
        for i in 0..self._lanes {
            self.x_here[i].clock.next = self.clock.val();
            self.x_here[i].d.next = self.x.val().get_bits::<8>(self.byte_of[i].val().index());
            self.lane[i].clock.next = self.clock.val();
            self.lane[i].weight.next = self.weight_here.q.val();
            self.lane[i].x.next = self.x_here[i].q.val();
            self.lane[i].read_address.next = self.read_here.q.val();
            self.lane[i].clear.next = self.clear_here.q.val().any();
            self.lane[i].write_enable.next = self.enable_here.q.val().any();
            self.lane[i].write_address.next = self.write_here.q.val();
            if self.shown_here.q.val() == i.to_bits::<2>() {
                self.shown.d.next = self.lane[i].accumulator.val();
            }
        }
        self.accumulator.next = self.shown.q.val();
    }
}
