//! Tensor types: their numbers in the file and the size of their blocks.

use std::fmt;

/// A tensor's element format.
///
/// Every format stores a row as whole blocks of [`TensorType::block_len`] values in
/// [`TensorType::block_bytes`] bytes. All fields are little-endian; `f16` is IEEE half precision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TensorType {
    /// One `f32`.
    F32,
    /// One `f16`.
    F16,
    /// The upper half of an `f32`.
    Bf16,
    /// 32 values: `d: f16`, 16 bytes of codes. `w = d * (q - 8)`.
    Q4_0,
    /// 32 values: `d: f16`, `m: f16`, 16 bytes of codes. `w = d * q + m`.
    Q4_1,
    /// 32 values: `d: f16`, 4 bytes of fifth bits, 16 bytes of low bits. `w = d * (q - 16)`.
    Q5_0,
    /// 32 values: `d: f16`, `m: f16`, 4 bytes of fifth bits, 16 bytes of low bits. `w = d * q + m`.
    Q5_1,
    /// 32 values: `d: f16`, 32 signed bytes. `w = d * q`.
    Q8_0,
    /// 256 values in 8 groups: `d: f16`, `dmin: f16`, 12 bytes of six-bit scales and minimums,
    /// 128 bytes of codes. `w = d * sc * q - dmin * mn`.
    Q4K,
    /// 256 values in 8 groups: as [`TensorType::Q4K`] with 32 bytes of fifth bits before the codes.
    Q5K,
    /// 256 values in 16 groups: 128 bytes of low bits, 64 bytes of high bits, 16 signed scale
    /// bytes, `d: f16`. `w = d * sc * (q - 32)`.
    Q6K,
}

impl TensorType {
    /// The types that can be read, for messages.
    pub const NAMES: &'static str =
        "F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q4_K, Q5_K or Q6_K";

    /// The type with this number in a file, if it can be read.
    pub fn from_number(number: u32) -> Option<Self> {
        Some(match number {
            0 => Self::F32,
            1 => Self::F16,
            2 => Self::Q4_0,
            3 => Self::Q4_1,
            6 => Self::Q5_0,
            7 => Self::Q5_1,
            8 => Self::Q8_0,
            12 => Self::Q4K,
            13 => Self::Q5K,
            14 => Self::Q6K,
            30 => Self::Bf16,
            _ => return None,
        })
    }

    /// Name of a type that the format defines and Weft does not read, for messages.
    pub(super) fn foreign_name(number: u32) -> &'static str {
        match number {
            4 => "Q4_2",
            5 => "Q4_3",
            9 => "Q8_1",
            10 => "Q2_K",
            11 => "Q3_K",
            15 => "Q8_K",
            16 => "IQ2_XXS",
            17 => "IQ2_XS",
            18 => "IQ3_XXS",
            19 => "IQ1_S",
            20 => "IQ4_NL",
            21 => "IQ3_S",
            22 => "IQ2_S",
            23 => "IQ4_XS",
            24 => "I8",
            25 => "I16",
            26 => "I32",
            27 => "I64",
            28 => "F64",
            29 => "IQ1_M",
            34 => "TQ1_0",
            35 => "TQ2_0",
            39 => "MXFP4",
            _ => "unknown",
        }
    }

    /// Values in a block.
    pub const fn block_len(self) -> usize {
        match self {
            Self::F32 | Self::F16 | Self::Bf16 => 1,
            Self::Q4_0 | Self::Q4_1 | Self::Q5_0 | Self::Q5_1 | Self::Q8_0 => 32,
            Self::Q4K | Self::Q5K | Self::Q6K => 256,
        }
    }

    /// Bytes of a block.
    pub const fn block_bytes(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F16 | Self::Bf16 => 2,
            Self::Q4_0 => 18,
            Self::Q4_1 => 20,
            Self::Q5_0 => 22,
            Self::Q5_1 => 24,
            Self::Q8_0 => 34,
            Self::Q4K => 144,
            Self::Q5K => 176,
            Self::Q6K => 210,
        }
    }

    /// Whether rows are made of groups of 32 four-bit codes (see [`super::Group4`]).
    pub const fn is_four_bit(self) -> bool {
        matches!(self, Self::Q4_0 | Self::Q4_1 | Self::Q4K)
    }
}

impl fmt::Display for TensorType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::F32 => "F32",
            Self::F16 => "F16",
            Self::Bf16 => "BF16",
            Self::Q4_0 => "Q4_0",
            Self::Q4_1 => "Q4_1",
            Self::Q5_0 => "Q5_0",
            Self::Q5_1 => "Q5_1",
            Self::Q8_0 => "Q8_0",
            Self::Q4K => "Q4_K",
            Self::Q5K => "Q5_K",
            Self::Q6K => "Q6_K",
        })
    }
}
