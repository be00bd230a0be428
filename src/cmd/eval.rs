//! `weft eval`: the perplexity of a packed model on a text.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::json;
use weft_host::model::eval::{Score, Windows, perplexity};
use weft_host::model::{Model, Projections, Session};
use weft_host::tokenizer::Tokenizer;

use crate::devices::DeviceArgs;
use crate::exit::{self, OrExit, fail};
use crate::loaded;
use crate::ui::{self, Cancel, outln};

/// Tokens of a window unless the user says otherwise: 512, or what fits the model behind a beginning token.
pub(crate) fn default_window(model: &Model) -> usize {
    512.min(model.config().context - 1)
}

/// Print the perplexity of a packed model on a text; lower is better.
///
/// The text is cut into windows that are scored on their own; every token but a window's first counts.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  weft eval model.weft --text book.txt\n  weft eval model.weft --text book.txt --window 1024 --tokens 8192 --json"
)]
pub(crate) struct Args {
    /// The packed model
    model: PathBuf,
    /// UTF-8 text
    #[arg(long, value_name = "FILE")]
    text: PathBuf,
    /// Tokens of a window [default: 512, or the model's context where that is shorter]
    #[arg(long, value_name = "N", value_parser = parse_window)]
    window: Option<usize>,
    /// Tokens of the text to use [default: all]
    #[arg(long, value_name = "N", default_value_t = usize::MAX, hide_default_value = true)]
    tokens: usize,
    #[command(flatten)]
    device: DeviceArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

fn parse_window(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(n) if n >= 2 => Ok(n),
        _ => Err("a window has at least 2 tokens".into()),
    }
}

/// Runs the verb.
pub(crate) fn run(args: Args) -> anyhow::Result<()> {
    let cancel = Cancel::install()?;
    let model = loaded::open(&args.model)?;
    let text = loaded::read_text(&args.text)?;
    let tokens = tokens(&model.tokenizer, &text, args.tokens, &args.text)?;
    let window = args.window.unwrap_or_else(|| default_window(&model.model));
    let mut on = args.device.build(&model, &cancel)?;
    let scored = score(
        "scoring",
        &model.model,
        &mut on.products,
        &model.tokenizer,
        &tokens,
        window,
        &cancel,
    )?;
    if args.json {
        outln!(
            "{}",
            serde_json::to_string_pretty(&json!({
                "perplexity": scored.perplexity(),
                "tokens": scored.tokens,
                "window": window,
                "device": on.name,
                "model": args.model,
                "text": args.text,
            }))?
        );
    } else {
        outln!(
            "perplexity {:.4} over {} tokens in windows of {}",
            scored.perplexity(),
            scored.tokens,
            window
        );
    }
    Ok(())
}

/// The first `limit` tokens of `text`, which came from `path`.
pub(crate) fn tokens(
    tokenizer: &Tokenizer,
    text: &str,
    limit: usize,
    path: &Path,
) -> anyhow::Result<Vec<u32>> {
    let mut tokens = tokenizer.encode(text, false).or_exit(exit::INPUT)?;
    tokens.truncate(limit);
    if tokens.len() < 2 {
        return Err(fail(
            exit::INPUT,
            format!("{} has no text to score", path.display()),
        ));
    }
    Ok(tokens)
}

/// Scores `tokens` in windows of `window` (shorter for a shorter text) with a progress bar; Ctrl-C ends it with an error.
pub(crate) fn score(
    what: &str,
    model: &Arc<Model>,
    products: &mut dyn Projections,
    tokenizer: &Tokenizer,
    tokens: &[u32],
    window: usize,
    cancel: &Cancel,
) -> anyhow::Result<Score> {
    let bos = if tokenizer.adds_bos() {
        tokenizer.bos()
    } else {
        None
    };
    let windows = Windows {
        tokens: window.min(tokens.len()),
        batch: PREFILL,
        bos,
    };
    let mut session = Session::new(model.clone(), windows.tokens + 1);
    let bar = ui::step_bar(tokens.len() as u64, what);
    let scored = perplexity(&mut session, products, tokens, windows, |so_far, total| {
        bar.set_length(total as u64);
        bar.set_position(so_far.tokens as u64);
        bar.set_message(format!("{what}: perplexity {:.3}", so_far.perplexity()));
        !cancel.is_set()
    });
    bar.finish_and_clear();
    cancel.check()?;
    scored.or_exit(exit::DEVICE)
}

/// Tokens that are run together; devices with fewer lanes cut them up.
const PREFILL: usize = 64;
