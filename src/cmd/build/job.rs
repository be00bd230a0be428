//! One build of one design for one board: from the command line's words to the files.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;

use anyhow::Context;
use weft_boards::Target;
use weft_boards::board::Core;
use weft_boards::build::{Build, BuildError, Built, Programs, Progress};
use weft_boards::passport::{self, FORM, Image, Passport, ToolVersion};
use weft_boards::picture::{floorplan, page};
use weft_boards::plan::{Design, Options, Plan, Step};
use weft_boards::run::RunError;
use weft_boards::tools::Tools;
use weft_hdl::CoreConfig;
use weft_protocol::registers::MAP_HASH;

use super::super::tools::Place;
use super::{Args, ReportForm};
use crate::design;
use crate::exit::{self, OrExit, fail};
use crate::ui;

/// Folder of the images that are kept.
pub(super) const STORE: &str = "bitstreams";
/// The page that `--report html` writes.
pub(super) const PAGE: &str = "report.html";

/// A design for a board, planned.
pub(super) struct Job<'a> {
    pub(super) target: Target<'a>,
    pub(super) config: CoreConfig,
    pub(super) plan: Plan,
    pub(super) dir: PathBuf,
}

/// An image with its passport.
pub(super) struct Made {
    pub(super) image: PathBuf,
    pub(super) passport: Passport,
}

/// The core to build: named, or the board's, or the smallest where the board promises none.
pub(super) fn core_of(name: Option<&str>, target: &Target<'_>) -> anyhow::Result<CoreConfig> {
    if let Some(name) = name {
        return CoreConfig::named(name).or_exit(exit::USAGE);
    }
    match target.variant.core {
        Some(core) => {
            let config = config_of(core);
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

/// A core as the hardware description takes it.
pub(super) fn config_of(core: Core) -> CoreConfig {
    CoreConfig {
        banks: core.banks as usize,
        batch: core.batch as usize,
        stream_bytes: core.stream_bytes as usize,
        depth: core.depth as usize,
    }
}

fn narrow(value: usize) -> anyhow::Result<u32> {
    u32::try_from(value).context("a core parameter is absurdly large")
}

impl<'a> Job<'a> {
    pub(super) fn new(args: &Args, target: Target<'a>, config: CoreConfig) -> anyhow::Result<Self> {
        let design = args.design();
        let options = Options {
            design,
            stream_bytes: narrow(config.stream_bytes)?,
            lanes: narrow(config.banks * config.batch)?,
            target_mhz: args.mhz,
            seed: args.seed,
            seeds: args.seeds,
            drawn: args.report == Some(ReportForm::Html),
        };
        let out = args.out.clone();
        Ok(Self::planned(target, config, &options, out))
    }

    /// A job with these options, in `out` or the folder that belongs to board and design.
    pub(super) fn planned(
        target: Target<'a>,
        config: CoreConfig,
        options: &Options,
        out: Option<PathBuf>,
    ) -> Self {
        let plan = Plan::new(&target, options);
        let dir = out.unwrap_or_else(|| {
            Path::new("target/boards")
                .join(&plan.board)
                .join(options.design.name())
        });
        Self {
            target,
            config,
            plan,
            dir,
        }
    }

    /// The Verilog of the hardware description, by file name.
    pub(super) fn sources(&self) -> anyhow::Result<Vec<(String, String)>> {
        match self.plan.design {
            Design::Top => {
                let config = design::complete(&self.target, self.config, self.plan.target_mhz)?;
                let text = weft_hdl::board::generate_verilog(&config)?;
                Ok(vec![("board.v".into(), text)])
            }
            Design::CoreOnly => {
                let family = design::family(&self.target);
                let text = weft_hdl::generate_verilog_for(&self.config, family)?;
                Ok(vec![("core.v".into(), text)])
            }
            Design::MultiplierOnly => {
                let [text, ..] = design::family(&self.target).primitives() else {
                    return Err(fail(exit::FAILURE, "the family has no multiplier"));
                };
                Ok(vec![("multiplier.v".into(), (*text).into())])
            }
        }
    }

    /// The programs, or what is missing and how to get it.
    pub(super) fn programs(&self, place: &Place) -> anyhow::Result<Programs> {
        let tools = Tools::embedded()?;
        let find = |step: &Step| place.find(&tools, &step.program, step.oldest.as_deref());
        let route = self.plan.routes.first();
        Ok(Programs {
            synthesis: find(&self.plan.synthesis)?,
            route: find(&route.context("the plan has no place and route")?.step)?,
            pack: find(&self.plan.pack)?,
        })
    }

    /// Builds, with a line that says what each tool does.
    pub(super) fn build(
        &self,
        programs: &Programs,
        sources: &[(String, String)],
        cancel: &AtomicBool,
    ) -> Result<Built, BuildError> {
        self.with(programs, cancel, |build| build.run(sources))
    }

    /// Runs `work` on this job's build, under a line that says what each tool does.
    pub(super) fn with<T>(
        &self,
        programs: &Programs,
        cancel: &AtomicBool,
        work: impl FnOnce(&Build<'_>) -> T,
    ) -> T {
        let bar = ui::spinner(&self.plan.board);
        let seeds = Mutex::new(std::collections::BTreeMap::new());
        let hear = |p: Progress<'_>| {
            let (Some(doing), Ok(mut seeds)) = (doing(p.line), seeds.lock()) else {
                return;
            };
            let text = match p.seed.filter(|_| self.plan.routes.len() > 1) {
                None => doing.to_owned(),
                Some(seed) => {
                    seeds.insert(seed, doing.to_owned());
                    let each = seeds.iter().map(|(seed, d)| format!("seed {seed}: {d}"));
                    each.collect::<Vec<_>>().join(" | ")
                }
            };
            bar.set_message(format!("{}: {}: {text}", self.plan.board, p.phase.name()));
        };
        let build = Build {
            plan: &self.plan,
            target: self.target,
            programs,
            dir: &self.dir,
            parallel: std::thread::available_parallelism().map_or(1, usize::from),
            cancel,
            progress: &hear,
        };
        let done = work(&build);
        bar.finish_and_clear();
        done
    }

    /// The core's parameters; none where there is no core.
    pub(super) fn core(&self) -> anyhow::Result<Option<Core>> {
        if self.plan.design == Design::MultiplierOnly {
            return Ok(None);
        }
        Ok(Some(Core {
            banks: narrow(self.config.banks)?,
            batch: narrow(self.config.batch)?,
            stream_bytes: narrow(self.config.stream_bytes)?,
            depth: narrow(self.config.depth)?,
        }))
    }

    /// Writes the passport beside the image; nothing where there is no image.
    pub(super) fn passport(
        &self,
        programs: &Programs,
        sources: &[(String, String)],
        built: &Built,
    ) -> anyhow::Result<Option<Made>> {
        let Some(image) = built.image.clone() else {
            return Ok(None);
        };
        let bytes = passport::load(&image).or_exit(exit::OUTPUT)?;
        let passport = Passport {
            form: FORM,
            board: self.plan.board.clone(),
            part: self.target.part.title.clone(),
            design: self.plan.design.name().into(),
            made_by: concat!("weft ", env!("CARGO_PKG_VERSION")).into(),
            commit: commit(),
            verilog_sha256: self.verilog(sources),
            map_hash: format!("{MAP_HASH:#010x}"),
            target_mhz: self.plan.target_mhz,
            seed: built.seed,
            core: self.core()?,
            tools: versions(programs),
            clocks: built.report.clocks.clone(),
            usage: built.report.usage.clone(),
            image: Image::of(&self.plan.image, &bytes),
        };
        passport.write(&image).or_exit(exit::OUTPUT)?;
        Ok(Some(Made { image, passport }))
    }

    /// SHA-256 of all Verilog that synthesis reads.
    pub(super) fn verilog(&self, sources: &[(String, String)]) -> String {
        let own = self.plan.files.iter().filter(|f| f.name.ends_with(".v"));
        let all: String = sources
            .iter()
            .map(|(_, text)| text.as_str())
            .chain(own.map(|f| f.text.as_str()))
            .collect();
        passport::sha256(all.as_bytes())
    }

    /// What an image is called among those that are kept: its design, with the core where it is not the board's own.
    pub(super) fn kept_name(&self) -> anyhow::Result<String> {
        let design = self.plan.design.name();
        Ok(match self.core()? {
            Some(core) if Some(core) != self.target.variant.core => format!("{design}-{core}"),
            _ => design.to_owned(),
        })
    }

    /// Keeps a compressed copy of an image in a folder.
    pub(super) fn keep(&self, made: &Made, folder: &Path) -> anyhow::Result<()> {
        let bytes = passport::load(&made.image).or_exit(exit::OUTPUT)?;
        let mut passport = made.passport.clone();
        passport.image.file = format!("{}.{}", self.kept_name()?, self.target.family.image);
        let (image, _) = passport.keep(&bytes, folder).or_exit(exit::OUTPUT)?;
        ui::note(format!("kept {}", image.display()));
        Ok(())
    }

    /// Writes the page about a build into its folder.
    pub(super) fn page(&self, programs: &Programs, built: &Built) -> anyhow::Result<()> {
        let cells = match &self.plan.drawing {
            None => None,
            Some(name) => {
                let path = self.dir.join(name);
                let text = fs::read_to_string(&path)
                    .with_context(|| format!("cannot read {}", path.display()))?;
                Some(floorplan::read(&text)?)
            }
        };
        let core = self
            .core()?
            .map_or_else(|| "none".into(), |c| c.to_string());
        let commit = commit();
        let about = page::About {
            core: &core,
            commit: commit.as_deref(),
            tools: &versions(programs),
            cells: cells.as_deref(),
        };
        let write = |name: &str, text: String| {
            let path = self.dir.join(name);
            fs::write(&path, text)
                .with_context(|| format!("cannot write {}", path.display()))
                .or_exit(exit::OUTPUT)
        };
        write(PAGE, page::html(&self.plan, &self.target, built, &about))?;
        let title = format!("{} on {}", core, self.target.part.title);
        let bars = weft_boards::picture::bars::svg(&title, &built.report.usage);
        write("resources.svg", bars)?;
        if let Some(cells) = &cells {
            let picture = floorplan::svg(&title, cells, self.target.part.grid);
            write("floorplan.svg", picture)?;
        }
        Ok(())
    }
}

/// The tools with their versions.
pub(super) fn versions(programs: &Programs) -> Vec<ToolVersion> {
    [&programs.synthesis, &programs.route, &programs.pack]
        .map(|t| ToolVersion {
            name: t.program.clone(),
            version: t.version.clone().unwrap_or_else(|| "unknown".into()),
        })
        .to_vec()
}

/// The commit that the working folder stands on, with `+changes` where the design's files differ from it; nothing
/// outside a repository.
fn commit() -> Option<String> {
    let git = |args: &[&str]| {
        let output = Command::new("git").args(args).stdin(Stdio::null()).output();
        let output = output.ok().filter(|o| o.status.success())?;
        Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let head = git(&["rev-parse", "HEAD"])?;
    let changed = git(&["status", "--porcelain", "--", "hdl", "boards", "src"])?;
    let mark = if changed.is_empty() { "" } else { "+changes" };
    Some(format!("{head}{mark}"))
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

/// A build's error with its exit code.
pub(super) fn coded(error: &BuildError) -> anyhow::Error {
    fail(code(error), error.to_string())
}

/// The exit code of a build's error.
pub(super) fn code(error: &BuildError) -> u8 {
    match error {
        BuildError::Run(RunError::Interrupted(_)) => exit::INTERRUPTED,
        BuildError::Run(RunError::File { .. } | RunError::DiskFull { .. }) => exit::OUTPUT,
        BuildError::Run(RunError::Start { .. }) => exit::MISSING,
        _ => exit::FAILURE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weft_boards::Catalog;

    /// The boards' own core parameters are ones that the core can be built with.
    #[test]
    fn every_board_names_a_core_that_exists() {
        for target in Catalog::embedded().unwrap().targets() {
            if let Some(core) = target.variant.core {
                config_of(core)
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
