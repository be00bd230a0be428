//! Random stimulus that is the same everywhere and for ever.

use crate::bits::{Bits, limbs_for};

/// A small deterministic generator (SplitMix64): one seed, one sequence, on every machine and in every version of
/// this crate, so that a seed in a failure report is all that is needed to repeat it. Not for cryptography.
///
/// ```
/// let mut a = weft_sim::Random::new(7);
/// let mut b = weft_sim::Random::new(7);
/// assert_eq!(a.word(), b.word());
/// assert!(a.below(10) < 10);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Random(u64);

impl Random {
    /// The sequence of `seed`.
    pub fn new(seed: u64) -> Self {
        Random(seed)
    }

    /// 64 random bits.
    pub fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from 0 up to and without `end`; 0 if `end` is 0.
    pub fn below(&mut self, end: u64) -> u64 {
        ((u128::from(self.word()) * u128::from(end)) >> 64) as u64
    }

    /// True in `percent` of 100 cases.
    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// `width` uniformly random bits.
    pub fn bits(&mut self, width: u32) -> Bits {
        let limbs: Vec<u64> = (0..limbs_for(width)).map(|_| self.word()).collect();
        Bits::from_limbs(width, &limbs)
    }

    /// `width` bits that are often all zeros, all ones, small or short: where hardware breaks.
    pub fn edgy_bits(&mut self, width: u32) -> Bits {
        let bits = self.bits(width);
        match self.below(8) {
            0 => Bits::zero(width),
            1 => Bits::ones(width),
            2 => bits.lshr(self.below(width.into())),
            3 => Bits::new(width, self.below(4)),
            _ => bits,
        }
    }
}
