//! `weft board-sim`: a board without a board, on a pseudo-terminal.

use std::fs::File;
use std::io::BufWriter;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::Context;
use serde::Serialize;
use weft_boards::Catalog;
use weft_hdl::CoreConfig;
use weft_models::board::{FaultCounts, FaultRates, Faults, Terminal, VirtualBoard, serve};
use weft_protocol::serial::CLOCKS_PER_BIT;

use super::verilog::parse_config;
use crate::design;
use crate::exit::{self, OrExit};
use crate::ui::{Cancel, note, outln};

/// Run a board's own design in the simulator, serial line included, behind a pseudo-terminal.
///
/// Prints the terminal that takes the place of the board's serial port, and serves it until Ctrl-C.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  weft board-sim --board ulx3s-85f --core 8x1 --clocks-per-bit 4\n  weft selftest --device serial:/dev/pts/3          (the terminal that it printed)\n  weft board-sim --board icebreaker --damage 1% --drop 1% --duplicate 1% --delay 1% --seed 7"
)]
pub(crate) struct Args {
    /// The board (see `weft boards`)
    #[arg(long, value_name = "NAME")]
    board: String,
    /// Core configuration, as in `8x1` [default: the board's, or 1x1]
    #[arg(long, value_name = "NAME", value_parser = parse_config)]
    core: Option<CoreConfig>,
    /// Clocks of one bit of the line; fewer are faster to simulate [default: the board's]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(CLOCKS_PER_BIT[0] as i64..=CLOCKS_PER_BIT[1] as i64))]
    clocks_per_bit: Option<u32>,
    /// Write a waveform of the board's pins
    #[arg(long, value_name = "FILE")]
    vcd: Option<PathBuf>,
    /// Share of frames damaged on the line, as in 1%
    #[arg(long, value_name = "SHARE", default_value = "0", value_parser = share)]
    damage: f64,
    /// Share of frames lost
    #[arg(long, value_name = "SHARE", default_value = "0", value_parser = share)]
    drop: f64,
    /// Share of frames that come twice
    #[arg(long, value_name = "SHARE", default_value = "0", value_parser = share)]
    duplicate: f64,
    /// Share of frames that come late
    #[arg(long, value_name = "SHARE", default_value = "0", value_parser = share)]
    delay: f64,
    /// Seed of what the line does
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Print JSON: one line at the start with the terminal, one at the end with what passed
    #[arg(long)]
    json: bool,
}

fn share(text: &str) -> Result<f64, String> {
    let value = match text.strip_suffix('%') {
        Some(percent) => percent.parse::<f64>().map(|p| p / 100.0),
        None => text.parse(),
    };
    match value {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err("a share is 0 to 1, or 0% to 100%".into()),
    }
}

/// The first line of `--json`.
#[derive(Serialize)]
struct Started<'a> {
    terminal: String,
    board: &'a str,
    core: String,
    clocks_per_bit: u32,
}

/// The last line of `--json`.
#[derive(Serialize)]
struct Ended {
    clocks: u64,
    clocks_per_second: f64,
    bytes_from_host: u64,
    bytes_to_host: u64,
    to_board: FaultCounts,
    from_board: FaultCounts,
}

/// Runs the verb.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let catalog = Catalog::embedded()?;
    let target = catalog.target(&args.board).or_exit(exit::USAGE)?;
    let core = match (args.core, target.variant.core) {
        (Some(core), _) => core,
        (None, Some(core)) => CoreConfig {
            banks: core.banks as usize,
            batch: core.batch as usize,
            stream_bytes: core.stream_bytes as usize,
            depth: core.depth as usize,
        },
        (None, None) => CoreConfig::named("1x1")?,
    };
    let mut config = design::complete(&target, core, target.core_mhz())?;
    if let Some(clocks) = args.clocks_per_bit {
        config.link.clocks_per_bit = clocks;
    }
    let cancel = Cancel::install()?;
    let mut terminal = Terminal::new().or_exit(exit::FAILURE)?;
    let mut board = VirtualBoard::new(&config).or_exit(exit::DEVICE)?;
    if let Some(path) = &args.vcd {
        let file = File::create(path)
            .with_context(|| format!("cannot write {}", path.display()))
            .or_exit(exit::OUTPUT)?;
        board.trace(BufWriter::new(file)).or_exit(exit::OUTPUT)?;
    }
    let rates = FaultRates {
        damage: args.damage,
        drop: args.drop,
        duplicate: args.duplicate,
        delay: args.delay,
    };
    let mut faults = Faults::new(rates, args.seed);
    let path = terminal.path().display().to_string();
    if args.json {
        let started = Started {
            terminal: path,
            board: &args.board,
            core: core.to_string(),
            clocks_per_bit: config.link.clocks_per_bit,
        };
        outln!("{}", serde_json::to_string(&started)?);
    } else {
        outln!("{path}");
        note(format!(
            "{} with core {core}, {} clocks a bit: use --device serial:{path}, end with Ctrl-C",
            args.board, config.link.clocks_per_bit
        ));
    }
    let (start, first) = (Instant::now(), board.clocks());
    let served =
        serve(&mut terminal, &mut board, &mut faults, cancel.flag()).or_exit(exit::DEVICE)?;
    board.finish_trace().or_exit(exit::OUTPUT)?;
    let [to_board, from_board] = faults.counts();
    let clocks = board.clocks() - first;
    let ended = Ended {
        clocks,
        clocks_per_second: clocks as f64 / start.elapsed().as_secs_f64(),
        bytes_from_host: served.from_host,
        bytes_to_host: served.to_host,
        to_board,
        from_board,
    };
    if args.json {
        outln!("{}", serde_json::to_string(&ended)?);
    } else {
        note(format!(
            "{:.1} M clocks, {} bytes from the host, {} to it",
            clocks as f64 / 1e6,
            served.from_host,
            served.to_host
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_fractions_or_percent() {
        assert_eq!(share("1%"), Ok(0.01));
        assert_eq!(share("0.25"), Ok(0.25));
        for wrong in ["101%", "-1", "x", "%", "nan"] {
            assert!(share(wrong).is_err(), "{wrong}");
        }
    }
}
