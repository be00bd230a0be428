//! The top: stream in, answers out.

use super::CoreConfig;
use crate::blocks::activations::Activations;
use crate::blocks::bank::Bank;
use crate::blocks::code_words::CodeWords;
use crate::blocks::counters::Counters;
use crate::blocks::drain::Drain;
use crate::blocks::intake::Intake;
use crate::blocks::parser::Parser;
use crate::blocks::queue::Queue;
use crate::blocks::relay::Relay;
use crate::blocks::rounds::Rounds;
use crate::blocks::scale_writer::ScaleWriter;
use crate::blocks::scanner::Scanner;
use crate::blocks::wiring::Wiring;
use crate::rtl::*;

/// Banks that share a relay of the activations.
const CORNER: usize = 4;

/// The column-streaming multiply core. `D` is the stream width in bits, `M = D / banks`, `F = 2 D`, `E = D + 8`.
#[derive(LogicBlock)]
pub struct SpmmCore<const D: usize, const M: usize, const F: usize, const E: usize> {
    /// Rising edge clocks everything.
    pub clock: Signal<In, Clock>,
    /// Back to the state after power-up, for a clock that was not good from the start: sixteen clocks at least, without
    /// a beat offered. The host's way to begin anew is a reset packet.
    pub reset: Signal<In, Bit>,
    /// A beat of the packet stream is offered; it stays until it is taken.
    pub in_valid: Signal<In, Bit>,
    /// The beat is taken at this edge if it is offered.
    pub in_ready: Signal<Out, Bit>,
    /// The beat, first byte in the low bits.
    pub in_data: Signal<In, Bits<D>>,
    /// An answer word is offered; it stays until it is taken.
    pub out_valid: Signal<Out, Bit>,
    /// The word is taken at this edge if it is offered.
    pub out_ready: Signal<In, Bit>,
    /// The word; a header is two, low word first.
    pub out_data: Signal<Out, Bits<32>>,
    intake: Intake<D, E>,
    answers: Queue<32, 5, 6>,
    code_words: CodeWords<D, F>,
    codes: Queue<F, 6, 7>,
    columns: Queue<4, 4, 5>,
    parser: Parser<D>,
    wiring: Wiring<D, M>,
    scale_writer: ScaleWriter<D>,
    activations: Activations<D>,
    scanner: Vec<Scanner<M>>,
    rounds: Rounds<F>,
    bank: Vec<Bank>,
    drain: Drain,
    counters: Counters,
    x_low: Vec<Relay<64>>,
    x_high: Vec<Relay<64>>,
    restart: DFF<Bit>,
    clear: DFF<Bit>,
    first_pipe: DFF<Bits<6>>,
    x_ready: DFF<Bit>,
    half_pipe: DFF<Bit>,
    plain_pipe: DFF<Bits<3>>,
    clear_pipe: DFF<Bits<10>>,
    mask_full: DFF<Bit>,
    give: Signal<Local, Bit>,
    show_at: Constant<Bits<3>>,
    _banks: usize,
    _corners: usize,
}

impl<const D: usize, const M: usize, const F: usize, const E: usize> SpmmCore<D, M, F, E> {
    /// The core of a checked configuration.
    #[must_use]
    pub fn new(config: &CoreConfig) -> Self {
        let CoreConfig {
            banks,
            batch,
            depth,
            ..
        } = *config;
        let corners = banks.div_ceil(CORNER);
        let hops = config.hops();
        assert!(D == 8 * config.stream_bytes && M == D / banks && F == 2 * D && E == D + 8);
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            in_valid: Signal::default(),
            in_ready: Signal::default(),
            in_data: Signal::default(),
            out_valid: Signal::default(),
            out_ready: Signal::default(),
            out_data: Signal::default(),
            intake: Intake::default(),
            answers: Queue::default(),
            code_words: CodeWords::default(),
            codes: Queue::default(),
            columns: Queue::default(),
            parser: Parser::new(config),
            wiring: Wiring::default(),
            scale_writer: ScaleWriter::new(banks, depth),
            activations: Activations::new(batch, hops),
            scanner: (0..banks).map(|_| Scanner::new(depth)).collect(),
            rounds: Rounds::new(banks, hops),
            bank: (0..banks).map(|_| Bank::new(batch, depth, hops)).collect(),
            drain: Drain::new(banks, depth, hops),
            counters: Counters::new(config),
            x_low: (0..corners).map(|_| Relay::new(hops)).collect(),
            x_high: (0..corners).map(|_| Relay::new(hops)).collect(),
            restart: DFF::default(),
            clear: DFF::default(),
            first_pipe: DFF::default(),
            x_ready: DFF::default(),
            half_pipe: DFF::default(),
            plain_pipe: DFF::default(),
            clear_pipe: DFF::default(),
            mask_full: DFF::default(),
            give: Signal::default(),
            show_at: Constant::new((5 - 2 * hops).to_bits()),
            _banks: banks,
            _corners: corners,
        }
    }
}

impl<const D: usize, const M: usize, const F: usize, const E: usize> Logic
    for SpmmCore<D, M, F, E>
{
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self, clock, restart, clear, first_pipe, x_ready, half_pipe, plain_pipe, clear_pipe,
            mask_full
        );
        clock!(
            self,
            clock,
            intake,
            answers,
            code_words,
            codes,
            columns,
            parser,
            scale_writer,
            activations,
            rounds,
            drain,
            counters
        );

        self.restart.d.next = self.reset.val();

        // Stream in.
        self.in_ready.next = self.intake.ready.val();
        self.intake.clear.next = self.restart.q.val();
        self.parser.reset.next = self.restart.q.val();
        self.intake.offer.next = self.in_valid.val();
        self.intake.data.next = self.in_data.val();
        self.intake.read.next = self.parser.beat_read.val();
        self.parser.beat_empty.next = self.intake.empty.val();
        self.parser.beat.next = self.intake.beat.val();
        self.parser.ones.next = self.intake.ones.val();
        self.parser.some.next = self.intake.some.val();
        self.wiring.beat.next = self.parser.handed.val();

        // Activations.
        self.activations.flush.next = self.parser.flush.val();
        self.activations.write.next = self.parser.x_write.val();
        self.activations.index.next = self.parser.index.val();
        self.activations.beat.next = self.parser.handed.val();
        self.activations.group_write.next = self.parser.x_last.val();
        self.activations.last_column.next = self.parser.last_column.val();
        self.activations.log2_batch.next = self.parser.log2_batch.val();
        self.activations.last_lane.next = self.parser.last_lane.val();
        self.activations.take.next = self.first_pipe.q.val().get_bit(0);
        self.activations.show.next = self.first_pipe.q.val().get_bit(self.show_at.val().index());

        // Scales.
        self.scale_writer.restart.next = self.parser.scale_restart.val();
        self.scale_writer.offer.next = self.parser.scale_offer.val();
        self.scale_writer.beat.next = self.intake.beat.val();
        self.scale_writer.half.next = self.parser.scale_half.val();
        self.parser.scale_accept.next = self.scale_writer.accept.val();

        // Codes and column descriptors.
        self.code_words.flush.next = self.parser.flush.val();
        self.code_words.write.next = self.parser.code_write.val();
        self.code_words.last.next = self.parser.code_last.val();
        self.code_words.plain.next = self.parser.code_plain.val();
        self.code_words.beat.next = self.parser.handed.val();
        self.code_words.planes.next = self.wiring.planes.val();
        self.codes.clear.next = self.parser.flush.val();
        self.codes.write.next = self.code_words.word_write.val();
        self.codes.data.next = self.code_words.word.val();
        self.codes.read.next = self.rounds.word_read.val();
        self.parser.code_full.next = self.codes.full.val();
        self.columns.clear.next = self.parser.flush.val();
        self.columns.write.next = self.parser.column_write.val();
        self.columns.data.next = self.parser.column.val();
        self.columns.read.next = self.rounds.column_read.val();
        self.parser.column_full.next = self.columns.full.val();
        self.rounds.flush.next = self.parser.flush.val();
        self.rounds.next_to_last_row.next = self.parser.next_to_last_row.val();
        self.rounds.column_empty.next = self.columns.empty.val();
        self.rounds.column.next = self.columns.head.val();
        self.rounds.word_empty.next = self.codes.empty.val();
        self.rounds.word.next = self.codes.head.val();
        self.parser.group_done.next = self.rounds.group_done.val();

        // The next column's activations are ready, and the place where they wait for their weights is free.
        self.x_ready.d.next = self.activations.ready.val() && !self.first_pipe.q.val().any();
        self.rounds.x_ready.next = self.x_ready.q.val();

        // What the banks share, delayed to the stage that needs it.
        self.first_pipe.d.next = self.first_pipe.q.val() << 1;
        if self.rounds.fire.val() && self.rounds.first.val() {
            self.first_pipe.d.next = (self.first_pipe.q.val() << 1) | 1;
            self.x_ready.d.next = false;
        }
        self.half_pipe.d.next = self.rounds.scale_half.val();
        self.plain_pipe.d.next = self.plain_pipe.q.val() << 1;
        if self.rounds.plain.val() {
            self.plain_pipe.d.next = (self.plain_pipe.q.val() << 1) | 1;
        }
        self.clear_pipe.d.next = self.clear_pipe.q.val() << 1;
        if self.drain.issue.val() {
            self.clear_pipe.d.next = (self.clear_pipe.q.val() << 1) | 1;
        }

        // Activations on their way to the banks: a relay for every four, and from there each quad's own.
        for i in 0..self._corners {
            self.x_low[i].clock.next = self.clock.val();
            self.x_low[i].d.next = self.activations.x_low.val();
            self.x_high[i].clock.next = self.clock.val();
            self.x_high[i].d.next = self.activations.x_high.val();
        }

        // Scanners and banks.
        self.mask_full.d.next = false;
        for i in 0..self._banks {
            self.scanner[i].clock.next = self.clock.val();
            self.scanner[i].flush.next = self.parser.flush.val();
            self.scanner[i].last_word.next = self.parser.last_word.val();
            self.scanner[i].next_to_last_word.next = self.parser.next_to_last_word.val();
            self.scanner[i].write.next = self.parser.mask_write.val();
            self.scanner[i].word.next = self.wiring.mask[i].val();
            self.scanner[i].read.next = self.rounds.row_read[i].val();
            if self.scanner[i].full.val() {
                self.mask_full.d.next = true;
            }
            self.rounds.row_empty[i].next = self.scanner[i].empty.val();
            self.rounds.row[i].next = self.scanner[i].head.val();
            self.bank[i].clock.next = self.clock.val();
            self.bank[i].address.next = self.rounds.address[i].val();
            self.bank[i].issue.next = self.rounds.issue[i].val();
            if self.drain.active.val() {
                self.bank[i].address.next = self.drain.address.val();
                self.bank[i].issue.next = self.drain.issue.val();
            }
            // `CORNER`, which the generator of Verilog does not know inside an index.
            self.bank[i].x_low.next = self.x_low[i / 4].q.val();
            self.bank[i].x_high.next = self.x_high[i / 4].q.val();
            self.bank[i].lane_shown.next = self.drain.lane_shown.val();
            self.drain.accumulator[i].next = self.bank[i].accumulator.val();
            self.bank[i].code_low.next = self.rounds.code_low[i].val();
            self.bank[i].code_high.next = self.rounds.code_high[i].val();
            self.bank[i].scale_half.next = self.half_pipe.q.val();
            self.bank[i].plain.next = self.plain_pipe.q.val().get_bit(2);
            self.bank[i].clear.next = self.clear_pipe.q.val().get_bit(9);
            self.bank[i].scale_write.next = self.scale_writer.write[i].val();
            self.bank[i].scale_address.next = self.scale_writer.address.val();
            self.bank[i].scale_data.next = self.scale_writer.data[i].val();
        }
        self.parser.mask_full.next = self.mask_full.q.val();

        // Answers out.
        self.drain.run.next = self.parser.drain.val();
        self.drain.sweep.next = self.parser.sweep.val();
        self.drain.last_row.next = self.parser.last_row.val();
        self.drain.last_lane.next = self.parser.last_lane.val();
        self.drain.answer_read.next = self.give.val();
        self.parser.drain_done.next = self.drain.done.val();
        self.parser.sweep_done.next = self.drain.sweep_done.val();
        self.answers.clear.next = self.restart.q.val();
        self.answers.write.next = self.parser.answer_write.val() || self.drain.word_write.val();
        self.answers.data.next = self.parser.answer.val();
        if self.drain.word_write.val() {
            self.answers.data.next = self.drain.word.val();
        }
        self.parser.answer_full.next = self.answers.full.val();
        self.parser.answer_empty.next = self.answers.idle.val();
        self.out_valid.next = !self.answers.empty.val();
        self.out_data.next = self.answers.head.val();
        self.give.next = self.out_ready.val() && !self.answers.empty.val();
        self.answers.read.next = self.give.val();

        // Counters.
        self.clear.d.next = self.parser.clear.val();
        self.counters.clear.next = self.clear.q.val();
        self.counters.reset.next = self.restart.q.val();
        self.counters.open.next = self.parser.open.val();
        self.counters.accepted.next = self.parser.beat_read.val();
        self.counters.starved.next = self.parser.starved.val();
        self.counters.stalled.next = self.parser.stalled.val();
        self.counters.codes.next = self.rounds.codes_done.val();
        self.counters.column.next = self.rounds.column_done.val();
        self.counters.tile.next = self.parser.tile_done.val();
        self.counters.error.next = self.parser.error.val();
        self.counters.hazard.next = self.rounds.hazard.val();
        self.counters.index.next = self.parser.register.val();
        self.parser.register_value.next = self.counters.value.val();
        self.parser.register_known.next = self.counters.known.val();
    }
}
