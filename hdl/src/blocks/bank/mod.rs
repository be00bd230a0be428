//! One bank: scale memory, decoder and lanes, as a pipeline of twelve stages without a stall.
//!
//! Stage 1 addresses the scale memory, whose word stands in stage 3; stage 4 holds the decoder's factors, stage 6
//! their product, stage 7 the signed 8-bit weight, stage 8 what every four lanes hold of it; the lanes read in stage 8,
//! hold product and accumulator beside each other in stage 11 and the sum in stage 12, on its way back.

use crate::blocks::memory::RegisteredRam;
use crate::blocks::multiplier::SignedMultiplier;
use crate::blocks::quad::{LANES, Quad};
use crate::blocks::relay::Relay;
use crate::rtl::*;

/// Multiplies the code of one row by the activations of every token and accumulates.
#[derive(LogicBlock)]
pub struct Bank {
    /// Rising edge clocks everything.
    pub clock: Signal<In, Clock>,
    /// The row's address in this bank, offered to stage 1.
    pub address: Signal<In, Bits<ADDRESS>>,
    /// Code of the row, a relay after its address: a `g4` code, or the low nibble of a signed 8-bit weight (stage 1).
    pub code_low: Signal<In, Bits<4>>,
    /// High nibble of a signed 8-bit weight (stage 1).
    pub code_high: Signal<In, Bits<4>>,
    /// Takes the address into stage 1 as an operation that writes.
    pub issue: Signal<In, Bit>,
    /// Half of the scale memory to read (stage 1).
    pub scale_half: Signal<In, Bit>,
    /// Codes are signed 8-bit weights (stage 3).
    pub plain: Signal<In, Bit>,
    /// Write zeros, not sums (stage 10).
    pub clear: Signal<In, Bit>,
    /// Activations of lanes 0 to 7, lane 0 in the low byte (stage 7).
    pub x_low: Signal<In, Bits<64>>,
    /// Activations of lanes 8 to 15 (stage 7).
    pub x_high: Signal<In, Bits<64>>,
    /// Lane whose accumulator is shown (stage 9).
    pub lane_shown: Signal<In, Bits<4>>,
    /// Its accumulator, four cycles later (stage 13).
    pub accumulator: Signal<Out, Bits<24>>,
    /// Stores a scale word.
    pub scale_write: Signal<In, Bit>,
    /// Row address of the scale word, plus `depth` for the upper half.
    pub scale_address: Signal<In, Bits<11>>,
    /// The scale word.
    pub scale_data: Signal<In, Bits<16>>,
    valid: DFF<Bits<11>>,
    early: DFF<Bits<70>>,
    late: DFF<Bits<40>>,
    codes: DFF<Bits<24>>,
    scales: RegisteredRam<16, 11>,
    centred: DFF<Bits<9>>,
    factor: DFF<Bits<9>>,
    decoder: SignedMultiplier<9, 9, 18>,
    weight: DFF<Bits<8>>,
    quad: Vec<Quad>,
    shown_here: Relay<4>,
    shown_quad: DFF<Bits<4>>,
    shown_one: DFF<Bits<24>>,
    read_address: Signal<Local, Bits<11>>,
    code3: Signal<Local, Bits<8>>,
    steps: Signal<Local, Bits<9>>,
    zero: Signal<Local, Bits<9>>,
    word: Signal<Local, Bits<16>>,
    half: Constant<Bits<11>>,
    code_at: Constant<Bits<5>>,
    quad_at: Constant<Bits<2>>,
    word_of: Vec<Constant<Bits<6>>>,
    is_high: Vec<Constant<Bit>>,
    _quads: usize,
}

impl Bank {
    /// A bank of `lanes` lanes with `depth` accumulators each; relays take `hops` clocks.
    #[must_use]
    pub fn new(lanes: usize, depth: usize, hops: usize) -> Self {
        let quads = lanes.div_ceil(LANES);
        Self {
            clock: Signal::default(),
            address: Signal::default(),
            code_low: Signal::default(),
            code_high: Signal::default(),
            issue: Signal::default(),
            scale_half: Signal::default(),
            plain: Signal::default(),
            clear: Signal::default(),
            x_low: Signal::default(),
            x_high: Signal::default(),
            lane_shown: Signal::default(),
            accumulator: Signal::default(),
            scale_write: Signal::default(),
            scale_address: Signal::default(),
            scale_data: Signal::default(),
            valid: DFF::default(),
            early: DFF::default(),
            late: DFF::default(),
            codes: DFF::default(),
            scales: RegisteredRam::new(2 * depth),
            centred: DFF::default(),
            factor: DFF::default(),
            decoder: SignedMultiplier::default(),
            weight: DFF::default(),
            quad: (0..quads)
                .map(|_| Quad::new(lanes.min(LANES), depth, hops))
                .collect(),
            shown_here: Relay::new(hops),
            shown_quad: DFF::default(),
            shown_one: DFF::default(),
            read_address: Signal::default(),
            code3: Signal::default(),
            steps: Signal::default(),
            zero: Signal::default(),
            word: Signal::default(),
            half: Constant::new(depth.to_bits()),
            code_at: Constant::new((16 - 8 * hops).to_bits()),
            quad_at: Constant::new((2 * hops).to_bits()),
            word_of: (0..quads)
                .map(|q| Constant::new((q % 2 * 32).to_bits()))
                .collect(),
            is_high: (0..quads).map(|q| Constant::new(q >= 2)).collect(),
            _quads: quads,
        }
    }
}

impl Logic for Bank {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self, clock, valid, early, late, codes, centred, factor, weight, shown_quad, shown_one
        );
        clock!(self, clock, scales, decoder, shown_here);

        // Stages 1 to 11: what is under way, and where.
        self.valid.d.next = self.valid.q.val() << 1;
        if self.issue.val() {
            self.valid.d.next = (self.valid.q.val() << 1) | 1;
        }
        self.early.d.next = (self.early.q.val() << 10) | bit_cast::<70, 10>(self.address.val());
        self.late.d.next =
            (self.late.q.val() << 10) | bit_cast::<40, 10>(self.early.q.val().get_bits::<10>(60));
        self.codes.d.next = (self.codes.q.val() << 8)
            | (bit_cast::<24, 4>(self.code_high.val()) << 4)
            | bit_cast::<24, 4>(self.code_low.val());

        // Stage 1: scale memory.
        self.scales.write_enable.next = self.scale_write.val();
        self.scales.write_address.next = self.scale_address.val();
        self.scales.write_data.next = self.scale_data.val();
        self.read_address.next = bit_cast::<11, 10>(self.early.q.val().get_bits::<10>(0));
        if self.scale_half.val() {
            self.read_address.next =
                bit_cast::<11, 10>(self.early.q.val().get_bits::<10>(0)) | self.half.val();
        }
        self.scales.read_address.next = self.read_address.val();

        // Stage 3: the decoder's factors, D and 8 q - Z; a plain weight is 128 w / 128.
        self.word.next = self.scales.read_data.val();
        self.code3.next = self.codes.q.val().get_bits::<8>(self.code_at.val().index());
        self.steps.next = bit_cast::<9, 4>(self.code3.val().get_bits::<4>(0)) << 3;
        self.zero.next = bit_cast::<9, 8>(self.word.val().get_bits::<8>(8));
        if self.word.val().get_bit(15) {
            self.zero.next = bit_cast::<9, 8>(self.word.val().get_bits::<8>(8)) | 0x100;
        }
        self.centred.d.next = self.steps.val() - self.zero.val();
        self.factor.d.next = bit_cast::<9, 8>(self.word.val().get_bits::<8>(0));
        if self.plain.val() {
            self.centred.d.next = bit_cast::<9, 8>(self.code3.val());
            if self.code3.val().get_bit(7) {
                self.centred.d.next = bit_cast::<9, 8>(self.code3.val()) | 0x100;
            }
            self.factor.d.next = 128.into();
        }

        // Stage 4 to 6: product; rounding adds its bit 6 to what stands above.
        self.decoder.a.next = self.factor.q.val();
        self.decoder.b.next = self.centred.q.val();
        self.weight.d.next = self.decoder.product.val().get_bits::<8>(7)
            + bit_cast::<8, 1>(self.decoder.product.val().get_bit(6).into());

        // Stages 7 to 12: lanes, and the accumulator that a drain wants of each quad.
        self.shown_here.d.next = self.lane_shown.val();
        self.shown_quad.d.next = (self.shown_quad.q.val() << 2)
            | bit_cast::<4, 2>(self.shown_here.q.val().get_bits::<2>(2));
        self.shown_one.d.next = self.quad[0].accumulator.val();
        for i in 0..self._quads {
            self.quad[i].clock.next = self.clock.val();
            self.quad[i].weight.next = self.weight.q.val();
            self.quad[i].x.next = self
                .x_low
                .val()
                .get_bits::<32>(self.word_of[i].val().index());
            if self.is_high[i].val() {
                self.quad[i].x.next = self
                    .x_high
                    .val()
                    .get_bits::<32>(self.word_of[i].val().index());
            }
            self.quad[i].read_address.next = self.early.q.val().get_bits::<10>(60);
            self.quad[i].clear.next = self.clear.val();
            self.quad[i].write_enable.next = self.valid.q.val().get_bit(10);
            self.quad[i].write_address.next = self.late.q.val().get_bits::<10>(30);
            self.quad[i].lane_shown.next = self.shown_here.q.val().get_bits::<2>(0);
            if self
                .shown_quad
                .q
                .val()
                .get_bits::<2>(self.quad_at.val().index())
                == i.to_bits::<2>()
            {
                self.shown_one.d.next = self.quad[i].accumulator.val();
            }
        }
        self.accumulator.next = self.shown_one.q.val();
    }
}
