//! What packing did and what it cost.

use serde::Serialize;

/// One matrix of the packed model.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MatrixReport {
    /// The site, for people.
    pub site: String,
    /// Names and formats of the tensors in it.
    pub tensors: Vec<String>,
    /// `g4` or `i8`.
    pub kind: &'static str,
    /// Rows without padding.
    pub rows: usize,
    /// Columns.
    pub cols: usize,
    /// Bytes on the wire when every column is sent.
    pub bytes: u64,
    /// Root of the squared error over the squared weights, against the file's own weights (survivors only).
    pub relative_error: f64,
    /// Bits a code on the wire, masks included, scales not.
    pub code_bits: f64,
    /// Entropy of the codes and of the mask, bits a weight: what an ideal coder would need.
    pub entropy_bits: f64,
    /// Share of the weights that survived the masks.
    pub density: f64,
    /// Drains a token that all tiles need.
    pub drains: usize,
    /// Share of the columns below the threshold on the calibration text.
    pub skipped: f32,
}

impl MatrixReport {
    /// Weights.
    #[must_use]
    pub fn weights(&self) -> u64 {
        (self.rows * self.cols) as u64
    }
}

/// The whole model.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Report {
    /// In file order.
    pub matrices: Vec<MatrixReport>,
    /// What the reader should know: tensors that could not keep their codes, groups that stayed dense.
    pub notes: Vec<String>,
    /// Bytes of the file.
    pub file_bytes: u64,
}

impl Report {
    /// Bits a weight on the wire, scales and masks included.
    #[must_use]
    pub fn bits_per_weight(&self) -> f64 {
        8.0 * self.bytes_per_token() as f64 / self.weights() as f64
    }

    /// Weights of all matrices.
    #[must_use]
    pub fn weights(&self) -> u64 {
        self.matrices.iter().map(MatrixReport::weights).sum()
    }

    /// Bytes of weights that one token needs when nothing is skipped.
    #[must_use]
    pub fn bytes_per_token(&self) -> u64 {
        self.matrices.iter().map(|m| m.bytes).sum()
    }

    /// Entropy of codes and masks, bits a weight over the whole model.
    #[must_use]
    pub fn entropy_bits(&self) -> f64 {
        self.mean(|m| m.entropy_bits)
    }

    /// Bits a code on the wire, masks included, over the whole model.
    #[must_use]
    pub fn code_bits(&self) -> f64 {
        self.mean(|m| m.code_bits)
    }

    /// Share of the weights that is read when columns below the thresholds are skipped.
    #[must_use]
    pub fn share_read(&self) -> f64 {
        self.mean(|m| 1.0 - f64::from(m.skipped))
    }

    fn mean(&self, of: impl Fn(&MatrixReport) -> f64) -> f64 {
        let sum: f64 = self
            .matrices
            .iter()
            .map(|m| of(m) * m.weights() as f64)
            .sum();
        sum / self.weights() as f64
    }
}

/// Entropy of a distribution given as counts, in bits.
pub(super) fn entropy(counts: &[u64]) -> f64 {
    let total = counts.iter().sum::<u64>() as f64;
    let used = counts.iter().filter(|&&n| n > 0);
    used.map(|&n| {
        let p = n as f64 / total;
        -p * p.log2()
    })
    .sum()
}
