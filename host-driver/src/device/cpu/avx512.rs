//! The kernel for processors with AVX-512 BW and VNNI.
//!
//! Four columns are interleaved byte by byte, so that one `vpdpbusd` multiplies sixteen rows of them. That
//! instruction wants one unsigned operand: weights carry a bias of 128.
//!
//! A `g4` load of 64 bytes is 128 rows of a column: word `i` holds rows `4 i` to `4 i + 3`, a nibble each. Nibble
//! `j` of all words makes vector `j`; its products are 16 bits wide with the weight in the high byte, so four
//! columns become four vectors of byte pairs and then, by unpacking, vectors of byte quads. Sums are kept in the
//! order that falls out of this, and put right once a drain.

#![allow(unsafe_code)]

use super::kernel::{Acc, BLOCK, Kernel, QUAD, QUADS};
use weft_protocol::layout::Kind;

/// Proof that the processor has AVX-512 F, BW and VNNI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Avx512(());

impl Avx512 {
    pub(super) fn detect() -> Option<Self> {
        #[cfg(target_arch = "x86_64")]
        {
            (is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512vnni"))
            .then_some(Self(()))
        }
        #[cfg(not(target_arch = "x86_64"))]
        None
    }
}

/// Bytes of four columns of a block.
const QUAD_BYTES: usize = QUAD * BLOCK;

/// Quads of biased weights. What lies behind the last bundle is stale, and is multiplied by activations of zero.
#[derive(Debug)]
#[repr(align(64))]
pub(super) struct Quads([[u8; QUAD_BYTES]; QUADS]);

impl Default for Quads {
    fn default() -> Self {
        Self([[0; QUAD_BYTES]; QUADS])
    }
}

impl Kernel for Avx512 {
    type Scratch = Quads;
    const BIAS: i32 = 128;

    fn expand_g4(
        self,
        scales: &[u8],
        bundles: &[&[u8]],
        first: usize,
        rows: usize,
        scratch: &mut Quads,
    ) {
        // SAFETY: `self` exists only where the processor has the instructions.
        #[cfg(target_arch = "x86_64")]
        unsafe {
            x86::expand_g4(scales, bundles, first, rows, scratch);
        }
        #[cfg(not(target_arch = "x86_64"))]
        unreachable!("{scales:?} {bundles:?} {first} {rows} {scratch:?}")
    }

    fn expand_i8(self, bundles: &[&[u8]], first: usize, rows: usize, scratch: &mut Quads) {
        // SAFETY: `self` exists only where the processor has the instructions.
        #[cfg(target_arch = "x86_64")]
        unsafe {
            x86::expand_i8(bundles, first, rows, scratch);
        }
        #[cfg(not(target_arch = "x86_64"))]
        unreachable!("{bundles:?} {first} {rows} {scratch:?}")
    }

    fn multiply(self, scratch: &Quads, x: &[u32], acc: &mut Acc) {
        // SAFETY: `self` exists only where the processor has the instructions.
        #[cfg(target_arch = "x86_64")]
        unsafe {
            x86::multiply(scratch, x, acc);
        }
        #[cfg(not(target_arch = "x86_64"))]
        unreachable!("{scratch:?} {x:?} {acc:?}")
    }

    fn fetch(self, bytes: &[u8]) {
        #[cfg(target_arch = "x86_64")]
        x86::fetch(bytes);
        #[cfg(not(target_arch = "x86_64"))]
        unreachable!("{bytes:?}")
    }

    fn row_of(kind: Kind, lane: usize) -> usize {
        // Vector of 16 lanes, 128-bit part of it, lane of the part.
        let (vector, part, k) = (lane / 16, lane / 4 % 4, lane % 4);
        match kind {
            Kind::G4 => {
                let (nibble, half) = (vector / 2, vector % 2);
                4 * (8 * part + 4 * half + k) + nibble
            }
            Kind::I8 => {
                let (load, quarter) = (vector / 4, vector % 4);
                64 * load + 16 * part + 4 * quarter + k
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::super::kernel::{Acc, BLOCK, QUAD};
    use super::Quads;
    use std::arch::x86_64::*;
    use weft_protocol::g4;

    /// Asks for the cache lines of `bytes`.
    pub(super) fn fetch(bytes: &[u8]) {
        for line in bytes.chunks(64) {
            // SAFETY: a hint, about an address inside a slice.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(line.as_ptr().cast()) }
        }
    }

    /// Up to 64 bytes; what is missing is zero.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn load(bytes: &[u8]) -> __m512i {
        let n = bytes.len().min(64);
        let mask = u64::MAX >> (64 - n);
        // SAFETY: the mask keeps the load within `n` bytes, and `n` is within the slice.
        unsafe { _mm512_maskz_loadu_epi8(mask, bytes.as_ptr().cast()) }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn store(v: __m512i, to: &mut [u8]) {
        let to = &mut to[..64];
        // SAFETY: `to` has 64 bytes.
        unsafe { _mm512_storeu_si512(to.as_mut_ptr().cast(), v) }
    }

    /// The scale words of a block, for vector `j` of nibbles: words `j`, `j + 4`, `j + 8`, ...
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn every_fourth(words: &[__m512i; 4], j: i16) -> __m512i {
        let mut lanes = [j; 32];
        for (i, lane) in lanes.iter_mut().enumerate() {
            *lane += 4 * i as i16 % 64;
        }
        // SAFETY: an array of 64 bytes.
        let index = unsafe { _mm512_loadu_si512(lanes.as_ptr().cast()) };
        let low = _mm512_permutex2var_epi16(words[0], index, words[1]);
        let high = _mm512_permutex2var_epi16(words[2], index, words[3]);
        _mm512_inserti64x4::<1>(low, _mm512_castsi512_si256(high))
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    pub(super) fn expand_g4(
        scales: &[u8],
        bundles: &[&[u8]],
        first: usize,
        rows: usize,
        scratch: &mut Quads,
    ) {
        const { assert!(g4::SHIFT == 7 && g4::ZERO_STEPS == 8) };
        let scales = &scales[2 * first..2 * (first + rows)];
        let part = |i: usize| scales.get(64 * i..).unwrap_or(&[]);
        let mut words = [_mm512_setzero_si512(); 4];
        for (i, w) in words.iter_mut().enumerate() {
            let bytes = part(i);
            if !bytes.is_empty() {
                *w = load(bytes);
            }
        }
        let low_byte = _mm512_set1_epi16(0xff);
        // Twice the rounding constant, and the bias of 128 in the high byte.
        let base = _mm512_set1_epi16((128u16 | 0x8000) as i16);
        let (mut step, mut offset) = ([base; 4], [base; 4]);
        for j in 0..4 {
            let word = every_fourth(&words, j as i16);
            let d = _mm512_and_si512(word, low_byte);
            let z = _mm512_srai_epi16::<8>(word);
            let dz = _mm512_mullo_epi16(d, z);
            offset[j] = _mm512_sub_epi16(base, _mm512_add_epi16(dz, dz));
            // Nibbles 0 and 3 arrive as `q`, nibbles 1 and 2 as `16 q`.
            step[j] = if j == 0 || j == 3 {
                _mm512_slli_epi16::<4>(d)
            } else {
                d
            };
        }
        let codes = first / 2..(first + rows) / 2;
        for (quad, out) in bundles.chunks(QUAD).zip(&mut scratch.0) {
            // A column that is missing may be anything, because its activation is zero.
            let column = |c: usize| &quad.get(c).unwrap_or(&quad[0])[codes.clone()];
            let ab = pair(load(column(0)), load(column(1)), &step, &offset);
            let cd = pair(load(column(2)), load(column(3)), &step, &offset);
            for j in 0..4 {
                store(_mm512_unpacklo_epi16(ab[j], cd[j]), &mut out[128 * j..]);
                store(
                    _mm512_unpackhi_epi16(ab[j], cd[j]),
                    &mut out[128 * j + 64..],
                );
            }
        }
    }

    /// The biased weights of two columns, side by side in the bytes of each word, for the four nibbles.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn pair(a: __m512i, b: __m512i, step: &[__m512i; 4], offset: &[__m512i; 4]) -> [__m512i; 4] {
        let (mut ab, b) = (weights(a, step, offset), weights(b, step, offset));
        for j in 0..4 {
            ab[j] = high_bytes(ab[j], b[j]);
        }
        ab
    }

    /// The four nibbles of each word of `codes` as weights, biased, in the high bytes.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn weights(codes: __m512i, step: &[__m512i; 4], offset: &[__m512i; 4]) -> [__m512i; 4] {
        let second = _mm512_set1_epi16(0xf0);
        let mut q = [
            _mm512_and_si512(codes, _mm512_set1_epi16(0x0f)),
            _mm512_and_si512(codes, second),
            _mm512_and_si512(_mm512_srli_epi16::<4>(codes), second),
            _mm512_srli_epi16::<12>(codes),
        ];
        for j in 0..4 {
            q[j] = _mm512_add_epi16(_mm512_mullo_epi16(q[j], step[j]), offset[j]);
        }
        q
    }

    /// The high bytes of `a`'s words in the low bytes, those of `b`'s in the high bytes.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn high_bytes(a: __m512i, b: __m512i) -> __m512i {
        let a = _mm512_srli_epi16::<8>(a);
        // a | (b & 0xff00)
        _mm512_ternarylogic_epi64::<0xf8>(a, b, _mm512_set1_epi16(0xff00u16 as i16))
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    pub(super) fn expand_i8(bundles: &[&[u8]], first: usize, rows: usize, scratch: &mut Quads) {
        let bias = _mm512_set1_epi8(i8::MIN);
        for (quad, out) in bundles.chunks(QUAD).zip(&mut scratch.0) {
            for part in 0..rows / 64 {
                let at = first + 64 * part;
                // A column that is missing may be anything, because its activation is zero.
                let column = |c: usize| &quad.get(c).unwrap_or(&quad[0])[at..at + 64];
                let a = _mm512_xor_si512(load(column(0)), bias);
                let b = _mm512_xor_si512(load(column(1)), bias);
                let c = _mm512_xor_si512(load(column(2)), bias);
                let d = _mm512_xor_si512(load(column(3)), bias);
                let (ab, cd) = (_mm512_unpacklo_epi8(a, b), _mm512_unpacklo_epi8(c, d));
                let (ef, gh) = (_mm512_unpackhi_epi8(a, b), _mm512_unpackhi_epi8(c, d));
                let out = &mut out[256 * part..];
                store(_mm512_unpacklo_epi16(ab, cd), out);
                store(_mm512_unpackhi_epi16(ab, cd), &mut out[64..]);
                store(_mm512_unpacklo_epi16(ef, gh), &mut out[128..]);
                store(_mm512_unpackhi_epi16(ef, gh), &mut out[192..]);
            }
        }
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    pub(super) fn multiply(scratch: &Quads, x: &[u32], acc: &mut Acc) {
        const { assert!(BLOCK == 128) };
        let mut sums = [_mm512_setzero_si512(); 8];
        for (sum, of) in sums.iter_mut().zip(acc.chunks_exact(16)) {
            // SAFETY: a chunk is 64 bytes.
            *sum = unsafe { _mm512_loadu_si512(of.as_ptr().cast()) };
        }
        for (weights, &x) in scratch.0.iter().zip(x) {
            let x = _mm512_set1_epi32(x as i32);
            for (i, sum) in sums.iter_mut().enumerate() {
                *sum = _mm512_dpbusd_epi32(*sum, load(&weights[64 * i..64 * i + 64]), x);
            }
        }
        for (sum, to) in sums.iter().zip(acc.chunks_exact_mut(16)) {
            // SAFETY: a chunk is 64 bytes.
            unsafe { _mm512_storeu_si512(to.as_mut_ptr().cast(), *sum) }
        }
    }
}
