//! Shape of the open tile, as the counters want it: the last number and the one before it.
//!
//! What a counter is compared with, to know that the next count is the last, stands in a register: no comparison waits
//! for an adder.

use crate::core::CoreConfig;
use crate::rtl::*;
use weft_protocol::ROW_GRANULE;

/// Turns granules and tokens into limits, a clock later.
#[derive(LogicBlock)]
pub struct Shape {
    /// Rising edge clocks everything.
    pub clock: Signal<In, Clock>,
    /// Rows of the tile in granules of 64.
    pub granules: Signal<In, Bits<9>>,
    /// Log2 of its tokens.
    pub batch: Signal<In, Bits<3>>,
    /// Rows a bank, minus one.
    pub last_row: Signal<Out, Bits<ADDRESS>>,
    /// Rows a bank, minus two.
    pub next_to_last_row: Signal<Out, Bits<ADDRESS>>,
    /// Mask beats a column, minus one.
    pub last_word: Signal<Out, Bits<9>>,
    /// Mask beats a column, minus two.
    pub next_to_last_word: Signal<Out, Bits<9>>,
    /// Tokens, minus one.
    pub last_lane: Signal<Out, Bits<4>>,
    /// Rows, minus one: codes of a dense column, less one.
    pub dense_fewer: Signal<Out, Bits<15>>,
    row_end: DFF<Bits<ADDRESS>>,
    row_before: DFF<Bits<ADDRESS>>,
    word_end: DFF<Bits<9>>,
    word_before: DFF<Bits<9>>,
    lane_end: DFF<Bits<4>>,
    fewer: DFF<Bits<15>>,
    lanes: Signal<Local, Bits<5>>,
    row_shift: Constant<Bits<3>>,
    beat_shift: Constant<Bits<1>>,
}

impl Shape {
    /// For the tiles of a core.
    #[must_use]
    pub fn new(config: &CoreConfig) -> Self {
        Self {
            clock: Signal::default(),
            granules: Signal::default(),
            batch: Signal::default(),
            last_row: Signal::default(),
            next_to_last_row: Signal::default(),
            last_word: Signal::default(),
            next_to_last_word: Signal::default(),
            last_lane: Signal::default(),
            dense_fewer: Signal::default(),
            row_end: DFF::default(),
            row_before: DFF::default(),
            word_end: DFF::default(),
            word_before: DFF::default(),
            lane_end: DFF::default(),
            fewer: DFF::default(),
            lanes: Signal::default(),
            row_shift: Constant::new(clog2(ROW_GRANULE / config.banks).to_bits()),
            beat_shift: Constant::new(clog2(8 / config.stream_bytes).to_bits()),
        }
    }
}

impl Logic for Shape {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self,
            clock,
            row_end,
            row_before,
            word_end,
            word_before,
            lane_end,
            fewer
        );
        self.row_end.d.next = bit_cast::<10, 16>(
            (bit_cast::<16, 9>(self.granules.val()) << self.row_shift.val()) - 1,
        );
        self.row_before.d.next = self.row_end.q.val() - 1;
        self.word_end.d.next = bit_cast::<9, 10>(
            (bit_cast::<10, 9>(self.granules.val()) << self.beat_shift.val()) - 1,
        );
        self.word_before.d.next = self.word_end.q.val() - 1;
        self.lanes.next = bits::<5>(1) << self.batch.val();
        self.lane_end.d.next = bit_cast::<4, 5>(self.lanes.val() - 1);
        self.fewer.d.next = (bit_cast::<15, 9>(self.granules.val()) << 6) - 1;

        self.last_row.next = self.row_end.q.val();
        self.next_to_last_row.next = self.row_before.q.val();
        self.last_word.next = self.word_end.q.val();
        self.next_to_last_word.next = self.word_before.q.val();
        self.last_lane.next = self.lane_end.q.val();
        self.dense_fewer.next = self.fewer.q.val();
    }
}
