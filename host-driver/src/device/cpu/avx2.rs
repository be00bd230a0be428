//! The portable kernel, compiled for 256-bit vectors.

#![allow(unsafe_code)]

use super::kernel::{Acc, Kernel};
use super::portable::{self, Pairs};
use weft_protocol::layout::Kind;

/// Proof that the processor has AVX2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Avx2(());

impl Avx2 {
    pub(super) fn detect() -> Option<Self> {
        #[cfg(target_arch = "x86_64")]
        {
            is_x86_feature_detected!("avx2").then_some(Self(()))
        }
        #[cfg(not(target_arch = "x86_64"))]
        None
    }
}

#[cfg_attr(target_arch = "x86_64", target_feature(enable = "avx2"))]
fn expand_g4(scales: &[u8], bundles: &[&[u8]], first: usize, rows: usize, scratch: &mut Pairs) {
    portable::expand_g4(scales, bundles, first, rows, scratch);
}

#[cfg_attr(target_arch = "x86_64", target_feature(enable = "avx2"))]
fn expand_i8(bundles: &[&[u8]], first: usize, rows: usize, scratch: &mut Pairs) {
    portable::expand_i8(bundles, first, rows, scratch);
}

#[cfg_attr(target_arch = "x86_64", target_feature(enable = "avx2"))]
fn multiply(scratch: &Pairs, x: &[u32], acc: &mut Acc) {
    portable::multiply(scratch, x, acc);
}

#[cfg_attr(not(target_arch = "x86_64"), allow(unused_unsafe))]
impl Kernel for Avx2 {
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
        // SAFETY: `self` exists only where the processor has AVX2.
        unsafe { expand_g4(scales, bundles, first, rows, scratch) }
    }

    fn expand_i8(self, bundles: &[&[u8]], first: usize, rows: usize, scratch: &mut Pairs) {
        // SAFETY: `self` exists only where the processor has AVX2.
        unsafe { expand_i8(bundles, first, rows, scratch) }
    }

    fn multiply(self, scratch: &Pairs, x: &[u32], acc: &mut Acc) {
        // SAFETY: `self` exists only where the processor has AVX2.
        unsafe { multiply(scratch, x, acc) }
    }

    fn row_of(_: Kind, lane: usize) -> usize {
        lane
    }
}
