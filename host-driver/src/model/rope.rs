//! Rotary position embedding.

use super::{ModelConfig, Rope, RopeStyle};

/// Frequencies of a model, and the rotations of the positions of one step.
#[derive(Debug)]
pub(super) struct Rotations {
    style: RopeStyle,
    /// Radians a position, one for each pair.
    frequencies: Vec<f64>,
    /// Cosine and sine of each pair, position after position.
    table: Vec<(f32, f32)>,
}

impl Rotations {
    /// `factors` divide the frequencies; empty for none.
    pub(super) fn new(config: &ModelConfig, factors: &[f32]) -> Self {
        let Rope {
            style,
            theta,
            dims,
            linear_factor,
        } = config.rope;
        let frequencies = (0..dims / 2)
            .map(|i| {
                let base = f64::from(theta).powf(-2.0 * i as f64 / dims as f64);
                let factor = factors.get(i).map_or(1.0, |&f| f64::from(f));
                base / factor / f64::from(linear_factor)
            })
            .collect();
        Self {
            style,
            frequencies,
            table: Vec::new(),
        }
    }

    /// Prepares the rotations of positions `first .. first + n`.
    pub(super) fn prepare(&mut self, first: usize, n: usize) {
        self.table.clear();
        for p in first..first + n {
            let angles = self.frequencies.iter().map(|f| {
                let (sin, cos) = (p as f64 * f).sin_cos();
                (cos as f32, sin as f32)
            });
            self.table.extend(angles);
        }
    }

    /// Rotates one head of the `i`-th prepared position.
    pub(super) fn rotate(&self, i: usize, head: &mut [f32]) {
        let pairs = self.frequencies.len();
        let table = &self.table[i * pairs..(i + 1) * pairs];
        let turn = |a: &mut f32, b: &mut f32, (cos, sin): (f32, f32)| {
            (*a, *b) = (*a * cos - *b * sin, *a * sin + *b * cos);
        };
        match self.style {
            RopeStyle::Interleaved => {
                for (pair, &t) in head.chunks_exact_mut(2).zip(table) {
                    let (a, b) = pair.split_at_mut(1);
                    turn(&mut a[0], &mut b[0], t);
                }
            }
            RopeStyle::Half => {
                let (low, high) = head[..2 * pairs].split_at_mut(pairs);
                for ((a, b), &t) in low.iter_mut().zip(high).zip(table) {
                    turn(a, b, t);
                }
            }
        }
    }
}
