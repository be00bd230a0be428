//! `weft boards`: the boards that are known, from their files.

use std::path::PathBuf;

use crate::exit::{self, OrExit};
use crate::ui::outln;
use serde::Serialize;
use weft_boards::board::{Core, Link, Status};
use weft_boards::part::Resources;
use weft_boards::{Catalog, Target, figures, markdown};

/// List the boards that are known, with their parts and what has been shown on each.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  weft boards\n  weft boards --json | jq '.[] | select(.resources.multipliers > 100) | .name'"
)]
pub(crate) struct Args {
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Print the README's table of boards
    #[arg(long, conflicts_with = "json")]
    markdown: bool,
    /// Print the README's table of built designs, from the passports in this folder
    #[arg(long, value_name = "DIR", num_args = 0..=1, default_missing_value = "bitstreams", conflicts_with_all = ["json", "markdown"])]
    figures: Option<PathBuf>,
}

/// One board as JSON.
#[derive(Serialize)]
struct Entry<'a> {
    name: &'a str,
    title: &'a str,
    url: &'a str,
    part: &'a str,
    family: &'a str,
    package: &'a str,
    speed: Option<&'a str>,
    resources: Resources,
    clock_mhz: f64,
    core_mhz: f64,
    core: Option<Core>,
    links: &'a [Link],
    programmer: &'a str,
    status: Status,
    sources: &'a [String],
}

impl<'a> Entry<'a> {
    fn of(t: &Target<'a>) -> Self {
        Self {
            name: &t.variant.name,
            title: &t.board.title,
            url: &t.board.url,
            part: &t.part.title,
            family: &t.family.title,
            package: &t.variant.package,
            speed: t.variant.speed.as_deref(),
            resources: t.part.resources,
            clock_mhz: t.board.clock.mhz,
            core_mhz: t.core_mhz(),
            core: t.variant.core,
            links: &t.board.links,
            programmer: &t.board.programmer.board,
            status: t.variant.status,
            sources: &t.board.sources,
        }
    }
}

/// Runs the verb.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let catalog = Catalog::embedded()?;
    if args.markdown {
        print!("{}", markdown::table(&catalog));
        return Ok(());
    }
    if let Some(store) = &args.figures {
        let passports = figures::passports(store).or_exit(exit::INPUT)?;
        print!("{}", figures::table(&catalog, &passports));
        return Ok(());
    }
    if args.json {
        let entries: Vec<_> = catalog.targets().map(|t| Entry::of(&t)).collect();
        outln!("{}", serde_json::to_string_pretty(&entries)?);
        return Ok(());
    }
    outln!(
        "{:16} {:13} {:>6} {:>6} {:>6}  {:>7}  {:5} {:12} board",
        "name",
        "part",
        "LUTs",
        "mults",
        "RAMs",
        "clock",
        "core",
        "status"
    );
    for t in catalog.targets() {
        let r = t.part.resources;
        let core = t.variant.core.map_or_else(|| "-".into(), |c| c.to_string());
        outln!(
            "{:16} {:13} {:>6} {:>6} {:>6}  {:>3} MHz  {core:5} {:12} {}",
            t.variant.name,
            t.part.title,
            r.luts,
            r.multipliers,
            r.block_rams,
            t.board.clock.mhz,
            t.variant.status.word(),
            t.board.title
        );
    }
    Ok(())
}
