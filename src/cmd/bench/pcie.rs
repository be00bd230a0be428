//! `weft bench pcie`: how much of a PCI Express link the simulated card uses.

use std::collections::BTreeMap;

use serde::Serialize;
use weft_hdl::{CardConfig, CoreConfig};
use weft_models::CardProgram;
use weft_models::throughput::{
    CYCLES_PER_MICROSECOND, Case, Direction, PAYLOADS, READ_REQUEST, measure,
};

use crate::cmd::verilog::parse_config;
use crate::exit::{self, OrExit, fail};
use crate::ui::{self, Cancel, outln};

/// Measure how much of a Gen2 x1 link the card uses, in simulation.
///
/// The card's RTL streams columns in, then sums out, against a root complex that keeps to the rate of the link: 4 bytes
/// in each cycle of 125 MHz, headers, framing, acknowledgements, credits and skip sets included. The ceiling is what
/// these leave for data. Latency is that of the root complex: from a read to its answer, from a write to its credits'
/// return.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  weft bench pcie\n  weft bench pcie --json --cycles 200000")]
pub(crate) struct Args {
    /// Core configuration: banks x batch
    #[arg(long, value_name = "NAME", value_parser = parse_config, default_value = "8x1")]
    config: CoreConfig,
    /// Cycles of a case
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(10_000..=10_000_000))]
    cycles: u32,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report {
    /// Everything here is simulated.
    kind: &'static str,
    link: &'static str,
    core: String,
    cycles: u32,
    read_request_bytes: usize,
    /// By direction, payload and latency: `read_64B_0.5us`.
    cases: BTreeMap<String, Row>,
}

#[derive(Serialize)]
struct Row {
    direction: &'static str,
    payload_bytes: usize,
    latency_us: f64,
    payload_bytes_per_cycle: f64,
    ceiling: f64,
    ratio: f64,
}

const LINK: &str = "Gen2 x1, 4 bytes a cycle of 125 MHz";

/// Latencies in halves of a microsecond.
const HALF_MICROSECONDS: [u64; 4] = [1, 2, 4, 8];

/// Runs the verb.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let cancel = Cancel::install()?;
    let bar = ui::spinner("compiling the card");
    let program = CardProgram::new(CardConfig::new(args.config)).or_exit(exit::DEVICE)?;
    let mut rows = Vec::new();
    for (direction, name) in [(Direction::Read, "read"), (Direction::Write, "write")] {
        for payload in PAYLOADS {
            for halves in HALF_MICROSECONDS {
                cancel.check()?;
                let latency_us = halves as f64 / 2.0;
                bar.set_message(format!("{name}s of {payload} bytes, {latency_us} us"));
                let case = Case {
                    direction,
                    payload,
                    latency: halves * CYCLES_PER_MICROSECOND / 2,
                };
                let found = measure(&program, case, args.cycles.into()).or_exit(exit::DEVICE)?;
                rows.push(Row {
                    direction: name,
                    payload_bytes: payload,
                    latency_us,
                    payload_bytes_per_cycle: found.payload_bytes_per_cycle,
                    ceiling: found.ceiling,
                    ratio: found.ratio,
                });
            }
        }
    }
    bar.finish_and_clear();
    if !args.json {
        return show(args.config, &rows);
    }
    let named = |r: Row| {
        let name = format!("{}_{}B_{}us", r.direction, r.payload_bytes, r.latency_us);
        (name, r)
    };
    let report = Report {
        kind: "simulated",
        link: LINK,
        core: args.config.to_string(),
        cycles: args.cycles,
        read_request_bytes: READ_REQUEST,
        cases: rows.into_iter().map(named).collect(),
    };
    outln!("{}", serde_json::to_string_pretty(&report)?);
    Ok(())
}

/// The table, and an error if a case is below what is promised.
fn show(core: CoreConfig, rows: &[Row]) -> anyhow::Result<()> {
    outln!("simulated: core {core}, {LINK}");
    outln!("        payload  latency  bytes a cycle  ceiling  ratio");
    for row in rows {
        outln!(
            "{:<6} {:>6} B {:>5} us {:>14.3} {:>8.3} {:>6.3}",
            row.direction,
            row.payload_bytes,
            row.latency_us,
            row.payload_bytes_per_cycle,
            row.ceiling,
            row.ratio
        );
    }
    let worst = rows.iter().map(|r| r.ratio).fold(1.0, f64::min);
    if worst < 0.95 {
        let text = format!("a case uses only {worst:.3} of what the link allows; 0.95 is promised");
        return Err(fail(exit::DEVICE, text));
    }
    Ok(())
}
