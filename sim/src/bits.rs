//! Two-state bit vectors of any width: the value type of constants, of the interpreter and of wide ports.
//!
//! Arithmetic is modulo `2^width`. Operands of binary operations have equal widths unless said otherwise.

use std::cmp::Ordering;
use std::fmt;

/// A two-state bit vector; limbs are little-endian and bits above the width are zero.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Bits {
    width: u32,
    limbs: Box<[u64]>,
}

/// Number of 64-bit limbs that hold `width` bits (at least one).
pub(crate) fn limbs_for(width: u32) -> usize {
    (width.max(1) as usize).div_ceil(64)
}

/// Mask of the low `width` bits of a word; all ones from 64 on.
pub(crate) fn mask(width: u32) -> u64 {
    if width >= 64 {
        u64::MAX
    } else {
        (1 << width) - 1
    }
}

impl fmt::Debug for Bits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:x}")
    }
}

impl fmt::LowerHex for Bits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}'h", self.width)?;
        let mut started = false;
        for (i, limb) in self.limbs.iter().enumerate().rev() {
            if started {
                write!(f, "{limb:016x}")?;
            } else if *limb != 0 || i == 0 {
                write!(f, "{limb:x}")?;
                started = true;
            }
        }
        Ok(())
    }
}

impl Bits {
    /// All zeros.
    pub fn zero(width: u32) -> Self {
        Bits {
            width,
            limbs: vec![0; limbs_for(width)].into(),
        }
    }
    /// All ones.
    pub fn ones(width: u32) -> Self {
        Self::from_limbs(width, &vec![u64::MAX; limbs_for(width)])
    }
    /// The low `width` bits of `value`.
    pub fn new(width: u32, value: u64) -> Self {
        let mut b = Self::zero(width);
        b.limbs[0] = value & mask(width);
        b
    }
    /// One bit.
    pub fn bool(value: bool) -> Self {
        Self::new(1, u64::from(value))
    }
    /// The low `width` bits of little-endian limbs; missing limbs are zero.
    pub fn from_limbs(width: u32, limbs: &[u64]) -> Self {
        let mut b = Self::zero(width);
        let n = b.limbs.len().min(limbs.len());
        b.limbs[..n].copy_from_slice(&limbs[..n]);
        b.clean();
        b
    }
    fn clean(&mut self) {
        let last = self.limbs.len() - 1;
        let rem = self.width - 64 * last as u32;
        self.limbs[last] &= mask(rem);
    }
    /// Width in bits.
    pub fn width(&self) -> u32 {
        self.width
    }
    /// Little-endian limbs.
    pub fn limbs(&self) -> &[u64] {
        &self.limbs
    }
    /// The low 64 bits.
    pub fn low(&self) -> u64 {
        self.limbs[0]
    }
    /// The value as a word, or `None` if it needs more than 64 bits.
    pub fn to_u64(&self) -> Option<u64> {
        self.limbs[1..]
            .iter()
            .all(|l| *l == 0)
            .then_some(self.limbs[0])
    }
    /// The value read as two's complement, saturated to `i64`.
    pub fn to_i64(&self) -> i64 {
        let wide = self.sext(self.width.max(64).next_multiple_of(64));
        let neg = wide.sign();
        let fill = if neg { u64::MAX } else { 0 };
        let fits =
            wide.limbs[1..].iter().all(|l| *l == fill) && ((wide.limbs[0] >> 63) == 1) == neg;
        match (fits, neg) {
            (true, _) => wide.limbs[0] as i64,
            (false, true) => i64::MIN,
            (false, false) => i64::MAX,
        }
    }
    /// Bit `i`; false beyond the width.
    pub fn bit(&self, i: u32) -> bool {
        i < self.width && self.limbs[(i / 64) as usize] >> (i % 64) & 1 == 1
    }
    /// Sets bit `i`, which must be below the width.
    pub fn set(&mut self, i: u32, value: bool) {
        let limb = &mut self.limbs[(i / 64) as usize];
        *limb = *limb & !(1 << (i % 64)) | u64::from(value) << (i % 64);
    }
    /// Overwrites the bits from `lo` on, which must be zero, with `part`, which must fit.
    pub(crate) fn insert(&mut self, lo: u32, part: &Bits) {
        let (at, shift) = ((lo / 64) as usize, lo % 64);
        for (i, limb) in part.limbs.iter().enumerate() {
            self.limbs[at + i] |= limb << shift;
            if shift > 0 && limb >> (64 - shift) != 0 {
                self.limbs[at + i + 1] |= limb >> (64 - shift);
            }
        }
    }
    /// Whether every bit is zero.
    pub fn is_zero(&self) -> bool {
        self.limbs.iter().all(|l| *l == 0)
    }
    /// Whether every bit is one.
    pub fn is_ones(&self) -> bool {
        *self == Self::ones(self.width)
    }
    /// The most significant bit.
    pub fn sign(&self) -> bool {
        self.width > 0 && self.bit(self.width - 1)
    }
    fn zip(&self, o: &Self, f: impl Fn(u64, u64) -> u64) -> Self {
        let limbs: Vec<u64> = self
            .limbs
            .iter()
            .zip(&o.limbs)
            .map(|(a, b)| f(*a, *b))
            .collect();
        Self::from_limbs(self.width, &limbs)
    }
    /// Bitwise and.
    pub fn and(&self, o: &Self) -> Self {
        self.zip(o, |a, b| a & b)
    }
    /// Bitwise or.
    pub fn or(&self, o: &Self) -> Self {
        self.zip(o, |a, b| a | b)
    }
    /// Bitwise exclusive or.
    pub fn xor(&self, o: &Self) -> Self {
        self.zip(o, |a, b| a ^ b)
    }
    /// Bitwise complement.
    pub fn not(&self) -> Self {
        self.zip(self, |a, _| !a)
    }
    /// Sum modulo `2^width`.
    pub fn add(&self, o: &Self) -> Self {
        self.add_carry(o, 0)
    }
    fn add_carry(&self, o: &Self, carry: u64) -> Self {
        let mut carry = u128::from(carry);
        let mut out = Vec::with_capacity(self.limbs.len());
        for (a, b) in self.limbs.iter().zip(&o.limbs) {
            let s = u128::from(*a) + u128::from(*b) + carry;
            out.push(s as u64);
            carry = s >> 64;
        }
        Self::from_limbs(self.width, &out)
    }
    /// Difference modulo `2^width`.
    pub fn sub(&self, o: &Self) -> Self {
        self.add_carry(&o.not_raw(), 1)
    }
    fn not_raw(&self) -> Self {
        Bits {
            width: self.width,
            limbs: self.limbs.iter().map(|l| !l).collect(),
        }
    }
    /// Two's complement negation.
    pub fn neg(&self) -> Self {
        Self::zero(self.width).sub(self)
    }
    /// Product modulo `2^width`.
    pub fn mul(&self, o: &Self) -> Self {
        let n = self.limbs.len();
        let mut out = vec![0u64; n];
        for (i, a) in self.limbs.iter().enumerate() {
            let mut carry = 0u128;
            for (j, b) in o.limbs[..n - i].iter().enumerate() {
                let t = u128::from(*a) * u128::from(*b) + u128::from(out[i + j]) + carry;
                out[i + j] = t as u64;
                carry = t >> 64;
            }
        }
        Self::from_limbs(self.width, &out)
    }
    /// Unsigned quotient and remainder; both zero when the divisor is zero.
    pub fn divrem(&self, o: &Self) -> (Self, Self) {
        let (mut q, mut r) = (Self::zero(self.width), Self::zero(self.width + 1));
        if o.is_zero() {
            return (q, Self::zero(self.width));
        }
        let d = o.zext(self.width + 1);
        for i in (0..self.width).rev() {
            r = r.shl(1);
            r.set(0, self.bit(i));
            if r.ucmp(&d) != Ordering::Less {
                r = r.sub(&d);
                q.set(i, true);
            }
        }
        (q, r.slice(0, self.width))
    }
    /// Signed quotient (towards zero) and remainder (sign of the dividend); zero for a zero divisor.
    pub fn sdivrem(&self, o: &Self) -> (Self, Self) {
        let abs = |b: &Self| if b.sign() { b.neg() } else { b.clone() };
        let (q, r) = abs(self).divrem(&abs(o));
        let q = if self.sign() != o.sign() { q.neg() } else { q };
        let r = if self.sign() { r.neg() } else { r };
        (q, r)
    }
    /// Unsigned comparison.
    pub fn ucmp(&self, o: &Self) -> Ordering {
        self.limbs.iter().rev().cmp(o.limbs.iter().rev())
    }
    /// Two's complement comparison.
    pub fn scmp(&self, o: &Self) -> Ordering {
        match (self.sign(), o.sign()) {
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            _ => self.ucmp(o),
        }
    }
    /// Left shift; zero from the width on.
    pub fn shl(&self, n: u64) -> Self {
        if n >= u64::from(self.width) {
            return Self::zero(self.width);
        }
        let (word, bit) = ((n / 64) as usize, (n % 64) as u32);
        let at = |i: usize| if i < word { 0 } else { self.limbs[i - word] };
        let limbs: Vec<u64> = (0..self.limbs.len())
            .map(|i| {
                let low = if bit == 0 || i == 0 {
                    0
                } else {
                    at(i - 1) >> (64 - bit)
                };
                at(i) << bit | low
            })
            .collect();
        Self::from_limbs(self.width, &limbs)
    }
    /// Logical right shift; zero from the width on.
    pub fn lshr(&self, n: u64) -> Self {
        if n >= u64::from(self.width) {
            return Self::zero(self.width);
        }
        let (word, bit) = ((n / 64) as usize, (n % 64) as u32);
        let at = |i: usize| self.limbs.get(i + word).copied().unwrap_or(0);
        let limbs: Vec<u64> = (0..self.limbs.len())
            .map(|i| {
                let high = if bit == 0 { 0 } else { at(i + 1) << (64 - bit) };
                at(i) >> bit | high
            })
            .collect();
        Self::from_limbs(self.width, &limbs)
    }
    /// Arithmetic right shift; all sign bits from the width on.
    pub fn ashr(&self, n: u64) -> Self {
        if self.sign() {
            self.not().lshr(n).not()
        } else {
            self.lshr(n)
        }
    }
    /// `width` bits from bit `lo` on; bits beyond the source are zero.
    pub fn slice(&self, lo: u32, width: u32) -> Self {
        Self::from_limbs(width, &self.lshr(u64::from(lo)).limbs)
    }
    /// Zero extension or truncation to `width`.
    pub fn zext(&self, width: u32) -> Self {
        Self::from_limbs(width, &self.limbs)
    }
    /// Sign extension or truncation to `width`.
    pub fn sext(&self, width: u32) -> Self {
        if !self.sign() || width <= self.width {
            return self.zext(width);
        }
        Self::ones(width)
            .shl(u64::from(self.width))
            .or(&self.zext(width))
    }
    /// `self` above `low`.
    pub fn concat(&self, low: &Self) -> Self {
        let w = self.width + low.width;
        self.zext(w).shl(u64::from(low.width)).or(&low.zext(w))
    }
    /// Parity of the bits.
    pub fn parity(&self) -> bool {
        self.limbs.iter().fold(0, |a, l| a ^ l.count_ones()) & 1 == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_crosses_limbs() {
        let a = Bits::from_limbs(100, &[u64::MAX, 1]);
        assert_eq!(a.add(&Bits::new(100, 1)), Bits::from_limbs(100, &[0, 2]));
        assert_eq!(a.sub(&a), Bits::zero(100));
        assert_eq!(Bits::new(100, 0).sub(&Bits::new(100, 1)), Bits::ones(100));
        assert_eq!(a.mul(&a).limbs()[0], 1);
        let (q, r) = a.divrem(&Bits::new(100, 10));
        assert_eq!(q.mul(&Bits::new(100, 10)).add(&r), a);
    }

    #[test]
    fn shifts_and_signs() {
        let a = Bits::new(70, 5).shl(66);
        assert_eq!(a.lshr(66), Bits::new(70, 5));
        assert!(Bits::ones(70).ashr(200).is_ones());
        assert_eq!(Bits::new(4, 8).to_i64(), -8);
        assert_eq!(Bits::new(4, 8).sext(70).to_i64(), -8);
        assert_eq!(Bits::new(4, 8).concat(&Bits::new(4, 3)), Bits::new(8, 0x83));
        assert_eq!(Bits::new(4, 9).sdivrem(&Bits::new(4, 2)).0.to_i64(), -3);
    }
}
