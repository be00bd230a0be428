//! What a build says when it is done.

use std::path::Path;

use serde::Serialize;
use weft_boards::board::Core;
use weft_boards::build::{Attempt, Built, Programs};
use weft_boards::passport::{Passport, ToolVersion};
use weft_boards::plan::{Design, Phase};
use weft_boards::report::Report;

use super::job::{Job, Made, PAGE, versions};
use super::{Args, ReportForm};
use crate::ui::outln;

/// What a build measured, as JSON.
#[derive(Serialize)]
struct Shown<'a> {
    board: &'a str,
    part: &'a str,
    design: Design,
    core: Option<Core>,
    target_mhz: f64,
    seed: u32,
    seeds: &'a [Attempt],
    timing_met: bool,
    #[serde(flatten)]
    report: &'a Report,
    seconds: &'a [(Phase, f64)],
    tools: Vec<ToolVersion>,
    image: Option<&'a Path>,
    passport: Option<&'a Passport>,
}

/// Prints a build's result.
pub(super) fn show(
    args: &Args,
    job: &Job<'_>,
    programs: &Programs,
    built: &Built,
    made: Option<&Made>,
) -> anyhow::Result<()> {
    let core = job.core()?;
    if args.json {
        let shown = Shown {
            board: &job.plan.board,
            part: &job.target.part.title,
            design: job.plan.design,
            core,
            target_mhz: job.plan.target_mhz,
            seed: built.seed,
            seeds: &built.attempts,
            timing_met: built.timing_met,
            report: &built.report,
            seconds: &built.seconds,
            tools: versions(programs),
            image: made.map(|m| m.image.as_path()),
            passport: made.map(|m| &m.passport),
        };
        outln!("{}", serde_json::to_string_pretty(&shown)?);
        return Ok(());
    }
    let what = core.map_or_else(String::new, |c| {
        format!(" {c}, {} stream bytes, depth {}", c.stream_bytes, c.depth)
    });
    outln!(
        "{} ({}), {}{what}, seed {}",
        job.plan.board,
        job.target.part.title,
        job.plan.design.name(),
        built.seed
    );
    print!("{}", built.report.text());
    if built.attempts.len() > 1 {
        let each: Vec<_> = built.attempts.iter().map(attempt).collect();
        outln!("seeds        {}", each.join(", "));
    }
    let times: Vec<_> = built
        .seconds
        .iter()
        .map(|(phase, s)| format!("{} {s:.1} s", phase.name()))
        .collect();
    outln!("took         {}", times.join(", "));
    if let Some(made) = made {
        outln!("image        {}", made.image.display());
    }
    if args.report == Some(ReportForm::Html) {
        outln!("report       {}", job.dir.join(PAGE).display());
    }
    Ok(())
}

fn attempt(a: &Attempt) -> String {
    let result = a
        .achieved_mhz
        .map_or_else(|| "not routed".into(), |mhz| format!("{mhz:.2} MHz"));
    format!("{} {result}", a.seed)
}
