//! `weft selftest`: does a device do what its twin says?

mod checks;
mod tested;

use std::time::{Duration, Instant};

use serde::Serialize;
use weft_hdl::CoreConfig;

use self::checks::{Check, check};
use self::tested::{Counts, Tested};
use super::verilog::parse_config;
use crate::devices::{DeviceName, seconds};
use crate::exit::{self, fail};
use crate::ui::{Cancel, outln};

/// Test a device: registers, loop-back, random products against the twin, counters.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  weft selftest --device sim --config 8x2\n  weft selftest --device serial:/dev/ttyUSB0\n  weft selftest --device serial:/dev/pts/3 --json | jq '.checks[] | select(.passed | not)'"
)]
pub(crate) struct Args {
    /// cpu, sim, serial:PATH or serial:PATH@BAUD, pcie:ADDRESS or vfio-user:SOCKET
    #[arg(long, value_name = "DEVICE", value_parser = DeviceName::parse)]
    device: DeviceName,
    /// Core configuration of the sim device: banks x batch
    #[arg(long, value_name = "NAME", default_value = "8x1", value_parser = parse_config)]
    config: CoreConfig,
    /// Random products
    #[arg(long, value_name = "N", default_value_t = 16)]
    products: u64,
    /// Bytes of the loop-back
    #[arg(long, value_name = "N", default_value_t = 16_384)]
    loop_bytes: usize,
    /// Seed of everything random
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// With a board or card: longest silence, and longest time without progress, before an error
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    timeout: Duration,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Most bytes of a loop-back.
const MOST_LOOP_BYTES: usize = 64 << 20;

/// What `--json` prints.
#[derive(Serialize)]
struct Report {
    device: String,
    banks: usize,
    batch: usize,
    stream_bytes: usize,
    depth: usize,
    passed: bool,
    seconds: f64,
    checks: Vec<Check>,
    /// What this end of the link counted.
    link: Counts,
    /// What the board's end counted meanwhile.
    board_link: Counts,
}

/// Runs the verb.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    if args.loop_bytes > MOST_LOOP_BYTES {
        return Err(fail(
            exit::USAGE,
            format!("--loop-bytes is at most {MOST_LOOP_BYTES}"),
        ));
    }
    let cancel = Cancel::install()?;
    let start = Instant::now();
    let mut tested = Tested::open(args, &cancel)?;
    let info = tested.device().info().clone();
    let outcome = check(args, &mut tested, &info);
    cancel.check()?;
    let checks = outcome?;
    let (link, board_link) = tested.links()?;
    let report = Report {
        device: info.name,
        banks: info.banks,
        batch: info.batch,
        stream_bytes: info.stream_bytes,
        depth: info.depth,
        passed: checks.iter().all(|c| c.passed),
        seconds: start.elapsed().as_secs_f64(),
        checks,
        link,
        board_link,
    };
    if args.json {
        outln!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print(&report)?;
    }
    if report.passed {
        return Ok(());
    }
    let failed: Vec<_> = report.checks.iter().filter(|c| !c.passed).collect();
    let names: Vec<_> = failed.iter().map(|c| c.name).collect();
    Err(fail(
        exit::DEVICE,
        format!("{} failed: {}", report.device, names.join(", ")),
    ))
}

fn print(report: &Report) -> anyhow::Result<()> {
    outln!(
        "{}: {} banks, {} tokens, {} bytes a beat, {} accumulators a lane",
        report.device,
        report.banks,
        report.batch,
        report.stream_bytes,
        report.depth
    );
    for check in &report.checks {
        let verdict = if check.passed { "ok" } else { "FAILED" };
        outln!("{verdict:8} {:12} {}", check.name, check.detail);
    }
    for (end, counts) in [("host", &report.link), ("board", &report.board_link)] {
        if !counts.is_empty() {
            let counts: Vec<_> = counts.iter().map(|(n, v)| format!("{v} {n}")).collect();
            outln!("{end:8} {}", counts.join(", "));
        }
    }
    outln!("took {:.1} s", report.seconds);
    Ok(())
}
