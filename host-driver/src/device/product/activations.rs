//! Activations to signed 8-bit columns, only those that matter.
//!
//! Each token has one scale. The largest activation of a token would set it, and often a handful are ten times
//! larger than the rest and cost all others their precision. A column may be sent more than once, so that a large
//! activation is the sum of several: the scale is then set by what is left, for a few bundles more.

use crate::model::Matrix;
use std::ops::Range;
use weft_protocol::GROUP;

/// How many bundles may be spent on sending outliers again.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outliers {
    /// Share of a token's live columns.
    pub share: f32,
}

impl Default for Outliers {
    /// One bundle in a hundred.
    fn default() -> Self {
        Self { share: 0.01 }
    }
}

impl Outliers {
    /// Every column is sent once.
    pub const NONE: Self = Self { share: 0.0 };
}

/// Largest magnitude of a signed 8-bit activation.
const MOST: f32 = 127.0;

/// The inputs of a site for up to a batch of tokens, as bundles of columns.
#[derive(Clone, Debug, Default)]
pub struct Activations {
    log2_batch: u8,
    /// Value of one unit, a token.
    scales: Vec<f32>,
    /// `1 << log2_batch` bytes a bundle.
    bytes: Vec<i8>,
    /// Column within its group, a bundle.
    columns: Vec<u8>,
    /// First bundle of each group, and the end.
    groups: Vec<usize>,
    /// Distinct columns that are sent.
    live: usize,
}

impl Activations {
    /// Quantises `tokens` of `x` (rows are tokens). Activations below `threshold` in magnitude count as zero for
    /// tokens from `dense_before` on (an index into `x`); a column that is zero for all tokens is not sent.
    ///
    /// # Panics
    /// When `tokens` is empty or outside `x`.
    #[must_use]
    pub fn quantise(
        x: &Matrix,
        tokens: Range<usize>,
        threshold: f32,
        dense_before: usize,
        outliers: Outliers,
    ) -> Self {
        assert!(!tokens.is_empty() && tokens.end <= x.rows(), "tokens of x");
        let batch = tokens.len().next_power_of_two();
        let cols = x.cols();
        let mut a = Self {
            log2_batch: batch.trailing_zeros() as u8,
            ..Self::default()
        };
        // Values of all tokens, and the largest magnitude of each column.
        let mut values = vec![0i32; cols * batch];
        let mut largest = vec![0u32; cols];
        for (t, token) in tokens.enumerate() {
            let limit = if token < dense_before { 0.0 } else { threshold };
            let row = x.row(token);
            let unit = unit(row, limit, outliers);
            a.scales.push(unit);
            if unit == 0.0 {
                continue;
            }
            let limit = Limit::of(limit);
            for (c, &x) in row.iter().enumerate() {
                let scaled = if limit.passes(x) { x / unit } else { 0.0 };
                // Rounds half away from zero, without a call.
                let v = (scaled + 0.5f32.copysign(scaled)) as i32;
                values[c * batch + t] = v;
                largest[c] = largest[c].max(v.unsigned_abs());
            }
        }
        a.bundle(&values, &largest, batch);
        a
    }

    fn bundle(&mut self, values: &[i32], largest: &[u32], batch: usize) {
        self.columns.reserve(largest.len() + largest.len() / 16);
        self.bytes.reserve(values.len() + values.len() / 16);
        for (c, &most) in largest.iter().enumerate() {
            if c % GROUP == 0 {
                self.groups.push(self.columns.len());
            }
            if most == 0 {
                continue;
            }
            self.live += 1;
            let of_column = &values[c * batch..(c + 1) * batch];
            let times = most.div_ceil(MOST as u32) as i32;
            for i in 0..times {
                self.columns.push((c % GROUP) as u8);
                if times == 1 {
                    self.bytes.extend(of_column.iter().map(|&v| v as i8));
                } else {
                    // The parts of `v` are as even as integers can be, and add up to it.
                    let part = |v: i32| (v * (i + 1) / times - v * i / times) as i8;
                    self.bytes.extend(of_column.iter().map(|&v| part(v)));
                }
            }
        }
        self.groups.push(self.columns.len());
    }

    /// Log2 of the tokens as sent; a token beyond those given is all zeros.
    #[must_use]
    pub fn log2_batch(&self) -> u8 {
        self.log2_batch
    }

    /// What one unit of each token's activations is worth.
    #[must_use]
    pub fn scales(&self) -> &[f32] {
        &self.scales
    }

    /// Distinct columns that are sent.
    #[must_use]
    pub fn live_columns(&self) -> usize {
        self.live
    }

    /// Bundles a tile: the live columns, some of them more than once.
    #[must_use]
    pub fn bundles(&self) -> usize {
        self.columns.len()
    }

    /// The bundles of group `g`: the column of each within the group, and their bytes.
    #[must_use]
    pub fn group(&self, g: usize) -> (&[u8], &[i8]) {
        let range = self.groups[g]..self.groups[g + 1];
        let bytes = range.start << self.log2_batch..range.end << self.log2_batch;
        (&self.columns[range], &self.bytes[bytes])
    }
}

/// Magnitudes that are sent: finite, not zero, and at least a threshold. Compared as bits, which for magnitudes is
/// the same order, and which processors do many at a time.
#[derive(Clone, Copy)]
struct Limit(u32);

/// The bits of a number without its sign.
const MAGNITUDE: u32 = 0x7fff_ffff;

impl Limit {
    fn of(threshold: f32) -> Self {
        Self((threshold.to_bits() & MAGNITUDE).max(1))
    }

    /// The magnitude of `x` as bits, or zero where it is not sent.
    fn bits(self, x: f32) -> u32 {
        let bits = x.to_bits() & MAGNITUDE;
        let sent = (bits >= self.0) & (bits < f32::INFINITY.to_bits());
        if sent { bits } else { 0 }
    }

    fn passes(self, x: f32) -> bool {
        self.bits(x) != 0
    }
}

/// The value of one unit: the smallest for which sending outliers again costs no more bundles than allowed.
fn unit(row: &[f32], limit: f32, outliers: Outliers) -> f32 {
    let limit = Limit::of(limit);
    let (mut live, mut most) = (0u32, 0u32);
    for &x in row {
        let bits = limit.bits(x);
        live += u32::from(bits != 0);
        most = most.max(bits);
    }
    if live == 0 {
        return 0.0;
    }
    let most = f32::from_bits(most);
    let budget = (live as f32 * outliers.share) as usize;
    if budget == 0 {
        return most / MOST;
    }
    // Only columns above the threshold are sent again, each at least once: no more of them than the budget.
    let mut above = largest(row, limit, most, (budget + 1).min(live as usize));
    above.sort_unstable_by(|a, b| b.total_cmp(a));
    let at = above[above.len() - 1];
    let spent = |top: f32| -> usize {
        let again = |x: &f32| (x / top).ceil() as usize - 1;
        above.iter().map(again).sum()
    };
    // The cost falls with the threshold; halve the interval until it is narrower than matters.
    let (mut low, mut high) = (at, most);
    for _ in 0..12 {
        let middle = 0.5 * (low + high);
        if spent(middle) <= budget {
            high = middle;
        } else {
            low = middle;
        }
    }
    high / MOST
}

/// The `n` largest magnitudes of `row` that pass `limit`, in any order; there are at least `n`.
fn largest(row: &[f32], limit: Limit, most: f32, n: usize) -> Vec<f32> {
    // Outliers are few: look near the largest first, and further down only when that is not enough.
    let mut floor = 0.25 * most;
    let mut found: Vec<f32> = Vec::new();
    loop {
        let near = Limit(limit.0.max(floor.to_bits()));
        found.clear();
        found.extend(row.iter().map(|x| x.abs()).filter(|&x| near.passes(x)));
        if found.len() >= n {
            found.select_nth_unstable_by(n - 1, |a, b| b.total_cmp(a));
            found.truncate(n);
            return found;
        }
        if near.0 == limit.0 {
            return found;
        }
        floor *= 0.25;
    }
}
