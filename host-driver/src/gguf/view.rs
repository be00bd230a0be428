//! A tensor's bytes with its shape and type.

use super::{GROUP, GgufError, Group4, TensorType, blocks, groups};

/// A borrowed tensor. Row `r` holds the weights of output `r`, one per input, contiguous.
#[derive(Debug, Clone, Copy)]
pub struct TensorView<'a> {
    /// Its name in the file.
    pub name: &'a str,
    /// Its element format.
    pub ty: TensorType,
    /// Outputs.
    pub rows: usize,
    /// Inputs.
    pub cols: usize,
    /// `rows` times [`TensorView::row_bytes`] bytes.
    pub bytes: &'a [u8],
}

impl<'a> TensorView<'a> {
    /// Bytes of one row.
    pub fn row_bytes(&self) -> usize {
        self.cols / self.ty.block_len() * self.ty.block_bytes()
    }

    /// The bytes of row `r`.
    ///
    /// # Errors
    /// [`GgufError::Row`] when there is no such row.
    pub fn row(&self, r: usize) -> Result<&'a [u8], GgufError> {
        if r >= self.rows {
            return Err(GgufError::Row {
                name: self.name.into(),
                row: r,
                rows: self.rows,
            });
        }
        let n = self.row_bytes();
        Ok(&self.bytes[r * n..(r + 1) * n])
    }

    /// Row `r` as `f32`; `out` has one value per input.
    ///
    /// # Errors
    /// [`GgufError::Row`], or [`GgufError::NotFinite`] naming the block.
    ///
    /// # Panics
    /// When `out` is not `cols` long.
    pub fn dequantize_row(&self, r: usize, out: &mut [f32]) -> Result<(), GgufError> {
        assert_eq!(out.len(), self.cols, "one value per input");
        blocks::dequantize_row(self.ty, self.row(r)?, out);
        // Every format is finite when its scales are, so this finds bad scales and bad values alike.
        match out.iter().position(|v| !v.is_finite()) {
            None => Ok(()),
            Some(i) => Err(self.not_finite(r, i / self.ty.block_len())),
        }
    }

    /// The whole tensor as `f32`, row-major.
    ///
    /// # Errors
    /// [`GgufError::NotFinite`] naming the first bad row and block.
    pub fn dequantize(&self) -> Result<Vec<f32>, GgufError> {
        let mut out = vec![0.0; self.rows * self.cols];
        for (r, row) in out.chunks_exact_mut(self.cols).enumerate() {
            self.dequantize_row(r, row)?;
        }
        Ok(out)
    }

    /// Groups of [`GROUP`] four-bit codes in a row.
    pub fn groups_per_row(&self) -> usize {
        self.cols / GROUP
    }

    /// Group `g` (inputs `32 g .. 32 g + 32`) of row `r` of a four-bit tensor.
    ///
    /// # Errors
    /// [`GgufError::NotFourBit`] for another type, [`GgufError::Row`] when there is no such row
    /// or group, [`GgufError::NotFinite`] for a bad scale.
    pub fn group4(&self, r: usize, g: usize) -> Result<Group4, GgufError> {
        let row = self.row(r)?;
        if !self.ty.is_four_bit() {
            return Err(GgufError::NotFourBit {
                name: self.name.into(),
                ty: self.ty,
            });
        }
        if g >= self.groups_per_row() {
            return Err(GgufError::Row {
                name: format!("{}, group", self.name),
                row: g,
                rows: self.groups_per_row(),
            });
        }
        let group = groups::group4(self.ty, row, g);
        if group.scale.is_finite() && group.zero_point.is_finite() {
            Ok(group)
        } else {
            Err(self.not_finite(r, g * GROUP / self.ty.block_len()))
        }
    }

    fn not_finite(&self, row: usize, block: usize) -> GgufError {
        GgufError::NotFinite {
            name: self.name.into(),
            row,
            block,
        }
    }
}
