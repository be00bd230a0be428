//! `weft info`: what a model file is.

use std::path::{Path, PathBuf};

use anyhow::Context;
use serde_json::json;
use weft_host::container::Weft;
use weft_host::gguf::Gguf;
use weft_host::model::ModelConfig;

use crate::exit::{self, OrExit};
use crate::ui::outln;

/// Say what a .gguf or .weft file holds.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  weft info model.weft --verify\n  weft info model.gguf --json")]
pub(crate) struct Args {
    /// A .gguf or .weft file
    file: PathBuf,
    /// Check every checksum of a .weft file
    #[arg(long)]
    verify: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs the verb.
pub(crate) fn run(args: Args) -> anyhow::Result<()> {
    let value = if is_gguf(&args.file)? {
        gguf(&args.file)?
    } else {
        weft(&args.file, args.verify)?
    };
    if args.json {
        outln!("{}", serde_json::to_string_pretty(&value)?);
    } else {
        print(&value, "")?;
    }
    Ok(())
}

/// Whether the file begins as a GGUF file does.
fn is_gguf(path: &Path) -> anyhow::Result<bool> {
    use std::io::Read;
    let mut start = Vec::new();
    std::fs::File::open(path)
        .and_then(|f| f.take(4).read_to_end(&mut start))
        .with_context(|| format!("cannot read {}", path.display()))
        .or_exit(exit::MISSING)?;
    Ok(start == b"GGUF")
}

fn gguf(path: &Path) -> anyhow::Result<serde_json::Value> {
    let gguf = Gguf::open(path)
        .with_context(|| format!("cannot use {}", path.display()))
        .or_exit(exit::INPUT)?;
    let mut formats = std::collections::BTreeMap::<String, u64>::new();
    for tensor in gguf.tensors() {
        *formats.entry(tensor.ty.to_string()).or_default() += 1;
    }
    let config = ModelConfig::from_gguf(&gguf).map(serde_json::to_value);
    Ok(json!({
        "format": format!("GGUF version {}", gguf.version()),
        "tensors": formats,
        "model": match config {
            Ok(config) => config?,
            Err(e) => json!({ "not_supported": e.to_string() }),
        },
    }))
}

fn weft(path: &Path, verify: bool) -> anyhow::Result<serde_json::Value> {
    let weft = Weft::open(path)
        .with_context(|| format!("cannot use {}", path.display()))
        .or_exit(exit::INPUT)?;
    if verify {
        weft.verify().or_exit(exit::INPUT)?;
    }
    let meta = weft.meta();
    let matrices = || {
        weft.sites()
            .iter()
            .flat_map(|s| s.matrices.iter().map(move |m| (s.cols, m)))
    };
    let weights: usize = matrices().map(|(cols, m)| m.rows * cols).sum();
    Ok(json!({
        "format": "weft",
        "file_bytes": weft.file_bytes(),
        "checksums": if verify { "all hold" } else { "header and index hold; --verify checks the weights" },
        "weights": weights,
        "weight_bytes": weft.weight_bytes(),
        "bits_per_weight": 8.0 * weft.weight_bytes() as f64 / weights as f64,
        "matrices": matrices().count(),
        "tiles": matrices().map(|(_, m)| m.tiles.len()).sum::<usize>(),
        "packed": meta.options,
        "source": meta.source,
        "model": meta.model,
    }))
}

/// A value as indented lines.
fn print(value: &serde_json::Value, indent: &str) -> anyhow::Result<()> {
    let Some(map) = value.as_object() else {
        return Ok(());
    };
    for (key, v) in map {
        match v {
            serde_json::Value::Object(inner) if !inner.is_empty() => {
                outln!("{indent}{key}");
                print(v, &format!("{indent}  "))?;
            }
            serde_json::Value::String(s) => outln!("{indent}{key:18} {s}"),
            _ => outln!("{indent}{key:18} {v}"),
        }
    }
    Ok(())
}
