//! `weft build --all`: every board, one after the other, each within its time.

use std::ops::Add;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use weft_boards::build::Built;
use weft_boards::{Catalog, Target};

use super::Args;
use super::job::{self, Job};
use crate::exit::{self, fail};
use crate::ui::{self, outln};

/// How long a board may take, as a multiple of what it took when it was measured.
const PATIENCE: f64 = 3.0;
/// How long a board may take that was not measured, minutes.
const UNMEASURED: f64 = 30.0;

/// Builds every board whose tools can be had, and says how each ended.
pub(super) fn run(args: &Args, catalog: &Catalog) -> anyhow::Result<()> {
    let (jobs, left_out) = jobs(args, catalog)?;
    // Not `sum`, which makes a negative zero of no numbers.
    let known = jobs.iter().filter_map(|j| j.target.variant.minutes);
    let known = known.fold(0.0, f64::add);
    let unknown = jobs.iter().filter(|j| j.target.variant.minutes.is_none());
    let most = jobs.iter().map(limit).fold(0.0, f64::add);
    outln!(
        "{} boards. Measured: {known:.0} minutes for those that were, {} were not. At most {most:.0} minutes in all.",
        jobs.len(),
        unknown.count()
    );
    for job in &jobs {
        let minutes = job.target.variant.minutes;
        outln!(
            "  {:16} {:13} {:5} {:>6} MHz  {}, at most {:.0}",
            job.plan.board,
            job.target.part.title,
            job.config.to_string(),
            job.plan.target_mhz,
            minutes.map_or_else(|| "not measured".into(), |m| format!("{m:.1} minutes")),
            limit(job),
        );
    }
    for (board, why) in left_out {
        outln!("  {board:16} left out: {why}");
    }
    if args.plan {
        return Ok(());
    }
    let cancel = ui::Cancel::install()?;
    let mut failed = 0;
    for job in &jobs {
        let started = Instant::now();
        let ended = one(args, job, &cancel);
        cancel.check()?;
        let minutes = started.elapsed().as_secs_f64() / 60.0;
        let text = match &ended {
            Ok(built) => said(built),
            Err(error) => format!("FAILED: {error:#}"),
        };
        failed += usize::from(!ended.is_ok_and(|b| b.timing_met));
        outln!("{:16} {minutes:5.1} minutes  {text}", job.plan.board);
    }
    if failed > 0 {
        let text = format!("{failed} of {} boards failed", jobs.len());
        return Err(fail(exit::FAILURE, text));
    }
    Ok(())
}

/// A job for every board, and the boards that the tools do not serve with the reason.
type Jobs<'a> = (Vec<Job<'a>>, Vec<(String, String)>);

fn jobs<'a>(args: &Args, catalog: &'a Catalog) -> anyhow::Result<Jobs<'a>> {
    let (mut jobs, mut left_out) = (Vec::new(), Vec::new());
    for target in catalog.targets() {
        let name = target.variant.name.clone();
        if target.variant.core.is_none() {
            left_out.push((name, "no core is promised to fit".into()));
            continue;
        }
        let job = Job::new(args, target, job::core_of(None, &target)?)?;
        match job.programs(&args.place) {
            Ok(_) => jobs.push(job),
            Err(missing) => left_out.push((name, format!("{missing:#}"))),
        }
    }
    Ok((jobs, left_out))
}

/// Most minutes for a job.
fn limit(job: &Job<'_>) -> f64 {
    let measured = |t: &Target<'_>| t.variant.minutes.map(|m| (m * PATIENCE).max(1.0));
    measured(&job.target).unwrap_or(UNMEASURED)
}

/// Builds one board; raised flags and passed time both stop it.
fn one(args: &Args, job: &Job<'_>, cancel: &ui::Cancel) -> anyhow::Result<Built> {
    let programs = job.programs(&args.place)?;
    let sources = job.sources()?;
    let stop = AtomicBool::new(false);
    let deadline = Instant::now() + Duration::from_secs_f64(60.0 * limit(job));
    let (done, ended) = mpsc::channel::<()>();
    let built = thread::scope(|scope| {
        let stop = &stop;
        let watch = move || {
            let tick = Duration::from_millis(200);
            while ended.recv_timeout(tick) == Err(mpsc::RecvTimeoutError::Timeout) {
                if cancel.is_set() || Instant::now() > deadline {
                    stop.store(true, Ordering::SeqCst);
                }
            }
        };
        // The receiver is the thread's own, and sees the sender go.
        scope.spawn(watch);
        let built = job.build(&programs, &sources, stop);
        drop(done);
        built
    });
    let built = match built {
        Err(_) if stop.load(Ordering::SeqCst) && !cancel.is_set() => {
            let text = format!("stopped after {:.0} minutes", limit(job));
            return Err(fail(exit::FAILURE, text));
        }
        other => other.map_err(|e| job::coded(&e))?,
    };
    if let Some(made) = job.passport(&programs, &sources, &built)?
        && let Some(store) = &args.keep
    {
        job.keep(&made, &store.join(&job.plan.board))?;
    }
    if args.report.is_some() {
        job.page(&programs, &built)?;
    }
    Ok(built)
}

fn said(built: &Built) -> String {
    let clocks: Vec<_> = built
        .report
        .clocks
        .iter()
        .map(|c| format!("{:.1} of {:.1} MHz", c.achieved_mhz, c.target_mhz))
        .collect();
    let usage: Vec<_> = built
        .report
        .usage
        .iter()
        .map(|u| format!("{} {} of {}", u.resource, u.used, u.available))
        .collect();
    let verdict = if built.timing_met { "met" } else { "MISSED" };
    format!("{verdict}: {}; {}", clocks.join(", "), usage.join(", "))
}
