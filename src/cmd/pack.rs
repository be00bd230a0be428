//! `weft pack`: a model file becomes a `.weft`.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use serde_json::json;
use weft_host::container::Source;
use weft_host::device::{Cpu, PackedModel};
use weft_host::gguf::Gguf;
use weft_host::model::{HostTensors, Model, ModelConfig, Projections, Reference};
use weft_host::pack::{
    self, Calibration, Input, Method, Options, Prune, Recorder, Report, Skip, Weights,
};
use weft_host::tokenizer::Tokenizer;

use super::eval;
use crate::exit::{self, OrExit, fail};
use crate::ui::{Cancel, outln};
use crate::{loaded, ui};

/// Pack a GGUF file into a .weft, ready for the link.
///
/// Four-bit weights keep the file's own codes. Masks and thresholds are calibrated on a text: what is skipped
/// costs quality, and --report says how much.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  weft pack model.gguf -o model.weft\n  weft pack model.gguf -o model.weft --skip 0.4 --calibrate book.txt --report --text other.txt\n  weft pack model.gguf -o model.weft --prune wanda --density 0.5 --calibrate book.txt"
)]
pub(crate) struct Args {
    /// The GGUF file
    model: PathBuf,
    /// The file to write
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// g4 keeps the file's 4-bit codes, i8 makes every weight a signed byte
    #[arg(long, default_value = "g4", value_parser = ["g4", "i8"])]
    weights: String,
    /// Remove weights: by magnitude, or by magnitude times the norm of their input
    #[arg(long, value_parser = ["wanda", "magnitude"], requires = "density")]
    prune: Option<String>,
    /// Share of the weights that survive pruning
    #[arg(long, value_name = "D", requires = "prune")]
    density: Option<f32>,
    /// Share of the activations to skip: 0.4 (spread unevenly), or attn_in=0.4,attn_out=0.6,ffn_in=0.25,ffn_down=0.6
    #[arg(long, value_name = "FRACTION", value_parser = |s: &str| s.parse::<Skip>().map_err(|e| e.to_string()))]
    skip: Option<Skip>,
    /// Text on which masks and thresholds are calibrated
    #[arg(long, value_name = "FILE")]
    calibrate: Option<PathBuf>,
    /// Tokens of the calibration text to use
    #[arg(long, value_name = "N", default_value_t = 4096)]
    calibrate_tokens: usize,
    /// Most rows of a tile: banks x depth of the smallest core it shall run on
    #[arg(long, value_name = "R", default_value_t = 4096)]
    tile_rows: usize,
    /// Banks that masked columns are laid out for
    #[arg(long, value_name = "B", default_value_t = 8)]
    banks: usize,
    /// Print what the choices cost; with --text also in perplexity
    #[arg(long)]
    report: bool,
    /// Text for the report's perplexity
    #[arg(long, value_name = "FILE", requires = "report")]
    text: Option<PathBuf>,
    /// Tokens of that text to use
    #[arg(long, value_name = "N", default_value_t = 4096)]
    text_tokens: usize,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs the verb.
pub(crate) fn run(args: Args) -> anyhow::Result<()> {
    let options = options(&args)?;
    let source = Unpacked::open(&args.model)?;
    let cancel = Cancel::install()?;
    let calibration = calibrate(&args, &options, &source, &cancel)?;
    let report = source.pack(&options, calibration.as_ref(), &args.output)?;
    let perplexity = match &args.text {
        Some(text) => Some(quality(&args, &source, text, &cancel)?),
        None => None,
    };
    show(&args, &report, perplexity)
}

fn options(args: &Args) -> anyhow::Result<Options> {
    let prune = match (args.prune.as_deref(), args.density) {
        (Some(method), Some(density)) => Some(Prune {
            method: if method == "wanda" {
                Method::Wanda
            } else {
                Method::Magnitude
            },
            density,
        }),
        _ => None,
    };
    let options = Options {
        weights: if args.weights == "i8" {
            Weights::I8
        } else {
            Weights::G4
        },
        tile_rows: args.tile_rows,
        banks: args.banks,
        prune,
        skip: args.skip.clone().unwrap_or_default(),
        ..Options::default()
    };
    options.validate().or_exit(exit::USAGE)?;
    Ok(options)
}

/// A model file with everything that packing reads of it.
pub(crate) struct Unpacked {
    gguf: Arc<Gguf>,
    config: ModelConfig,
    source: Source,
    tokenizer: Tokenizer,
}

impl Unpacked {
    /// Opens the GGUF file at `path`.
    pub(crate) fn open(path: &std::path::Path) -> anyhow::Result<Self> {
        let read = || -> anyhow::Result<Self> {
            let gguf = Arc::new(Gguf::open(path)?);
            Ok(Self {
                config: ModelConfig::from_gguf(&gguf)?,
                source: Source::of(path)?,
                tokenizer: Tokenizer::from_gguf(&gguf)?,
                gguf,
            })
        };
        read()
            .with_context(|| format!("cannot pack {}", path.display()))
            .or_exit(exit::INPUT)
    }

    /// Packs it into the file `output`, with a progress bar.
    pub(crate) fn pack(
        &self,
        options: &Options,
        calibration: Option<&Calibration>,
        output: &std::path::Path,
    ) -> anyhow::Result<Report> {
        let input = Input {
            gguf: &self.gguf,
            config: &self.config,
            source: self.source.clone(),
            tokenizer: &self.tokenizer.to_json()?,
        };
        let bar = ui::byte_bar(0, "packing");
        let report = pack::pack(&input, options, calibration, output, &mut |p| {
            bar.set_length(p.total);
            bar.set_position(p.done);
        });
        bar.finish_and_clear();
        let report = report.with_context(|| format!("cannot pack into {}", output.display()));
        // What is not the disk's fault is the model's.
        let disk = matches!(&report, Err(e) if e.chain().any(|c| c.is::<std::io::Error>()));
        report.or_exit(if disk { exit::OUTPUT } else { exit::INPUT })
    }

    /// The model as the file has it, computed in f32.
    fn reference(&self) -> anyhow::Result<(Arc<Model>, Reference)> {
        let host = HostTensors::from_gguf(&self.gguf, &self.config)?;
        let model = Arc::new(Model::new(self.config.clone(), host)?);
        Ok((model, Reference::new(self.gguf.clone(), &self.config)?))
    }
}

fn calibrate(
    args: &Args,
    options: &Options,
    source: &Unpacked,
    cancel: &Cancel,
) -> anyhow::Result<Option<Calibration>> {
    let needed = options.skip.any() || options.prune.is_some_and(|p| p.method == Method::Wanda);
    if !needed {
        return Ok(None);
    }
    let Some(path) = &args.calibrate else {
        return Err(fail(
            exit::USAGE,
            "--skip and --prune wanda are calibrated on a text: name one with --calibrate FILE",
        ));
    };
    let text = loaded::read_text(path)?;
    let (model, reference) = source.reference().or_exit(exit::INPUT)?;
    let mut recorder = Recorder::new(reference, options.dense_positions);
    let tokens = eval::tokens(&source.tokenizer, &text, args.calibrate_tokens, path)?;
    eval::score(
        "calibrating",
        &model,
        &mut recorder,
        &source.tokenizer,
        &tokens,
        eval::default_window(&model),
        cancel,
    )?;
    Ok(Some(recorder.into_calibration()))
}

/// Perplexity of the model as it was, packed, and packed with skipping, on one text.
fn quality(
    args: &Args,
    source: &Unpacked,
    text: &std::path::Path,
    cancel: &Cancel,
) -> anyhow::Result<serde_json::Value> {
    let tokens = eval::tokens(
        &source.tokenizer,
        &loaded::read_text(text)?,
        args.text_tokens,
        text,
    )?;
    let (model, mut reference) = source.reference().or_exit(exit::INPUT)?;
    let score = |what: &str, p: &mut dyn Projections| -> anyhow::Result<f64> {
        Ok(eval::score(
            what,
            &model,
            p,
            &source.tokenizer,
            &tokens,
            eval::default_window(&model),
            cancel,
        )?
        .perplexity())
    };
    let unpacked = score("unpacked", &mut reference)?;
    drop(reference);
    let packed = loaded::open(&args.output)?;
    let device = Cpu::new(Cpu::default_core(), 0).or_exit(exit::DEVICE)?;
    let mut dense = PackedModel::new(packed.weft.clone(), device)
        .or_exit(exit::DEVICE)?
        .without_skipping();
    let weights = score("packed", &mut dense)?;
    let mut report = json!({
        "tokens": tokens.len(),
        "window": eval::default_window(&model),
        "unpacked": unpacked,
        "packed": weights,
        "packed_over_unpacked": weights / unpacked,
    });
    if args.skip.as_ref().is_some_and(Skip::any) {
        let device = Cpu::new(Cpu::default_core(), 0).or_exit(exit::DEVICE)?;
        let mut skipping = PackedModel::new(packed.weft, device).or_exit(exit::DEVICE)?;
        let skipped = score("skipping", &mut skipping)?;
        report["skipping"] = json!(skipped);
        report["skipping_over_unpacked"] = json!(skipped / unpacked);
    }
    Ok(report)
}

fn show(args: &Args, report: &Report, perplexity: Option<serde_json::Value>) -> anyhow::Result<()> {
    let summary = json!({
        "output": args.output,
        "file_bytes": report.file_bytes,
        "weights": report.weights(),
        "bits_per_weight": report.bits_per_weight(),
        "code_bits": report.code_bits(),
        "entropy_bits": report.entropy_bits(),
        "bytes_per_token": report.bytes_per_token(),
        "share_read": report.share_read(),
        "perplexity": perplexity,
        "notes": report.notes,
        "matrices": report.matrices,
    });
    if args.json {
        outln!("{}", serde_json::to_string_pretty(&summary)?);
        return Ok(());
    }
    outln!(
        "{}: {} bytes, {:.3} bits a weight, {} bytes a token",
        args.output.display(),
        report.file_bytes,
        report.bits_per_weight(),
        report.bytes_per_token()
    );
    for note in &report.notes {
        outln!("note: {note}");
    }
    if !args.report {
        return Ok(());
    }
    outln!(
        "\n{:24} {:5} {:>7} {:>6} {:>10} {:>8} {:>8} {:>8} {:>7}",
        "site",
        "kind",
        "rows",
        "cols",
        "bytes",
        "code b",
        "entropy",
        "error",
        "skipped"
    );
    for m in &report.matrices {
        outln!(
            "{:24} {:5} {:>7} {:>6} {:>10} {:>8.3} {:>8.3} {:>8.5} {:>7.3}",
            m.site,
            m.kind,
            m.rows,
            m.cols,
            m.bytes,
            m.code_bits,
            m.entropy_bits,
            m.relative_error,
            m.skipped
        );
    }
    outln!(
        "\ncodes: {:.3} bits on the wire, {:.3} bits of entropy; share of the weights read: {:.3}",
        report.code_bits(),
        report.entropy_bits(),
        report.share_read()
    );
    if let Some(p) = &summary["perplexity"].as_object() {
        outln!(
            "\nperplexity over {} tokens in windows of {}",
            p["tokens"],
            p["window"]
        );
        for key in ["unpacked", "packed", "skipping"] {
            if let Some(v) = p.get(key).and_then(serde_json::Value::as_f64) {
                outln!(
                    "  {key:10} {v:.3}  ({:+.2}%)",
                    100.0 * (v / p["unpacked"].as_f64().unwrap_or(v) - 1.0)
                );
            }
        }
    }
    Ok(())
}
