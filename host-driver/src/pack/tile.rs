//! Quantised rows to a tile in wire layout.

use super::fit::{Row, g4_weight};
use crate::container::{Group, Segment, index};
use rayon::prelude::*;
use weft_protocol::layout::Kind;
use weft_protocol::packet::masked_bundle;
use weft_protocol::{ACCUMULATOR_BITS, GROUP, ROW_GRANULE};

/// Largest magnitude of an activation.
const MOST: u64 = 127;
/// What one bundle sent again can add to a sum.
const AGAIN: u64 = MOST * MOST;
/// Largest sum that an accumulator holds.
const CAPACITY: u64 = (1 << (ACCUMULATOR_BITS - 1)) - 1;

/// A tile, ready to be written.
#[derive(Debug)]
pub(super) struct TileData {
    pub bytes: Vec<u8>,
    pub groups: Vec<Group>,
    pub segments: Vec<Segment>,
    /// How often each code occurs, by its byte; survivors only.
    pub counts: Vec<u64>,
    /// Bytes of masks and codes, without scale words and padding rows.
    pub code_bits: u64,
    /// Weights that survived.
    pub survivors: u64,
}

/// One group, ready.
struct Part {
    bytes: Vec<u8>,
    masked: Vec<u32>,
    /// Sum of magnitudes, a row.
    sums: Vec<u16>,
    counts: Vec<u64>,
    survivors: u64,
}

/// Lays `rows` out. `alive` has a byte a column for every row, or is empty when nothing is masked.
pub(super) fn lay_out(
    kind: Kind,
    cols: usize,
    rows: &[Row],
    alive: &[Vec<u8>],
    banks: usize,
) -> TileData {
    let parts: Vec<Part> = (0..cols.div_ceil(GROUP))
        .into_par_iter()
        .map(|g| part(kind, cols, rows, alive, banks, g))
        .collect();
    let mut tile = TileData {
        bytes: Vec::with_capacity(parts.iter().map(|p| p.bytes.len()).sum()),
        segments: segments(&parts, rows.len()),
        groups: Vec::with_capacity(parts.len()),
        counts: vec![0; 256],
        code_bits: 0,
        survivors: 0,
    };
    let scale_bytes = kind.scale_bytes(rows.len().next_multiple_of(ROW_GRANULE));
    for p in parts {
        tile.groups.push(Group {
            offset: tile.bytes.len() as u64,
            masked: p.masked,
        });
        tile.bytes.extend_from_slice(&p.bytes);
        tile.code_bits += 8 * (p.bytes.len() - scale_bytes) as u64;
        tile.survivors += p.survivors;
        tile.counts
            .iter_mut()
            .zip(p.counts)
            .for_each(|(a, b)| *a += b);
    }
    tile
}

fn part(kind: Kind, cols: usize, rows: &[Row], alive: &[Vec<u8>], banks: usize, g: usize) -> Part {
    let padded = rows.len().next_multiple_of(ROW_GRANULE);
    let first = g * GROUP;
    let columns = index::group_columns(cols, g);
    let mut bytes = Vec::with_capacity(kind.scale_bytes(padded) + columns * padded);
    if kind == Kind::G4 {
        let words = rows.iter().map(|r| r.words[g]);
        words.for_each(|w| bytes.extend(w.to_le_bytes()));
        bytes.resize(kind.scale_bytes(padded), 0);
    }
    // Codes column by column, a byte each.
    let mut codes = vec![0u8; columns * padded];
    for (r, row) in rows.iter().enumerate() {
        for (c, &code) in row.codes[first..first + columns].iter().enumerate() {
            codes[c * padded + r] = code;
        }
    }
    let masks = (!alive.is_empty()).then(|| masks(alive, first, columns, padded));
    let masks = masks.filter(|masks| {
        let sizes = masks.iter().map(|mask| {
            let ones = mask.iter().map(|b| b.count_ones() as usize).sum();
            kind.masked_bytes(padded, ones)
        });
        sizes.sum::<usize>() < columns * kind.dense_bytes(padded)
    });
    let mut part = Part {
        bytes,
        masked: Vec::new(),
        sums: vec![0; rows.len()],
        counts: vec![0; 256],
        survivors: 0,
    };
    for (c, codes) in codes.chunks_exact(padded).enumerate() {
        match &masks {
            Some(masks) => {
                let bundle = masked_bundle(kind, &masks[c], codes, banks);
                part.masked.push(bundle.len() as u32);
                part.bytes.extend(bundle);
            }
            None if kind == Kind::G4 => {
                let pairs = codes.chunks_exact(2);
                part.bytes.extend(pairs.map(|p| p[0] | p[1] << 4));
            }
            None => part.bytes.extend_from_slice(codes),
        }
        for (r, row) in rows.iter().enumerate() {
            if masks
                .as_ref()
                .is_some_and(|m| m[c][r / 8] >> (r % 8) & 1 == 0)
            {
                continue;
            }
            let weight = match kind {
                Kind::G4 => g4_weight(codes[r], row.words[g]),
                Kind::I8 => codes[r] as i8,
            };
            part.sums[r] += u16::from(weight.unsigned_abs());
            part.counts[usize::from(codes[r])] += 1;
            part.survivors += 1;
        }
    }
    part
}

/// The mask of each column, a bit a row; padding rows are masked.
fn masks(alive: &[Vec<u8>], first: usize, columns: usize, padded: usize) -> Vec<Vec<u8>> {
    let mut masks = vec![vec![0u8; padded / 8]; columns];
    for (r, alive) in alive.iter().enumerate() {
        for (c, mask) in masks.iter_mut().enumerate() {
            mask[r / 8] |= alive[first + c] << (r % 8);
        }
    }
    masks
}

/// Cuts the groups so that no sum can leave the accumulator: for every row, the largest activation times the sum
/// of the magnitudes, and room for one packet of bundles sent again.
fn segments(parts: &[Part], rows: usize) -> Vec<Segment> {
    let room = CAPACITY - index::LEAST_HEADROOM as u64 * AGAIN;
    let mut cut = Vec::new();
    let mut sums = vec![0u64; rows];
    let mut close = |end: usize, sums: &[u64]| {
        let heaviest = MOST * sums.iter().max().copied().unwrap_or(0);
        cut.push(Segment {
            end,
            headroom: ((CAPACITY - heaviest) / AGAIN) as usize,
        });
    };
    for (g, part) in parts.iter().enumerate() {
        let over = |(sum, &more): (&u64, &u16)| MOST * (sum + u64::from(more)) > room;
        if sums.iter().zip(&part.sums).any(over) {
            close(g, &sums);
            sums.fill(0);
        }
        for (sum, &more) in sums.iter_mut().zip(&part.sums) {
            *sum += u64::from(more);
        }
    }
    close(parts.len(), &sums);
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(codes: &[u8], n: usize) -> Vec<Row> {
        let row = Row {
            scale: 1.0,
            codes: codes.to_vec(),
            ..Row::default()
        };
        vec![row; n]
    }

    #[test]
    fn heavy_rows_are_drained_before_they_overflow() {
        let tile = lay_out(Kind::I8, 2048, &rows(&[127; 2048], 3), &[], 8);
        assert_eq!(tile.segments.last().map(|s| s.end), Some(64));
        let mut start = 0;
        for s in &tile.segments {
            let sum = ((s.end - start) * GROUP) as u64 * 127 * MOST;
            assert!(sum + s.headroom as u64 * AGAIN <= CAPACITY);
            assert!(s.headroom >= index::LEAST_HEADROOM);
            // One group more would not have left room.
            let more = sum + GROUP as u64 * 127 * MOST + index::LEAST_HEADROOM as u64 * AGAIN;
            assert!(s.end == 64 || more > CAPACITY);
            start = s.end;
        }
        assert_eq!(tile.segments.len(), 5);
    }

    #[test]
    fn light_rows_are_drained_once() {
        let tile = lay_out(Kind::I8, 2048, &rows(&[3; 2048], 3), &[], 8);
        assert_eq!(tile.segments.len(), 1);
        assert_eq!(tile.bytes.len(), 64 * 2048);
        assert_eq!(tile.survivors, 3 * 2048);
    }
}
