//! `weft card`: a virtual card on a vfio-user socket.

use std::path::PathBuf;

use serde::Serialize;
use weft_hdl::CoreConfig;
use weft_hdl::pcie::CardConfig;
use weft_models::vfio_user::{Event, ServeError, Server, Statistics};
use weft_models::{BehaviouralCard, Card, CardProgram, RootConfig, RtlCard, behaviour};

use crate::cmd::verilog::parse_config;
use crate::exit::{self, OrExit, fail};
use crate::ui::{self, Cancel, outln};

const EXAMPLES: &str = "\
Examples:
  weft card --socket card.sock
  weft run model.weft --prompt Hello -n 8 --device vfio-user:card.sock        (in another terminal)
  weft card --socket card.sock --config 8x16 --json
  weft card --socket card.sock --model rtl

QEMU 10.1 and later shows it to a guest: -device '{\"driver\":\"vfio-user-pci\",\"socket\":{\"type\":\"unix\",\"path\":
\"card.sock\"}}', with the guest's memory shared (memory-backend-memfd,share=on). Clients come one after another and
each finds the card as after power-on. Ctrl-C ends it and removes the socket.";

/// Serve a virtual card over vfio-user: to a driver here, or to QEMU.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The Unix socket; one that a dead server left behind is replaced
    #[arg(long, value_name = "PATH")]
    socket: PathBuf,
    /// Core configuration: banks x batch
    #[arg(long, value_name = "NAME", default_value = "8x1", value_parser = parse_config)]
    config: CoreConfig,
    /// What the card is made of: its behaviour, or its register-transfer logic in the simulator, cycle by cycle
    #[arg(long, value_enum, default_value_t = Model::Behaviour)]
    model: Model,
    /// Log2 of the bytes of the window, BAR2; the logic has at most 24
    #[arg(long, value_name = "BITS", default_value_t = behaviour::DEFAULT_WINDOW_LOG2,
        value_parser = clap::value_parser!(u8).range(window_range()))]
    window: u8,
    /// Print what was served as JSON at the end, and nothing before
    #[arg(long)]
    json: bool,
}

/// What a card is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Model {
    /// What the contract says, without the wires
    Behaviour,
    /// The Verilog that is synthesised, behind a model of the root complex
    Rtl,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Report {
    #[serde(flatten)]
    served: Statistics,
    /// Cycles of the simulated logic.
    #[serde(skip_serializing_if = "Option::is_none")]
    cycles: Option<u64>,
}

fn window_range() -> std::ops::RangeInclusive<i64> {
    (*behaviour::WINDOW_LOG2.start()).into()..=(*behaviour::WINDOW_LOG2.end()).into()
}

/// Runs the verb.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let cancel = Cancel::install()?;
    let mut behaviour;
    let mut logic = None;
    let card: &mut dyn Card = match args.model {
        Model::Behaviour => {
            behaviour = BehaviouralCard::new(args.config, args.window);
            &mut behaviour
        }
        Model::Rtl => {
            let config = CardConfig {
                core: args.config,
                log2_window: args.window.into(),
            };
            config.check().or_exit(exit::USAGE)?;
            let program = CardProgram::new(config).or_exit(exit::DEVICE)?;
            let card = RtlCard::new(&program, RootConfig::default()).or_exit(exit::DEVICE)?;
            logic.insert(card)
        }
    };
    // The socket is there when the card is.
    let server = Server::bind(&args.socket).map_err(coded)?;
    if !args.json {
        ui::note(format!(
            "card {} at {}; Ctrl-C ends it",
            args.config,
            args.socket.display()
        ));
    }
    let mut watch = |event: Event| {
        if args.json {
            return;
        }
        match event {
            Event::Connected => ui::note("a client came"),
            Event::Left { reason } => ui::note(format!("the client left: {reason}")),
            Event::Blocked {
                address,
                bytes,
                write,
            } => {
                let what = if write { "write" } else { "read" };
                ui::note(format!("blocked: {what} of {bytes} bytes at {address:#x}"));
            }
            _ => {}
        }
    };
    let statistics = server
        .serve(card, cancel.flag(), &mut watch)
        .map_err(coded)?;
    drop(server);
    if args.json {
        let report = Report {
            served: statistics,
            cycles: logic.map(|card| card.cycles()),
        };
        outln!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        ui::note(format!(
            "{} clients, {} bytes read, {} written, {} interrupts, {} accesses blocked",
            statistics.clients,
            statistics.bytes_read,
            statistics.bytes_written,
            statistics.interrupts,
            statistics.blocked
        ));
    }
    Ok(())
}

fn coded(error: ServeError) -> anyhow::Error {
    let code = match error {
        ServeError::InUse { .. } | ServeError::NotASocket { .. } => exit::USAGE,
        _ => exit::OUTPUT,
    };
    fail(code, error.to_string())
}
