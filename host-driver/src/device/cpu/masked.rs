//! Masked bundles to dense columns of signed 8-bit weights.

use weft_protocol::g4;
use weft_protocol::layout::Kind;

/// The surviving rows of each bank, kept between bundles for their memory.
#[derive(Debug, Default)]
pub(super) struct Survivors(Vec<Vec<u32>>);

impl Survivors {
    /// Reads `mask`, a bit a row.
    fn read(&mut self, mask: &[u8], banks: usize) {
        self.0.resize_with(banks, Vec::new);
        self.0.iter_mut().for_each(Vec::clear);
        for (i, bytes) in mask.chunks_exact(8).enumerate() {
            let mut bits = bytes
                .iter()
                .rev()
                .fold(0u64, |bits, &b| bits << 8 | u64::from(b));
            while bits != 0 {
                let row = 64 * i + bits.trailing_zeros() as usize;
                self.0[row % banks].push(row as u32);
                bits &= bits - 1;
            }
        }
    }
}

/// Writes the weights of every row of a masked bundle to `column` (one byte a row, zero where masked).
/// `scales` is the group's, for `g4`; `banks` is the core's whose order the codes have.
pub(super) fn expand(
    kind: Kind,
    scales: &[u8],
    bundle: &[u8],
    banks: usize,
    survivors: &mut Survivors,
    column: &mut [u8],
) {
    let (mask, codes) = bundle.split_at(column.len() / 8);
    column.fill(0);
    survivors.read(mask, banks);
    let rounds = survivors.0.iter().map(Vec::len).max().unwrap_or(0);
    let mut n = 0;
    for k in 0..rounds {
        for rows in &survivors.0 {
            let Some(&r) = rows.get(k) else { continue };
            let r = r as usize;
            column[r] = match kind {
                Kind::I8 => codes[n],
                Kind::G4 => {
                    let q = codes[n / 2] >> (4 * (n % 2)) & 15;
                    g4::expand(q, scales[2 * r], scales[2 * r + 1] as i8) as u8
                }
            };
            n += 1;
        }
    }
}
