//! The kernel in plain Rust, which compilers turn into whatever vectors they may use.

use super::kernel::{Acc, BLOCK, Kernel, QUAD, QUADS};
use weft_protocol::g4;
use weft_protocol::layout::Kind;

/// Needs nothing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Portable;

/// Weights of two bundles side by side, row after row, so that a multiply-add of pairs finds them. What lies
/// behind the last bundle is stale, and is multiplied by activations of zero.
#[derive(Debug)]
pub(super) struct Pairs([[[i16; 2]; BLOCK]; 2 * QUADS]);

impl Default for Pairs {
    fn default() -> Self {
        Self([[[0; 2]; BLOCK]; 2 * QUADS])
    }
}

#[inline(always)]
pub(super) fn expand_g4(
    scales: &[u8],
    bundles: &[&[u8]],
    first: usize,
    rows: usize,
    scratch: &mut Pairs,
) {
    let (mut step, mut offset) = ([0i16; BLOCK], [0i16; BLOCK]);
    let words = scales[2 * first..2 * (first + rows)].chunks_exact(2);
    for ((s, o), word) in step.iter_mut().zip(&mut offset).zip(words) {
        let (d, z) = (i16::from(word[0]), i16::from(word[1] as i8));
        *s = d.wrapping_mul(2 * g4::ZERO_STEPS as i16);
        *o = 128i16.wrapping_sub(d.wrapping_mul(z).wrapping_mul(2));
    }
    // Twice the sum that the format defines, so that its low eight bits after the shift are the high byte here.
    const { assert!(g4::SHIFT == 7) };
    for (c, bundle) in bundles.iter().enumerate() {
        let mut q = [0i16; BLOCK];
        let codes = &bundle[first / 2..(first + rows) / 2];
        for (pair, &byte) in q.chunks_exact_mut(2).zip(codes) {
            pair[0] = i16::from(byte & 15);
            pair[1] = i16::from(byte >> 4);
        }
        for (r, w) in scratch.0[c / 2].iter_mut().enumerate() {
            w[c % 2] = step[r].wrapping_mul(q[r]).wrapping_add(offset[r]) >> 8;
        }
    }
}

#[inline(always)]
pub(super) fn expand_i8(bundles: &[&[u8]], first: usize, rows: usize, scratch: &mut Pairs) {
    for (c, bundle) in bundles.iter().enumerate() {
        let column = &bundle[first..first + rows];
        for (w, &byte) in scratch.0[c / 2].iter_mut().zip(column) {
            w[c % 2] = i16::from(byte as i8);
        }
    }
}

#[inline(always)]
pub(super) fn multiply(scratch: &Pairs, x: &[u32], acc: &mut Acc) {
    const { assert!(QUAD == 4) };
    for (pairs, x) in scratch.0.chunks_exact(2).zip(x) {
        let [a, b, c, d] = x.to_le_bytes().map(|b| i32::from(b as i8));
        for ((sum, ab), cd) in acc.iter_mut().zip(&pairs[0]).zip(&pairs[1]) {
            let low = i32::from(ab[0]) * a + i32::from(ab[1]) * b;
            let high = i32::from(cd[0]) * c + i32::from(cd[1]) * d;
            *sum = sum.wrapping_add(low + high);
        }
    }
}

impl Kernel for Portable {
    type Scratch = Pairs;
    const BIAS: i32 = 0;

    fn expand_g4(
        self,
        scales: &[u8],
        bundles: &[&[u8]],
        first: usize,
        rows: usize,
        scratch: &mut Pairs,
    ) {
        expand_g4(scales, bundles, first, rows, scratch);
    }

    fn expand_i8(self, bundles: &[&[u8]], first: usize, rows: usize, scratch: &mut Pairs) {
        expand_i8(bundles, first, rows, scratch);
    }

    fn multiply(self, scratch: &Pairs, x: &[u32], acc: &mut Acc) {
        multiply(scratch, x, acc);
    }

    fn row_of(_: Kind, lane: usize) -> usize {
        lane
    }
}
