//! Packing a whole model.

use super::calibrate::Calibration;
use super::error::PackError;
use super::options::Options;
use super::report::Report;
use super::site::{self, Context};
use crate::container::{
    EmbedInfo, HostEntry, Meta, PackOptions, SiteEntry, SiteKey, Source, Writer, create,
};
use crate::gguf::Gguf;
use crate::model::{ModelConfig, Site};
use std::collections::HashSet;
use std::io::{Seek, Write};
use std::path::Path;

/// Name of the token embedding in a model file.
const EMBEDDING: &str = "token_embd.weight";
/// Bytes of the embedding copied at a time.
const PIECE: usize = 1 << 20;

/// What is packed.
#[derive(Clone, Debug)]
pub struct Input<'a> {
    /// The model file.
    pub gguf: &'a Gguf,
    /// Its hyper-parameters.
    pub config: &'a ModelConfig,
    /// Where it came from.
    pub source: Source,
    /// Its tokenizer as JSON, chat template included.
    pub tokenizer: &'a [u8],
}

/// How far packing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Bytes of the model file's matrices that are packed.
    pub done: u64,
    /// All of them.
    pub total: u64,
}

/// Packs `input` into the file at `path`, written beside and renamed.
///
/// # Errors
/// What is wrong with the model, the options, or the disk; nothing is left behind then.
pub fn pack(
    input: &Input<'_>,
    options: &Options,
    calibration: Option<&Calibration>,
    path: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<Report, PackError> {
    create(path, |file| {
        pack_into(input, options, calibration, file, progress)
    })
}

/// Packs `input` into `sink`, which is handed back, flushed.
///
/// # Errors
/// What is wrong with the model or the options, or the sink's own.
pub fn pack_into<W: Write + Seek>(
    input: &Input<'_>,
    options: &Options,
    calibration: Option<&Calibration>,
    sink: W,
    progress: &mut dyn FnMut(Progress),
) -> Result<(W, Report), PackError> {
    options.validate()?;
    input.config.validate()?;
    let ctx = Context {
        gguf: input.gguf,
        config: input.config,
        options,
        calibration,
    };
    let layers = 0..input.config.layers;
    let mut keys: Vec<SiteKey> = layers
        .flat_map(|layer| Site::LAYER.map(|site| SiteKey { layer, site }))
        .collect();
    keys.push(SiteKey {
        layer: 0,
        site: Site::Head,
    });
    let (host_entries, host) = host(&ctx, &keys)?;
    let total = source_bytes(&ctx, &keys)?;

    let embedding = ctx
        .gguf
        .tensor_of(EMBEDDING, input.config.vocab, input.config.d_model)?;
    let mut writer = Writer::new(sink, embedding.bytes.chunks(PIECE))?;
    ctx.gguf.release(EMBEDDING);
    let mut report = Report::default();
    let mut sites: Vec<SiteEntry> = Vec::with_capacity(keys.len());
    let mut done = 0;
    for key in keys {
        let mut step = |bytes| {
            done += bytes;
            progress(Progress { done, total });
        };
        let (entry, matrices) = site::pack(&ctx, key, &mut writer, &mut report.notes, &mut step)?;
        sites.push(entry);
        report.matrices.extend(matrices);
        ctx.release(key);
    }
    let meta = Meta {
        model: input.config.clone(),
        options: PackOptions {
            weights: options.weights.name().into(),
            tile_rows: options.tile_rows,
            prune: options.prune.map(|p| p.method.name().into()),
            density: options.prune.map_or(1.0, |p| p.density),
            banks: options.banks,
            skip: options.skip.by_name(),
            dense_positions: if options.skip.any() {
                options.dense_positions
            } else {
                0
            },
        },
        source: input.source.clone(),
        embedding: EmbedInfo {
            format: embedding.ty.to_string(),
            rows: embedding.rows,
            cols: embedding.cols,
        },
        host: host_entries,
    };
    let (sink, bytes) = writer.finish(&meta, input.tokenizer, &host, &sites)?;
    report.file_bytes = bytes;
    Ok((sink, report))
}

/// Every vector that is not a matrix of a site: norms, biases, rotary factors.
fn host(ctx: &Context<'_>, keys: &[SiteKey]) -> Result<(Vec<HostEntry>, Vec<f32>), PackError> {
    let names = keys
        .iter()
        .flat_map(|k| k.site.tensors(ctx.config, k.layer));
    let mut matrices: HashSet<String> = names.map(|n| n.0).collect();
    matrices.insert(EMBEDDING.into());
    let (mut entries, mut values) = (Vec::new(), Vec::new());
    for info in ctx.gguf.tensors() {
        if !matrices.contains(&info.name) {
            let tensor = ctx.gguf.tensor_of(&info.name, 1, info.cols)?;
            entries.push(HostEntry {
                name: info.name.clone(),
                first: values.len(),
                len: info.cols,
            });
            values.extend(tensor.dequantize()?);
        }
    }
    Ok((entries, values))
}

fn source_bytes(ctx: &Context<'_>, keys: &[SiteKey]) -> Result<u64, PackError> {
    let mut total = 0;
    for key in keys {
        for (name, _) in key.site.tensors(ctx.config, key.layer) {
            total += ctx.gguf.tensor(&name)?.bytes.len() as u64;
        }
    }
    Ok(total)
}
