//! The `g4` number format: 4-bit codes of the model file, expanded to signed 8-bit weights in the fabric.
//!
//! A row and group of 32 inputs share a scale word of 16 bits: an unsigned 8-bit scale `D` (low byte) and a
//! signed 8-bit zero point `Z` in 1/8 steps (high byte). A code `q` (0 to 15) stands for
//!
//! ```text
//! w = low 8 bits, as signed, of (D * (8 q - Z) + 64) >> 7
//! ```
//!
//! All arithmetic is modulo 2^16, so a decoder needs bits 7 to 14 of the sum and nothing else. The packer
//! proves `|w| <= 127` for every code that occurs, so nothing wraps in a file that it wrote. The weight's value
//! is `w * row_scale`, and the row scale is applied by the host.

/// Steps of the zero point in one step of the code.
pub const ZERO_STEPS: i32 = 8;
/// Right shift that follows the product of scale and code.
pub const SHIFT: u32 = 7;

/// The signed 8-bit weight of code `q` (0 to 15) under scale `d` and zero point `z` (1/8 steps).
#[must_use]
pub const fn expand(q: u8, d: u8, z: i8) -> i8 {
    let centred = (q as i16 * ZERO_STEPS as i16) - z as i16;
    let sum = (d as i16)
        .wrapping_mul(centred)
        .wrapping_add(1 << (SHIFT - 1));
    (sum >> SHIFT) as i8
}

/// The scale word as it stands on the wire: `D` in the low byte, `Z` in the high byte.
#[must_use]
pub const fn scale_word(d: u8, z: i8) -> u16 {
    u16::from_le_bytes([d, z as u8])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expansion_is_the_rounded_product_wherever_it_fits() {
        for q in 0..16u8 {
            for d in 0..=255u8 {
                for z in i8::MIN..=i8::MAX {
                    let exact = i32::from(d) * (8 * i32::from(q) - i32::from(z));
                    let rounded = (exact + 64).div_euclid(128);
                    assert_eq!(i32::from(expand(q, d, z)), i32::from(rounded as i8));
                }
            }
        }
    }
}
