//! `weft run`: a packed model writes text.

use std::io::Read;
use std::path::PathBuf;

use weft_host::model::Sampling;
use weft_host::tokenizer::Message;

use crate::devices::DeviceArgs;
use crate::exit::{self, OrExit, fail};
use crate::loaded::{self, Loaded};
use crate::ui::{Cancel, outln};
use crate::writing::{self, Plan};

/// Let a packed model write text.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  weft run model.weft --prompt 'Once upon a time' -n 64\n  weft run model.weft --chat --prompt 'What is an FPGA?' --temperature 0.7 --seed 1\n  weft run model.weft --prompt Hello -n 2 --device sim --json"
)]
pub(crate) struct Args {
    /// The packed model
    model: PathBuf,
    #[command(flatten)]
    prompt: Prompt,
    /// Most tokens to write
    #[arg(short = 'n', long = "tokens", value_name = "N", default_value_t = 128)]
    tokens: usize,
    #[command(flatten)]
    device: DeviceArgs,
    /// 0 is greedy
    #[arg(long, value_name = "T", default_value_t = 0.0)]
    temperature: f32,
    /// Choose among the K likeliest tokens; 0 takes all
    #[arg(long, value_name = "K", default_value_t = 40)]
    top_k: usize,
    /// Choose among the likeliest tokens that together have this probability
    #[arg(long, value_name = "P", default_value_t = 0.95)]
    top_p: f32,
    /// Seed of the choice
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,
    /// Go on after the model's own end
    #[arg(long)]
    ignore_stop: bool,
    /// Print JSON at the end and no text before
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args)]
struct Prompt {
    /// The prompt
    #[arg(long, value_name = "TEXT", conflicts_with = "prompt_file")]
    prompt: Option<String>,
    /// A file with the prompt, UTF-8; - is standard input
    #[arg(long, value_name = "FILE")]
    prompt_file: Option<PathBuf>,
    /// Put the prompt into the model's own chat template
    #[arg(long)]
    chat: bool,
}

/// Runs the verb.
pub(crate) fn run(args: Args) -> anyhow::Result<()> {
    let cancel = Cancel::install()?;
    let model = loaded::open(&args.model)?;
    let prompt = args.prompt.tokens(&model)?;
    let mut on = args.device.build(&model, &cancel)?;
    let plan = Plan {
        max_tokens: args.tokens,
        sampling: Sampling {
            temperature: args.temperature,
            top_k: args.top_k,
            top_p: args.top_p,
            seed: args.seed,
        },
        ignore_stop: args.ignore_stop,
        stream: !args.json,
    };
    let report = writing::write(&model, None, &mut on, &prompt, &plan, &cancel)?;
    if args.json {
        outln!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        report.print_summary();
    }
    cancel.check()
}

impl Prompt {
    fn text(&self) -> anyhow::Result<String> {
        match (&self.prompt, &self.prompt_file) {
            (Some(text), _) => Ok(text.clone()),
            (None, Some(path)) if path.as_os_str() == "-" => {
                let mut text = String::new();
                std::io::stdin()
                    .read_to_string(&mut text)
                    .or_exit(exit::INPUT)?;
                Ok(text)
            }
            (None, Some(path)) => loaded::read_text(path),
            (None, None) => Err(fail(
                exit::USAGE,
                "no prompt: give --prompt TEXT or --prompt-file FILE",
            )),
        }
    }

    fn tokens(&self, model: &Loaded) -> anyhow::Result<Vec<u32>> {
        let text = self.text()?;
        if text.is_empty() {
            return Err(fail(
                exit::USAGE,
                "the prompt is empty: give --prompt at least one character",
            ));
        }
        if self.chat {
            chat_tokens(model, &text)
        } else {
            Ok(model
                .tokenizer
                .encode_prompt(&text, false)
                .or_exit(exit::INPUT)?)
        }
    }
}

/// The tokens of a question in the model's own chat template.
pub(crate) fn chat_tokens(model: &Loaded, question: &str) -> anyhow::Result<Vec<u32>> {
    let messages = [Message {
        role: "user".into(),
        content: question.into(),
    }];
    let text = model
        .tokenizer
        .render_chat(&messages, true)
        .or_exit(exit::INPUT)?;
    model
        .tokenizer
        .encode_prompt(&text, true)
        .or_exit(exit::INPUT)
}
