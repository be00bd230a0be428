//! How weights lie in the payload of a group packet. `R` is the tile's row count, a multiple of
//! [`ROW_GRANULE`]; row `r` belongs to bank `r % banks`, at address `r / banks` there.
//!
//! | part | bytes | order |
//! |---|---|---|
//! | scale words (`g4` only) | `2 R` | row order, [`crate::g4::scale_word`] little endian |
//! | dense bundle, `g4` | `R / 2` | row order, even row in the low nibble |
//! | dense bundle, `i8` | `R` | row order |
//! | masked bundle: mask | `R / 8` | row order, row `r` is bit `r % 8` of byte `r / 8` |
//! | masked bundle: codes | `n / 2` or `n`, padded to 8 | *round order*, low nibble first |
//!
//! Round order: round `k` holds the `k`-th surviving row of each bank that has one, in order of bank. It lets
//! each bank take at most one code a cycle without a crossbar queue, and it makes a masked bundle specific
//! to a number of banks; dense bundles fit every core.

use crate::{ALIGN, ROW_GRANULE, align};

/// What a weight is on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// 4-bit codes with a scale word a row and group; see [`crate::g4`].
    G4,
    /// Signed 8-bit weights.
    I8,
}

impl Kind {
    /// Bits a code.
    #[must_use]
    pub const fn bits(self) -> usize {
        match self {
            Kind::G4 => 4,
            Kind::I8 => 8,
        }
    }

    /// Bytes of the scale words of one group over `rows` rows.
    #[must_use]
    pub const fn scale_bytes(self, rows: usize) -> usize {
        match self {
            Kind::G4 => 2 * rows,
            Kind::I8 => 0,
        }
    }

    /// Bytes of a dense column bundle over `rows` rows.
    #[must_use]
    pub const fn dense_bytes(self, rows: usize) -> usize {
        rows * self.bits() / 8
    }

    /// Bytes of a masked column bundle over `rows` rows with `survivors` codes, padding included.
    #[must_use]
    pub const fn masked_bytes(self, rows: usize, survivors: usize) -> usize {
        rows / 8 + align((survivors * self.bits()).div_ceil(8))
    }
}

/// Bytes of the activations of `columns` columns with `1 << log2_batch` tokens each, padding included.
#[must_use]
pub const fn activation_bytes(columns: usize, log2_batch: u8) -> usize {
    align(columns << log2_batch)
}

/// Whether `rows` is a legal row count for a tile on a core with `capacity` = banks x depth rows.
#[must_use]
pub const fn rows_fit(rows: usize, capacity: usize) -> bool {
    rows > 0 && rows.is_multiple_of(ROW_GRANULE) && rows <= capacity
}

/// The surviving rows of `mask` (row order bits, `R / 8` bytes) in round order for `banks` banks.
#[must_use]
pub fn round_order(mask: &[u8], banks: usize) -> Vec<u32> {
    let rows = mask.len() * 8;
    let alive = |r: usize| mask[r / 8] >> (r % 8) & 1 == 1;
    let mut of_bank: Vec<_> = (0..banks)
        .map(|b| (b..rows).step_by(banks).filter(|&r| alive(r)))
        .collect();
    let mut order = Vec::new();
    loop {
        let before = order.len();
        order.extend(
            of_bank
                .iter_mut()
                .filter_map(Iterator::next)
                .map(|r| r as u32),
        );
        if order.len() == before {
            return order;
        }
    }
}

const _: () = assert!(
    ROW_GRANULE / 8 == ALIGN,
    "a mask ends on the packet alignment"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_order_takes_one_row_of_each_bank_a_round() {
        // rows 0, 1, 4, 8 and 9 survive; with four banks bank 0 has {0, 4, 8}, bank 1 has {1, 9}.
        let mask = [0b0001_0011, 0b0000_0011];
        assert_eq!(round_order(&mask, 4), [0, 1, 4, 9, 8]);
        assert_eq!(round_order(&mask, 1), [0, 1, 4, 8, 9]);
        assert_eq!(round_order(&[0, 0], 4), [0u32; 0]);
    }
}
