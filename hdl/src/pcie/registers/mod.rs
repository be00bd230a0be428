//! The card's registers in BAR0, as `weft_protocol::pcie::CardRegister` lists them.

mod counters;
mod logic;

pub use counters::CardCounters;

use super::header::ByteMask;
use crate::core::CoreConfig;
use crate::rtl::*;
use weft_protocol::pcie::{Capabilities, MAP_HASH, Shape, VERSION};
use weft_protocol::registers;

/// Timeout after a reset: 50 ms of 125 MHz.
pub const TIMEOUT: u32 = 6_250_000;

/// What the host sets and what the engines report. Ring positions and doorbells are zero after a reset.
#[derive(LogicBlock)]
pub struct CardRegisters {
    /// Rising edge clocks everything.
    pub clock: Signal<In, Clock>,
    /// The function is reset: every setting becomes what it is after power-up.
    pub function_reset: Signal<In, Bit>,

    /// A doubleword of BAR0 is written.
    pub write: Signal<In, Bit>,
    /// Its number.
    pub write_address: Signal<In, Bits<12>>,
    /// The doubleword.
    pub write_data: Signal<In, Bits<32>>,
    /// Bytes that are written.
    pub write_enable: Signal<In, Bits<4>>,
    /// Doubleword to read.
    pub read_address: Signal<In, Bits<12>>,
    /// Its value, one cycle later; zero for what is no register.
    pub value: Signal<Out, Bits<32>>,

    /// Descriptors are taken.
    pub run: Signal<Out, Bit>,
    /// A reset is under way, until `reset_done`.
    pub resetting: Signal<Out, Bit>,
    /// The reset is carried out.
    pub reset_done: Signal<In, Bit>,
    /// Nothing is under way.
    pub idle: Signal<In, Bit>,
    /// Halted on a fault.
    pub halted: Signal<In, Bit>,
    /// Which one: a `ring::Outcome`.
    pub fault: Signal<In, Bits<4>>,
    /// Cookie of the descriptor that met it.
    pub cookie: Signal<In, Bits<16>>,

    /// Cycles after which a read counts as lost.
    pub timeout: Signal<Out, Bits<32>>,
    /// Completion records an interrupt.
    pub interrupt_count: Signal<Out, Bits<32>>,
    /// Cycles that a record may wait for its interrupt.
    pub interrupt_delay: Signal<Out, Bits<32>>,
    /// Address of the command ring.
    pub command_base: Signal<Out, Bits<64>>,
    /// Log2 of its slots.
    pub command_log2: Signal<Out, Bits<4>>,
    /// Slots written by the host.
    pub command_tail: Signal<Out, Bits<16>>,
    /// Slots taken.
    pub command_head: Signal<In, Bits<16>>,
    /// Address of the ring of result buffers.
    pub result_base: Signal<Out, Bits<64>>,
    /// Log2 of its slots.
    pub result_log2: Signal<Out, Bits<4>>,
    /// Slots written by the host.
    pub result_tail: Signal<Out, Bits<16>>,
    /// Slots taken.
    pub result_head: Signal<In, Bits<16>>,
    /// Address of the completion ring.
    pub completion_base: Signal<Out, Bits<64>>,
    /// Log2 of its records.
    pub completion_log2: Signal<Out, Bits<4>>,
    /// Records taken by the host.
    pub completion_head: Signal<Out, Bits<16>>,
    /// Records written.
    pub completion_tail: Signal<In, Bits<16>>,
    /// Tags whose answer is owed.
    pub outstanding: Signal<In, Bits<8>>,
    /// Number of the counter to read; see [`CardCounters::index`].
    pub counter_index: Signal<Out, Bits<4>>,
    /// Its value.
    pub counter: Signal<In, Bits<32>>,

    answer: DFF<Bits<32>>,
    running: DFF<Bit>,
    reset_wanted: DFF<Bit>,
    scratch: DFF<Bits<32>>,
    timeout_setting: DFF<Bits<32>>,
    timeout_set: DFF<Bit>,
    count_setting: DFF<Bits<32>>,
    delay_setting: DFF<Bits<32>>,
    command_low: DFF<Bits<32>>,
    command_high: DFF<Bits<32>>,
    command_size: DFF<Bits<4>>,
    command_bell: DFF<Bits<16>>,
    result_low: DFF<Bits<32>>,
    result_high: DFF<Bits<32>>,
    result_size: DFF<Bits<4>>,
    result_bell: DFF<Bits<16>>,
    completion_low: DFF<Bits<32>>,
    completion_high: DFF<Bits<32>>,
    completion_size: DFF<Bits<4>>,
    completion_bell: DFF<Bits<16>>,
    bytes: ByteMask,
    keep: Signal<Local, Bits<32>>,
    put: Signal<Local, Bits<32>>,
    offset: Signal<Local, Bits<16>>,
    read_offset: Signal<Local, Bits<16>>,
    default_timeout: Constant<Bits<32>>,
    magic: Constant<Bits<32>>,
    version: Constant<Bits<32>>,
    stream_hash: Constant<Bits<32>>,
    card_hash: Constant<Bits<32>>,
    shape: Constant<Bits<32>>,
    capabilities: Constant<Bits<32>>,
}

impl CardRegisters {
    /// The registers of a card with this core, window and number of tags.
    #[must_use]
    pub fn new(core: &CoreConfig, log2_window: usize, tags: usize) -> Self {
        let shape = Shape {
            banks: core.banks as u8,
            batch: core.batch as u8,
            stream_bytes: core.stream_bytes as u8,
            log2_depth: core.depth.ilog2() as u8,
        };
        let capabilities = Capabilities {
            log2_window: log2_window as u8,
            tags: tags as u8,
        };
        Self {
            clock: Signal::default(),
            function_reset: Signal::default(),
            write: Signal::default(),
            write_address: Signal::default(),
            write_data: Signal::default(),
            write_enable: Signal::default(),
            read_address: Signal::default(),
            value: Signal::default(),
            run: Signal::default(),
            resetting: Signal::default(),
            reset_done: Signal::default(),
            idle: Signal::default(),
            halted: Signal::default(),
            fault: Signal::default(),
            cookie: Signal::default(),
            timeout: Signal::default(),
            interrupt_count: Signal::default(),
            interrupt_delay: Signal::default(),
            command_base: Signal::default(),
            command_log2: Signal::default(),
            command_tail: Signal::default(),
            command_head: Signal::default(),
            result_base: Signal::default(),
            result_log2: Signal::default(),
            result_tail: Signal::default(),
            result_head: Signal::default(),
            completion_base: Signal::default(),
            completion_log2: Signal::default(),
            completion_head: Signal::default(),
            completion_tail: Signal::default(),
            outstanding: Signal::default(),
            counter_index: Signal::default(),
            counter: Signal::default(),
            answer: DFF::default(),
            running: DFF::default(),
            reset_wanted: DFF::default(),
            scratch: DFF::default(),
            timeout_setting: DFF::default(),
            timeout_set: DFF::default(),
            count_setting: DFF::default(),
            delay_setting: DFF::default(),
            command_low: DFF::default(),
            command_high: DFF::default(),
            command_size: DFF::default(),
            command_bell: DFF::default(),
            result_low: DFF::default(),
            result_high: DFF::default(),
            result_size: DFF::default(),
            result_bell: DFF::default(),
            completion_low: DFF::default(),
            completion_high: DFF::default(),
            completion_size: DFF::default(),
            completion_bell: DFF::default(),
            bytes: ByteMask::default(),
            keep: Signal::default(),
            put: Signal::default(),
            offset: Signal::default(),
            read_offset: Signal::default(),
            default_timeout: Constant::new(TIMEOUT.to_bits()),
            magic: Constant::new(registers::MAGIC.to_bits()),
            version: Constant::new(VERSION.to_bits()),
            stream_hash: Constant::new(registers::MAP_HASH.to_bits()),
            card_hash: Constant::new(MAP_HASH.to_bits()),
            shape: Constant::new(shape.to_register().to_bits()),
            capabilities: Constant::new(capabilities.to_register().to_bits()),
        }
    }
}
