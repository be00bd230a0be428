//! Where every weight lies: the index as data, and its binary form.
//!
//! | record | fields |
//! |---|---|
//! | index | sites u32, then sites |
//! | site | layer u32, site u8, zero u8, matrices u16, columns u32, outputs u32, threshold f32, then matrices |
//! | matrix | kind u8 (0 `g4`, 1 `i8`), zero u8, parts u16, rows u32, tiles u32, parts, row scales f32, tiles |
//! | part | first output u32, rows u32 |
//! | tile | rows u32, zero u32, offset in `DATA` u64, bytes u64, segments u32, then segments, groups |
//! | segment | end (group) u32, headroom (bundles) u32 |
//! | group | offset from the tile in 8 bytes u32, masked u32; if masked, bytes / 8 of each bundle u32 |
//!
//! A matrix has `ceil(columns / 32)` groups in every tile; the last may have fewer than 32 columns.

use crate::model::Site;
use weft_protocol::layout::Kind;
use weft_protocol::{GROUP, ROW_GRANULE};

/// Which product of the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SiteKey {
    /// Layer, counted from 0; 0 for the head.
    pub layer: usize,
    /// Which product of the layer.
    pub site: Site,
}

impl std::fmt::Display for SiteKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.site {
            Site::Head => f.write_str("the head"),
            site => write!(f, "{site} of layer {}", self.layer),
        }
    }
}

/// Least headroom of a segment: the bundles of one packet.
pub const LEAST_HEADROOM: usize = weft_protocol::MAX_COLUMNS;

/// A site: an input vector and the matrices that read it.
#[derive(Clone, Debug, PartialEq)]
pub struct SiteEntry {
    /// Which.
    pub key: SiteKey,
    /// Inputs.
    pub cols: usize,
    /// Outputs of all matrices together.
    pub outputs: usize,
    /// A column whose activations are all below this in magnitude need not be sent; 0 sends all.
    pub threshold: f32,
    /// The matrices, in the order in which they are sent.
    pub matrices: Vec<Matrix>,
}

/// One row space of one weight kind.
#[derive(Clone, Debug, PartialEq)]
pub struct Matrix {
    /// What a weight is.
    pub kind: Kind,
    /// Rows without padding.
    pub rows: usize,
    /// Stretches of the site's outputs that the rows are, in row order.
    pub parts: Vec<Part>,
    /// What one unit of each row's integer sum is worth; `rows` finite values.
    pub row_scales: Vec<f32>,
    /// The tiles, in row order; every one but the last has a multiple of 64 rows.
    pub tiles: Vec<Tile>,
}

/// A stretch of rows of a matrix, and where their results belong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// First output of the site.
    pub output: usize,
    /// Rows.
    pub rows: usize,
}

/// Rows that are in the core's accumulators together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tile {
    /// Rows without padding.
    pub rows: usize,
    /// First byte in `DATA`, a multiple of the page.
    pub offset: u64,
    /// Bytes, without the padding behind.
    pub bytes: u64,
    /// Where the sums must be drained, in order; the last ends with the last group.
    pub segments: Vec<Segment>,
    /// The groups, in column order.
    pub groups: Vec<Group>,
}

/// Groups whose sums fit the accumulators together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// One past the last group.
    pub end: usize,
    /// Bundles that may be sent again between two drains without any accumulator overflowing; at least
    /// [`LEAST_HEADROOM`], so that any one packet may follow a drain.
    pub headroom: usize,
}

/// 32 columns (fewer at the end) of a tile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// First byte, from the tile's.
    pub offset: u64,
    /// Bytes of each bundle when they are masked; empty when they are dense.
    pub masked: Vec<u32>,
}

impl Tile {
    /// Rows as sent: padded with zero rows to a multiple of 64.
    #[must_use]
    pub fn padded_rows(&self) -> usize {
        self.rows.next_multiple_of(ROW_GRANULE)
    }
}

/// Columns of group `g` of a matrix with `cols` columns.
#[must_use]
pub fn group_columns(cols: usize, g: usize) -> usize {
    GROUP.min(cols - g * GROUP)
}

pub(super) fn site_code(site: Site) -> u8 {
    match site {
        Site::AttnIn => 0,
        Site::AttnOut => 1,
        Site::FfnIn => 2,
        Site::FfnDown => 3,
        Site::Head => 4,
    }
}

pub(super) fn site_of(code: u8) -> Option<Site> {
    [
        Site::AttnIn,
        Site::AttnOut,
        Site::FfnIn,
        Site::FfnDown,
        Site::Head,
    ]
    .into_iter()
    .find(|&s| site_code(s) == code)
}

pub(super) fn kind_code(kind: Kind) -> u8 {
    match kind {
        Kind::G4 => 0,
        Kind::I8 => 1,
    }
}

/// The binary form of `sites`.
#[must_use]
pub fn encode(sites: &[SiteEntry]) -> Vec<u8> {
    let mut out = Bytes::default();
    out.u32(sites.len());
    for s in sites {
        out.u32(s.key.layer);
        out.0.extend([site_code(s.key.site), 0]);
        out.u16(s.matrices.len());
        out.u32(s.cols);
        out.u32(s.outputs);
        out.0.extend(s.threshold.to_le_bytes());
        s.matrices.iter().for_each(|m| encode_matrix(m, &mut out));
    }
    out.0
}

fn encode_matrix(m: &Matrix, out: &mut Bytes) {
    out.0.extend([kind_code(m.kind), 0]);
    out.u16(m.parts.len());
    out.u32(m.rows);
    out.u32(m.tiles.len());
    for p in &m.parts {
        out.u32(p.output);
        out.u32(p.rows);
    }
    m.row_scales
        .iter()
        .for_each(|s| out.0.extend(s.to_le_bytes()));
    for t in &m.tiles {
        out.u32(t.rows);
        out.u32(0);
        out.0.extend(t.offset.to_le_bytes());
        out.0.extend(t.bytes.to_le_bytes());
        out.u32(t.segments.len());
        for s in &t.segments {
            out.u32(s.end);
            out.u32(s.headroom);
        }
        for g in &t.groups {
            out.u32((g.offset / 8) as usize);
            out.u32(usize::from(!g.masked.is_empty()));
            g.masked.iter().for_each(|&b| out.u32(b as usize / 8));
        }
    }
}

#[derive(Default)]
struct Bytes(Vec<u8>);

impl Bytes {
    fn u16(&mut self, v: usize) {
        let v = u16::try_from(v).expect("the packer keeps counts within the format's limits");
        self.0.extend(v.to_le_bytes());
    }

    fn u32(&mut self, v: usize) {
        let v = u32::try_from(v).expect("the packer keeps counts within the format's limits");
        self.0.extend(v.to_le_bytes());
    }
}
