//! A pair of queues in memory that the controller reaches.

use super::wire::{COMMAND_BYTES, COMPLETION_BYTES, Command, Completion};
use crate::device::pcie::DmaBuffer;

/// Commands out, completions back. Who owns it rings the doorbells.
#[derive(Debug)]
pub(super) struct Queue {
    memory: DmaBuffer,
    /// Where in the memory the submission queue begins, and the completion queue.
    first: [usize; 2],
    entries: u16,
    /// Next entry to fill.
    pub tail: u16,
    /// Next entry to look at.
    pub head: u16,
    /// Phase of the completions of this time round.
    phase: bool,
}

impl Queue {
    /// Of `entries` at these places of `memory`, which is zero there.
    pub(super) fn new(memory: DmaBuffer, first: [usize; 2], entries: u16) -> Self {
        Self {
            memory,
            first,
            entries,
            tail: 0,
            head: 0,
            phase: true,
        }
    }

    /// Bus addresses: commands, completions.
    pub(super) fn addresses(&self) -> [u64; 2] {
        self.first.map(|at| self.memory.address + at as u64)
    }

    /// Entries of each queue.
    pub(super) fn entries(&self) -> u16 {
        self.entries
    }

    /// Writes the next command. One entry less than there are may be under way.
    pub(super) fn push(&mut self, command: &Command) {
        let at = self.first[0] + usize::from(self.tail) * COMMAND_BYTES;
        self.memory.memory.write(at, &command.to_bytes());
        self.tail = (self.tail + 1) % self.entries;
    }

    fn front(&self) -> Completion {
        let at = self.first[1] + usize::from(self.head) * COMPLETION_BYTES;
        Completion(self.memory.memory.load(at + 8))
    }

    /// Whether a completion has come.
    pub(super) fn ready(&self) -> bool {
        self.front().phase() == self.phase
    }

    /// The next completion, if it has come.
    pub(super) fn pop(&mut self) -> Option<Completion> {
        let found = Some(self.front()).filter(|c| c.phase() == self.phase)?;
        self.head = (self.head + 1) % self.entries;
        if self.head == 0 {
            self.phase = !self.phase;
        }
        Some(found)
    }
}
