//! One site: its tensors to matrices, and these to tiles.

use super::calibrate::Calibration;
use super::error::PackError;
use super::fit::{self, Row};
use super::mask;
use super::options::{Method, Options, Weights};
use super::report::{MatrixReport, entropy};
use super::tile;
use crate::container::{Matrix, Part, SiteEntry, SiteKey, Tile, Writer};
use crate::gguf::{GROUP, Gguf, GgufError, TensorView};
use crate::model::{ModelConfig, Site};
use rayon::prelude::*;
use std::io::{Seek, Write};
use weft_protocol::layout::Kind;

/// Share of the groups whose zero point may miss its field; a tensor with more becomes `i8`.
const UNREPRESENTABLE: f64 = 1e-3;

/// A tensor and where its results belong.
struct Source<'a> {
    tensor: TensorView<'a>,
    output: usize,
}

/// Everything that packing a site needs.
pub(super) struct Context<'a> {
    pub gguf: &'a Gguf,
    pub config: &'a ModelConfig,
    pub options: &'a Options,
    pub calibration: Option<&'a Calibration>,
}

impl Context<'_> {
    /// Lets go of what was read of the model file for `key`, so that a large file does not fill the memory.
    pub(super) fn release(&self, key: SiteKey) {
        for (name, _) in key.site.tensors(self.config, key.layer) {
            self.gguf.release(&name);
        }
    }
}

/// Packs the site `key` into `writer`. `progress` is given source bytes as they are done.
pub(super) fn pack<W: Write + Seek>(
    ctx: &Context<'_>,
    key: SiteKey,
    writer: &mut Writer<W>,
    notes: &mut Vec<String>,
    progress: &mut dyn FnMut(u64),
) -> Result<(SiteEntry, Vec<MatrixReport>), PackError> {
    let cols = key.site.inputs(ctx.config);
    let mut by_kind: Vec<(Kind, Vec<Source<'_>>)> = Vec::new();
    let mut output = 0;
    for (name, rows) in key.site.tensors(ctx.config, key.layer) {
        let tensor = ctx.gguf.tensor_of(&name, rows, cols)?;
        let kind = kind_of(ctx, key, &tensor, notes)?;
        let source = Source { tensor, output };
        output += rows;
        match by_kind.iter_mut().find(|k| k.0 == kind) {
            Some(k) => k.1.push(source),
            None => by_kind.push((kind, vec![source])),
        }
    }
    let mut entry = SiteEntry {
        key,
        cols,
        outputs: output,
        threshold: threshold(ctx, key)?,
        matrices: Vec::new(),
    };
    let mut reports = Vec::new();
    let norms = norms(ctx, key)?;
    for (kind, sources) in by_kind {
        let (matrix, report) = matrix(ctx, key, kind, &sources, &norms, writer, progress)?;
        entry.matrices.push(matrix);
        reports.push(report);
    }
    Ok((entry, reports))
}

fn kind_of(
    ctx: &Context<'_>,
    key: SiteKey,
    tensor: &TensorView<'_>,
    notes: &mut Vec<String>,
) -> Result<Kind, GgufError> {
    if ctx.options.weights == Weights::I8 || key.site == Site::Head {
        return Ok(Kind::I8);
    }
    if !tensor.ty.is_four_bit() {
        notes.push(format!(
            "{} is {}, which has no 4-bit codes to keep: packed as i8",
            tensor.name, tensor.ty
        ));
        return Ok(Kind::I8);
    }
    let bad: usize = (0..tensor.rows)
        .into_par_iter()
        .map(|r| {
            let groups = (0..tensor.groups_per_row()).map(|g| tensor.group4(r, g));
            groups
                .map(|g| Ok(usize::from(!fit::representable(&g?))))
                .sum()
        })
        .collect::<Result<Vec<usize>, GgufError>>()?
        .into_iter()
        .sum();
    let share = bad as f64 / (tensor.rows * tensor.groups_per_row()) as f64;
    if share > UNREPRESENTABLE {
        notes.push(format!(
            "{} has zero points outside the 8-bit range in {:.2}% of its groups: packed as i8",
            tensor.name,
            100.0 * share
        ));
        return Ok(Kind::I8);
    }
    Ok(Kind::G4)
}

fn missing(option: &'static str, key: SiteKey) -> PackError {
    PackError::Calibration { option, key }
}

fn threshold(ctx: &Context<'_>, key: SiteKey) -> Result<f32, PackError> {
    let share = ctx.options.skip.share(key.site);
    if share == 0.0 {
        return Ok(0.0);
    }
    let site = ctx.calibration.and_then(|c| c.site(key));
    let quantile = site.and_then(|s| s.quantile(share));
    quantile.ok_or_else(|| missing("--skip", key))
}

/// Norms of the input columns where masks need them; otherwise empty.
fn norms(ctx: &Context<'_>, key: SiteKey) -> Result<Vec<f32>, PackError> {
    let wanda = ctx.options.prune.is_some_and(|p| p.method == Method::Wanda);
    if !wanda || key.site == Site::Head {
        return Ok(Vec::new());
    }
    let site = ctx.calibration.and_then(|c| c.site(key));
    site.map(super::SiteCalibration::norms)
        .ok_or_else(|| missing("--prune wanda", key))
}

fn matrix<W: Write + Seek>(
    ctx: &Context<'_>,
    key: SiteKey,
    kind: Kind,
    sources: &[Source<'_>],
    norms: &[f32],
    writer: &mut Writer<W>,
    progress: &mut dyn FnMut(u64),
) -> Result<(Matrix, MatrixReport), PackError> {
    let cols = sources[0].tensor.cols;
    let parts: Vec<Part> = sources
        .iter()
        .map(|s| Part {
            output: s.output,
            rows: s.tensor.rows,
        })
        .collect();
    let rows: Vec<(&TensorView<'_>, usize)> = sources
        .iter()
        .flat_map(|s| (0..s.tensor.rows).map(|r| (&s.tensor, r)))
        .collect();
    let prune = ctx.options.prune.filter(|_| key.site != Site::Head);
    let density = prune.map_or(1.0, |p| p.density);
    let mut matrix = Matrix {
        kind,
        rows: rows.len(),
        parts,
        row_scales: Vec::with_capacity(rows.len()),
        tiles: Vec::new(),
    };
    let (mut error, mut energy) = (0.0, 0.0);
    let (mut counts, mut code_bits, mut survivors) = (vec![0u64; 256], 0, 0);
    for rows in rows.chunks(ctx.options.tile_rows) {
        let fitted = rows
            .par_iter()
            .map(|&(tensor, r)| row(kind, tensor, r, norms, density))
            .collect::<Result<Vec<_>, GgufError>>()?;
        let (fitted, alive): (Vec<Row>, Vec<Vec<u8>>) = fitted.into_iter().unzip();
        let alive = if density < 1.0 { &alive[..] } else { &[] };
        let tile = tile::lay_out(kind, cols, &fitted, alive, ctx.options.banks);
        let offset = writer.tile(&tile.bytes)?;
        matrix.row_scales.extend(fitted.iter().map(|r| r.scale));
        error += fitted.iter().map(|r| r.error).sum::<f64>();
        energy += fitted.iter().map(|r| r.energy).sum::<f64>();
        counts
            .iter_mut()
            .zip(&tile.counts)
            .for_each(|(a, b)| *a += b);
        code_bits += tile.code_bits;
        survivors += tile.survivors;
        matrix.tiles.push(Tile {
            rows: rows.len(),
            offset,
            bytes: tile.bytes.len() as u64,
            segments: tile.segments,
            groups: tile.groups,
        });
        progress(rows.iter().map(|r| r.0.row_bytes() as u64).sum());
    }
    let weights = (matrix.rows * cols) as f64;
    let alive = survivors as f64 / weights;
    let report = MatrixReport {
        site: key.to_string(),
        tensors: sources
            .iter()
            .map(|s| format!("{} {}", s.tensor.name, s.tensor.ty))
            .collect(),
        kind: match kind {
            Kind::G4 => "g4",
            Kind::I8 => "i8",
        },
        rows: matrix.rows,
        cols,
        bytes: matrix.tiles.iter().map(|t| t.bytes).sum(),
        relative_error: if energy > 0.0 {
            (error / energy).sqrt()
        } else {
            0.0
        },
        code_bits: code_bits as f64 / weights,
        entropy_bits: alive * entropy(&counts)
            + entropy(&[survivors, (matrix.rows * cols) as u64 - survivors]),
        density: alive,
        drains: matrix.tiles.iter().map(|t| t.segments.len()).sum(),
        skipped: ctx.options.skip.share(key.site),
    };
    Ok((matrix, report))
}

/// Row `r` of `tensor`, quantised, and which of its columns survive (empty when all do).
fn row(
    kind: Kind,
    tensor: &TensorView<'_>,
    r: usize,
    norms: &[f32],
    density: f32,
) -> Result<(Row, Vec<u8>), GgufError> {
    let mut weights = vec![0.0; tensor.cols];
    let mut alive = Vec::new();
    if kind == Kind::I8 || density < 1.0 {
        tensor.dequantize_row(r, &mut weights)?;
    }
    if density < 1.0 {
        alive = mask::survivors(&weights, norms, density);
    }
    let row = match kind {
        Kind::G4 => {
            let groups = (0..tensor.cols / GROUP).map(|g| tensor.group4(r, g));
            // A group may stay dense, so every code has to fit, and masks do not narrow the fit.
            fit::g4_row(&groups.collect::<Result<Vec<_>, _>>()?)
        }
        Kind::I8 => {
            let masked = weights.iter_mut().zip(&alive);
            masked.filter(|w| *w.1 == 0).for_each(|w| *w.0 = 0.0);
            fit::i8_row(&weights)
        }
    };
    Ok((row, alive))
}
