//! The three rings in host memory.
//!
//! **Command slot**, 16 bytes, host to card: where the next bytes of the packet stream come from. Slots are taken in
//! order and their bytes joined; packets need not end where slots do.
//!
//! | byte | field |
//! |---|---|
//! | 0 to 7 | address: of host memory (`Host`), offset in BAR2 (`Window`), unused (`Inline`) |
//! | 8 to 11 | length in bytes, 8 to [`MAX_LENGTH`] |
//! | 12 | [`SlotKind`] |
//! | 13 | [`NOTIFY`] or 0 |
//! | 14, 15 | cookie, comes back in the record |
//!
//! The bytes of an `Inline` slot, at most [`MAX_INLINE`], fill the slots behind it, padded to whole slots.
//!
//! **Result slot**, 16 bytes, host to card: a buffer for exactly one answer packet. Address, length and cookie as
//! above, bytes 12 and 13 zero. Addresses and lengths are multiples of [`crate::ALIGN`] everywhere.
//!
//! **Completion record**, 16 bytes, card to host, never split:
//!
//! | byte | field |
//! |---|---|
//! | 0 to 3 | bytes moved |
//! | 4, 5 | cookie |
//! | 6 | [`Outcome`] |
//! | 7 | bit 0: phase, 1 in the ring's first lap and changing every lap; bit 1: of the result ring |
//! | 8 to 15 | the answer packet's header for a result, else zero |
//!
//! A command slot with [`NOTIFY`] makes a record once the core has taken its last byte; a slot that fails makes one in
//! any case, and halts the card. Every result slot makes one, once its bytes are on their way: posted writes keep their
//! order, so who sees the record sees the bytes.

use crate::ALIGN;

/// Bytes of a command or result slot.
pub const SLOT_BYTES: usize = 16;
/// Bytes of a completion record.
pub const RECORD_BYTES: usize = 16;
/// Most bytes that one command slot moves.
pub const MAX_LENGTH: u32 = 1 << 24;
/// Most bytes of an inline slot.
pub const MAX_INLINE: u32 = 512;
/// Flag of a command slot: write a record when done.
pub const NOTIFY: u8 = 1;

codes! {
    /// Where a command slot's bytes are.
    SlotKind {
        /// In host memory, or wherever that bus address leads.
        Host = 0,
        /// In the slots that follow.
        Inline = 1,
        /// In the card's window.
        Window = 2,
    }
}

codes! {
    /// How a slot ended.
    Outcome {
        /// As asked.
        Done = 0,
        /// Address or length is no multiple of eight, or the length is out of range.
        Shape = 1,
        /// No such kind of slot.
        Kind = 2,
        /// Beyond the end of the window.
        Window = 3,
        /// A read was answered as an unsupported request: nobody has that address, or the IOMMU refused it.
        Unsupported = 4,
        /// A read was answered with completer abort.
        Abort = 5,
        /// A read was answered with poisoned data.
        Poisoned = 6,
        /// A read was not answered in time.
        Lost = 7,
        /// A read was answered with another length or order than PCI Express allows.
        Malformed = 8,
        /// An answer packet is longer than its buffer; what fits was stored, the rest dropped. Does not halt.
        Short = 9,
    }
}

/// A command or result slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Bus address, or offset in the window.
    pub address: u64,
    /// Bytes.
    pub length: u32,
    /// A [`SlotKind`], not yet checked; 0 in the result ring.
    pub kind: u8,
    /// [`NOTIFY`] or 0.
    pub flags: u8,
    /// Comes back in the record.
    pub cookie: u16,
}

impl Slot {
    /// As it lies in the ring.
    #[must_use]
    pub fn to_bytes(self) -> [u8; SLOT_BYTES] {
        let mut b = [0; SLOT_BYTES];
        b[..8].copy_from_slice(&self.address.to_le_bytes());
        b[8..12].copy_from_slice(&self.length.to_le_bytes());
        b[12] = self.kind;
        b[13] = self.flags;
        b[14..].copy_from_slice(&self.cookie.to_le_bytes());
        b
    }

    /// From the ring.
    #[must_use]
    pub fn from_bytes(b: [u8; SLOT_BYTES]) -> Self {
        Self {
            address: u64::from_le_bytes(std::array::from_fn(|i| b[i])),
            length: u32::from_le_bytes(std::array::from_fn(|i| b[8 + i])),
            kind: b[12],
            flags: b[13],
            cookie: u16::from_le_bytes([b[14], b[15]]),
        }
    }

    /// Checks a command slot as a card with a window of `window` bytes does.
    ///
    /// # Errors
    /// The [`Outcome`] that such a card answers with.
    pub fn check(&self, window: u64) -> Result<SlotKind, Outcome> {
        let kind = SlotKind::from_code(self.kind).ok_or(Outcome::Kind)?;
        let length = self.length;
        let most = if kind == SlotKind::Inline {
            MAX_INLINE
        } else {
            MAX_LENGTH
        };
        let aligned = |v: u64| v.is_multiple_of(ALIGN as u64);
        let address_fits = kind == SlotKind::Inline || aligned(self.address);
        if length == 0 || length > most || !aligned(length.into()) || !address_fits {
            return Err(Outcome::Shape);
        }
        let end = self.address.saturating_add(length.into());
        if kind == SlotKind::Window && end > window {
            return Err(Outcome::Window);
        }
        Ok(kind)
    }
}

/// A completion record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// Bytes moved.
    pub bytes: u32,
    /// The slot's cookie.
    pub cookie: u16,
    /// An [`Outcome`], not yet checked.
    pub outcome: u8,
    /// Phase of the lap that wrote it.
    pub phase: bool,
    /// Of the result ring; else of the command ring.
    pub result: bool,
    /// First eight bytes of the answer packet for a result, else zero.
    pub header: [u8; 8],
}

impl Record {
    /// As it lies in the ring.
    #[must_use]
    pub fn to_bytes(self) -> [u8; RECORD_BYTES] {
        let mut b = [0; RECORD_BYTES];
        b[..4].copy_from_slice(&self.bytes.to_le_bytes());
        b[4..6].copy_from_slice(&self.cookie.to_le_bytes());
        b[6] = self.outcome;
        b[7] = u8::from(self.phase) | u8::from(self.result) << 1;
        b[8..].copy_from_slice(&self.header);
        b
    }

    /// From the ring.
    #[must_use]
    pub fn from_bytes(b: [u8; RECORD_BYTES]) -> Self {
        Self {
            bytes: u32::from_le_bytes(std::array::from_fn(|i| b[i])),
            cookie: u16::from_le_bytes([b[4], b[5]]),
            outcome: b[6],
            phase: b[7] & 1 != 0,
            result: b[7] & 2 != 0,
            header: std::array::from_fn(|i| b[8 + i]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_and_records_survive_the_ring() {
        let slot = Slot {
            address: 0x1234_5678_9abc_def8,
            length: 0x00ab_cde8,
            kind: SlotKind::Window as u8,
            flags: NOTIFY,
            cookie: 0xbeef,
        };
        assert_eq!(Slot::from_bytes(slot.to_bytes()), slot);
        let record = Record {
            bytes: 4104,
            cookie: 0x1234,
            outcome: Outcome::Short as u8,
            phase: true,
            result: true,
            header: *b"abcdefgh",
        };
        assert_eq!(Record::from_bytes(record.to_bytes()), record);
    }

    #[test]
    fn a_slot_is_checked_in_the_order_kind_shape_window() {
        let good = Slot {
            address: 4096,
            length: 4096,
            kind: SlotKind::Window as u8,
            flags: 0,
            cookie: 0,
        };
        assert_eq!(good.check(8192), Ok(SlotKind::Window));
        assert_eq!(good.check(8184), Err(Outcome::Window));
        assert_eq!(
            Slot {
                kind: 9,
                length: 0,
                ..good
            }
            .check(8192),
            Err(Outcome::Kind)
        );
        assert_eq!(Slot { length: 0, ..good }.check(8192), Err(Outcome::Shape));
        assert_eq!(Slot { length: 12, ..good }.check(8192), Err(Outcome::Shape));
        assert_eq!(Slot { address: 4, ..good }.check(8192), Err(Outcome::Shape));
        let inline = Slot {
            kind: SlotKind::Inline as u8,
            address: 4,
            length: MAX_INLINE,
            ..good
        };
        assert_eq!(inline.check(8192), Ok(SlotKind::Inline));
        assert_eq!(
            Slot {
                length: MAX_INLINE + 8,
                ..inline
            }
            .check(8192),
            Err(Outcome::Shape)
        );
        let far = Slot {
            address: u64::MAX - 7,
            ..good
        };
        assert_eq!(far.check(8192), Err(Outcome::Window));
    }
}
