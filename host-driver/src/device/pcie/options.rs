//! How a card is driven, and how much memory that takes.

use std::time::Duration;
use weft_hdl::CoreConfig;
use weft_protocol::pcie::ring::{RECORD_BYTES, SLOT_BYTES};

/// Log2 of the command ring's slots.
pub(super) const COMMAND_LOG2: u8 = 12;
/// Log2 of the result ring's slots.
pub(super) const RESULT_LOG2: u8 = 8;
/// Log2 of the completion ring's records: more than slots can be under way.
pub(super) const COMPLETION_LOG2: u8 = 13;

/// How the driver learns of completions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Completion {
    /// Sleeps until the card interrupts.
    Interrupts,
    /// Looks at the ring in memory over and over.
    Polling,
}

/// How a card is driven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// How completions are noticed.
    pub completion: Completion,
    /// Interrupt after so many records.
    pub interrupt_count: u32,
    /// Or so many cycles after the first.
    pub interrupt_delay: u32,
    /// Bytes of the ring for weights, 64 KiB or more: what resident memory is.
    pub ring_bytes: usize,
    /// How long a card may do nothing while it should.
    pub timeout: Duration,
    /// How often a run is tried again after a fault that may pass.
    pub retries: u32,
}

impl Options {
    /// Bytes of memory that a card may ask the system to lock, with the largest core that has a name.
    #[must_use]
    pub fn locked_bytes(&self) -> usize {
        let answers = CoreConfig::NAMED.iter().map(|(_, c)| answer_bytes(c)).max();
        self.ring_bytes + answers.unwrap_or(0) + ring_bytes()
    }
}

/// Bytes of the three rings.
pub(super) const fn ring_bytes() -> usize {
    (SLOT_BYTES << COMMAND_LOG2) + (SLOT_BYTES << RESULT_LOG2) + (RECORD_BYTES << COMPLETION_LOG2)
}

/// Bytes of buffers for answers: two of the longest.
pub(super) fn answer_bytes(core: &CoreConfig) -> usize {
    (2 * (core.rows() * core.batch * 4 + 8)).max(256 << 10)
}

impl Default for Options {
    fn default() -> Self {
        Self {
            completion: Completion::Interrupts,
            interrupt_count: 4,
            interrupt_delay: 2_000, // 16 microseconds of 125 MHz
            ring_bytes: 4 << 20,
            timeout: Duration::from_secs(10),
            retries: 2,
        }
    }
}
