//! The parser: takes the packet stream apart, hands every beat to the unit it is for, answers requests.
//!
//! It is the only unit that knows packets. A group's beats are taken without a pause; requests that look at
//! accumulators or counters, or change the tile's shape, wait until every column before them is done.

pub mod header;
mod logic;
pub mod outlet;
pub mod shape;

use crate::core::CoreConfig;
use crate::rtl::*;
use header::Header;
use outlet::Outlet;
use shape::Shape;
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
    /// Looks at the header.
    Decode,
    /// Judges it.
    Execute,
    /// Waits for the value of a register.
    Fetch,
    /// Takes it.
    Fetched,
    /// Refuses the request.
    Refuse,
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

/// Parses beats of `D` bits.
#[derive(LogicBlock)]
pub struct Parser<const D: usize> {
    /// Rising edge clocks everything.
    pub clock: Signal<In, Clock>,
    /// Back to the state after power-up; everything is dropped.
    pub reset: Signal<In, Bit>,

    /// No beat.
    pub beat_empty: Signal<In, Bit>,
    /// Next beat of the stream.
    pub beat: Signal<In, Bits<D>>,
    /// Ones of the beat.
    pub ones: Signal<In, Bits<7>>,
    /// The beat has a one.
    pub some: Signal<In, Bit>,
    /// Takes the beat.
    pub beat_read: Signal<Out, Bit>,

    /// Rows a bank, minus one.
    pub last_row: Signal<Out, Bits<ADDRESS>>,
    /// Rows a bank, minus two.
    pub next_to_last_row: Signal<Out, Bits<ADDRESS>>,
    /// Mask beats a column, minus one.
    pub last_word: Signal<Out, Bits<9>>,
    /// Mask beats a column, minus two.
    pub next_to_last_word: Signal<Out, Bits<9>>,
    /// Log2 of the tokens.
    pub log2_batch: Signal<Out, Bits<3>>,
    /// Tokens, minus one.
    pub last_lane: Signal<Out, Bits<4>>,

    /// The beat that was taken a cycle ago, for activations, masks and codes.
    pub handed: Signal<Out, Bits<D>>,
    /// Its number among the activations.
    pub index: Signal<Out, Bits<9>>,
    /// It holds activations.
    pub x_write: Signal<Out, Bit>,
    /// It is the last one of its group that does.
    pub x_last: Signal<Out, Bit>,
    /// Columns of the group, minus one.
    pub last_column: Signal<Out, Bits<6>>,
    /// Scale words start at row 0 with the next beat of scales.
    pub scale_restart: Signal<Out, Bit>,
    /// The next beat holds scale words and stands.
    pub scale_offer: Signal<Out, Bit>,
    /// Half of the scale memory for them.
    pub scale_half: Signal<Out, Bit>,
    /// The beat of scale words, if one is offered, is used up.
    pub scale_accept: Signal<In, Bit>,
    /// The beat handed on holds mask bits.
    pub mask_write: Signal<Out, Bit>,
    /// A scanner has no room.
    pub mask_full: Signal<In, Bit>,
    /// The beat handed on holds codes.
    pub code_write: Signal<Out, Bit>,
    /// They are the last of their column.
    pub code_last: Signal<Out, Bit>,
    /// They are signed 8-bit weights.
    pub code_plain: Signal<Out, Bit>,
    /// No room for a beat of codes.
    pub code_full: Signal<In, Bit>,
    /// Describes the column whose codes follow.
    pub column_write: Signal<Out, Bit>,
    /// The description; see the rounds unit.
    pub column: Signal<Out, Bits<4>>,
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

    shape: Shape,
    judge: Header,
    outlet: Outlet<D>,
    state: DFF<State>,
    after: DFF<State>,
    reason: DFF<Bits<4>>,
    failed: DFF<Bit>,
    flushing: DFF<Bit>,
    draining: DFF<Bit>,
    sweeping: DFF<Bit>,
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
    settled: DFF<Bit>,
    half: DFF<Bit>,
    plain: DFF<Bit>,
    masked: DFF<Bit>,
    fetch_scales: DFF<Bit>,
    column_end: DFF<Bits<7>>,
    column_before: DFF<Bits<7>>,
    column_index: DFF<Bits<7>>,
    column_last: DFF<Bit>,
    left: DFF<Bits<33>>,
    left_any: DFF<Bit>,
    left_more: DFF<Bit>,
    code_blocked: DFF<Bit>,
    column_blocked: DFF<Bit>,
    part: DFF<Bits<16>>,
    part_last: DFF<Bit>,
    first_beat: DFF<Bit>,
    padded: DFF<Bit>,
    fewer_survivors: DFF<Bits<15>>,
    none: DFF<Bit>,

    have: Signal<Local, Bit>,
    header_read: Signal<Local, Bit>,
    payload: Signal<Local, Bit>,
    room: Signal<Local, Bit>,
    consume: Signal<Local, Bit>,
    busy: Signal<Local, Bit>,
    refuse: Signal<Local, Bit>,
    start_group: Signal<Local, Bit>,
    flags: Signal<Local, Bits<8>>,
    arg16: Signal<Local, Bits<16>>,
    fewer: Signal<Local, Bits<15>>,
    units: Signal<Local, Bits<15>>,
    single: Signal<Local, Bit>,
    empty_column: Signal<Local, Bit>,
    last: Signal<Local, Bit>,
    part_done: Signal<Local, Bit>,
    enter_scales: Signal<Local, Bit>,
    enter_mask: Signal<Local, Bit>,
    enter_codes: Signal<Local, Bit>,

    wide: Constant<Bit>,
    high_shift: Constant<Bits<6>>,
    beat_shift: Constant<Bits<1>>,
    version: Constant<Bits<32>>,
}

impl<const D: usize> Parser<D> {
    /// The parser of a core.
    #[must_use]
    pub fn new(config: &CoreConfig) -> Self {
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            beat_empty: Signal::default(),
            beat: Signal::default(),
            ones: Signal::default(),
            some: Signal::default(),
            beat_read: Signal::default(),
            last_row: Signal::default(),
            next_to_last_row: Signal::default(),
            last_word: Signal::default(),
            next_to_last_word: Signal::default(),
            log2_batch: Signal::default(),
            last_lane: Signal::default(),
            handed: Signal::default(),
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
            code_last: Signal::default(),
            code_plain: Signal::default(),
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
            shape: Shape::new(config),
            judge: Header::new(config),
            outlet: Outlet::default(),
            state: DFF::default(),
            after: DFF::default(),
            reason: DFF::default(),
            failed: DFF::default(),
            flushing: DFF::default(),
            draining: DFF::default(),
            sweeping: DFF::default(),
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
            settled: DFF::default(),
            half: DFF::default(),
            plain: DFF::default(),
            masked: DFF::default(),
            fetch_scales: DFF::default(),
            column_end: DFF::default(),
            column_before: DFF::default(),
            column_index: DFF::default(),
            column_last: DFF::default(),
            left: DFF::default(),
            left_any: DFF::default(),
            left_more: DFF::default(),
            code_blocked: DFF::default(),
            column_blocked: DFF::default(),
            part: DFF::default(),
            part_last: DFF::default(),
            first_beat: DFF::default(),
            padded: DFF::default(),
            fewer_survivors: DFF::default(),
            none: DFF::default(),
            have: Signal::default(),
            header_read: Signal::default(),
            payload: Signal::default(),
            room: Signal::default(),
            consume: Signal::default(),
            busy: Signal::default(),
            refuse: Signal::default(),
            start_group: Signal::default(),
            flags: Signal::default(),
            arg16: Signal::default(),
            fewer: Signal::default(),
            units: Signal::default(),
            single: Signal::default(),
            empty_column: Signal::default(),
            last: Signal::default(),
            part_done: Signal::default(),
            enter_scales: Signal::default(),
            enter_mask: Signal::default(),
            enter_codes: Signal::default(),
            wide: Constant::new(D == 64),
            high_shift: Constant::new((D - 32).to_bits()),
            beat_shift: Constant::new(clog2(64 / D).to_bits()),
            version: Constant::new(VERSION.to_bits()),
        }
    }
}
