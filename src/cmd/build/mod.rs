//! `weft build`: from Rust to a bitstream with open tools.

mod all;
mod job;
mod largest;
mod show;
mod verify;

use std::path::PathBuf;

use weft_boards::Catalog;
use weft_boards::plan::Design;

use super::tools::Place;
use crate::exit::{self, OrExit, fail};
use crate::ui;
use crate::ui::outln;
use job::Job;

/// Build a board's bitstream: synthesise, place, route and pack, and say what clock and size it reaches.
///
/// An image appears only when every clock is met, and with a passport that says how it was made. Exit code 1 when
/// timing is missed or the design does not fit.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  weft build --board ulx3s-85f --plan\n  weft build --board icebreaker --seeds 4 --report html\n  weft build --board ulx3s-85f --core-only --core 8x1 --json | jq .clocks\n  weft build --all\n  weft build --board tang-nano-9k --verify"
)]
pub(crate) struct Args {
    /// The board (see `weft boards`)
    #[arg(long, value_name = "NAME", required_unless_present = "all")]
    board: Option<String>,
    /// Every board that the tools serve, one after the other; says first how long that takes
    #[arg(long, conflicts_with_all = ["board", "core", "mhz", "out", "verify"])]
    all: bool,
    /// Print files and commands; nothing is run, no tool is needed
    #[arg(long)]
    plan: bool,
    /// Build the bare core behind registers, to learn its clock and size
    #[arg(long)]
    core_only: bool,
    /// Build a single multiplier between registers, to learn the most that the part allows
    #[arg(long, conflicts_with_all = ["core_only", "core"])]
    multiplier_only: bool,
    /// Core configuration, as in `8x16` [default: the board's]
    #[arg(long, value_name = "NAME")]
    core: Option<String>,
    /// Clock to reach, MHz [default: the board's]
    #[arg(long, value_name = "MHZ", value_parser = clock)]
    mhz: Option<f64>,
    /// First seed of placement
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u32,
    /// How many seeds to try, as many at a time as there are processors; the fastest is kept
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    seeds: u32,
    /// Write report.html: figures, resources, floorplan, slack of every end point
    #[arg(long, value_name = "FORM")]
    report: Option<ReportForm>,
    /// Keep the image, compressed, with its passport in this folder, as DIR/BOARD/DESIGN
    #[arg(long, value_name = "DIR", num_args = 0..=1, default_missing_value = job::STORE)]
    keep: Option<PathBuf>,
    /// Build the image of a passport in bitstreams/ again, and compare
    #[arg(long, conflicts_with_all = ["core", "mhz", "seed", "seeds", "keep", "plan"])]
    verify: bool,
    /// Do not look for the largest core that fits when this one does not
    #[arg(long)]
    no_search: bool,
    /// Folder of the build [default: target/boards/BOARD/DESIGN]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

/// Forms of a report.
#[derive(clap::ValueEnum, Clone, Copy, PartialEq, Eq)]
enum ReportForm {
    /// One page that needs nothing else.
    Html,
}

fn clock(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(mhz) if (1.0..=1000.0).contains(&mhz) => Ok(mhz),
        _ => Err("a clock is 1 to 1000 MHz".into()),
    }
}

impl Args {
    fn design(&self) -> Design {
        match (self.core_only, self.multiplier_only) {
            (true, _) => Design::CoreOnly,
            (_, true) => Design::MultiplierOnly,
            _ => Design::Top,
        }
    }
}

/// Runs the verb.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let catalog = Catalog::embedded()?;
    let Some(board) = &args.board else {
        return all::run(args, &catalog);
    };
    let target = catalog.target(board).or_exit(exit::USAGE)?;
    if args.verify {
        return verify::run(args, &target);
    }
    let config = job::core_of(args.core.as_deref(), &target)?;
    let job = Job::new(args, target, config)?;
    if args.plan {
        if args.json {
            outln!("{}", serde_json::to_string_pretty(&job.plan)?);
        } else {
            print!("{}", job.plan.text());
        }
        return Ok(());
    }
    let sources = job.sources()?;
    let programs = job.programs(&args.place)?;
    let cancel = ui::Cancel::install()?;
    let built = match job.build(&programs, &sources, cancel.flag()) {
        Ok(built) => built,
        Err(error) => return Err(largest::explain(args, &job, &programs, &cancel, error)),
    };
    let made = job.passport(&programs, &sources, &built)?;
    if args.report == Some(ReportForm::Html) {
        job.page(&programs, &built)?;
    }
    if let (Some(store), Some(made)) = (&args.keep, &made) {
        job.keep(made, &store.join(&job.plan.board))?;
    }
    show::show(args, &job, &programs, &built, made.as_ref())?;
    if built.timing_met {
        return Ok(());
    }
    Err(fail(
        exit::FAILURE,
        format!(
            "timing is not met at {} MHz, so no image was made; try more --seeds, or another --mhz",
            job.plan.target_mhz
        ),
    ))
}
