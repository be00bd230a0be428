//! Inner loops of the host's arithmetic, compiled twice: for the baseline and for AVX2.
//!
//! Both are the same source: sums run in a fixed number of lanes and nothing is fused, so the
//! result has the same bits on every machine. The exponential is our own for the same reason, and
//! because it then vectorises.

/// Lanes of a sum. Four vectors of eight hide an addition's latency.
const LANES: usize = 32;

/// Positions whose keys are stored together, see [`attend`].
pub(crate) const BLOCK: usize = 16;

/// Defines a function that runs `$body` with AVX2 where the machine has it.
macro_rules! twice {
    ($(#[$doc:meta])* fn $name:ident($($arg:ident: $ty:ty),* $(,)?) $(-> $ret:ty)? = $body:ident) => {
        $(#[$doc])*
        #[allow(clippy::too_many_arguments)]
        pub(crate) fn $name($($arg: $ty),*) $(-> $ret)? {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx2")]
                fn wide($($arg: $ty),*) $(-> $ret)? {
                    $body($($arg),*)
                }
                if std::arch::is_x86_feature_detected!("avx2") {
                    // SAFETY: the machine has the one feature that `wide` is compiled for.
                    return unsafe { wide($($arg),*) };
                }
            }
            $body($($arg),*)
        }
    };
}

twice! {
    /// Scalar product of `x` with each of four rows of the same length.
    fn dot4(rows: [&[f32]; 4], x: &[f32]) -> [f32; 4] = dot4_body
}
twice! {
    /// `out = x * gain / rms(x)`.
    fn rms_norm(x: &[f32], gain: &[f32], eps: f32, out: &mut [f32]) = rms_norm_body
}
twice! {
    /// `gate = gate / (1 + exp(-gate)) * up`.
    fn swiglu(gate_up: &[f32], out: &mut [f32]) = swiglu_body
}
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
twice! {
    /// `x += y`.
    fn add(x: &mut [f32], y: &[f32]) = add_body
}
twice! {
    /// Sum over a row of logits of `exp(logit - max)`, in `f64`.
    fn sum_exp(logits: &[f32], max: f32) -> f64 = sum_exp_body
}

#[inline(always)]
fn reduce(lanes: [f32; LANES]) -> f32 {
    let mut sum = lanes;
    let mut n = LANES / 2;
    while n > 0 {
        for i in 0..n {
            sum[i] += sum[i + n];
        }
        n /= 2;
    }
    sum[0]
}

#[inline(always)]
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0.0; LANES];
    let (a, b) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let (ra, rb) = (a.remainder(), b.remainder());
    for (a, b) in a.zip(b) {
        for i in 0..LANES {
            lanes[i] += a[i] * b[i];
        }
    }
    for (i, (a, b)) in ra.iter().zip(rb).enumerate() {
        lanes[i] += a * b;
    }
    reduce(lanes)
}

#[inline(always)]
fn dot4_body(rows: [&[f32]; 4], x: &[f32]) -> [f32; 4] {
    const W: usize = 16;
    let n = x.len();
    let rows = rows.map(|r| &r[..n]);
    let mut lanes = [[0.0f32; W]; 4];
    let whole = n / W * W;
    let mut at = 0;
    while at < whole {
        let x = &x[at..at + W];
        for (lanes, row) in lanes.iter_mut().zip(rows) {
            let row = &row[at..at + W];
            for i in 0..W {
                lanes[i] += row[i] * x[i];
            }
        }
        at += W;
    }
    for (lanes, row) in lanes.iter_mut().zip(rows) {
        for (i, (a, b)) in row[whole..].iter().zip(&x[whole..]).enumerate() {
            lanes[i] += a * b;
        }
    }
    lanes.map(|lanes| {
        let mut all = [0.0; LANES];
        all[..W].copy_from_slice(&lanes);
        reduce(all)
    })
}

#[inline(always)]
fn rms_norm_body(x: &[f32], gain: &[f32], eps: f32, out: &mut [f32]) {
    let scale = 1.0 / (dot(x, x) / x.len() as f32 + eps).sqrt();
    for ((o, &x), &g) in out.iter_mut().zip(x).zip(gain) {
        *o = x * scale * g;
    }
}

/// `exp(x)` to about one unit in the last place; 0 below -87, which is under the smallest normal.
#[inline(always)]
fn exp(x: f32) -> f32 {
    // 1.5 * 2^23: adding it rounds to an integer, which then stands in the low mantissa bits.
    const ROUND: f32 = 12_582_912.0;
    const LN2_HIGH: f32 = 0.693_359_4;
    const LN2_LOW: f32 = -2.121_944_4e-4;
    let clamped = x.clamp(-87.0, 88.0);
    let shifted = clamped * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = clamped - n * LN2_HIGH - n * LN2_LOW;
    // Taylor's series: on |r| <= ln(2) / 2 the next term is below 2^-27.
    let mut p = 1.0 / 5040.0;
    for c in [
        1.0 / 720.0,
        1.0 / 120.0,
        1.0 / 24.0,
        1.0 / 6.0,
        0.5,
        1.0,
        1.0,
    ] {
        p = p * r + c;
    }
    let exponent = shifted.to_bits().wrapping_sub(ROUND.to_bits());
    let power = f32::from_bits(exponent.wrapping_add(127) << 23);
    if x < -87.0 { 0.0 } else { p * power }
}

#[inline(always)]
fn swiglu_body(gate_up: &[f32], out: &mut [f32]) {
    let (gate, up) = gate_up.split_at(out.len());
    for ((o, &g), &u) in out.iter_mut().zip(gate).zip(up) {
        *o = g / (1.0 + exp(-g)) * u;
    }
}

#[inline(always)]
fn add_body(x: &mut [f32], y: &[f32]) {
    for (x, y) in x.iter_mut().zip(y) {
        *x += y;
    }
}

#[inline(always)]
fn sum_exp_body(logits: &[f32], max: f32) -> f64 {
    let mut total = 0.0;
    for chunk in logits.chunks(512) {
        let mut lanes = [0.0; LANES];
        for part in chunk.chunks(LANES) {
            for (lane, &l) in lanes.iter_mut().zip(part) {
                *lane += exp(l - max);
            }
        }
        total += f64::from(reduce(lanes));
    }
    total
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
    use super::*;

    fn ramp(n: usize, step: f32) -> Vec<f32> {
        (0..n).map(|i| (i as f32 * step).sin()).collect()
    }

    #[test]
    fn exponential_is_accurate_and_saturates() {
        for i in -8600..8700 {
            let x = i as f32 / 100.0;
            let want = f64::from(x).exp();
            let error = (f64::from(exp(x)) - want).abs() / want;
            assert!(error < 3e-7, "exp({x}) is off by {error:e}");
        }
        assert_eq!(exp(-200.0), 0.0);
        assert!(exp(200.0).is_finite());
    }

    #[test]
    fn baseline_and_wide_agree_to_the_bit() {
        let (x, y) = (ramp(1003, 0.37), ramp(1003, 0.11));
        let rows = [&y[..], &x[..], &y[..], &x[..]];
        assert_eq!(dot4(rows, &x), dot4_body(rows, &x));
        let (mut a, mut b) = (vec![0.0; 1003], vec![0.0; 1003]);
        rms_norm(&x, &y, 1e-5, &mut a);
        rms_norm_body(&x, &y, 1e-5, &mut b);
        assert_eq!(a, b);
        let (q, k, v) = (ramp(256, 0.3), ramp(48 * 64, 0.7), ramp(37 * 64, 0.9));
        let (mut a, mut b) = (vec![0.0; 256], vec![0.0; 256]);
        attend(&q, &k, &v, 64, 37, &mut Vec::new(), &mut a);
        attend_body(&q, &k, &v, 64, 37, &mut Vec::new(), &mut b);
        assert_eq!(a, b);
        assert_eq!(sum_exp(&x, 1.0), sum_exp_body(&x, 1.0));
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

    #[test]
    fn norm_and_gate_match_their_definitions() {
        let (x, g) = (ramp(600, 0.37), ramp(600, 0.11));
        let mut out = vec![0.0; 600];
        rms_norm(&x, &g, 1e-5, &mut out);
        let mean = x.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>() / 600.0;
        for i in 0..600 {
            let want = f64::from(x[i]) / (mean + 1e-5).sqrt() * f64::from(g[i]);
            assert!((f64::from(out[i]) - want).abs() < 1e-6);
        }
        let mut out = vec![0.0; 300];
        swiglu(&x, &mut out);
        for i in 0..300 {
            let g = f64::from(x[i]);
            let want = g / (1.0 + (-g).exp()) * f64::from(x[300 + i]);
            assert!((f64::from(out[i]) - want).abs() < 1e-6);
        }
    }
}
