//! Attention of one token: scores, their softmax, and the weighted values.

use super::{LANES, exp, reduce, twice};

/// Positions whose keys are stored together, see [`attend`].
pub(crate) const BLOCK: usize = 16;

twice! {
    /// Attention of the query heads that share a key head, for one token.
    ///
    /// `q` holds the heads one after another, `dim` components each. `keys` holds the positions in
    /// blocks of [`BLOCK`], component by component; `values` one row of `dim` a position. Only
    /// the first `positions` are looked at. `scores` is scratch. `out` has the shape of `q`.
    fn attend(
        q: &[f32],
        keys: &[f32],
        values: &[f32],
        dim: usize,
        positions: usize,
        scores: &mut Vec<f32>,
        out: &mut [f32],
    ) = attend_body
}

/// Turns scores into weights that sum to one.
#[inline(always)]
fn softmax(scores: &mut [f32]) {
    let max = scores.iter().fold(f32::NEG_INFINITY, |m, &s| m.max(s));
    let mut lanes = [0.0; LANES];
    for part in scores.chunks_mut(LANES) {
        for (lane, s) in lanes.iter_mut().zip(part) {
            *s = exp(*s - max);
            *lane += *s;
        }
    }
    let scale = 1.0 / reduce(lanes);
    for s in scores {
        *s *= scale;
    }
}

#[inline(always)]
fn attend_body(
    q: &[f32],
    keys: &[f32],
    values: &[f32],
    dim: usize,
    positions: usize,
    scores: &mut Vec<f32>,
    out: &mut [f32],
) {
    // Three heads at a time: their sums and one vector of keys or values fit the registers.
    const TOGETHER: usize = 3;
    let mut rest = (q, out);
    while rest.0.len() >= TOGETHER * dim {
        let (q, next) = rest.0.split_at(TOGETHER * dim);
        let (out, next_out) = rest.1.split_at_mut(TOGETHER * dim);
        attend_heads::<TOGETHER>(q, keys, values, dim, positions, scores, out);
        rest = (next, next_out);
    }
    for (q, out) in rest.0.chunks_exact(dim).zip(rest.1.chunks_exact_mut(dim)) {
        attend_heads::<1>(q, keys, values, dim, positions, scores, out);
    }
}

#[inline(always)]
fn attend_heads<const HEADS: usize>(
    q: &[f32],
    keys: &[f32],
    values: &[f32],
    dim: usize,
    positions: usize,
    scores: &mut Vec<f32>,
    out: &mut [f32],
) {
    let scale = 1.0 / (dim as f32).sqrt();
    let width = positions.next_multiple_of(BLOCK);
    scores.resize(HEADS * width, 0.0);
    let q: [&[f32]; HEADS] = std::array::from_fn(|h| &q[h * dim..(h + 1) * dim]);
    for (b, keys) in keys
        .chunks_exact(BLOCK * dim)
        .take(width / BLOCK)
        .enumerate()
    {
        let mut sums = [[0.0f32; BLOCK]; HEADS];
        for (i, keys) in keys.chunks_exact(BLOCK).enumerate() {
            for (sums, q) in sums.iter_mut().zip(q) {
                for (sum, key) in sums.iter_mut().zip(keys) {
                    *sum += q[i] * key;
                }
            }
        }
        for (h, sums) in sums.iter().enumerate() {
            for (s, sum) in scores[h * width + b * BLOCK..][..BLOCK]
                .iter_mut()
                .zip(sums)
            {
                *s = sum * scale;
            }
        }
    }
    for scores in scores.chunks_exact_mut(width) {
        softmax(&mut scores[..positions]);
    }
    // Values are taken some positions at a time, so that the second head finds them in the cache.
    const NEAR: usize = 64;
    out.fill(0.0);
    let seen = &values[..positions * dim];
    for (n, values) in seen.chunks(NEAR * dim).enumerate() {
        for h in 0..HEADS {
            let weights = &scores[h * width + n * NEAR..][..values.len() / dim];
            let out = &mut out[h * dim..(h + 1) * dim];
            let by_64 = dim / 64 * 64;
            let by_16 = dim / 16 * 16;
            for at in (0..by_64).step_by(64) {
                weigh::<64>(weights, values, dim, at, out);
            }
            for at in (by_64..by_16).step_by(16) {
                weigh::<16>(weights, values, dim, at, out);
            }
            for at in by_16..dim {
                weigh::<1>(weights, values, dim, at, out);
            }
        }
    }
}

/// Adds the weighted rows to `WIDE` components of `out` from `at` on.
#[inline(always)]
fn weigh<const WIDE: usize>(
    weights: &[f32],
    values: &[f32],
    dim: usize,
    at: usize,
    out: &mut [f32],
) {
    let out = &mut out[at..at + WIDE];
    let mut sums = [0.0f32; WIDE];
    sums.copy_from_slice(out);
    for (w, row) in weights.iter().zip(values.chunks_exact(dim)) {
        for (sum, value) in sums.iter_mut().zip(&row[at..at + WIDE]) {
            *sum += w * value;
        }
    }
    out.copy_from_slice(&sums);
}

#[cfg(test)]
mod tests {
    use super::super::tests::ramp;
    use super::*;

    #[test]
    fn baseline_and_wide_agree_to_the_bit() {
        let (q, k, v) = (ramp(256, 0.3), ramp(48 * 64, 0.7), ramp(37 * 64, 0.9));
        let (mut a, mut b) = (vec![0.0; 256], vec![0.0; 256]);
        attend(&q, &k, &v, 64, 37, &mut Vec::new(), &mut a);
        attend_body(&q, &k, &v, 64, 37, &mut Vec::new(), &mut b);
        assert_eq!(a, b);
    }

    #[test]
    fn attention_matches_its_definition() {
        for (dim, positions, heads) in [
            (8, 7, 2),
            (20, 16, 3),
            (64, 33, 5),
            (80, 70, 4),
            (128, 129, 6),
        ] {
            let q = ramp(heads * dim, 0.3);
            let v = ramp((positions + 3) * dim, 0.2);
            let k = ramp((positions + 3) * dim, 0.7);
            let mut blocks = vec![0.0; (positions + 3).next_multiple_of(BLOCK) * dim];
            for (at, k) in k.iter().enumerate() {
                let (p, i) = (at / dim, at % dim);
                blocks[p / BLOCK * BLOCK * dim + i * BLOCK + p % BLOCK] = *k;
            }
            let mut out = vec![0.0; heads * dim];
            attend(&q, &blocks, &v, dim, positions, &mut Vec::new(), &mut out);
            for h in 0..heads {
                let score = |p: usize| -> f64 {
                    let s: f32 = (0..dim).map(|i| q[h * dim + i] * k[p * dim + i]).sum();
                    (f64::from(s) / (dim as f64).sqrt()).exp()
                };
                let total: f64 = (0..positions).map(score).sum();
                for i in 0..dim {
                    let want: f64 = (0..positions)
                        .map(|p| score(p) / total * f64::from(v[p * dim + i]))
                        .sum();
                    let error = (f64::from(out[h * dim + i]) - want).abs();
                    assert!(error < 3e-6, "head {h} component {i}: {error:e}");
                }
            }
        }
    }
}
