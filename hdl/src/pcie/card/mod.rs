//! The card: blocks wired together around the core.

mod logic;

use super::answers::Answers;
use super::buffer::Buffer;
use super::commands::Commands;
use super::completer::Completer;
use super::fetcher::Fetcher;
use super::interrupts::Interrupts;
use super::joiner::Joiner;
use super::reassembly::Reassembly;
use super::receiver::Receiver;
use super::registers::{CardCounters, CardRegisters};
use super::requests::Requests;
use super::sender::Sender;
use super::window::Window;
use super::writer::Writer;
use super::{CardConfig, TAGS};
use crate::blocks::fifo::Fifo;
use crate::blocks::ram::BlockRam;
use crate::core::SpmmCore;
use crate::rtl::*;

/// A Weft card behind a stream of transaction-layer packets. `D` is the core's stream width in bits, `M = D / banks`,
/// `F = 2 D`, `E = D + 8`.
///
/// Both packet streams carry the packets' bytes in order, eight a beat, the first one in the low bits; a header's
/// digest never comes with them.
#[derive(LogicBlock)]
pub struct Card<const D: usize, const M: usize, const F: usize, const E: usize> {
    /// Rising edge clocks everything.
    pub clock: Signal<In, Clock>,

    /// A received beat is offered; it stays until it is taken.
    pub rx_valid: Signal<In, Bit>,
    /// It is taken at this edge if it is offered.
    pub rx_ready: Signal<Out, Bit>,
    /// Eight bytes.
    pub rx_data: Signal<In, Bits<64>>,
    /// Last beat of its packet.
    pub rx_last: Signal<In, Bit>,
    /// The high doubleword counts; low only in a last beat.
    pub rx_keep: Signal<In, Bit>,
    /// The packet's data are poisoned or damaged; the same in every beat of it.
    pub rx_poison: Signal<In, Bit>,
    /// The request is for BAR0 (bit 0) or BAR2 (bit 1); the same in every beat of it.
    pub rx_bar: Signal<In, Bits<2>>,
    /// Requests that want an answer may be delivered; four more after it falls are still taken.
    pub rx_read_ok: Signal<Out, Bit>,

    /// A beat to send is offered; it stays until it is taken.
    pub tx_valid: Signal<Out, Bit>,
    /// It is taken at this edge if it is offered.
    pub tx_ready: Signal<In, Bit>,
    /// Eight bytes.
    pub tx_data: Signal<Out, Bits<64>>,
    /// Last beat of its packet.
    pub tx_last: Signal<Out, Bit>,
    /// The high doubleword counts.
    pub tx_keep: Signal<Out, Bit>,
    /// Flow-control credits for two posted requests of the maximum payload are there.
    pub tx_posted_ok: Signal<In, Bit>,
    /// Credits for two read requests are there.
    pub tx_read_ok: Signal<In, Bit>,
    /// Credits for two completions of 128 bytes are there.
    pub tx_completion_ok: Signal<In, Bit>,

    /// Bus, device and function numbers, as in a requester ID.
    pub device: Signal<In, Bits<16>>,
    /// Bus master enable: without it the card asks for nothing and writes nothing.
    pub bus_master: Signal<In, Bit>,
    /// Maximum payload size, 128 bytes shifted left by this; 3 to 6 mean 512, and 7, which PCI Express reserves, 64.
    pub max_payload: Signal<In, Bits<3>>,
    /// Maximum read request size, 128 bytes shifted left by this; above 2 means 512.
    pub max_read: Signal<In, Bits<3>>,
    /// MSI-X enable.
    pub msix_enable: Signal<In, Bit>,
    /// MSI-X function mask.
    pub msix_mask: Signal<In, Bit>,
    /// The function is reset: everything as after power-up, as soon as what is under way allows it.
    pub function_reset: Signal<In, Bit>,

    receiver: Receiver,
    completer: Completer,
    sender: Sender,
    registers: CardRegisters,
    counters: CardCounters,
    interrupts: Interrupts,
    window: Window,
    reassembly: Reassembly,
    requests: Requests,
    command_fetcher: Fetcher,
    command_slots: Buffer<64, 7, 8>,
    result_fetcher: Fetcher,
    result_slots: Fifo<64, 5, 6>,
    commands: Commands,
    segments: Fifo<35, 5, 6>,
    data: BlockRam<64, 10>,
    joiner: Joiner<D>,
    core: SpmmCore<D, M, F, E>,
    answers: Answers,
    jobs: Fifo<170, 2, 3>,
    words: Buffer<64, 8, 9>,
    records: Fifo<48, 3, 4>,
    writer: Writer,

    halted: DFF<Bit>,
    fault: DFF<Bits<4>>,
    cookie: DFF<Bits<16>>,
    reset_seen: DFF<Bit>,
    quiet: DFF<Bits<13>>,
    patience: DFF<Bits<32>>,
    resetting: Signal<Local, Bit>,
    reset_done: Signal<Local, Bit>,
    quiescent: Signal<Local, Bit>,
    stopped: Signal<Local, Bit>,
    failing: Signal<Local, Bit>,
    max_payload_words: Signal<Local, Bits<7>>,
    max_read_words: Signal<Local, Bits<7>>,
    read_piece: Signal<Local, Bits<9>>,
    engine_window: Signal<Local, Bit>,
    read_high: DFF<Bit>,
    window_bytes: Constant<Bits<26>>,
    command_capacity: Constant<Bits<16>>,
    result_capacity: Constant<Bits<16>>,
}

impl<const D: usize, const M: usize, const F: usize, const E: usize> Card<D, M, F, E> {
    /// The card of a checked configuration.
    #[must_use]
    pub fn new(config: &CardConfig) -> Self {
        let CardConfig { core, log2_window } = *config;
        Self {
            clock: Signal::default(),
            rx_valid: Signal::default(),
            rx_ready: Signal::default(),
            rx_data: Signal::default(),
            rx_last: Signal::default(),
            rx_keep: Signal::default(),
            rx_poison: Signal::default(),
            rx_bar: Signal::default(),
            rx_read_ok: Signal::default(),
            tx_valid: Signal::default(),
            tx_ready: Signal::default(),
            tx_data: Signal::default(),
            tx_last: Signal::default(),
            tx_keep: Signal::default(),
            tx_posted_ok: Signal::default(),
            tx_read_ok: Signal::default(),
            tx_completion_ok: Signal::default(),
            device: Signal::default(),
            bus_master: Signal::default(),
            max_payload: Signal::default(),
            max_read: Signal::default(),
            msix_enable: Signal::default(),
            msix_mask: Signal::default(),
            function_reset: Signal::default(),
            receiver: Receiver::default(),
            completer: Completer::default(),
            sender: Sender::default(),
            registers: CardRegisters::new(&core, log2_window, TAGS),
            counters: CardCounters::default(),
            interrupts: Interrupts::default(),
            window: Window::new(log2_window),
            reassembly: Reassembly::default(),
            requests: Requests::default(),
            command_fetcher: Fetcher::default(),
            command_slots: Buffer::default(),
            result_fetcher: Fetcher::default(),
            result_slots: Fifo::default(),
            commands: Commands::default(),
            segments: Fifo::default(),
            data: BlockRam::new(1024, false),
            joiner: Joiner::new(config.longest_payload()),
            core: SpmmCore::new(&core),
            answers: Answers::default(),
            jobs: Fifo::default(),
            words: Buffer::default(),
            records: Fifo::default(),
            writer: Writer::default(),
            halted: DFF::default(),
            fault: DFF::default(),
            cookie: DFF::default(),
            reset_seen: DFF::default(),
            quiet: DFF::default(),
            patience: DFF::default(),
            resetting: Signal::default(),
            reset_done: Signal::default(),
            quiescent: Signal::default(),
            stopped: Signal::default(),
            failing: Signal::default(),
            max_payload_words: Signal::default(),
            max_read_words: Signal::default(),
            read_piece: Signal::default(),
            engine_window: Signal::default(),
            read_high: DFF::default(),
            window_bytes: Constant::new((1_u64 << log2_window).to_bits()),
            command_capacity: Constant::new(64_u64.to_bits()),
            result_capacity: Constant::new(16_u64.to_bits()),
        }
    }
}
