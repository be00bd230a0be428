//! `weft build`: from Rust to a bitstream with open tools.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::Serialize;
use weft_boards::board::Core;
use weft_boards::passport::{self, FORM, Image, Passport, ToolVersion};
use weft_boards::plan::{Design, Options, Phase, Plan};
use weft_boards::report::Report;
use weft_boards::run::{self, Outcome, RunError};
use weft_boards::tools::{Tool, Tools};
use weft_boards::{Catalog, Target};
use weft_hdl::CoreConfig;
use weft_protocol::registers::MAP_HASH;

use super::tools::Place;
use crate::exit::{self, OrExit, fail};
use crate::ui;
use crate::ui::outln;

/// Plan a board's build, or build the bare core for its part and say what clock and size it reaches.
///
/// The board's complete design, with the serial link, is not part of this version: --plan shows how it will be
/// built. --core-only synthesises, places, routes and packs the core behind registers, on the board's own pins.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  weft build --board ulx3s-85f --plan\n  weft build --board ulx3s-85f --core-only --core 8x1\n  weft build --board tang-nano-9k --core-only --json | jq .clocks"
)]
pub(crate) struct Args {
    /// The board (see `weft boards`)
    #[arg(long, value_name = "NAME")]
    board: String,
    /// Print files and commands; nothing is run, no tool is needed
    #[arg(long)]
    plan: bool,
    /// Build the bare core
    #[arg(long)]
    core_only: bool,
    /// Core configuration, as in `8x16` [default: the board's]
    #[arg(long, value_name = "NAME")]
    core: Option<String>,
    /// Clock to reach, MHz [default: the board's]
    #[arg(long, value_name = "MHZ", value_parser = clock)]
    mhz: Option<f64>,
    /// Seed of placement
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u32,
    /// Folder of the build [default: target/boards/BOARD/DESIGN]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

fn clock(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(mhz) if (1.0..=1000.0).contains(&mhz) => Ok(mhz),
        _ => Err("a clock is 1 to 1000 MHz".into()),
    }
}

/// What a build measured, as JSON.
#[derive(Serialize)]
struct Built<'a> {
    board: &'a str,
    part: &'a str,
    design: Design,
    core: Core,
    target_mhz: f64,
    seed: u32,
    timing_met: bool,
    #[serde(flatten)]
    report: &'a Report,
    seconds: Vec<(Phase, f64)>,
    tools: Vec<ToolVersion>,
    image: Option<PathBuf>,
    passport: Option<PathBuf>,
}

/// Runs the verb.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let catalog = Catalog::embedded()?;
    let target = catalog.target(&args.board).or_exit(exit::USAGE)?;
    let config = core_of(args, &target)?;
    let design = if args.core_only {
        Design::CoreOnly
    } else {
        Design::Top
    };
    let options = Options {
        design,
        stream_bytes: narrow(config.stream_bytes)?,
        target_mhz: args.mhz,
        seed: args.seed,
    };
    let plan = Plan::new(&target, &options);
    if args.plan {
        if args.json {
            outln!("{}", serde_json::to_string_pretty(&plan)?);
        } else {
            print!("{}", plan.text());
        }
        if design == Design::Top {
            ui::note("top.v is not part of this version; --core-only builds the bare core");
        }
        return Ok(());
    }
    if design == Design::Top {
        return Err(fail(
            exit::USAGE,
            "the complete design is not part of this version: --plan shows its build, --core-only builds the bare core",
        ));
    }
    let dir = args.out.clone().unwrap_or_else(|| {
        Path::new("target/boards")
            .join(&plan.board)
            .join(design.name())
    });
    build(args, &target, &config, &plan, &dir)
}

/// The core to build: named, or the board's, or the smallest where the board promises none.
fn core_of(args: &Args, target: &Target<'_>) -> anyhow::Result<CoreConfig> {
    if let Some(name) = &args.core {
        return CoreConfig::named(name).or_exit(exit::USAGE);
    }
    match target.variant.core {
        Some(core) => {
            let config = CoreConfig {
                banks: core.banks as usize,
                batch: core.batch as usize,
                stream_bytes: core.stream_bytes as usize,
                depth: core.depth as usize,
            };
            config.check()?;
            Ok(config)
        }
        None => {
            ui::note(format!(
                "no core is promised to fit {}; taking 1x1",
                target.variant.name
            ));
            Ok(CoreConfig::named("1x1")?)
        }
    }
}

fn narrow(value: usize) -> anyhow::Result<u32> {
    u32::try_from(value).context("a core parameter is absurdly large")
}

fn build(
    args: &Args,
    target: &Target<'_>,
    config: &CoreConfig,
    plan: &Plan,
    dir: &Path,
) -> anyhow::Result<()> {
    let tools = Tools::embedded()?;
    let found: Vec<Tool> = plan
        .steps
        .iter()
        .map(|step| {
            args.place
                .find(&tools, &step.program, step.oldest.as_deref())
        })
        .collect::<anyhow::Result<_>>()?;
    run::prepare(plan, dir).or_exit(exit::OUTPUT)?;
    let verilog = weft_hdl::generate_verilog(config)?;
    fs::write(dir.join("core.v"), &verilog)
        .with_context(|| format!("cannot write core.v in {}", dir.display()))
        .or_exit(exit::OUTPUT)?;
    let cancel = ui::Cancel::install()?;
    let mut seconds = Vec::new();
    let mut report = None;
    let mut slow = false;
    for (step, tool) in plan.steps.iter().zip(&found) {
        if slow {
            break;
        }
        let bar = ui::spinner(step.phase.name());
        let outcome = run::step(step, tool, dir, cancel.flag(), |line| {
            if let Some(doing) = doing(line) {
                bar.set_message(format!("{}: {doing}", step.phase.name()));
            }
        });
        bar.finish_and_clear();
        let took = match outcome.map_err(coded)? {
            Outcome::Done(took) => took,
            Outcome::TooSlow(took) => {
                slow = true;
                took
            }
        };
        seconds.push((step.phase, took.as_secs_f64()));
        if step.phase == Phase::PlaceAndRoute {
            let read = |name: &str| {
                fs::read_to_string(dir.join(name))
                    .with_context(|| format!("cannot read {name} in {}", dir.display()))
            };
            report = Some(Report::parse(
                &read(&plan.report)?,
                &read(&plan.cells)?,
                target,
            )?);
        }
    }
    let report = report.context("the plan has no place and route")?;
    let versions: Vec<_> = found
        .iter()
        .map(|t| ToolVersion {
            name: t.program.clone(),
            version: t.version.clone().unwrap_or_else(|| "unknown".into()),
        })
        .collect();
    let core = Core {
        banks: narrow(config.banks)?,
        batch: narrow(config.batch)?,
        stream_bytes: narrow(config.stream_bytes)?,
        depth: narrow(config.depth)?,
    };
    let mut built = Built {
        board: &plan.board,
        part: &target.part.title,
        design: plan.design,
        core,
        target_mhz: plan.target_mhz,
        seed: plan.seed,
        timing_met: !slow && report.timing_met(),
        report: &report,
        seconds,
        tools: versions.clone(),
        image: None,
        passport: None,
    };
    if built.timing_met {
        let image = dir.join(&plan.image);
        let passport = Passport {
            form: FORM,
            board: plan.board.clone(),
            part: target.part.title.clone(),
            design: plan.design.name().into(),
            made_by: concat!("weft ", env!("CARGO_PKG_VERSION")).into(),
            verilog_sha256: passport::sha256(verilog.as_bytes()),
            map_hash: format!("{MAP_HASH:#010x}"),
            seed: plan.seed,
            core,
            tools: versions,
            clocks: report.clocks.clone(),
            usage: report.usage.clone(),
            image: Image::of(&image)?,
        };
        built.passport = Some(passport.write(&image).or_exit(exit::OUTPUT)?);
        built.image = Some(image);
    }
    show(args, &built)
}

fn show(args: &Args, built: &Built<'_>) -> anyhow::Result<()> {
    if args.json {
        outln!("{}", serde_json::to_string_pretty(built)?);
    } else {
        outln!(
            "{} ({}), {} {}, {} stream bytes, depth {}, seed {}",
            built.board,
            built.part,
            built.design.name(),
            built.core,
            built.core.stream_bytes,
            built.core.depth,
            built.seed
        );
        print!("{}", built.report.text());
        let times: Vec<_> = built
            .seconds
            .iter()
            .map(|(phase, s)| format!("{} {s:.1} s", phase.name()))
            .collect();
        outln!("took         {}", times.join(", "));
        if let Some(image) = &built.image {
            outln!("image        {}", image.display());
        }
    }
    if built.timing_met {
        return Ok(());
    }
    Err(fail(
        exit::FAILURE,
        format!(
            "timing is not met at {} MHz, so no image was made; try --mhz or another --seed",
            built.target_mhz
        ),
    ))
}

/// What a tool's line says about where it is: nextpnr's `Info:` and yosys's numbered passes.
fn doing(line: &str) -> Option<&str> {
    let text = match line.strip_prefix("Info: ") {
        Some(text) => text,
        None => {
            let (number, text) = line.split_once(". ")?;
            let numbered = number.bytes().all(|b| b.is_ascii_digit() || b == b'.');
            (numbered && !number.is_empty()).then_some(text)?
        }
    };
    let end = text.char_indices().nth(60).map_or(text.len(), |(i, _)| i);
    Some(text[..end].trim())
}

fn coded(error: RunError) -> anyhow::Error {
    let code = match &error {
        RunError::Interrupted(_) => exit::INTERRUPTED,
        RunError::File { .. } => exit::OUTPUT,
        RunError::Start { .. } => exit::MISSING,
        _ => exit::FAILURE,
    };
    fail(code, error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The boards' own core parameters are ones that the core can be built with.
    #[test]
    fn every_board_names_a_core_that_exists() {
        for target in Catalog::embedded().unwrap().targets() {
            if let Some(core) = target.variant.core {
                let config = CoreConfig {
                    banks: core.banks as usize,
                    batch: core.batch as usize,
                    stream_bytes: core.stream_bytes as usize,
                    depth: core.depth as usize,
                };
                config
                    .check()
                    .unwrap_or_else(|e| panic!("{}: {e}", target.variant.name));
            }
        }
    }

    #[test]
    fn progress_is_read_from_both_tools() {
        assert_eq!(doing("Info: Routing..").unwrap(), "Routing..");
        assert_eq!(
            doing("3.22. Executing ABC9 pass.").unwrap(),
            "Executing ABC9 pass."
        );
        assert_eq!(doing("anything else. really"), None);
        assert_eq!(doing(". dots"), None);
    }
}
