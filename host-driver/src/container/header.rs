//! The first 4096 bytes.
//!
//! | byte | field |
//! |---|---|
//! | 0 | [`MAGIC`] |
//! | 8 | [`VERSION`], u32 |
//! | 12 | version of the packet stream whose bundles are inside, u32 |
//! | 16 | sections, u32 |
//! | 20 | bytes a checksum block, u32: [`BLOCK_BYTES`] |
//! | 24 + 32 i | section: name (8 bytes, zero-padded), offset, length, xxh3 (u64 each) |
//! | 4088 | xxh3 of all before it, u64 |
//!
//! The checksum field of `EMBED` and `DATA` is zero: `BLOCKS` covers them.

use super::error::{ContainerError, within};
use super::limits;
use std::ops::Range;
use xxhash_rust::xxh3::xxh3_64;

/// Bytes of the header; sections begin behind it.
pub const HEADER_BYTES: usize = 4096;
/// Alignment of `EMBED`, `DATA` and every tile: a page, so that direct reads can fetch them.
pub const PAGE: usize = 4096;
/// First bytes of every `.weft` file.
pub const MAGIC: &[u8; 8] = b"WEFTFILE";
/// Version of the container; goes up with every incompatible change.
pub const VERSION: u32 = 1;
/// Bytes covered by one checksum of `BLOCKS`.
pub const BLOCK_BYTES: usize = 256 << 10;

const TABLE: usize = 24;
const ENTRY: usize = 32;
const SEAL: usize = HEADER_BYTES - 8;

/// Names of the sections, as in the table.
pub mod names {
    /// Token embedding.
    pub const EMBED: &str = "EMBED";
    /// Tiles.
    pub const DATA: &str = "DATA";
    /// Hyper-parameters and choices.
    pub const META: &str = "META";
    /// Tokenizer.
    pub const TOKENIZER: &str = "TOKENIZE";
    /// Norms and biases.
    pub const HOST: &str = "HOST";
    /// Where everything is.
    pub const INDEX: &str = "INDEX";
    /// Checksums of the payload.
    pub const BLOCKS: &str = "BLOCKS";
}

/// One row of the section table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// One of [`names`], or one that a later writer added.
    pub name: String,
    /// First byte in the file.
    pub offset: u64,
    /// Bytes.
    pub length: u64,
    /// Of its bytes; zero for the payload sections.
    pub xxh3: u64,
}

fn u32_at(b: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([b[at], b[at + 1], b[at + 2], b[at + 3]])
}

fn u64_at(b: &[u8], at: usize) -> u64 {
    u64::from(u32_at(b, at)) | u64::from(u32_at(b, at + 4)) << 32
}

/// The header with these sections.
///
/// # Panics
/// When there are more sections than fit, or a name is longer than eight bytes: faults of the writer.
#[must_use]
pub fn encode(sections: &[Section]) -> Vec<u8> {
    assert!(sections.len() <= limits::SECTIONS as usize);
    let mut out = Vec::with_capacity(HEADER_BYTES);
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&VERSION.to_le_bytes());
    out.extend_from_slice(&weft_protocol::registers::VERSION.to_le_bytes());
    out.extend_from_slice(&(sections.len() as u32).to_le_bytes());
    out.extend_from_slice(&(BLOCK_BYTES as u32).to_le_bytes());
    for s in sections {
        let mut name = [0; 8];
        name[..s.name.len()].copy_from_slice(s.name.as_bytes());
        out.extend_from_slice(&name);
        for field in [s.offset, s.length, s.xxh3] {
            out.extend_from_slice(&field.to_le_bytes());
        }
    }
    out.resize(SEAL, 0);
    let seal = xxh3_64(&out);
    out.extend_from_slice(&seal.to_le_bytes());
    out
}

/// Checks the header of `file` (the whole file) and that every section lies inside it.
///
/// # Errors
/// Wrong magic, version or checksum, or sections that reach beyond the file.
pub fn parse(file: &[u8]) -> Result<Vec<Section>, ContainerError> {
    if file.get(..8) != Some(MAGIC) {
        return Err(ContainerError::Magic {
            found: file[..file.len().min(8)].to_vec(),
        });
    }
    if file.len() < HEADER_BYTES {
        return Err(ContainerError::Truncated {
            what: "the header",
            needed: HEADER_BYTES as u64,
            available: file.len() as u64,
        });
    }
    let versions = [
        ("container version", 8, VERSION),
        ("packet version", 12, weft_protocol::registers::VERSION),
    ];
    for (what, at, wanted) in versions {
        let found = u32_at(file, at);
        if found != wanted {
            return Err(ContainerError::Version {
                what,
                found,
                wanted,
            });
        }
    }
    let (found, wanted) = (xxh3_64(&file[..SEAL]), u64_at(file, SEAL));
    if found != wanted {
        return Err(ContainerError::Checksum {
            what: "the header".into(),
            found,
            wanted,
        });
    }
    let count = within(
        "the number of sections",
        u32_at(file, 16).into(),
        limits::SECTIONS.into(),
    )?;
    let block = u32_at(file, 20);
    if block as usize != BLOCK_BYTES {
        return Err(ContainerError::invalid(format!(
            "its checksum blocks have {block} bytes instead of {BLOCK_BYTES}"
        )));
    }
    (0..count as usize)
        .map(|i| section(file, TABLE + i * ENTRY))
        .collect()
}

/// The rows of a section table of which nothing was checked, and where they are.
pub(super) fn raw_sections(file: &[u8]) -> Vec<(usize, Section)> {
    let count = u32_at(file, 16).min(limits::SECTIONS) as usize;
    let rows = (0..count).map(|i| TABLE + i * ENTRY);
    rows.map(|at| (at, row(file, at))).collect()
}

/// Writes the header's checksum.
pub(super) fn put_seal(file: &mut [u8]) {
    let seal = xxh3_64(&file[..SEAL]);
    file[SEAL..HEADER_BYTES].copy_from_slice(&seal.to_le_bytes());
}

/// The row of the section table at `at`.
fn row(file: &[u8], at: usize) -> Section {
    let name = &file[at..at + 8];
    let name = &name[..name.iter().position(|&b| b == 0).unwrap_or(8)];
    Section {
        name: String::from_utf8_lossy(name).into_owned(),
        offset: u64_at(file, at + 8),
        length: u64_at(file, at + 16),
        xxh3: u64_at(file, at + 24),
    }
}

fn section(file: &[u8], at: usize) -> Result<Section, ContainerError> {
    let s = row(file, at);
    match s.offset.checked_add(s.length) {
        Some(end) if end <= file.len() as u64 => Ok(s),
        end => Err(ContainerError::Truncated {
            what: "a section",
            needed: end.unwrap_or(u64::MAX),
            available: file.len() as u64,
        }),
    }
}

impl Section {
    /// Its bytes in the file. Valid for the file it was parsed from.
    #[must_use]
    pub fn range(&self) -> Range<usize> {
        self.offset as usize..(self.offset + self.length) as usize
    }

    /// Checks its bytes against the table.
    ///
    /// # Errors
    /// [`ContainerError::Checksum`].
    pub fn check(&self, file: &[u8]) -> Result<(), ContainerError> {
        let found = xxh3_64(&file[self.range()]);
        if found == self.xxh3 {
            Ok(())
        } else {
            Err(ContainerError::Checksum {
                what: format!("section {}", self.name),
                found,
                wanted: self.xxh3,
            })
        }
    }
}
