//! A build as plain data: the files to write and the commands to run, computed with no tool installed.

use std::fmt::Write;

use serde::Serialize;

use crate::{Target, constraints, harness};

/// What is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Design {
    /// The board's top level: core, serial link, clock multiplier, LEDs and buttons.
    Top,
    /// The bare core with its ports registered, to learn its clock and its size.
    CoreOnly,
    /// One multiplier between registers, to learn the most that the part allows.
    MultiplierOnly,
}

impl Design {
    /// The name in file names and passports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Top => "top",
            Self::CoreOnly => "core-only",
            Self::MultiplierOnly => "multiplier-only",
        }
    }
}

/// Phases of a build, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Verilog to a netlist of vendor cells.
    Synthesis,
    /// Cells to places, nets to wires.
    PlaceAndRoute,
    /// The routed design to an image.
    Pack,
}

impl Phase {
    /// The name for people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Synthesis => "synthesis",
            Self::PlaceAndRoute => "place and route",
            Self::Pack => "pack",
        }
    }
}

/// A file that the build writes before it runs a tool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlanFile {
    /// Name inside the build folder.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// A command, run inside the build folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// Which phase.
    pub phase: Phase,
    /// Program, by its name in `tools.toml`.
    pub program: String,
    /// Oldest version that is known to serve, as in `0.64`.
    pub oldest: Option<String>,
    /// Arguments; every file name is relative to the build folder.
    pub args: Vec<String>,
    /// Files that it writes.
    pub outputs: Vec<String>,
    /// The file that keeps what the tool said.
    pub log: String,
}

/// One seed's place and route. Its files stand in a folder of their own until the best seed is chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Route {
    /// Seed of placement.
    pub seed: u32,
    /// Its folder inside the build folder.
    pub folder: String,
    /// The command.
    pub step: Step,
}

/// Everything that a build does.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Plan {
    /// The board.
    pub board: String,
    /// What is built.
    pub design: Design,
    /// Clock that the design must reach, MHz.
    pub target_mhz: f64,
    /// Verilog that the hardware description writes: names inside the build folder.
    pub generated: Vec<String>,
    /// Files to write.
    pub files: Vec<PlanFile>,
    /// Verilog to a netlist.
    pub synthesis: Step,
    /// Place and route, once a seed; the best one's files are kept under the names below.
    pub routes: Vec<Route>,
    /// The best seed's routed design to an image.
    pub pack: Step,
    /// nextpnr's report, inside the folder of a route and, of the best, inside the build folder.
    pub report: String,
    /// The routed design, in the same places.
    pub placed: String,
    /// The routed netlist as JSON, in the same places; absent where no picture is wanted.
    pub drawing: Option<String>,
    /// The synthesised cells as yosys counts them, inside the build folder.
    pub cells: String,
    /// The image, inside the build folder; packed beside it and renamed when it is whole.
    pub image: String,
}

/// What a caller may choose.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// What to build.
    pub design: Design,
    /// Bytes of the core's stream a cycle.
    pub stream_bytes: u32,
    /// Lanes of all the core's banks: its multipliers, but for one decoder a bank.
    pub lanes: u32,
    /// Clock that the design must reach, MHz; the board's own where absent.
    pub target_mhz: Option<f64>,
    /// First seed of placement.
    pub seed: u32,
    /// How many seeds to try; at least one.
    pub seeds: u32,
    /// Keep the routed netlist, for a picture of it.
    pub drawn: bool,
}

const NETLIST: &str = "netlist.json";
const REPORT: &str = "report.json";
const CELLS: &str = "cells.json";
const SCRIPT: &str = "synthesis.ys";
const DRAWING: &str = "routed.json";
/// Folder in which an image is packed before it is renamed to its place.
pub const PACKING: &str = "packing";

impl Plan {
    /// The build of a design for a board.
    #[must_use]
    pub fn new(target: &Target<'_>, options: &Options) -> Self {
        let Target {
            board,
            part,
            family,
            ..
        } = target;
        let target_mhz = options.target_mhz.unwrap_or_else(|| target.core_mhz());
        let pins = format!("pins.{}", family.constraints.extension());
        let placed = format!("routed.{}", family.place_and_route.placed);
        let image = format!("weft.{}", family.image);
        let (top, own_source, mut ports) = match options.design {
            Design::Top => ("weft_board", "board.v", constraints::all_ports(board)),
            Design::CoreOnly => (
                harness::CORE,
                "core_only.v",
                constraints::common_ports(board),
            ),
            Design::MultiplierOnly => (
                harness::MULTIPLIER,
                "multiplier_only.v",
                constraints::common_ports(board),
            ),
        };
        let mut generated = Vec::new();
        let mut files = Vec::new();
        let frame = match options.design {
            Design::Top => None,
            Design::CoreOnly => Some(harness::core(options.stream_bytes)),
            Design::MultiplierOnly => Some(harness::multiplier()),
        };
        match options.design {
            Design::Top => {}
            Design::CoreOnly => generated.push("core.v".to_owned()),
            Design::MultiplierOnly => generated.push("multiplier.v".to_owned()),
        }
        match frame {
            None => generated.push(own_source.to_owned()),
            Some(text) => {
                // The design runs from the pin's clock, and what it can reach is the question.
                ports[0].mhz = None;
                files.push(PlanFile {
                    name: own_source.into(),
                    text,
                });
            }
        }
        let mut sources = generated.clone();
        sources.extend(files.iter().map(|f| f.name.clone()));
        let mut synth = vec![family.synthesis.command.clone()];
        synth.extend(family.synthesis.args.iter().cloned());
        synth.extend(part.synthesis.args.iter().cloned());
        files.push(PlanFile {
            name: SCRIPT.into(),
            text: format!(
                "read_verilog {}\n{} -top {top} -json {NETLIST}\ntee -q -o {CELLS} stat -json\n",
                sources.join(" "),
                synth.join(" ")
            ),
        });
        files.push(PlanFile {
            name: pins.clone(),
            text: constraints::text(family.constraints, &ports),
        });
        let names = Names {
            pins: &pins,
            placed: &placed,
            image: &image,
        };
        // Where the routed design is the netlist itself, it is the drawing too.
        let drawing = options.drawn.then(|| {
            if placed.ends_with(".json") {
                placed.clone()
            } else {
                DRAWING.into()
            }
        });
        let seeds = options.seed..=options.seed.saturating_add(options.seeds.max(1) - 1);
        let lanes = match options.design {
            Design::MultiplierOnly => 1,
            Design::Top | Design::CoreOnly => options.lanes,
        };
        let route = |seed| route(target, &names, drawing.as_deref(), target_mhz, lanes, seed);
        let routes = seeds.map(route).collect();
        Self {
            board: target.variant.name.clone(),
            design: options.design,
            target_mhz,
            generated,
            files,
            synthesis: Step {
                phase: Phase::Synthesis,
                program: "yosys".into(),
                oldest: family.synthesis.oldest.clone(),
                args: vec![SCRIPT.into()],
                outputs: vec![NETLIST.into(), CELLS.into()],
                log: "synthesis.log".into(),
            },
            routes,
            pack: Step {
                phase: Phase::Pack,
                program: family.pack.program.clone(),
                oldest: None,
                args: family
                    .pack
                    .args
                    .iter()
                    .map(|a| names.fill(a, target, "", &format!("{PACKING}/")))
                    .collect(),
                outputs: vec![format!("{PACKING}/{image}")],
                log: "pack.log".into(),
            },
            report: REPORT.into(),
            placed,
            drawing,
            cells: CELLS.into(),
            image,
        }
    }

    /// The call that only packs the netlist into the part's cells and prints how many there are: whether a design fits,
    /// without placing it.
    #[must_use]
    pub fn count(&self) -> Option<Step> {
        let mut step = self.routes.first()?.step.clone();
        step.args.push("--pack-only".into());
        step.outputs.clear();
        step.log = "count.log".into();
        // What it would write after routing is not asked for.
        for flag in ["--report", "--write", "--textcfg", "--asc"] {
            if let Some(at) = step.args.iter().position(|a| a == flag) {
                step.args.drain(at..at + 2);
            }
        }
        Some(step)
    }

    /// The files that a route leaves, by their name inside the route's folder and later inside the build folder.
    #[must_use]
    pub fn routed(&self) -> Vec<&str> {
        let mut names = vec![self.report.as_str(), &self.placed];
        names.extend(self.drawing.as_deref().filter(|d| *d != self.placed));
        names
    }

    /// The plan as a person reads it: files with their text, then the commands.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = format!(
            "# {} {}, {} MHz\n",
            self.board,
            self.design.name(),
            self.target_mhz,
        );
        // Writing to a String does not fail.
        for name in &self.generated {
            let _ = writeln!(out, "# {name}: written by the hardware description");
        }
        for file in &self.files {
            let _ = write!(out, "\n# {}\n{}", file.name, file.text);
        }
        out.push('\n');
        describe(&mut out, &self.synthesis);
        for route in &self.routes {
            describe(&mut out, &route.step);
        }
        let best = if self.routes.len() > 1 {
            "the best seed's"
        } else {
            "these"
        };
        let _ = writeln!(out, "# kept: {best} {}", self.routed().join(", "));
        describe(&mut out, &self.pack);
        let _ = writeln!(out, "# renamed: {PACKING}/{0} to {0}", self.image);
        out
    }
}

fn describe(out: &mut String, step: &Step) {
    // Writing to a String does not fail.
    let _ = writeln!(
        out,
        "# {}: writes {}",
        step.phase.name(),
        step.outputs.join(", ")
    );
    if let Some(oldest) = &step.oldest {
        let _ = writeln!(out, "# {} {oldest} or later", step.program);
    }
    let _ = writeln!(out, "{} {}", step.program, step.args.join(" "));
}

/// Names of files that stand for placeholders in a family's commands.
struct Names<'a> {
    pins: &'a str,
    placed: &'a str,
    image: &'a str,
}

impl Names<'_> {
    /// An argument with its placeholders filled in; routed files are in `routed`, the image in `packing`.
    fn fill(&self, arg: &str, target: &Target<'_>, routed: &str, packing: &str) -> String {
        let (variant, part) = (target.variant, target.part);
        [
            ("{package}", variant.package.as_str()),
            ("{speed}", variant.speed.as_deref().unwrap_or_default()),
            ("{device}", part.device.as_deref().unwrap_or_default()),
            ("{series}", part.series.as_deref().unwrap_or_default()),
            ("{netlist}", NETLIST),
            ("{constraints}", self.pins),
            ("{placed}", &format!("{routed}{}", self.placed)),
            ("{image}", &format!("{packing}{}", self.image)),
        ]
        .iter()
        .fold(arg.to_owned(), |text, (key, value)| {
            text.replace(key, value)
        })
    }
}

fn route(
    target: &Target<'_>,
    names: &Names<'_>,
    drawing: Option<&str>,
    mhz: f64,
    lanes: u32,
    seed: u32,
) -> Route {
    let family = target.family;
    let folder = format!("seed-{seed}");
    let inside = format!("{folder}/");
    let mut args: Vec<String> = target.part.place_and_route.args.clone();
    let own = &family.place_and_route.args;
    args.extend(own.iter().map(|a| names.fill(a, target, &inside, "")));
    if let Some(wide) = family
        .place_and_route
        .wide
        .as_ref()
        .filter(|w| lanes >= w.lanes)
    {
        args.extend(wide.args.iter().cloned());
    }
    args.extend(["--freq".into(), mhz.to_string()]);
    args.extend(["--seed".into(), seed.to_string()]);
    args.extend(["--report".into(), format!("{inside}{REPORT}")]);
    let mut outputs = vec![
        format!("{inside}{}", names.placed),
        format!("{inside}{REPORT}"),
    ];
    if let Some(drawing) = drawing.filter(|d| *d != names.placed) {
        args.extend(["--write".into(), format!("{inside}{drawing}")]);
        outputs.push(format!("{inside}{drawing}"));
    }
    Route {
        seed,
        step: Step {
            phase: Phase::PlaceAndRoute,
            program: family.place_and_route.program.clone(),
            oldest: None,
            args,
            outputs,
            log: format!("{inside}place-and-route.log"),
        },
        folder,
    }
}
