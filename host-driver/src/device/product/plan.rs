//! Requests for all tiles of a site, and outputs from their sums.

use super::Activations;
use crate::container::{ContainerError, Matrix, SiteEntry, Tile, Weft};
use crate::model;
use std::ops::Range;
use weft_protocol::MAX_COLUMNS;
use weft_protocol::packet::{Group, Request};

/// The requests of one product.
#[derive(Debug)]
pub struct Plan<'a> {
    site: &'a SiteEntry,
    activations: &'a Activations,
    requests: Vec<Request<'a>>,
    tiles: Vec<Sent<'a>>,
    drains: u32,
}

/// A tile of which something was sent.
#[derive(Clone, Copy, Debug)]
struct Sent<'a> {
    matrix: &'a Matrix,
    first_row: usize,
    rows: usize,
    padded_rows: usize,
    drains: usize,
}

impl<'a> Plan<'a> {
    /// Lays out `site`, one of `weft`, for `activations`.
    ///
    /// # Errors
    /// Damage of the file that is found when its blocks are first used.
    pub fn new(
        weft: &'a Weft,
        site: &'a SiteEntry,
        activations: &'a Activations,
    ) -> Result<Self, ContainerError> {
        let mut plan = Self {
            site,
            activations,
            requests: Vec::new(),
            tiles: Vec::new(),
            drains: 0,
        };
        for matrix in &site.matrices {
            let mut first_row = 0;
            for tile in &matrix.tiles {
                plan.tile(weft, matrix, tile, first_row)?;
                first_row += tile.rows;
            }
        }
        Ok(plan)
    }

    /// What to run.
    #[must_use]
    pub fn requests(&self) -> &[Request<'a>] {
        &self.requests
    }

    fn tile(
        &mut self,
        weft: &'a Weft,
        matrix: &'a Matrix,
        tile: &'a Tile,
        first_row: usize,
    ) -> Result<(), ContainerError> {
        let log2_batch = self.activations.log2_batch();
        let opening = self.requests.len();
        let drains = self.drains;
        self.requests.push(Request::Tile {
            rows: tile.padded_rows(),
            log2_batch,
        });
        let mut start = 0;
        for segment in &tile.segments {
            // Bundles sent again since the last drain, and whether anything was sent.
            let (mut again, mut open) = (0, false);
            for g in start..segment.end {
                let (columns, bytes) = self.activations.group(g);
                if columns.is_empty() {
                    continue;
                }
                let data = weft.group(self.site.cols, matrix.kind, tile, g)?;
                let bundles: Vec<&'a [u8]> = data.bundles().collect();
                let columns = columns.chunks(MAX_COLUMNS);
                let bytes = bytes.chunks(MAX_COLUMNS << log2_batch);
                for (i, (columns, activations)) in columns.zip(bytes).enumerate() {
                    let more = columns.windows(2).filter(|w| w[0] == w[1]).count() + i.min(1);
                    if open && again + more > segment.headroom {
                        self.drain();
                        again = 0;
                    }
                    again += more;
                    open = true;
                    self.requests.push(Request::Group(Group {
                        kind: matrix.kind,
                        masked: data.masked,
                        activations,
                        // A second packet of the same group keeps the scales of the first.
                        scales: data.scales.filter(|_| i == 0),
                        bundles: columns.iter().map(|&c| bundles[usize::from(c)]).collect(),
                    }));
                }
            }
            start = segment.end;
            if open {
                self.drain();
            }
        }
        if self.drains == drains {
            self.requests.truncate(opening);
        } else {
            self.tiles.push(Sent {
                matrix,
                first_row,
                rows: tile.rows,
                padded_rows: tile.padded_rows(),
                drains: (self.drains - drains) as usize,
            });
        }
        Ok(())
    }

    fn drain(&mut self) {
        self.requests.push(Request::Drain { tag: self.drains });
        self.drains += 1;
    }

    /// Turns the sums of all drains into the outputs of `tokens`, rows of `out`, which are overwritten.
    ///
    /// # Panics
    /// When `sums` is not what a device gives for these requests, or `out` does not have the site's outputs.
    pub fn finish(&self, sums: &[i32], tokens: Range<usize>, out: &mut model::Matrix) {
        assert_eq!(out.cols(), self.site.outputs, "one column an output");
        let log2_batch = self.activations.log2_batch();
        for (t, token) in tokens.enumerate() {
            let unit = self.activations.scales()[t];
            let row = out.row_mut(token);
            row.fill(0.0);
            let mut rest = sums;
            for tile in &self.tiles {
                let one = tile.padded_rows << log2_batch;
                let (words, r) = rest.split_at(one * tile.drains);
                rest = r;
                // Parts may begin in an earlier tile and end in a later one.
                let (mut at, mut first) = (0, tile.first_row);
                for part in &tile.matrix.parts {
                    let skipped = first.min(part.rows);
                    first -= skipped;
                    let n = (part.rows - skipped).min(tile.rows - at);
                    let output = part.output + skipped;
                    let scales = &tile.matrix.row_scales[tile.first_row + at..][..n];
                    for (i, (y, scale)) in
                        row[output..output + n].iter_mut().zip(scales).enumerate()
                    {
                        let of_row = ((at + i) << log2_batch) + t;
                        let drains = words[of_row..].iter().step_by(one);
                        *y = drains.sum::<i32>() as f32 * scale * unit;
                    }
                    at += n;
                }
            }
            assert!(rest.is_empty(), "the sums of all drains");
        }
    }
}
