//! The most that a `.weft` file may claim. What is over a limit is refused before anything is allocated.

/// Sections in the table.
pub const SECTIONS: u32 = 32;
/// Bytes of `META`.
pub const META_BYTES: u64 = 64 << 20;
/// Bytes of `TOKENIZER`.
pub const TOKENIZER_BYTES: u64 = 512 << 20;
/// Bytes of `HOST`.
pub const HOST_BYTES: u64 = 1 << 30;
/// Bytes of `INDEX`.
pub const INDEX_BYTES: u64 = 1 << 30;
/// Sites of a model: four a layer and the head.
pub const SITES: u32 = 1 << 16;
/// Matrices of one site.
pub const MATRICES: u32 = 64;
/// Parts (stretches of a site's outputs) of one matrix.
pub const PARTS: u32 = 64;
/// Rows of one matrix, and outputs of one site.
pub const ROWS: u32 = 1 << 24;
/// Columns of one matrix.
pub const COLS: u32 = 1 << 20;
/// Rows of one tile; a core addresses them with 16 bits of 64.
pub const TILE_ROWS: u32 = 65535 * 64;
/// Drain points of one tile.
pub const SEGMENTS: u32 = 1 << 15;
