//! A whole build: synthesis, place and route of every seed, the best one kept and packed.
//!
//! An image appears under its name only when it is whole and every clock is met.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::Target;
use crate::cause::{self, Overflow};
use crate::histogram::Histogram;
use crate::plan::{PACKING, Phase, Plan, Route, Step};
use crate::report::{Report, ReportError};
use crate::run::{self, Outcome, RunError};
use crate::tools::Tool;

/// The three programs of a build.
#[derive(Debug, Clone)]
pub struct Programs {
    /// yosys.
    pub synthesis: Tool,
    /// A nextpnr.
    pub route: Tool,
    /// What packs images.
    pub pack: Tool,
}

/// Where a build is.
#[derive(Debug, Clone, Copy)]
pub struct Progress<'a> {
    /// The phase.
    pub phase: Phase,
    /// The seed, in place and route.
    pub seed: Option<u32>,
    /// What the tool just printed.
    pub line: &'a str,
}

/// What became of one seed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Attempt {
    /// The seed.
    pub seed: u32,
    /// Its slowest clock against its target, MHz; none where it was not routed.
    pub achieved_mhz: Option<f64>,
    /// How long it took.
    pub seconds: f64,
    /// Why it was not routed.
    pub failed: Option<String>,
}

/// What a build made and measured.
#[derive(Debug)]
pub struct Built {
    /// What the best seed measured.
    pub report: Report,
    /// The best seed.
    pub seed: u32,
    /// Every seed, in order.
    pub attempts: Vec<Attempt>,
    /// End points by slack, as nextpnr counts them after routing.
    pub histogram: Option<Histogram>,
    /// Whether every clock was met.
    pub timing_met: bool,
    /// How long each phase took; place and route the best seed's.
    pub seconds: Vec<(Phase, f64)>,
    /// The image, where timing is met.
    pub image: Option<PathBuf>,
}

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// A step failed.
    #[error(transparent)]
    Run(#[from] RunError),
    /// A report cannot be read.
    #[error(transparent)]
    Report(#[from] ReportError),
}

/// A build: a plan and all that it needs.
pub struct Build<'a> {
    /// What to do.
    pub plan: &'a Plan,
    /// The board.
    pub target: Target<'a>,
    /// With which programs.
    pub programs: &'a Programs,
    /// The build folder.
    pub dir: &'a Path,
    /// Most seeds at a time.
    pub parallel: usize,
    /// Raised to stop.
    pub cancel: &'a AtomicBool,
    /// Hears every line that a tool prints.
    pub progress: &'a (dyn Fn(Progress<'_>) + Sync),
}

impl Build<'_> {
    /// Runs the plan, with `generated` (name and text) as the Verilog of the hardware description.
    ///
    /// # Errors
    /// [`BuildError`]; of several seeds the first one's, when none was routed.
    pub fn run(&self, generated: &[(String, String)]) -> Result<Built, BuildError> {
        let took = self.synthesise(generated)?;
        let mut seconds = vec![(Phase::Synthesis, took.as_secs_f64())];
        let cells = read(self.dir, &self.plan.cells)?;
        let (attempts, best) = self.choose(self.route_all(&cells))?;
        let Best { report, slow, seed } = best;
        let took = attempts.iter().find(|a| a.seed == seed);
        seconds.push((Phase::PlaceAndRoute, took.map_or(0.0, |a| a.seconds)));
        let timing_met = !slow && report.timing_met();
        let mut image = None;
        if timing_met {
            let name = &self.plan.image;
            let packed = self.step(&self.plan.pack, &self.programs.pack, None)?;
            let (Outcome::Done(took) | Outcome::TooSlow(took)) = packed;
            seconds.push((Phase::Pack, took.as_secs_f64()));
            run::rename(self.dir, &format!("{PACKING}/{name}"), name)?;
            image = Some(self.dir.join(name));
        }
        let log = self.plan.routes.iter().find(|r| r.seed == seed);
        let log = log.and_then(|r| fs::read_to_string(self.dir.join(&r.step.log)).ok());
        Ok(Built {
            histogram: log.and_then(|text| Histogram::last_in(&text)),
            report,
            seed,
            attempts,
            timing_met,
            seconds,
            image,
        })
    }

    /// Writes the plan's files and runs its synthesis.
    ///
    /// # Errors
    /// [`RunError`].
    pub fn synthesise(&self, generated: &[(String, String)]) -> Result<Duration, RunError> {
        run::prepare(self.plan, self.dir)?;
        for (name, text) in generated {
            run::write(self.dir, name, text)?;
        }
        let outcome = self.step(&self.plan.synthesis, &self.programs.synthesis, None)?;
        let (Outcome::Done(took) | Outcome::TooSlow(took)) = outcome;
        Ok(took)
    }

    /// Packs the synthesised netlist into the part's cells, without placing them.
    ///
    /// # Errors
    /// [`RunError`]; a design that does not fit is not one.
    pub fn count(&self) -> Result<Vec<Overflow>, RunError> {
        let Some(step) = self.plan.count() else {
            return Ok(Vec::new());
        };
        match self.step(&step, &self.programs.route, None) {
            Ok(_) => {}
            Err(RunError::TooLarge { overflow }) => return Ok(overflow),
            Err(error) => return Err(error),
        }
        let log = read(self.dir, &step.log)?;
        Ok(cause::overflow(log.lines()))
    }

    fn step(&self, step: &Step, tool: &Tool, seed: Option<u32>) -> Result<Outcome, RunError> {
        run::step(step, tool, self.dir, self.cancel, |line| {
            (self.progress)(Progress {
                phase: step.phase,
                seed,
                line,
            });
        })
    }

    /// Places and routes every seed; none is started once one did not fit or the flag was raised.
    fn route_all(&self, cells: &str) -> Vec<Routed> {
        let routes = &self.plan.routes;
        let next = AtomicUsize::new(0);
        let hopeless = AtomicBool::new(false);
        let done = Mutex::new(Vec::new());
        let work = || {
            while !hopeless.load(Ordering::SeqCst) {
                let Some(route) = routes.get(next.fetch_add(1, Ordering::SeqCst)) else {
                    break;
                };
                let routed = self.route_one(route, cells);
                if routed.ends_all() {
                    hopeless.store(true, Ordering::SeqCst);
                }
                if let Ok(mut all) = done.lock() {
                    all.push(routed);
                }
            }
        };
        thread::scope(|scope| {
            for _ in 0..self.parallel.clamp(1, routes.len().max(1)) {
                scope.spawn(work);
            }
        });
        let mut all = done.into_inner().unwrap_or_default();
        all.sort_by_key(|r| r.attempt.seed);
        all
    }

    fn route_one(&self, route: &Route, cells: &str) -> Routed {
        let started = Instant::now();
        let result = self
            .step(&route.step, &self.programs.route, Some(route.seed))
            .map_err(BuildError::from)
            .and_then(|outcome| {
                let text = read(&self.dir.join(&route.folder), &self.plan.report)?;
                let report = Report::parse(&text, cells, &self.target)?;
                Ok(Best {
                    report,
                    slow: matches!(outcome, Outcome::TooSlow(_)),
                    seed: route.seed,
                })
            });
        let slowest = result.as_ref().ok().and_then(|b| b.report.clocks.first());
        Routed {
            attempt: Attempt {
                seed: route.seed,
                achieved_mhz: slowest.map(|c| c.achieved_mhz),
                seconds: started.elapsed().as_secs_f64(),
                failed: result.as_ref().err().map(ToString::to_string),
            },
            result,
        }
    }

    /// Moves the best seed's files into the build folder and removes the others'.
    fn choose(&self, all: Vec<Routed>) -> Result<(Vec<Attempt>, Best), BuildError> {
        let mut attempts = Vec::new();
        let mut best: Option<Best> = None;
        let mut failed = None;
        for routed in all {
            attempts.push(routed.attempt);
            match routed.result {
                Ok(one) => {
                    let margin = one.report.margin();
                    if best.as_ref().is_none_or(|b| margin > b.report.margin()) {
                        best = Some(one);
                    }
                }
                // An interruption ends the build, whatever other seeds reached.
                Err(error @ BuildError::Run(RunError::Interrupted(_))) => return Err(error),
                Err(error) => {
                    failed.get_or_insert(error);
                }
            }
        }
        let interrupted = RunError::Interrupted(Phase::PlaceAndRoute.name());
        let best = best.ok_or_else(|| failed.unwrap_or(interrupted.into()))?;
        for route in &self.plan.routes {
            for name in self.plan.routed() {
                let from = format!("{}/{name}", route.folder);
                if route.seed == best.seed {
                    run::rename(self.dir, &from, name)?;
                } else {
                    // A leftover of a seed that lost; the next build's `prepare` removes what stays.
                    let _ = fs::remove_file(self.dir.join(from));
                }
            }
        }
        Ok((attempts, best))
    }
}

/// A routed seed.
struct Best {
    report: Report,
    slow: bool,
    seed: u32,
}

/// One seed's result.
struct Routed {
    attempt: Attempt,
    result: Result<Best, BuildError>,
}

impl Routed {
    /// Whether no other seed can do better.
    fn ends_all(&self) -> bool {
        matches!(
            self.result,
            Err(BuildError::Run(
                RunError::TooLarge { .. } | RunError::Interrupted(_)
            ))
        )
    }
}

fn read(dir: &Path, name: &str) -> Result<String, RunError> {
    fs::read_to_string(dir.join(name)).map_err(|cause| RunError::File {
        action: "read",
        file: dir.join(name).display().to_string(),
        cause,
    })
}
