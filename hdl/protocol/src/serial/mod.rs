//! The packet stream over a serial line: frames that a receiver can check, place and ask for again.
//!
//! A line carries bytes, 8 data bits, no parity, one stop bit, and may damage, lose or repeat any of them. The
//! packet stream of [`crate::packet`] is cut into *units* of [`UNIT`] bytes; a frame carries up to [`MAX_UNITS`] of
//! them and names the position of the first, counted in units from the beginning of the session, modulo 2^16. So
//! every frame can be repeated without harm, and whoever receives it knows whether it is the next one.
//!
//! | frame to the board | byte | frame from the board | byte |
//! |---|---|---|---|
//! | [`SYNC`] | 0, 1 | [`SYNC`] | 0, 1 |
//! | flags, [`ask`] | 2 | flags, [`tell`] | 2 |
//! | units of payload (of 256 zero units for [`ask::FILL`]) | 3 | units of payload | 3 |
//! | session | 4 | session | 4 |
//! | tag | 5 | tag of the last undamaged frame | 5 |
//! | position of the payload in the requests | 6, 7 | position of the payload in the answers | 6, 7 |
//! | answers taken by the host | 8, 9 | requests received | 8, 9 |
//! | payload | 10 ... | requests passed on to the core | 10, 11 |
//! | CRC | last 4 | payload | 12 ... |
//! | | | CRC | last 4 |
//!
//! The [`crc`] covers everything after the sync bytes. Numbers are little endian.
//!
//! The board owns no clock and no policy. It answers every undamaged frame, and every damaged one of an open
//! session, with one frame; answers to frames that arrive while it speaks may be merged into one. It also speaks
//! unasked when it holds [`MAX_UNITS`] of unsent answers. Everything else is the host's: when to ask again
//! ([`ask::RESEND`]), when to go back, when to give up. Flow control is credit: the host never lets
//! `sent - passed on` exceed the board's buffer ([`Identity::request_units`]), and the board stops taking answers
//! from the core while the host has not acknowledged [`Identity::answer_units`] of them.
//!
//! A session begins with [`ask::HELLO`], which names the session (not 0) and clears every position. A repeated
//! hello of the open session does nothing but answer again, so a late copy is harmless; frames of another session
//! change nothing and are answered with [`tell::STALE`]. Between a hello and the first units of requests the board
//! discards what the core still says.
//!
//! A core that was left in the middle of a packet takes a new one for payload. [`ask::FILL`] feeds it units of zeros
//! that do not cross the line: at most [`fill_units`] of them finish or refuse any packet, and a reset packet follows.
//!
//! Bytes of value [`FILLER`] between frames are ignored; [`MAX_FRAME`] of them end whatever the board took for the
//! beginning of a frame.

mod frame;
mod identity;

pub use frame::{Deframer, FrameError, FromBoard, Header, Received, ToBoard};
pub use identity::{Counter, Identity, IdentityError, board_id, link_hash};

use crate::{ALIGN, MAX_COLUMNS, align};

/// Version of the frames; goes up with every incompatible change.
pub const LINK_VERSION: u32 = 1;
/// Bytes of a unit, the granularity of positions and credit.
pub const UNIT: usize = ALIGN;
/// Most units in one frame.
pub const MAX_UNITS: usize = 32;
/// The two bytes that begin a frame.
pub const SYNC: [u8; 2] = [0xd7, 0x1e];
/// A byte that means nothing; it is not the first of [`SYNC`].
pub const FILLER: u8 = 0xff;
/// Bytes of a header to the board, sync bytes included.
pub const TO_BOARD_HEADER: usize = 10;
/// Bytes of a header from the board, sync bytes included.
pub const FROM_BOARD_HEADER: usize = 12;
/// Bytes of the CRC.
pub const CRC_BYTES: usize = 4;
/// Bytes of the longest frame.
pub const MAX_FRAME: usize = FROM_BOARD_HEADER + MAX_UNITS * UNIT + CRC_BYTES;
/// Units of zeros that one unit of a fill frame's length stands for.
pub const FILL_GRANULE: usize = 256;
/// Most granules of one fill frame, so that positions stay comparable.
pub const MAX_FILL: usize = 127;
/// Polynomial of the CRC, bit-reversed (IEEE 802.3).
pub const CRC_POLYNOMIAL: u32 = 0xedb8_8320;
/// Fewest and most clocks of one bit.
pub const CLOCKS_PER_BIT: [u32; 2] = [4, 4095];

/// Flags of a frame to the board.
pub mod ask {
    /// Opens the session that the frame names.
    pub const HELLO: u8 = 1 << 0;
    /// With [`HELLO`]: units of requests come back as answers and never meet the core.
    pub const LOOP: u8 = 1 << 1;
    /// The payload is zeros that are not sent: the length counts [`super::FILL_GRANULE`] units.
    pub const FILL: u8 = 1 << 2;
    /// Send the answers again from the position that the frame acknowledges.
    pub const RESEND: u8 = 1 << 3;
    /// Answer with an [`super::Identity`]; implied by [`HELLO`].
    pub const INFO: u8 = 1 << 4;
}

/// Flags of a frame from the board.
pub mod tell {
    /// A damaged frame came since the last answer.
    pub const BAD: u8 = 1 << 0;
    /// A frame came whose position is ahead of what was received.
    pub const GAP: u8 = 1 << 1;
    /// A frame came for which there was no room.
    pub const FULL: u8 = 1 << 2;
    /// A frame of another session came.
    pub const STALE: u8 = 1 << 3;
    /// The payload is an [`super::Identity`], not answers.
    pub const INFO: u8 = 1 << 4;
    /// Always set.
    pub const BOARD: u8 = 1 << 7;
}

/// CRC-32 of IEEE 802.3 without the final inversion (CRC-32/JAMCRC): the register after a frame with its CRC,
/// lowest byte first, is zero.
#[must_use]
pub const fn crc(bytes: &[u8]) -> u32 {
    crc_on(u32::MAX, bytes)
}

const fn crc_on(mut state: u32, bytes: &[u8]) -> u32 {
    let mut i = 0;
    while i < bytes.len() {
        state = CRC_TABLE[((state ^ bytes[i] as u32) & 0xff) as usize] ^ (state >> 8);
        i += 1;
    }
    state
}

const CRC_TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut i = 0;
    while i < 256 {
        let mut value = i as u32;
        let mut bit = 0;
        while bit < 8 {
            value = (value >> 1) ^ (CRC_POLYNOMIAL & (value & 1).wrapping_neg());
            bit += 1;
        }
        table[i] = value;
        i += 1;
    }
    table
};

/// Units of zeros after which any core of this shape waits for a header or discards units until a reset: the longest
/// group packet. Units are what sessions begin and end with, so the zeros never complete half a header.
#[must_use]
pub const fn fill_units(banks: usize, batch: usize, depth: usize) -> usize {
    let rows = banks * depth;
    let bundle = rows / 8 + rows;
    let group = align(MAX_COLUMNS * batch) + 2 * rows + MAX_COLUMNS * bundle;
    group / UNIT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_crc_is_the_published_one_and_leaves_zero() {
        assert_eq!(crc(b"123456789"), 0x340b_c6d9);
        let mut framed = b"123456789".to_vec();
        framed.extend(crc(b"123456789").to_le_bytes());
        assert_eq!(crc(&framed), 0);
    }

    #[test]
    fn a_fill_covers_the_longest_group() {
        // 1x1 with 512 rows: 64 columns of 512 bytes and their masks, 1024 bytes of scales, 64 of activations.
        assert_eq!(fill_units(1, 1, 512), (64 + 1024 + 64 * (512 + 64)) / 8);
    }
}
