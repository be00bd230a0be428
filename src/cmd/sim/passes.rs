//! `weft sim passes`: the simulator's steps from Verilog to machine code, on one screen.

use serde::Serialize;
use weft_sim::passes::PASSES;

use crate::ui::outln;

/// List the simulator's steps from Verilog to machine code, in order.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  weft sim passes\n  weft sim verilog fifo.v --top fifo --dump-after fold"
)]
pub(crate) struct Args {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Line {
    name: &'static str,
    covers: &'static str,
    description: &'static str,
}

/// Runs the verb.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let lines = PASSES.iter().map(|p| Line {
        name: p.name,
        covers: p.covers,
        description: p.description,
    });
    if args.json {
        let lines: Vec<Line> = lines.collect();
        outln!("{}", serde_json::to_string_pretty(&lines)?);
        return Ok(());
    }
    outln!("{:<10} {:<38} what it does", "pass", "textbook steps");
    for l in lines {
        outln!("{:<10} {:<38} {}", l.name, l.covers, l.description);
    }
    Ok(())
}
