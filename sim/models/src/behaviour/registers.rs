//! What software sees in BAR0.

use super::BehaviouralCard;
use weft_protocol::pcie::{
    CardRegister as R, Control, MAP_HASH, MSIX_TABLE, Status, VECTORS, VERSION,
};
use weft_protocol::registers;

/// Bytes of an entry of the MSI-X table.
const MSIX_ENTRY: usize = 16;
/// Cycles at reset after which a read counts as lost: 50 ms of 125 MHz.
const TIMEOUT: u32 = 6_250_000;

/// What is written and stays until the next power-on or function-level reset.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    scratch: u32,
    timeout: u32,
    /// Interrupt after this many records.
    pub interrupt_count: u32,
    /// Or this many cycles after the first.
    pub interrupt_delay: u32,
    /// The MSI-X table, which is the system's: it decides where an interrupt goes and whether it is masked.
    msix: [u32; VECTORS * MSIX_ENTRY / 4],
    /// Requests that no register answers.
    unsupported: u32,
}

impl Default for Settings {
    fn default() -> Self {
        // An entry's last word has its mask bit, set at reset.
        let msix = std::array::from_fn(|i| u32::from(i % 4 == 3));
        Self {
            scratch: 0,
            timeout: TIMEOUT,
            interrupt_count: 0,
            interrupt_delay: 0,
            msix,
            unsupported: 0,
        }
    }
}

impl BehaviouralCard {
    /// A read of any bytes, out of the words that hold them.
    pub(super) fn registers_read(&self, offset: u64, data: &mut [u8]) {
        for (i, byte) in data.iter_mut().enumerate() {
            let at = offset + i as u64;
            *byte = self.word(at & !3).to_le_bytes()[(at & 3) as usize];
        }
    }

    /// A write of one aligned word, or of two neighbours; nothing else changes a register.
    pub(super) fn registers_write(&mut self, offset: u64, data: &[u8]) {
        let whole = matches!(data.len(), 4 | 8) && offset.is_multiple_of(data.len() as u64);
        if !whole {
            self.settings.unsupported = self.settings.unsupported.wrapping_add(1);
            return;
        }
        for (i, word) in data.chunks_exact(4).enumerate() {
            let value = u32::from_le_bytes(std::array::from_fn(|i| word[i]));
            self.set_word(offset + 4 * i as u64, value);
        }
    }

    fn msix_index(offset: u64) -> Option<usize> {
        let at = usize::try_from(offset).ok()?.checked_sub(MSIX_TABLE)?;
        (at < VECTORS * MSIX_ENTRY).then_some(at / 4)
    }

    fn word(&self, offset: u64) -> u32 {
        if let Some(i) = Self::msix_index(offset) {
            return self.settings.msix[i];
        }
        let Some(register) = register(offset) else {
            return 0;
        };
        let (engine, settings) = (&self.engine, &self.settings);
        let (command, result) = (&engine.command, &engine.result);
        let completion = &engine.completion;
        let counts = &engine.counts;
        match register {
            R::Magic => registers::MAGIC,
            R::Version => VERSION,
            R::StreamHash => registers::MAP_HASH,
            R::CardHash => MAP_HASH,
            R::Shape => self.shape().to_register(),
            R::Capabilities => self.capabilities().to_register(),
            R::Scratch => settings.scratch,
            R::Control => {
                if engine.run {
                    Control::RUN
                } else {
                    0
                }
            }
            R::Status => self.status(),
            R::Timeout => settings.timeout,
            R::InterruptCount => settings.interrupt_count,
            R::InterruptDelay => settings.interrupt_delay,
            R::CommandBase => command.base as u32,
            R::CommandBaseHigh => (command.base >> 32) as u32,
            R::CommandLog2 => command.log2.into(),
            R::CommandTail => command.tail.into(),
            R::CommandHead => command.head.into(),
            R::ResultBase => result.base as u32,
            R::ResultBaseHigh => (result.base >> 32) as u32,
            R::ResultLog2 => result.log2.into(),
            R::ResultTail => result.tail.into(),
            R::ResultHead => result.head.into(),
            R::CompletionBase => completion.base as u32,
            R::CompletionBaseHigh => (completion.base >> 32) as u32,
            R::CompletionLog2 => completion.log2.into(),
            R::CompletionTail => completion.tail.into(),
            R::CompletionHead => completion.head.into(),
            R::ReadRequests => counts.read_requests,
            R::WriteRequests => counts.write_requests,
            R::BytesRead => counts.bytes_read,
            R::BytesWritten => counts.bytes_written,
            R::FailedCompletions => counts.failed_completions,
            R::UnsupportedRequests => settings.unsupported,
            R::Interrupts => self.interrupts.sent,
            // The bus answers every read at once and damages nothing, so no answer is ever owed, late, lost or poisoned.
            R::UnexpectedCompletions
            | R::LostCompletions
            | R::OutstandingTags
            | R::PoisonedWrites => 0,
        }
    }

    fn status(&self) -> u32 {
        let idle = if self.engine.idle() { Status::IDLE } else { 0 };
        idle | self.engine.fault.map_or(0, |(outcome, cookie)| {
            Status::HALTED | u32::from(outcome as u8) << 8 | u32::from(cookie) << 16
        })
    }

    fn set_word(&mut self, offset: u64, value: u32) {
        if let Some(i) = Self::msix_index(offset) {
            self.settings.msix[i] = value;
            return;
        }
        let Some(register) = register(offset) else {
            return;
        };
        let (engine, settings) = (&mut self.engine, &mut self.settings);
        match register {
            R::Scratch => settings.scratch = value,
            R::Timeout => settings.timeout = value,
            R::InterruptCount => settings.interrupt_count = value,
            R::InterruptDelay => settings.interrupt_delay = value,
            R::CommandBase => engine.command.set_low(value),
            R::CommandBaseHigh => engine.command.set_high(value),
            R::CommandLog2 => engine.command.set_log2(value),
            R::CommandTail => engine.command.tail = value as u16,
            R::ResultBase => engine.result.set_low(value),
            R::ResultBaseHigh => engine.result.set_high(value),
            R::ResultLog2 => engine.result.set_log2(value),
            R::ResultTail => engine.result.tail = value as u16,
            R::CompletionBase => engine.completion.set_low(value),
            R::CompletionBaseHigh => engine.completion.set_high(value),
            R::CompletionLog2 => engine.completion.set_log2(value),
            R::CompletionHead => engine.completion.head = value as u16,
            R::Control if value & Control::RESET != 0 => self.abandon(),
            R::Control => engine.run = value & Control::RUN != 0,
            _ => {}
        }
    }
}

fn register(offset: u64) -> Option<R> {
    R::ALL.iter().copied().find(|r| r.offset() == offset)
}
