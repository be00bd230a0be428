//! The three rings from the host's side, and memory that is given out and taken back in order.

use super::transport::DmaBuffer;
use std::collections::VecDeque;
use weft_protocol::pcie::ring::{RECORD_BYTES, Record, SLOT_BYTES, Slot};

/// A ring that the host fills and the card empties.
#[derive(Debug)]
pub(super) struct Filled {
    buffer: DmaBuffer,
    first: usize,
    log2: u8,
    /// Slots written, modulo 2^16.
    pub tail: u16,
    /// Slots written and not known to be taken.
    used: usize,
}

impl Filled {
    /// At byte `first` of `buffer`.
    pub(super) fn new(buffer: DmaBuffer, first: usize, log2: u8) -> Self {
        Self {
            buffer,
            first,
            log2,
            tail: 0,
            used: 0,
        }
    }

    pub(super) fn address(&self) -> u64 {
        self.buffer.address + self.first as u64
    }

    pub(super) fn log2(&self) -> u8 {
        self.log2
    }

    /// Slots that may be written now.
    pub(super) fn room(&self) -> usize {
        (1 << self.log2) - self.used
    }

    pub(super) fn restart(&mut self) {
        self.tail = 0;
        self.used = 0;
    }

    /// Writes sixteen bytes into the next slot. There must be room.
    pub(super) fn push(&mut self, bytes: &[u8; SLOT_BYTES]) {
        debug_assert!(self.room() > 0, "a slot is free");
        let index = usize::from(self.tail) & ((1 << self.log2) - 1);
        self.buffer
            .memory
            .write(self.first + index * SLOT_BYTES, bytes);
        self.tail = self.tail.wrapping_add(1);
        self.used += 1;
    }

    /// Writes a slot, and the bytes that lie inline behind it, padded to whole slots.
    pub(super) fn push_inline(&mut self, slot: Slot, bytes: &[u8]) {
        self.push(&slot.to_bytes());
        for part in bytes.chunks(SLOT_BYTES) {
            let mut padded = [0; SLOT_BYTES];
            padded[..part.len()].copy_from_slice(part);
            self.push(&padded);
        }
    }

    /// The card has taken `slots` more.
    pub(super) fn taken(&mut self, slots: usize) {
        self.used -= slots;
    }
}

/// The ring that the card fills.
#[derive(Debug)]
pub(super) struct Completions {
    buffer: DmaBuffer,
    first: usize,
    log2: u8,
    /// Records taken, modulo 2^16.
    pub head: u16,
}

impl Completions {
    pub(super) fn new(buffer: DmaBuffer, first: usize, log2: u8) -> Self {
        Self {
            buffer,
            first,
            log2,
            head: 0,
        }
    }

    pub(super) fn address(&self) -> u64 {
        self.buffer.address + self.first as u64
    }

    pub(super) fn log2(&self) -> u8 {
        self.log2
    }

    /// Forgets all records; only while the card writes none.
    pub(super) fn restart(&mut self) {
        self.head = 0;
        self.buffer
            .memory
            .write(self.first, &vec![0; RECORD_BYTES << self.log2]);
    }

    /// The next record, if the card has written it: its phase is that of this lap.
    pub(super) fn next(&mut self) -> Option<Record> {
        let index = usize::from(self.head) & ((1 << self.log2) - 1);
        let at = self.first + index * RECORD_BYTES;
        let first = self.buffer.memory.load(at);
        let mut bytes = [0; RECORD_BYTES];
        bytes[..8].copy_from_slice(&first.to_le_bytes());
        let lap_is_even = self.head >> self.log2 & 1 == 0;
        if Record::from_bytes(bytes).phase != lap_is_even {
            return None;
        }
        bytes[8..].copy_from_slice(&self.buffer.memory.load(at + 8).to_le_bytes());
        self.head = self.head.wrapping_add(1);
        Some(Record::from_bytes(bytes))
    }
}

/// Gives out ranges of a buffer in a circle, and takes them back in the order they were given.
#[derive(Debug)]
pub(super) struct Circle {
    bytes: usize,
    /// Where the next range may begin.
    next: usize,
    /// Ranges given out, oldest first.
    given: VecDeque<(usize, usize)>,
}

impl Circle {
    /// Of `bytes` bytes.
    pub(super) fn new(bytes: usize) -> Self {
        Self {
            bytes,
            next: 0,
            given: VecDeque::new(),
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// A range of `bytes` at a multiple of `align`, if one is free.
    pub(super) fn take(&mut self, bytes: usize, align: usize) -> Option<usize> {
        let start = self.next.next_multiple_of(align);
        let oldest = self.given.front().map(|r| r.0);
        let found = match oldest {
            None => (bytes <= self.bytes).then_some(0),
            // The free range is between the end of the newest and the start of the oldest.
            Some(oldest) if oldest >= self.next => (start + bytes <= oldest).then_some(start),
            Some(_) if start + bytes <= self.bytes => Some(start),
            Some(oldest) => (bytes <= oldest).then_some(0),
        }?;
        // A full circle looks like an empty one, so its last byte is never given.
        let end = found + bytes;
        if oldest == Some(end) {
            return None;
        }
        self.next = end;
        self.given.push_back((found, bytes));
        Some(found)
    }

    /// Takes the oldest range back.
    pub(super) fn give_back(&mut self) {
        self.given.pop_front();
    }

    pub(super) fn restart(&mut self) {
        self.next = 0;
        self.given.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_circle_never_gives_a_byte_twice() {
        let mut circle = Circle::new(1000);
        let mut random = crate::device::random::Random::new(7);
        let mut out: VecDeque<(usize, usize)> = VecDeque::new();
        let mut wraps = 0;
        for _ in 0..20_000 {
            let bytes = 8 + (random.bits() % 300) as usize;
            match circle.take(bytes, 8) {
                Some(at) if random.chance(0.9) || out.is_empty() => {
                    assert!(at.is_multiple_of(8) && at + bytes <= 1000);
                    for (a, n) in &out {
                        assert!(at + bytes <= *a || a + n <= at, "{at}+{bytes} hits {a}+{n}");
                    }
                    wraps += usize::from(at == 0);
                    out.push_back((at, bytes));
                }
                Some(at) => {
                    out.push_back((at, bytes));
                    circle.give_back();
                    out.pop_front();
                }
                None => {
                    assert!(!out.is_empty(), "an empty circle has room for {bytes}");
                    circle.give_back();
                    out.pop_front();
                }
            }
        }
        assert!(wraps > 1000, "it goes round");
    }
}
