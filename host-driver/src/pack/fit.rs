//! One row of weights in the number formats of the fabric.

use crate::gguf::Group4;
use weft_protocol::g4;
use weft_protocol::g4::{SHIFT, ZERO_STEPS};

/// A row, quantised.
#[derive(Clone, Debug, Default)]
pub(super) struct Row {
    /// What one unit is worth.
    pub scale: f32,
    /// Scale words, one a group; empty for `i8`.
    pub words: Vec<u16>,
    /// Codes: 0 to 15 for `g4`, the signed weight as a byte for `i8`.
    pub codes: Vec<u8>,
    /// Sum of squared errors against the file's weights, and of the squares of these.
    pub error: f64,
    pub energy: f64,
}

/// Largest magnitude of a weight.
const MOST: f32 = 127.0;
/// Codes of a four-bit group.
const CODES: usize = 16;

/// Whether the zero point of `group` can be written in 8 bits.
pub(super) fn representable(group: &Group4) -> bool {
    let z = group.zero_point * ZERO_STEPS as f32;
    group.scale == 0.0 || (f32::from(i8::MIN)..=f32::from(i8::MAX)).contains(&z.round())
}

/// Keeps the codes of `groups`, and chooses row scale, scales and zero points.
pub(super) fn g4_row(groups: &[Group4]) -> Row {
    let count = |group: &Group4| {
        let mut count = [0; CODES];
        group.codes.iter().for_each(|&q| count[usize::from(q)] += 1);
        count
    };
    let counts: Vec<[u8; CODES]> = groups.iter().map(count).collect();
    let scale = row_scale(groups, &counts);
    let mut row = Row {
        scale,
        words: Vec::with_capacity(groups.len()),
        codes: groups.iter().flat_map(|g| g.codes).collect(),
        ..Row::default()
    };
    for (group, count) in groups.iter().zip(&counts) {
        let (d, z, error) = group_word(group, count, scale);
        row.words.push(g4::scale_word(d, z));
        row.error += f64::from(error) * f64::from(scale) * f64::from(scale);
        row.energy += occurring(count)
            .map(|(q, n)| f64::from(n) * f64::from(value(group, q)).powi(2))
            .sum::<f64>();
    }
    row
}

fn occurring(count: &[u8; CODES]) -> impl Iterator<Item = (usize, f32)> + '_ {
    let all = count.iter().enumerate();
    all.filter(|c| *c.1 > 0).map(|(q, &n)| (q, f32::from(n)))
}

fn value(group: &Group4, q: usize) -> f32 {
    group.scale * (q as f32 - group.zero_point)
}

/// The smallest scale under which every weight fits 8 bits and every group's step fits its field.
fn row_scale(groups: &[Group4], counts: &[[u8; CODES]]) -> f32 {
    // A step of one code is `D * ZERO_STEPS / 2^SHIFT`, with `D` at most 255.
    let most_step = 255.0 * ZERO_STEPS as f32 / (1 << SHIFT) as f32;
    let needs = groups.iter().zip(counts).map(|(group, count)| {
        let largest = occurring(count).map(|(q, _)| value(group, q).abs());
        let largest = largest.fold(0.0, f32::max);
        let step = if largest > 0.0 {
            group.scale / most_step
        } else {
            0.0
        };
        (largest / MOST).max(step)
    });
    needs.fold(0.0, f32::max)
}

/// A code that occurs in a group: itself, how often, and its weight in units of the row scale.
#[derive(Clone, Copy, Default)]
struct Used {
    code: i32,
    times: f32,
    weight: f32,
}

/// The scale and zero point with the least squared error over the codes that occur, and that error in units of
/// the row scale. Scales and zero points are tried around the exact ones.
fn group_word(group: &Group4, count: &[u8; CODES], scale: f32) -> (u8, i8, f32) {
    if scale == 0.0 || group.scale == 0.0 {
        return (0, 0, 0.0);
    }
    let mut used = [Used::default(); CODES];
    let mut n = 0;
    for (q, times) in occurring(count) {
        used[n] = Used {
            code: ZERO_STEPS * q as i32,
            times,
            weight: value(group, q) / scale,
        };
        n += 1;
    }
    let used = &used[..n];
    let exact = group.zero_point * ZERO_STEPS as f32;
    let zero = exact.round().clamp(f32::from(i8::MIN), f32::from(i8::MAX)) as i32;
    let mut best = (0u8, 0i8, f32::INFINITY);
    for z in zero - 1..=zero + 1 {
        let Ok(z) = i8::try_from(z) else { continue };
        // Least squares for the scale, given the zero point.
        let (mut along, mut square) = (0.0, 0.0);
        for u in used {
            let centred = (u.code - i32::from(z)) as f32;
            along += u.times * centred * u.weight;
            square += u.times * centred * centred;
        }
        let d = if square > 0.0 {
            along / square * (1 << SHIFT) as f32
        } else {
            0.0
        };
        for d in [d.floor(), d.floor() + 1.0] {
            let d = d.clamp(0.0, 255.0) as u8;
            if let Some(error) = error_of(used, d, z)
                && error < best.2
            {
                best = (d, z, error);
            }
        }
    }
    if best.2.is_finite() {
        return best;
    }
    // Every candidate overflowed by a rounding: a smaller scale does not, and zero never does.
    let z = zero as i8;
    let start = group.scale / scale * (1 << SHIFT) as f32 / ZERO_STEPS as f32;
    (0..=start.min(255.0) as u8)
        .rev()
        .find_map(|d| error_of(used, d, z).map(|e| (d, z, e)))
        .unwrap_or((0, 0, f32::INFINITY))
}

/// Squared error in units of the row scale, or `None` where a weight would not fit 8 bits.
fn error_of(used: &[Used], d: u8, z: i8) -> Option<f32> {
    let (mut error, mut largest) = (0.0, 0);
    for u in used {
        let w = (i32::from(d) * (u.code - i32::from(z)) + (1 << (SHIFT - 1))) >> SHIFT;
        largest = largest.max(w.abs());
        let off = w as f32 - u.weight;
        error += u.times * off * off;
    }
    (largest <= MOST as i32).then_some(error)
}

/// The weight of a code under a scale word.
pub(super) fn g4_weight(code: u8, word: u16) -> i8 {
    let [d, z] = word.to_le_bytes();
    g4::expand(code, d, z as i8)
}

/// A row of signed bytes. The scale is the largest weight's, or a little less when clipping it lowers the error.
pub(super) fn i8_row(weights: &[f32]) -> Row {
    /// Scales tried, as shares of the largest weight's.
    const TRIED: [f32; 4] = [1.0, 0.98, 0.95, 0.9];
    let largest = weights.iter().fold(0.0f32, |m, w| m.max(w.abs()));
    let energy = weights.iter().map(|&w| f64::from(w).powi(2)).sum();
    if largest == 0.0 {
        return Row {
            codes: vec![0; weights.len()],
            ..Row::default()
        };
    }
    // Rounds half away from zero, without a call.
    let quantise = |scale: f32, w: f32| {
        let w = w / scale;
        ((w + 0.5f32.copysign(w)) as i32 as f32).clamp(-MOST, MOST)
    };
    let error = |scale: f32| -> f64 {
        let chunks = weights.chunks(64).map(|chunk| {
            let errors = chunk.iter().map(|&w| quantise(scale, w) * scale - w);
            errors.map(|e| e * e).sum::<f32>()
        });
        chunks.map(f64::from).sum()
    };
    let tried = TRIED.map(|share| share * largest / MOST);
    let tried = tried.map(|scale| (scale, error(scale)));
    let (scale, error) = tried
        .into_iter()
        .min_by(|a, b| a.1.total_cmp(&b.1))
        .unwrap_or((largest / MOST, 0.0));
    Row {
        scale,
        words: Vec::new(),
        codes: weights
            .iter()
            .map(|&w| quantise(scale, w) as i8 as u8)
            .collect(),
        error,
        energy,
    }
}
