//! Everything that can be wrong with a GGUF file, each named.

use std::{io, path::PathBuf};

/// Why a GGUF file, or a part of it, was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GgufError {
    /// The file could not be opened or mapped.
    #[error("cannot open the model file {}: {source}", path.display())]
    Open {
        /// The file that was asked for.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The first four bytes are not `GGUF`.
    #[error("not a GGUF file: it starts with {found:02x?} instead of \"GGUF\"")]
    Magic {
        /// The first bytes of the file, at most four.
        found: Vec<u8>,
    },
    /// A version that this reader does not know.
    #[error(
        "GGUF version {found} is not supported (versions 2 and 3, little-endian, are); convert the file again with a current converter"
    )]
    Version {
        /// The version field as read in little-endian order.
        found: u32,
    },
    /// The file ends inside a field.
    #[error("the GGUF file is truncated: it ends at byte {at} inside {what}; download it again")]
    Truncated {
        /// The part being read.
        what: &'static str,
        /// Offset of the field that does not fit.
        at: usize,
    },
    /// A count or length is over its named limit.
    #[error("{what} is {found} at byte {at}, over the limit of {limit}; the file is damaged")]
    Limit {
        /// The quantity.
        what: &'static str,
        /// Its value in the file.
        found: u64,
        /// The named limit.
        limit: u64,
        /// Offset of the field.
        at: usize,
    },
    /// A string is not UTF-8.
    #[error("{what} at byte {at} is not UTF-8; the file is damaged")]
    Utf8 {
        /// The part being read.
        what: &'static str,
        /// Offset of the string.
        at: usize,
    },
    /// A metadata value has a type number that the format does not define.
    #[error("metadata value type {found} at byte {at} does not exist; the file is damaged")]
    ValueType {
        /// The number in the file.
        found: u32,
        /// Offset of the field.
        at: usize,
    },
    /// A boolean is neither 0 nor 1.
    #[error("a boolean metadata value at byte {at} is {found}; the file is damaged")]
    Bool {
        /// The byte in the file.
        found: u8,
        /// Offset of the byte.
        at: usize,
    },
    /// The same metadata key appears twice.
    #[error("metadata key `{key}` appears twice; the file is damaged")]
    DuplicateKey {
        /// The key.
        key: String,
    },
    /// The same tensor name appears twice.
    #[error("tensor `{name}` appears twice; the file is damaged")]
    DuplicateTensor {
        /// The tensor.
        name: String,
    },
    /// A tensor type that Weft cannot read.
    #[error(
        "tensor `{name}` has type {type_name} (number {number}), which is not supported; use a file with {} weights",
        super::TensorType::NAMES
    )]
    TensorType {
        /// The tensor.
        name: String,
        /// The type's number in the file.
        number: u32,
        /// The type's name where the format defines one.
        type_name: &'static str,
    },
    /// A tensor's shape is impossible.
    #[error("tensor `{name}` has shape {dims:?}: {reason}")]
    Shape {
        /// The tensor.
        name: String,
        /// Its dimensions, inputs first.
        dims: Vec<u64>,
        /// What is wrong with them.
        reason: &'static str,
    },
    /// A tensor's data does not lie inside the file, or is not aligned.
    #[error(
        "tensor `{name}` ({bytes} bytes at offset {offset} of the data) {reason}; the data section has {available} bytes"
    )]
    Extent {
        /// The tensor.
        name: String,
        /// Offset within the data section.
        offset: u64,
        /// Bytes the tensor takes.
        bytes: u64,
        /// Bytes of the data section.
        available: u64,
        /// What is wrong.
        reason: &'static str,
    },
    /// The alignment is not a power of two within the limit.
    #[error(
        "general.alignment is {found}; it must be a power of two from 1 to {}",
        super::limits::ALIGNMENT
    )]
    Alignment {
        /// The value in the file.
        found: u64,
    },
    /// A metadata key that is needed is absent.
    #[error("the file has no metadata key `{key}`; it is not a complete language model")]
    MissingKey {
        /// The key.
        key: String,
    },
    /// A metadata key has another type or range than needed.
    #[error("metadata key `{key}` is {found}, expected {expected}")]
    KeyType {
        /// The key.
        key: String,
        /// What the file has.
        found: String,
        /// What was asked for.
        expected: &'static str,
    },
    /// A tensor that is needed is absent.
    #[error("the file has no tensor `{name}`; it is not a complete model of its architecture")]
    MissingTensor {
        /// The tensor.
        name: String,
    },
    /// A tensor has another shape than the model's hyper-parameters say.
    #[error(
        "tensor `{name}` is {rows} x {cols} (outputs x inputs), expected {want_rows} x {want_cols}"
    )]
    TensorShape {
        /// The tensor.
        name: String,
        /// Outputs in the file.
        rows: usize,
        /// Inputs in the file.
        cols: usize,
        /// Outputs expected.
        want_rows: usize,
        /// Inputs expected.
        want_cols: usize,
    },
    /// A row number beyond the tensor.
    #[error("row {row} of tensor `{name}` was asked for, which has {rows} rows")]
    Row {
        /// The tensor.
        name: String,
        /// The row asked for.
        row: usize,
        /// Rows of the tensor.
        rows: usize,
    },
    /// A scale or a value is not a finite number.
    #[error(
        "tensor `{name}` row {row}, block {block}: a value or scale is not finite (NaN or infinity); the file is damaged"
    )]
    NotFinite {
        /// The tensor.
        name: String,
        /// The row.
        row: usize,
        /// The block within the row.
        block: usize,
    },
    /// Four-bit groups were asked of a type that has none.
    #[error("tensor `{name}` has type {ty}, which has no groups of four-bit codes")]
    NotFourBit {
        /// The tensor.
        name: String,
        /// Its type.
        ty: super::TensorType,
    },
}
