//! An open `.weft` file.

use super::error::{ContainerError, within};
use super::group::{Ends, GroupData};
use super::header::{self, BLOCK_BYTES, HEADER_BYTES, PAGE, Section, names};
use super::index::{Matrix, SiteEntry, SiteKey, Tile, group_columns};
use super::meta::Meta;
use super::{limits, parse};
use crate::gguf::{TensorType, dequantize_row};
use crate::mapped::Mapped;
use std::collections::HashMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use weft_protocol::layout::Kind;
use xxhash_rust::xxh3::xxh3_64;

#[derive(Debug)]
enum Backing {
    Mapped(Mapped),
    Owned(Vec<u8>),
}

impl Backing {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Mapped(m) => m,
            Self::Owned(v) => v,
        }
    }
}

/// A packed model, opened. Its weights stay in the file; the kernel keeps what is in use.
#[derive(Debug)]
pub struct Weft {
    backing: Backing,
    path: Option<PathBuf>,
    meta: Meta,
    sites: Vec<SiteEntry>,
    by_key: HashMap<SiteKey, usize>,
    sections: Vec<Section>,
    host: Range<usize>,
    tokenizer: Range<usize>,
    embed: Range<usize>,
    embed_type: TensorType,
    data: Range<usize>,
    blocks: Vec<u64>,
    verified: Vec<AtomicBool>,
}

impl Weft {
    /// Maps the file at `path` and checks everything but the payload.
    ///
    /// # Errors
    /// What is wrong with the file, or why it cannot be opened.
    pub fn open(path: &Path) -> Result<Self, ContainerError> {
        let map = Mapped::open(path).map_err(|source| ContainerError::Open {
            path: path.to_owned(),
            source,
        })?;
        let mut weft = Self::from_backing(Backing::Mapped(map))?;
        weft.path = Some(path.to_owned());
        Ok(weft)
    }

    /// As [`Weft::open`], from memory.
    ///
    /// # Errors
    /// What is wrong with the bytes.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, ContainerError> {
        Self::from_backing(Backing::Owned(bytes))
    }

    fn from_backing(backing: Backing) -> Result<Self, ContainerError> {
        let file = backing.bytes();
        let sections = header::parse(file)?;
        let find = |name: &'static str| {
            let section = sections.iter().find(|s| s.name == name);
            section.ok_or(ContainerError::MissingSection { name })
        };
        let described = |name: &'static str, limit: u64| {
            let s = find(name)?;
            within("the length of a section", s.length, limit)?;
            s.check(file)?;
            Ok::<_, ContainerError>(s.range())
        };
        let (embed, data) = (find(names::EMBED)?.range(), find(names::DATA)?.range());
        let blocks = described(names::BLOCKS, file.len() as u64)?;
        let blocks = block_table(&file[blocks], data.end)?;
        let meta = described(names::META, limits::META_BYTES)?;
        let meta: Meta =
            serde_json::from_slice(&file[meta]).map_err(|source| ContainerError::Json {
                name: names::META,
                source,
            })?;
        let embed_type = embedding_type(&meta, embed.len())?;
        if embed.end > data.start || embed.start < HEADER_BYTES {
            return Err(ContainerError::invalid(
                "its payload sections are out of order",
            ));
        }
        let host = described(names::HOST, limits::HOST_BYTES)?;
        for entry in &meta.host {
            let end = entry
                .first
                .checked_add(entry.len)
                .and_then(|n| n.checked_mul(4));
            if end.is_none_or(|end| end > host.len()) {
                return Err(ContainerError::invalid(format!(
                    "host tensor `{}` reaches beyond its section",
                    entry.name
                )));
            }
        }
        let tokenizer = described(names::TOKENIZER, limits::TOKENIZER_BYTES)?;
        let index = described(names::INDEX, limits::INDEX_BYTES)?;
        let sites = parse::index(&file[index], data.len() as u64)?;
        let by_key = sites.iter().enumerate().map(|(i, s)| (s.key, i)).collect();
        let verified = blocks.iter().map(|_| AtomicBool::new(false)).collect();
        Ok(Self {
            meta,
            sites,
            by_key,
            sections,
            host,
            tokenizer,
            embed,
            embed_type,
            data,
            blocks,
            verified,
            backing,
            path: None,
        })
    }

    /// The file, if it was opened from one.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// The file's first bytes, which seal the rest.
    pub fn header(&self) -> &[u8] {
        &self.backing.bytes()[..HEADER_BYTES]
    }

    /// Where in the file `bytes` lie, if they were borrowed from this map of it.
    pub fn file_offset(&self, bytes: &[u8]) -> Option<u64> {
        let file = self.backing.bytes().as_ptr_range();
        let range = bytes.as_ptr_range();
        let inside = self.path.is_some() && file.start <= range.start && range.end <= file.end;
        inside.then(|| (range.start.addr() - file.start.addr()) as u64)
    }

    /// Gives the memory that holds payload back to the system; what is needed again comes from the file. For whoever
    /// reads the weights on another way, so that this map of the file does not stay resident beside.
    pub fn release_payload(&self) {
        if let Backing::Mapped(map) = &self.backing {
            // Whole pages only; the first section begins on one.
            let end = self.data.end / PAGE * PAGE;
            map.release(HEADER_BYTES..end.max(HEADER_BYTES));
        }
    }

    /// What the file says about itself.
    pub fn meta(&self) -> &Meta {
        &self.meta
    }

    /// All sites, in file order.
    pub fn sites(&self) -> &[SiteEntry] {
        &self.sites
    }

    /// The section table.
    pub fn sections(&self) -> &[Section] {
        &self.sections
    }

    /// Bytes of the whole file.
    pub fn file_bytes(&self) -> u64 {
        self.backing.bytes().len() as u64
    }

    /// The tokenizer's JSON.
    pub fn tokenizer(&self) -> &[u8] {
        &self.backing.bytes()[self.tokenizer.clone()]
    }

    /// The site `key`.
    ///
    /// # Errors
    /// [`ContainerError::MissingSite`].
    pub fn site(&self, key: SiteKey) -> Result<&SiteEntry, ContainerError> {
        let i = self.by_key.get(&key);
        i.map(|&i| &self.sites[i])
            .ok_or_else(|| ContainerError::MissingSite {
                key: key.to_string(),
            })
    }

    /// The norm or bias `name`, or `None` when the model has none of that name.
    ///
    /// # Errors
    /// [`ContainerError::NotFinite`].
    pub fn host(&self, name: &str) -> Result<Option<Vec<f32>>, ContainerError> {
        let Some(entry) = self.meta.host.iter().find(|h| h.name == name) else {
            return Ok(None);
        };
        let bytes = &self.backing.bytes()[self.host.clone()];
        let bytes = &bytes[entry.first * 4..(entry.first + entry.len) * 4];
        let values = bytes.chunks_exact(4);
        let values: Vec<f32> = values
            .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
            .collect();
        match values.iter().position(|v| !v.is_finite()) {
            None => Ok(Some(values)),
            Some(index) => Err(ContainerError::NotFinite {
                what: name.into(),
                index,
            }),
        }
    }

    /// Writes the embedding of `token` into `out`, one value a column.
    ///
    /// # Errors
    /// [`ContainerError::Token`], or damage found on first use.
    ///
    /// # Panics
    /// When `out` does not have the embedding's columns.
    pub fn embed(&self, token: usize, out: &mut [f32]) -> Result<(), ContainerError> {
        let info = &self.meta.embedding;
        assert_eq!(out.len(), info.cols, "one value a column");
        if token >= info.rows {
            return Err(ContainerError::Token {
                token,
                rows: info.rows,
            });
        }
        let row = self.embed.len() / info.rows;
        let start = self.embed.start + token * row;
        dequantize_row(self.embed_type, self.payload(start..start + row)?, out);
        match out.iter().position(|v| !v.is_finite()) {
            None => Ok(()),
            Some(index) => Err(ContainerError::NotFinite {
                what: format!("the embedding of token {token}"),
                index,
            }),
        }
    }

    /// Group `g` of `tile`, a tile of `matrix` of a site with `cols` columns.
    ///
    /// # Errors
    /// [`ContainerError::Checksum`] when the block is damaged; found on first use.
    ///
    /// # Panics
    /// When the tile has no such group, or is another file's.
    pub fn group<'a>(
        &'a self,
        cols: usize,
        kind: Kind,
        tile: &'a Tile,
        g: usize,
    ) -> Result<GroupData<'a>, ContainerError> {
        let group = &tile.groups[g];
        let end = tile
            .groups
            .get(g + 1)
            .map_or(tile.bytes, |next| next.offset);
        let base = self.data.start as u64 + tile.offset;
        let bytes = self.payload((base + group.offset) as usize..(base + end) as usize)?;
        let rows = tile.padded_rows();
        let (scales, bundles) = bytes.split_at(kind.scale_bytes(rows));
        let ends = if group.masked.is_empty() {
            debug_assert_eq!(
                bundles.len(),
                group_columns(cols, g) * kind.dense_bytes(rows)
            );
            Ends::Every(kind.dense_bytes(rows))
        } else {
            Ends::Lengths(&group.masked)
        };
        Ok(GroupData {
            masked: !group.masked.is_empty(),
            scales: (kind == Kind::G4).then_some(scales),
            bundles,
            ends,
        })
    }

    /// Bytes of all tiles, without padding.
    pub fn weight_bytes(&self) -> u64 {
        let matrices = self.sites.iter().flat_map(|s| &s.matrices);
        let tiles = matrices.flat_map(|m: &Matrix| &m.tiles);
        tiles.map(|t| t.bytes).sum()
    }

    /// Checks every block of the payload now.
    ///
    /// # Errors
    /// The first damaged block.
    pub fn verify(&self) -> Result<(), ContainerError> {
        self.payload(HEADER_BYTES..self.data.end).map(|_| ())
    }

    /// Bytes of the payload, after checking the blocks that hold them.
    fn payload(&self, range: Range<usize>) -> Result<&[u8], ContainerError> {
        let file = self.backing.bytes();
        if range.is_empty() {
            return Ok(&[]);
        }
        let first = (range.start - HEADER_BYTES) / BLOCK_BYTES;
        let last = (range.end - 1 - HEADER_BYTES) / BLOCK_BYTES;
        for block in first..=last {
            // A block that two threads check at once is checked twice, to the same end.
            if self.verified[block].load(Ordering::Relaxed) {
                continue;
            }
            let start = HEADER_BYTES + block * BLOCK_BYTES;
            let end = self.data.end.min(start + BLOCK_BYTES);
            let (found, wanted) = (xxh3_64(&file[start..end]), self.blocks[block]);
            if found != wanted {
                return Err(ContainerError::Checksum {
                    what: format!("block {block} (bytes {start} to {end})"),
                    found,
                    wanted,
                });
            }
            self.verified[block].store(true, Ordering::Relaxed);
        }
        Ok(&file[range])
    }
}

fn block_table(bytes: &[u8], payload_end: usize) -> Result<Vec<u64>, ContainerError> {
    let wanted = payload_end
        .saturating_sub(HEADER_BYTES)
        .div_ceil(BLOCK_BYTES);
    if bytes.len() != wanted * 8 {
        return Err(ContainerError::invalid(format!(
            "its checksum table has {} bytes for {wanted} blocks",
            bytes.len()
        )));
    }
    let words = bytes.chunks_exact(8);
    Ok(words
        .map(|b| u64::from_le_bytes([b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]]))
        .collect())
}

/// The embedding's format, checked against the length of its section.
fn embedding_type(meta: &Meta, bytes: usize) -> Result<TensorType, ContainerError> {
    let info = &meta.embedding;
    let known = (0..64).filter_map(TensorType::from_number);
    let ty = known
        .into_iter()
        .find(|t| t.to_string() == info.format)
        .ok_or_else(|| {
            ContainerError::invalid(format!("embedding format `{}` does not exist", info.format))
        })?;
    let (len, size) = (ty.block_len(), ty.block_bytes());
    let row = (info.cols / len).checked_mul(size);
    let wanted = row.and_then(|row| row.checked_mul(info.rows));
    if info.rows == 0 || info.cols == 0 || !info.cols.is_multiple_of(len) || wanted != Some(bytes) {
        return Err(ContainerError::invalid(format!(
            "an embedding of {} x {} in {ty} does not have {bytes} bytes",
            info.rows, info.cols
        )));
    }
    Ok(ty)
}
