//! The parser: takes the packet stream apart, hands every beat to the unit it is for, answers requests.
//!
//! It is the only unit that knows packets. A group's beats are taken without a pause; requests that look at
//! accumulators or counters, or change the tile's shape, wait until every column before them is done.

mod logic;

use crate::core::CoreConfig;
use crate::rtl::*;
use weft_protocol::ROW_GRANULE;
use weft_protocol::packet::{RESET_ARG16, RESET_ARG32};
use weft_protocol::registers::VERSION;

/// What the parser does with the next beat.
#[derive(Copy, Clone, PartialEq, Debug, LogicState)]
pub enum State {
    /// After power-up: zeros sweep over the accumulators.
    Boot,
    /// Waits for a header, or its low word.
    Header,
    /// Waits for the high word of a header.
    HeaderHigh,
    /// Judges the header.
    Decode,
    /// Activations of a group.
    Activations,
    /// Scale words of a group.
    Scales,
    /// Mask of a column.
    Mask,
    /// Codes of a column.
    Codes,
    /// Sends the low word of an answer.
    AnswerLow,
    /// Sends the high word of an answer.
    AnswerHigh,
    /// The sums of a tile follow.
    Drain,
    /// Reset: zeros sweep over the accumulators.
    Sweep,
}

/// Parses beats of `D` bits; `E` is `D + 1`.
#[derive(LogicBlock)]
pub struct Parser<const D: usize, const E: usize> {
    /// Rising edge clocks everything.
    pub clock: Signal<In, Clock>,

    /// No beat.
    pub beat_empty: Signal<In, Bit>,
    /// Next beat of the stream.
    pub beat: Signal<In, Bits<D>>,
    /// Takes the beat.
    pub beat_read: Signal<Out, Bit>,
    /// The beat with its nibbles sorted into planes.
    pub planes: Signal<In, Bits<D>>,

    /// Rows a bank, minus one.
    pub last_row: Signal<Out, Bits<ADDRESS>>,
    /// Mask beats a column, minus one.
    pub last_word: Signal<Out, Bits<9>>,
    /// Log2 of the tokens.
    pub log2_batch: Signal<Out, Bits<3>>,
    /// Tokens, minus one.
    pub last_lane: Signal<Out, Bits<4>>,

    /// Number of the beat in its part of the payload.
    pub index: Signal<Out, Bits<16>>,
    /// The beat holds activations.
    pub x_write: Signal<Out, Bit>,
    /// It is the last one of its group.
    pub x_last: Signal<Out, Bit>,
    /// Columns of the group, minus one.
    pub last_column: Signal<Out, Bits<6>>,
    /// Scale words start at row 0 with the next beat of scales.
    pub scale_restart: Signal<Out, Bit>,
    /// The beat holds scale words.
    pub scale_offer: Signal<Out, Bit>,
    /// Half of the scale memory for them.
    pub scale_half: Signal<Out, Bit>,
    /// The beat of scale words is used up.
    pub scale_accept: Signal<In, Bit>,
    /// The beat holds mask bits.
    pub mask_write: Signal<Out, Bit>,
    /// A scanner has no room.
    pub mask_full: Signal<In, Bit>,
    /// The beat holds codes.
    pub code_write: Signal<Out, Bit>,
    /// Kind bit and codes, sorted into planes if the kind bit is set.
    pub code: Signal<Out, Bits<E>>,
    /// No room for a beat of codes.
    pub code_full: Signal<In, Bit>,
    /// Describes the column whose codes follow.
    pub column_write: Signal<Out, Bit>,
    /// The description; see the rounds unit.
    pub column: Signal<Out, Bits<8>>,
    /// No room for a description.
    pub column_full: Signal<In, Bit>,
    /// The last round of a group left.
    pub group_done: Signal<In, Bit>,

    /// Sends a word to the host.
    pub answer_write: Signal<Out, Bit>,
    /// The word.
    pub answer: Signal<Out, Bits<32>>,
    /// No room for a word.
    pub answer_full: Signal<In, Bit>,
    /// The host has every word.
    pub answer_empty: Signal<In, Bit>,
    /// Read out and clear the tile's sums.
    pub drain: Signal<Out, Bit>,
    /// Every sum is in the answer queue.
    pub drain_done: Signal<In, Bit>,
    /// Write zeros over every accumulator.
    pub sweep: Signal<Out, Bit>,
    /// The last zero is written.
    pub sweep_done: Signal<In, Bit>,
    /// Register asked for.
    pub register: Signal<Out, Bits<16>>,
    /// Its value.
    pub register_value: Signal<In, Bits<32>>,
    /// It exists.
    pub register_known: Signal<In, Bit>,

    /// Drop everything under way: after an error and during a reset.
    pub flush: Signal<Out, Bit>,
    /// Zero the counters.
    pub clear: Signal<Out, Bit>,
    /// A tile is open.
    pub open: Signal<Out, Bit>,
    /// A tile is open and a beat could be taken, but none is there.
    pub starved: Signal<Out, Bit>,
    /// A tile is open and a beat is there, but cannot be taken.
    pub stalled: Signal<Out, Bit>,
    /// A tile was drained.
    pub tile_done: Signal<Out, Bit>,
    /// A request is refused.
    pub error: Signal<Out, Bit>,

    state: DFF<State>,
    after: DFF<State>,
    failed: DFF<Bit>,
    head_low: DFF<Bits<32>>,
    head_high: DFF<Bits<32>>,
    answer_low: DFF<Bits<32>>,
    answer_high: DFF<Bits<32>>,
    tile: DFF<Bit>,
    opened: DFF<Bit>,
    scales: DFF<Bit>,
    granules: DFF<Bits<9>>,
    batch: DFF<Bits<3>>,
    groups: DFF<Bits<2>>,
    settle: DFF<Bits<4>>,
    half: DFF<Bit>,
    plain: DFF<Bit>,
    masked: DFF<Bit>,
    fetch_scales: DFF<Bit>,
    columns: DFF<Bits<7>>,
    column_index: DFF<Bits<7>>,
    left: DFF<Bits<33>>,
    beat_index: DFF<Bits<16>>,
    survivors: DFF<Bits<15>>,

    have: Signal<Local, Bit>,
    header_read: Signal<Local, Bit>,
    payload: Signal<Local, Bit>,
    room: Signal<Local, Bit>,
    consume: Signal<Local, Bit>,
    busy: Signal<Local, Bit>,
    settled: Signal<Local, Bit>,
    refuse: Signal<Local, Bit>,
    reason: Signal<Local, Bits<4>>,
    reset_header: Signal<Local, Bit>,
    start_group: Signal<Local, Bit>,
    op: Signal<Local, Bits<8>>,
    flags: Signal<Local, Bits<8>>,
    arg16: Signal<Local, Bits<16>>,
    codes: Signal<Local, Bits<15>>,
    code_units: Signal<Local, Bits<15>>,
    code_beats: Signal<Local, Bits<15>>,
    padding: Signal<Local, Bits<4>>,
    empty_column: Signal<Local, Bit>,
    activations: Signal<Local, Bits<11>>,
    limit: Signal<Local, Bits<16>>,
    next_index: Signal<Local, Bits<16>>,
    part_done: Signal<Local, Bit>,
    next_column: Signal<Local, Bits<7>>,
    column_last: Signal<Local, Bit>,
    after_scales: Signal<Local, State>,
    pairs: Signal<Local, Bits<D>>,
    quads: Signal<Local, Bits<D>>,
    octets: Signal<Local, Bits<D>>,
    sixteens: Signal<Local, Bits<D>>,
    words: Signal<Local, Bits<D>>,
    ones: Signal<Local, Bits<15>>,
    lanes: Signal<Local, Bits<5>>,

    wide: Constant<Bit>,
    high_shift: Constant<Bits<6>>,
    beat_shift: Constant<Bits<1>>,
    row_shift: Constant<Bits<3>>,
    most_granules: Constant<Bits<16>>,
    most_log2: Constant<Bits<8>>,
    packed_round: Constant<Bits<15>>,
    packed_log2: Constant<Bits<3>>,
    plain_round: Constant<Bits<15>>,
    plain_log2: Constant<Bits<3>>,
    mask1: Constant<Bits<D>>,
    mask2: Constant<Bits<D>>,
    mask4: Constant<Bits<D>>,
    mask8: Constant<Bits<D>>,
    kind: Constant<Bits<E>>,
    reset16: Constant<Bits<16>>,
    reset32: Constant<Bits<32>>,
    version: Constant<Bits<32>>,
}

/// The low `D` bits of a pattern.
fn every<const D: usize>(pattern: u64) -> Bits<D> {
    (pattern & (u64::MAX >> (64 - D))).into()
}

impl<const D: usize, const E: usize> Parser<D, E> {
    /// The parser of a core.
    #[must_use]
    pub fn new(config: &CoreConfig) -> Self {
        assert!(E == D + 1);
        Self {
            clock: Signal::default(),
            beat_empty: Signal::default(),
            beat: Signal::default(),
            beat_read: Signal::default(),
            planes: Signal::default(),
            last_row: Signal::default(),
            last_word: Signal::default(),
            log2_batch: Signal::default(),
            last_lane: Signal::default(),
            index: Signal::default(),
            x_write: Signal::default(),
            x_last: Signal::default(),
            last_column: Signal::default(),
            scale_restart: Signal::default(),
            scale_offer: Signal::default(),
            scale_half: Signal::default(),
            scale_accept: Signal::default(),
            mask_write: Signal::default(),
            mask_full: Signal::default(),
            code_write: Signal::default(),
            code: Signal::default(),
            code_full: Signal::default(),
            column_write: Signal::default(),
            column: Signal::default(),
            column_full: Signal::default(),
            group_done: Signal::default(),
            answer_write: Signal::default(),
            answer: Signal::default(),
            answer_full: Signal::default(),
            answer_empty: Signal::default(),
            drain: Signal::default(),
            drain_done: Signal::default(),
            sweep: Signal::default(),
            sweep_done: Signal::default(),
            register: Signal::default(),
            register_value: Signal::default(),
            register_known: Signal::default(),
            flush: Signal::default(),
            clear: Signal::default(),
            open: Signal::default(),
            starved: Signal::default(),
            stalled: Signal::default(),
            tile_done: Signal::default(),
            error: Signal::default(),
            state: DFF::default(),
            after: DFF::default(),
            failed: DFF::default(),
            head_low: DFF::default(),
            head_high: DFF::default(),
            answer_low: DFF::default(),
            answer_high: DFF::default(),
            tile: DFF::default(),
            opened: DFF::default(),
            scales: DFF::default(),
            granules: DFF::default(),
            batch: DFF::default(),
            groups: DFF::default(),
            settle: DFF::default(),
            half: DFF::default(),
            plain: DFF::default(),
            masked: DFF::default(),
            fetch_scales: DFF::default(),
            columns: DFF::default(),
            column_index: DFF::default(),
            left: DFF::default(),
            beat_index: DFF::default(),
            survivors: DFF::default(),
            have: Signal::default(),
            header_read: Signal::default(),
            payload: Signal::default(),
            room: Signal::default(),
            consume: Signal::default(),
            busy: Signal::default(),
            settled: Signal::default(),
            refuse: Signal::default(),
            reason: Signal::default(),
            reset_header: Signal::default(),
            start_group: Signal::default(),
            op: Signal::default(),
            flags: Signal::default(),
            arg16: Signal::default(),
            codes: Signal::default(),
            code_units: Signal::default(),
            code_beats: Signal::default(),
            padding: Signal::default(),
            empty_column: Signal::default(),
            activations: Signal::default(),
            limit: Signal::default(),
            next_index: Signal::default(),
            part_done: Signal::default(),
            next_column: Signal::default(),
            column_last: Signal::default(),
            after_scales: Signal::default(),
            pairs: Signal::default(),
            quads: Signal::default(),
            octets: Signal::default(),
            sixteens: Signal::default(),
            words: Signal::default(),
            ones: Signal::default(),
            lanes: Signal::default(),
            wide: Constant::new(D == 64),
            high_shift: Constant::new((D - 32).to_bits()),
            beat_shift: Constant::new(clog2(64 / D).to_bits()),
            row_shift: Constant::new(clog2(ROW_GRANULE / config.banks).to_bits()),
            most_granules: Constant::new((config.rows() / ROW_GRANULE).to_bits()),
            most_log2: Constant::new(clog2(config.batch).to_bits()),
            packed_round: Constant::new((D / 4 - 1).to_bits()),
            packed_log2: Constant::new(clog2(D / 4).to_bits()),
            plain_round: Constant::new((D / 8 - 1).to_bits()),
            plain_log2: Constant::new(clog2(D / 8).to_bits()),
            mask1: Constant::new(every(0x5555_5555_5555_5555)),
            mask2: Constant::new(every(0x3333_3333_3333_3333)),
            mask4: Constant::new(every(0x0f0f_0f0f_0f0f_0f0f)),
            mask8: Constant::new(every(0x00ff_00ff_00ff_00ff)),
            kind: Constant::new(bits::<E>(1) << (D as u64)),
            reset16: Constant::new(RESET_ARG16.to_bits()),
            reset32: Constant::new(RESET_ARG32.to_bits()),
            version: Constant::new(VERSION.to_bits()),
        }
    }
}
