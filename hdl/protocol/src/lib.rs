//! The one packet stream that every Weft link carries, as plain data: opcodes, header fields, registers,
//! payload layouts and number formats. RTL, software twin, driver and documents all read this crate.
//!
//! Reading order: [`packet`] (what goes over the wire), [`layout`] (how weights lie in a payload),
//! [`g4`] (what a 4-bit code is worth), [`registers`] (what a core says about itself), [`serial`] (the stream over a
//! serial line), [`pcie`] (a card's registers and rings).
//!
//! All multi-byte fields are little endian. Every packet is a multiple of [`ALIGN`] bytes.

#[macro_use]
mod codes;
pub mod g4;
pub mod layout;
pub mod packet;
pub mod pcie;
pub mod registers;
pub mod serial;

/// Packets, and every part of a payload, are padded with zeros to this many bytes.
pub const ALIGN: usize = 8;
/// Rows of a tile are a multiple of this, so that masks, scales and codes all end on [`ALIGN`].
pub const ROW_GRANULE: usize = 64;
/// Inputs (columns) that share one scale and zero point a row in the `g4` payload.
pub const GROUP: usize = 32;
/// Most column bundles in one group packet: the 32 of a group, and room to send outlier columns twice.
pub const MAX_COLUMNS: usize = 64;
/// Width of a hardware accumulator in bits, two's complement; sums wrap beyond it.
pub const ACCUMULATOR_BITS: u32 = 24;

/// `n` rounded up to a multiple of [`ALIGN`].
#[must_use]
pub const fn align(n: usize) -> usize {
    n.next_multiple_of(ALIGN)
}

/// `v` cut to the accumulator's width and sign-extended: what the hardware holds after an addition.
#[must_use]
pub const fn wrap_accumulator(v: i32) -> i32 {
    (v << (32 - ACCUMULATOR_BITS)) >> (32 - ACCUMULATOR_BITS)
}
