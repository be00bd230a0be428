//! What is to be said of a header, in registers: which request it is, and what is wrong with its fields.

use crate::core::CoreConfig;
use crate::rtl::*;
use weft_protocol::ROW_GRANULE;
use weft_protocol::packet::{RESET_ARG16, RESET_ARG32};

/// Looks at the two words of a header; every answer stands a clock later.
#[derive(LogicBlock)]
pub struct Header {
    /// Rising edge clocks everything.
    pub clock: Signal<In, Clock>,
    /// Low word.
    pub low: Signal<In, Bits<32>>,
    /// High word.
    pub high: Signal<In, Bits<32>>,
    /// Log2 of the open tile's tokens.
    pub batch: Signal<In, Bits<3>>,
    /// Some group of the open tile has brought scales.
    pub scales: Signal<In, Bit>,
    /// One bit is set: 0 reset, 1 tile, 2 group, 3 drain, 4 register, 5 unknown, 6 a reset without its signature; none
    /// for a header to pass over.
    pub is: Signal<Out, Bits<8>>,
    /// A tile of no rows, or of more than the core has.
    pub bad_rows: Signal<Out, Bit>,
    /// A tile of more tokens than the core has lanes.
    pub bad_batch: Signal<Out, Bit>,
    /// A group of no columns, or of more than 64.
    pub bad_columns: Signal<Out, Bit>,
    /// A group that keeps scales that were never sent.
    pub no_scales: Signal<Out, Bit>,
    /// Beats of a group's activations.
    pub x_beats: Signal<Out, Bits<12>>,
    request: DFF<Bits<8>>,
    rows: DFF<Bit>,
    tokens: DFF<Bit>,
    columns: DFF<Bit>,
    keeps: DFF<Bit>,
    beats: DFF<Bits<12>>,
    op: Signal<Local, Bits<8>>,
    flags: Signal<Local, Bits<8>>,
    arg16: Signal<Local, Bits<16>>,
    beat_shift: Constant<Bits<1>>,
    most_granules: Constant<Bits<16>>,
    most_log2: Constant<Bits<8>>,
    reset16: Constant<Bits<16>>,
    reset32: Constant<Bits<32>>,
}

impl Header {
    /// For the requests of a core.
    #[must_use]
    pub fn new(config: &CoreConfig) -> Self {
        Self {
            clock: Signal::default(),
            low: Signal::default(),
            high: Signal::default(),
            batch: Signal::default(),
            scales: Signal::default(),
            is: Signal::default(),
            bad_rows: Signal::default(),
            bad_batch: Signal::default(),
            bad_columns: Signal::default(),
            no_scales: Signal::default(),
            x_beats: Signal::default(),
            request: DFF::default(),
            rows: DFF::default(),
            tokens: DFF::default(),
            columns: DFF::default(),
            keeps: DFF::default(),
            beats: DFF::default(),
            op: Signal::default(),
            flags: Signal::default(),
            arg16: Signal::default(),
            beat_shift: Constant::new(clog2(8 / config.stream_bytes).to_bits()),
            most_granules: Constant::new((config.rows() / ROW_GRANULE).to_bits()),
            most_log2: Constant::new(clog2(config.batch).to_bits()),
            reset16: Constant::new(RESET_ARG16.to_bits()),
            reset32: Constant::new(RESET_ARG32.to_bits()),
        }
    }
}

impl Logic for Header {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, request, rows, tokens, columns, keeps, beats);
        self.op.next = self.low.val().get_bits::<8>(0);
        self.flags.next = self.low.val().get_bits::<8>(8);
        self.arg16.next = self.low.val().get_bits::<16>(16);
        self.request.d.next = 0x20.into();
        if (self.op.val() == 0x05)
            && (self.arg16.val() == self.reset16.val())
            && (self.high.val() == self.reset32.val())
        {
            self.request.d.next = 0x01.into();
        } else if self.op.val() == 0x00 {
            self.request.d.next = 0.into();
        } else if self.op.val() == 0x01 {
            self.request.d.next = 0x02.into();
        } else if self.op.val() == 0x02 {
            self.request.d.next = 0x04.into();
        } else if self.op.val() == 0x03 {
            self.request.d.next = 0x08.into();
        } else if self.op.val() == 0x04 {
            self.request.d.next = 0x10.into();
        } else if self.op.val() == 0x05 {
            self.request.d.next = 0x40.into();
        }
        self.rows.d.next = !self.arg16.val().any() || (self.arg16.val() > self.most_granules.val());
        self.tokens.d.next = self.flags.val() > self.most_log2.val();
        self.columns.d.next = !self.arg16.val().any() || (self.arg16.val() > 64);
        self.keeps.d.next =
            !self.flags.val().get_bit(0) && self.flags.val().get_bit(2) && !self.scales.val();
        self.beats.d.next =
            (((bit_cast::<12, 7>(self.arg16.val().get_bits::<7>(0)) << self.batch.val()) + 7) >> 3)
                << self.beat_shift.val();

        self.is.next = self.request.q.val();
        self.bad_rows.next = self.rows.q.val();
        self.bad_batch.next = self.tokens.q.val();
        self.bad_columns.next = self.columns.q.val();
        self.no_scales.next = self.keeps.q.val();
        self.x_beats.next = self.beats.q.val();
    }
}
