//! The "K" formats: blocks of 256 values with scales that are themselves quantised.

use super::blocks::half_at;

/// Scale and minimum of group `g` (0..8) from the 12 bytes that hold eight six-bit pairs.
///
/// Bytes 0..4 hold the low six bits of scales 0..4 and, in their top two bits, the top two of
/// scales 4..8; bytes 4..8 the same for the minimums; bytes 8..12 the low four bits of scales
/// (low nibble) and minimums (high nibble) 4..8.
pub(super) fn scale_min(s: &[u8], g: usize) -> (u8, u8) {
    if g < 4 {
        (s[g] & 63, s[g + 4] & 63)
    } else {
        let low = s[g + 4];
        (
            (low & 15) | (s[g - 4] >> 6) << 4,
            (low >> 4) | (s[g] >> 6) << 4,
        )
    }
}

/// Offsets of a Q4_K block: d, dmin, scales, codes.
pub(super) const Q4_K_SCALES: std::ops::Range<usize> = 4..16;
pub(super) const Q4_K_CODES: usize = 16;

/// Code of each value of group `g`: groups pair up, 32 bytes a pair, low nibbles first.
pub(super) fn group_nibbles(codes: &[u8], g: usize) -> impl Iterator<Item = u8> + '_ {
    let shift = 4 * (g % 2);
    codes[32 * (g / 2)..32 * (g / 2) + 32]
        .iter()
        .map(move |c| c >> shift & 15)
}

pub(super) fn q4_k(b: &[u8], out: &mut [f32]) {
    let (d, dmin) = (half_at(b, 0), half_at(b, 2));
    for (g, o) in out.chunks_exact_mut(32).enumerate() {
        let (sc, mn) = scale_min(&b[Q4_K_SCALES], g);
        let (scale, min) = (d * f32::from(sc), dmin * f32::from(mn));
        for (o, q) in o.iter_mut().zip(group_nibbles(&b[Q4_K_CODES..], g)) {
            *o = scale * f32::from(q) - min;
        }
    }
}

pub(super) fn q5_k(b: &[u8], out: &mut [f32]) {
    let (d, dmin) = (half_at(b, 0), half_at(b, 2));
    let high = &b[16..48];
    for (g, o) in out.chunks_exact_mut(32).enumerate() {
        let (sc, mn) = scale_min(&b[Q4_K_SCALES], g);
        let (scale, min) = (d * f32::from(sc), dmin * f32::from(mn));
        let low = group_nibbles(&b[48..], g);
        for ((o, q), h) in o.iter_mut().zip(low).zip(high) {
            *o = scale * f32::from(q | (h >> g & 1) << 4) - min;
        }
    }
}

pub(super) fn q6_k(b: &[u8], out: &mut [f32]) {
    let (low, high, scales) = (&b[..128], &b[128..192], &b[192..208]);
    let d = half_at(b, 208);
    for (i, o) in out.iter_mut().enumerate() {
        // Each half of 128 values: four runs of 32. Runs 0 and 1 take low nibbles of 64 bytes,
        // runs 2 and 3 their high nibbles; each run takes two bits of the same 32 high bytes.
        let (half, run, j) = (i / 128, i / 32 % 4, i % 32);
        let l = low[64 * half + 32 * (run % 2) + j] >> (4 * (run / 2)) & 15;
        let h = high[32 * half + j] >> (2 * run) & 3;
        let q = (l | h << 4) as i8 - 32;
        *o = d * f32::from(scales[i / 16] as i8) * f32::from(q);
    }
}
