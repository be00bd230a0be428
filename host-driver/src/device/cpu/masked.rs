//! Masked bundles to dense columns of signed 8-bit weights.

use weft_protocol::g4;
use weft_protocol::layout::Kind;

/// Writes the weights of every row of a masked bundle to `column` (one byte a row, zero where masked).
/// `scales` is the group's, for `g4`; `banks` is the core's whose order the codes have.
pub(super) fn expand(kind: Kind, scales: &[u8], bundle: &[u8], banks: usize, column: &mut [u8]) {
    let rows = column.len();
    let (mask, codes) = bundle.split_at(rows / 8);
    column.fill(0);
    let alive = |r: usize| mask[r / 8] >> (r % 8) & 1 == 1;
    // The next row of each bank that has not been looked at.
    let mut next: Vec<usize> = (0..banks.min(rows)).collect();
    let mut n = 0;
    while !next.is_empty() {
        next.retain_mut(|row| {
            while *row < rows && !alive(*row) {
                *row += banks;
            }
            let r = *row;
            if r >= rows {
                return false;
            }
            column[r] = match kind {
                Kind::I8 => codes[n],
                Kind::G4 => {
                    let q = codes[n / 2] >> (4 * (n % 2)) & 15;
                    g4::expand(q, scales[2 * r], scales[2 * r + 1] as i8) as u8
                }
            };
            n += 1;
            *row += banks;
            true
        });
    }
}
