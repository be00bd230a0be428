//! Blocks of 1 and 32 values, and the dispatch over all types.
//!
//! Operations are in the order of the format's own reference, in `f32`, so results agree with it to
//! the bit (see `host-driver/reference/gguf_fixtures.py`).

use super::{TensorType, kblocks};
use half::{bf16, f16};

/// Reads an `f16` at `at`.
pub(super) fn half_at(bytes: &[u8], at: usize) -> f32 {
    f16::from_le_bytes([bytes[at], bytes[at + 1]]).to_f32()
}

/// Turns whole blocks of `ty` into `out`.
///
/// Scales that are not finite give values that are not finite; [`super::TensorView::dequantize_row`]
/// refuses them by name.
///
/// # Panics
/// When `bytes` is not exactly the blocks of `out.len()` values.
pub fn dequantize_row(ty: TensorType, bytes: &[u8], out: &mut [f32]) {
    let (len, size) = (ty.block_len(), ty.block_bytes());
    assert!(
        out.len().is_multiple_of(len) && out.len() / len * size == bytes.len(),
        "{} values of {ty} are not {} bytes",
        out.len(),
        bytes.len()
    );
    let block: fn(&[u8], &mut [f32]) = match ty {
        TensorType::F32 => |b, o| o[0] = f32::from_le_bytes([b[0], b[1], b[2], b[3]]),
        TensorType::F16 => |b, o| o[0] = half_at(b, 0),
        TensorType::Bf16 => |b, o| o[0] = bf16::from_le_bytes([b[0], b[1]]).to_f32(),
        TensorType::Q4_0 => q4_0,
        TensorType::Q4_1 => q4_1,
        TensorType::Q5_0 => q5_0,
        TensorType::Q5_1 => q5_1,
        TensorType::Q8_0 => q8_0,
        TensorType::Q4K => kblocks::q4_k,
        TensorType::Q5K => kblocks::q5_k,
        TensorType::Q6K => kblocks::q6_k,
    };
    for (b, o) in bytes.chunks_exact(size).zip(out.chunks_exact_mut(len)) {
        block(b, o);
    }
}

/// Low nibbles are values 0..16, high nibbles values 16..32.
fn nibbles(codes: &[u8], out: &mut [f32], value: impl Fn(usize, u8) -> f32) {
    for (j, &c) in codes.iter().enumerate() {
        out[j] = value(j, c & 15);
        out[j + 16] = value(j + 16, c >> 4);
    }
}

fn q4_0(b: &[u8], out: &mut [f32]) {
    let d = half_at(b, 0);
    nibbles(&b[2..], out, |_, q| d * f32::from(q as i8 - 8));
}

fn q4_1(b: &[u8], out: &mut [f32]) {
    let (d, m) = (half_at(b, 0), half_at(b, 2));
    nibbles(&b[4..], out, |_, q| d * f32::from(q) + m);
}

/// Bit `j` of the word is the fifth bit of value `j`.
fn fifth_bits(b: &[u8]) -> impl Fn(usize) -> u8 {
    let word = u32::from_le_bytes([b[0], b[1], b[2], b[3]]);
    move |j| ((word >> j) as u8 & 1) << 4
}

fn q5_0(b: &[u8], out: &mut [f32]) {
    let d = half_at(b, 0);
    let high = fifth_bits(&b[2..6]);
    nibbles(&b[6..], out, |j, q| d * f32::from((q | high(j)) as i8 - 16));
}

fn q5_1(b: &[u8], out: &mut [f32]) {
    let (d, m) = (half_at(b, 0), half_at(b, 2));
    let high = fifth_bits(&b[4..8]);
    nibbles(&b[8..], out, |j, q| d * f32::from(q | high(j)) + m);
}

fn q8_0(b: &[u8], out: &mut [f32]) {
    let d = half_at(b, 0);
    for (o, &q) in out.iter_mut().zip(&b[2..]) {
        *o = d * f32::from(q as i8);
    }
}
