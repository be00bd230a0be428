//! Four-bit groups with their own codes, in one affine form for all four-bit types.

use super::{
    TensorType,
    blocks::half_at,
    kblocks::{Q4_K_CODES, Q4_K_SCALES, group_nibbles, scale_min},
};

/// Inputs of a group.
pub const GROUP: usize = 32;

/// 32 consecutive weights of a row: `w = scale * (q - zero_point)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Group4 {
    /// The codes, 0 to 15 each, in input order.
    pub codes: [u8; GROUP],
    /// Never negative. Zero only when all weights are zero.
    pub scale: f32,
    /// In code steps; a fraction in general, and outside 0..16 where the file's own minimum is.
    pub zero_point: f32,
}

impl Group4 {
    /// Weight `i` of the group.
    pub fn weight(&self, i: usize) -> f32 {
        self.scale * (f32::from(self.codes[i]) - self.zero_point)
    }

    /// Codes `q` with `w = d * q + m`, for any sign of `d`.
    ///
    /// A negative step is turned round by taking `15 - q` for `q`, which loses nothing. A zero
    /// step makes the codes meaningless: the constant `m` is then carried by codes of zero.
    fn affine(mut codes: [u8; GROUP], d: f32, m: f32) -> Self {
        if d == 0.0 {
            return Self {
                codes: [0; GROUP],
                scale: m.abs(),
                zero_point: if m == 0.0 { 0.0 } else { -m.signum() },
            };
        }
        if d < 0.0 {
            codes.iter_mut().for_each(|q| *q = 15 - *q);
            return Self {
                codes,
                scale: -d,
                zero_point: 15.0 + m / d,
            };
        }
        Self {
            codes,
            scale: d,
            zero_point: -m / d,
        }
    }
}

/// Group `g` of a row of a four-bit type, unchecked for finite scales.
pub(super) fn group4(ty: TensorType, row: &[u8], g: usize) -> Group4 {
    let block = |len: usize| &row[g * GROUP / ty.block_len() * len..][..len];
    match ty {
        TensorType::Q4_0 => {
            let b = block(18);
            let d = half_at(b, 0);
            // Written out rather than through `affine`, so that the zero point is exactly 8 or 7.
            let codes = halves(&b[2..]);
            if d < 0.0 {
                Group4 {
                    codes: codes.map(|q| 15 - q),
                    scale: -d,
                    zero_point: 7.0,
                }
            } else {
                Group4 {
                    codes,
                    scale: d.abs(),
                    zero_point: 8.0,
                }
            }
        }
        TensorType::Q4_1 => {
            let b = block(20);
            Group4::affine(halves(&b[4..]), half_at(b, 0), half_at(b, 2))
        }
        TensorType::Q4K => {
            let b = block(144);
            let g = g % 8;
            let (sc, mn) = scale_min(&b[Q4_K_SCALES], g);
            let mut codes = [0; GROUP];
            for (c, q) in codes.iter_mut().zip(group_nibbles(&b[Q4_K_CODES..], g)) {
                *c = q;
            }
            let d = half_at(b, 0) * f32::from(sc);
            Group4::affine(codes, d, -(half_at(b, 2) * f32::from(mn)))
        }
        _ => unreachable!("asked only of four-bit types"),
    }
}

/// Low nibbles are codes 0..16, high nibbles codes 16..32.
fn halves(bytes: &[u8]) -> [u8; GROUP] {
    std::array::from_fn(|j| {
        if j < 16 {
            bytes[j] & 15
        } else {
            bytes[j - 16] >> 4
        }
    })
}
