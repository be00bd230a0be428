//! Inner loops of the host's arithmetic, compiled twice: for the baseline and for AVX2.
//!
//! Both are the same source: sums run in a fixed number of lanes and nothing is fused, so the
//! result has the same bits on every machine. The exponential is our own for the same reason, and
//! because it then vectorises.

mod attention;

pub(crate) use attention::{BLOCK, attend};

/// Lanes of a sum. Four vectors of eight hide an addition's latency.
const LANES: usize = 32;

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

// For the modules below.
use twice;

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

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn ramp(n: usize, step: f32) -> Vec<f32> {
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
        assert_eq!(sum_exp(&x, 1.0), sum_exp_body(&x, 1.0));
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
