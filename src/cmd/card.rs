//! `weft card`: a virtual card on a vfio-user socket.

use std::path::PathBuf;

use weft_hdl::CoreConfig;
use weft_models::vfio_user::{Event, ServeError, Server};
use weft_models::{BehaviouralCard, Card, behaviour};

use crate::cmd::verilog::parse_config;
use crate::exit::{self, fail};
use crate::ui::{self, Cancel, outln};

const EXAMPLES: &str = "\
Examples:
  weft card --socket card.sock
  weft run model.weft --prompt Hello -n 8 --device vfio-user:card.sock        (in another terminal)
  weft card --socket card.sock --config 8x16 --json

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
    /// What the card is made of: its behaviour
    #[arg(long, default_value = "behaviour", value_parser = ["behaviour"])]
    model: String,
    /// Log2 of the bytes of the window, BAR2
    #[arg(long, value_name = "BITS", default_value_t = behaviour::DEFAULT_WINDOW_LOG2,
        value_parser = clap::value_parser!(u8).range(window_range()))]
    window: u8,
    /// Print what was served as JSON at the end, and nothing before
    #[arg(long)]
    json: bool,
}

fn window_range() -> std::ops::RangeInclusive<i64> {
    (*behaviour::WINDOW_LOG2.start()).into()..=(*behaviour::WINDOW_LOG2.end()).into()
}

/// Runs the verb.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let cancel = Cancel::install()?;
    let mut card: Box<dyn Card> = Box::new(BehaviouralCard::new(args.config, args.window));
    let server = Server::bind(&args.socket).map_err(coded)?;
    if !args.json {
        ui::note(format!(
            "card {} ({}) at {}; Ctrl-C ends it",
            args.config,
            args.model,
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
        .serve(&mut *card, cancel.flag(), &mut watch)
        .map_err(coded)?;
    drop(server);
    if args.json {
        outln!("{}", serde_json::to_string_pretty(&statistics)?);
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
