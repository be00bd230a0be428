//! Literals: size, base and digits to a value with masks for `x` and `z` digits.

use super::ast::Number;
use crate::bits::Bits;
use crate::limits::MAX_WIDTH;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Radix {
    Binary,
    Octal,
    Decimal,
    Hex,
}

impl Radix {
    pub(super) fn of(c: char) -> Self {
        match c.to_ascii_lowercase() {
            'b' => Radix::Binary,
            'o' => Radix::Octal,
            'h' => Radix::Hex,
            _ => Radix::Decimal,
        }
    }
    fn digit_bits(self) -> u32 {
        match self {
            Radix::Binary => 1,
            Radix::Octal => 3,
            Radix::Decimal | Radix::Hex => 4,
        }
    }
}

/// Builds a literal; unsized ones have 32 bits. Digits beyond the size are dropped, as the standard says.
pub(super) fn literal(
    size: Option<&str>,
    signed: bool,
    radix: Radix,
    digits: &str,
) -> Result<Number, String> {
    let width = match size.map(|s| s.replace('_', "").parse::<u32>()) {
        None => 32,
        Some(Ok(w)) if (1..=MAX_WIDTH).contains(&w) => w,
        Some(_) => {
            return Err(format!(
                "the size of a literal must be from 1 to MAX_WIDTH = {MAX_WIDTH} bits"
            ));
        }
    };
    let digits: Vec<char> = digits
        .chars()
        .filter(|c| *c != '_')
        .map(|c| c.to_ascii_lowercase())
        .collect();
    let (value, x, z) = match radix {
        Radix::Decimal => (decimal(&digits)?, Bits::zero(1), Bits::zero(1)),
        _ => based(&digits, radix)?,
    };
    if size.is_none() && (32..value.width()).any(|i| value.bit(i)) {
        return Err("an unsized literal holds at most 32 bits; write its size".into());
    }
    // A leftmost x or z digit fills the literal upwards.
    let fill = |b: Bits, top: bool| {
        if b.is_zero() {
            Bits::zero(1)
        } else if top {
            b.sext(width.max(b.width())).zext(width)
        } else {
            b.zext(width)
        }
    };
    let (x_top, z_top) = (x.sign(), z.sign());
    Ok(Number {
        signed,
        value: value.zext(width),
        x: fill(x, x_top),
        z: fill(z, z_top),
    })
}

fn decimal(digits: &[char]) -> Result<Bits, String> {
    if digits.len() > (MAX_WIDTH / 4) as usize {
        return Err("a decimal literal is too long".into());
    }
    let width = 4 * digits.len() as u32 + 4;
    let mut limbs = vec![0u64; (width as usize).div_ceil(64)];
    // As many digits at a time as a word holds.
    for group in digits.chunks(18) {
        let (mut scale, mut carry) = (1u64, 0u64);
        for c in group {
            let d = c
                .to_digit(10)
                .ok_or_else(|| format!("`{c}` is no decimal digit"))?;
            (scale, carry) = (scale * 10, carry * 10 + u64::from(d));
        }
        for limb in &mut limbs {
            let t = u128::from(*limb) * u128::from(scale) + u128::from(carry);
            (*limb, carry) = (t as u64, (t >> 64) as u64);
        }
    }
    Ok(Bits::from_limbs(width, &limbs))
}

fn based(digits: &[char], radix: Radix) -> Result<(Bits, Bits, Bits), String> {
    let step = radix.digit_bits();
    let width = step * digits.len() as u32;
    if digits.is_empty() || width > 4 * MAX_WIDTH {
        return Err("a literal needs digits, and no more than MAX_WIDTH bits of them".into());
    }
    let (mut value, mut x, mut z) = (Bits::zero(width), Bits::zero(width), Bits::zero(width));
    for (i, c) in digits.iter().rev().enumerate() {
        let lo = i as u32 * step;
        let (target, digit) = match c {
            'x' => (&mut x, (1 << step) - 1),
            'z' | '?' => (&mut z, (1 << step) - 1),
            _ => (
                &mut value,
                c.to_digit(1 << step)
                    .ok_or_else(|| format!("`{c}` is no digit of this base"))?,
            ),
        };
        for b in 0..step {
            target.set(lo + b, digit >> b & 1 == 1);
        }
    }
    Ok((value, x, z))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals() {
        assert_eq!(
            literal(Some("8"), false, Radix::Hex, "fF").unwrap().value,
            Bits::new(8, 255)
        );
        assert_eq!(
            literal(Some("4"), false, Radix::Hex, "ff").unwrap().value,
            Bits::new(4, 15)
        );
        assert_eq!(
            literal(None, true, Radix::Decimal, "1_000").unwrap().value,
            Bits::new(32, 1000)
        );
        assert_eq!(
            literal(Some("8"), false, Radix::Binary, "z1").unwrap().z,
            Bits::new(8, 0xfe)
        );
        assert!(literal(None, false, Radix::Hex, "1_ffff_ffff").is_err());
        assert!(literal(Some("0"), false, Radix::Hex, "1").is_err());
        assert!(literal(Some("4"), false, Radix::Binary, "2").is_err());
    }
}
