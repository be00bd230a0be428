//! Where a ring is, and how far both sides are in it.

/// A ring in host memory. Positions count slots modulo 2^16.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ring {
    /// Bus address of the first slot.
    pub base: u64,
    /// Log2 of the slots.
    pub log2: u8,
    /// Slots written by whoever fills it.
    pub tail: u16,
    /// Slots taken by whoever empties it.
    pub head: u16,
}

impl Default for Ring {
    fn default() -> Self {
        Self {
            base: 0,
            log2: *Self::LOG2.start(),
            tail: 0,
            head: 0,
        }
    }
}

impl Ring {
    /// What log2 of the slots may be.
    const LOG2: std::ops::RangeInclusive<u8> = 2..=15;

    /// Slots filled and not taken.
    pub(super) fn filled(&self) -> u16 {
        self.tail.wrapping_sub(self.head)
    }

    /// Whether nothing more fits.
    pub(super) fn full(&self) -> bool {
        u32::from(self.filled()) >= 1 << self.log2
    }

    /// Bus address of the slot at `position`; all slots have 16 bytes.
    pub(super) fn address(&self, position: u16) -> u64 {
        let index = u64::from(position) & ((1 << self.log2) - 1);
        self.base.wrapping_add(index * 16)
    }

    /// Phase of the lap that `tail` is in.
    pub(super) fn phase(&self) -> bool {
        self.tail >> self.log2 & 1 == 0
    }

    pub(super) fn restart(&mut self) {
        self.tail = 0;
        self.head = 0;
    }

    /// The low half of the base changes.
    pub(super) fn set_low(&mut self, value: u32) {
        self.base = self.base >> 32 << 32 | u64::from(value & !63);
    }

    /// The high half of the base changes.
    pub(super) fn set_high(&mut self, value: u32) {
        self.base = self.base & 0xffff_ffff | u64::from(value) << 32;
    }

    /// The size changes, to what is nearest and possible.
    pub(super) fn set_log2(&mut self, value: u32) {
        self.log2 = u8::try_from(value)
            .unwrap_or(u8::MAX)
            .clamp(*Self::LOG2.start(), *Self::LOG2.end());
    }
}
