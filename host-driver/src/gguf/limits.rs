//! Named limits: what a reader accepts before it calls a file damaged.
//!
//! They are far above what published models carry, and low enough that a flipped bit in a count
//! is answered at once instead of being believed.

/// Tensors in a file.
pub const TENSORS: u64 = 65_536;
/// Metadata entries in a file.
pub const METADATA: u64 = 65_536;
/// Bytes of a metadata string (chat templates are the longest, tens of KiB).
pub const STRING: u64 = 4 << 20;
/// Bytes of a metadata key or tensor name.
pub const NAME: u64 = 512;
/// Elements of a metadata array (vocabularies are the longest).
pub const ARRAY: u64 = 4 << 20;
/// Arrays within arrays.
pub const ARRAY_DEPTH: u64 = 4;
/// Dimensions of a tensor.
pub const DIMS: u64 = 4;
/// Elements along one dimension.
pub const DIM: u64 = 1 << 31;
/// Bytes of `general.alignment`.
pub const ALIGNMENT: u64 = 1 << 20;
