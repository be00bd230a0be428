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
}

impl Design {
    /// The name in file names and passports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Top => "top",
            Self::CoreOnly => "core-only",
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

    /// The file that keeps what the tool said.
    #[must_use]
    pub const fn log(self) -> &'static str {
        match self {
            Self::Synthesis => "synthesis.log",
            Self::PlaceAndRoute => "place-and-route.log",
            Self::Pack => "pack.log",
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
    /// Seed of placement.
    pub seed: u32,
    /// Verilog that the hardware description writes: names inside the build folder.
    pub generated: Vec<String>,
    /// Files to write.
    pub files: Vec<PlanFile>,
    /// Commands to run, in order.
    pub steps: Vec<Step>,
    /// nextpnr's report, inside the build folder.
    pub report: String,
    /// The synthesised cells as yosys counts them, inside the build folder.
    pub cells: String,
    /// The image, inside the build folder.
    pub image: String,
}

/// What a caller may choose.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// What to build.
    pub design: Design,
    /// Bytes of the core's stream a cycle.
    pub stream_bytes: u32,
    /// Clock that the design must reach, MHz; the board's own where absent.
    pub target_mhz: Option<f64>,
    /// Seed of placement.
    pub seed: u32,
}

const NETLIST: &str = "netlist.json";
const REPORT: &str = "report.json";
const CELLS: &str = "cells.json";
const SCRIPT: &str = "synthesis.ys";

impl Plan {
    /// The build of a design for a board.
    #[must_use]
    pub fn new(target: &Target<'_>, options: &Options) -> Self {
        let Target {
            board,
            variant,
            part,
            family,
        } = target;
        let target_mhz = options.target_mhz.unwrap_or_else(|| target.core_mhz());
        let pins = format!("pins.{}", family.constraints.extension());
        let placed = format!("routed.{}", family.place_and_route.placed);
        let image = format!("weft.{}", family.image);
        let (top, own_source, mut ports) = match options.design {
            Design::Top => ("weft_top", "top.v", constraints::all_ports(board)),
            Design::CoreOnly => (
                harness::MODULE,
                "core_only.v",
                constraints::common_ports(board),
            ),
        };
        let mut generated = vec!["core.v".to_owned()];
        let mut files = Vec::new();
        if options.design == Design::CoreOnly {
            // The core runs from the pin's clock, and what it can reach is the question.
            ports[0].mhz = None;
            files.push(PlanFile {
                name: own_source.into(),
                text: harness::verilog(options.stream_bytes),
            });
        } else {
            generated.push(own_source.into());
        }
        let mut synth = vec![family.synthesis.command.clone()];
        synth.extend(family.synthesis.args.iter().cloned());
        synth.extend(part.synthesis.args.iter().cloned());
        files.push(PlanFile {
            name: SCRIPT.into(),
            text: format!(
                "read_verilog core.v {own_source}\n{} -top {top} -json {NETLIST}\ntee -q -o {CELLS} stat -json\n",
                synth.join(" ")
            ),
        });
        files.push(PlanFile {
            name: pins.clone(),
            text: constraints::text(family.constraints, &ports),
        });
        let fill = |arg: &String| {
            [
                ("{package}", variant.package.as_str()),
                ("{speed}", variant.speed.as_deref().unwrap_or_default()),
                ("{device}", part.device.as_deref().unwrap_or_default()),
                ("{series}", part.series.as_deref().unwrap_or_default()),
                ("{netlist}", NETLIST),
                ("{constraints}", &pins),
                ("{placed}", &placed),
                ("{image}", &image),
            ]
            .iter()
            .fold(arg.clone(), |text, (key, value)| text.replace(key, value))
        };
        let mut route: Vec<String> = part.place_and_route.args.clone();
        route.extend(family.place_and_route.args.iter().map(fill));
        route.extend(["--freq".into(), target_mhz.to_string()]);
        route.extend(["--seed".into(), options.seed.to_string()]);
        route.extend(["--report".into(), REPORT.into()]);
        Self {
            board: variant.name.clone(),
            design: options.design,
            target_mhz,
            seed: options.seed,
            generated,
            files,
            steps: vec![
                Step {
                    phase: Phase::Synthesis,
                    program: "yosys".into(),
                    oldest: family.synthesis.oldest.clone(),
                    args: vec![SCRIPT.into()],
                    outputs: vec![NETLIST.into(), CELLS.into()],
                },
                Step {
                    phase: Phase::PlaceAndRoute,
                    program: family.place_and_route.program.clone(),
                    oldest: None,
                    args: route,
                    outputs: vec![placed.clone(), REPORT.into()],
                },
                Step {
                    phase: Phase::Pack,
                    program: family.pack.program.clone(),
                    oldest: None,
                    args: family.pack.args.iter().map(fill).collect(),
                    outputs: vec![image.clone()],
                },
            ],
            report: REPORT.into(),
            cells: CELLS.into(),
            image,
        }
    }

    /// The plan as a person reads it: files with their text, then the commands.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = format!(
            "# {} {}, {} MHz, seed {}\n",
            self.board,
            self.design.name(),
            self.target_mhz,
            self.seed
        );
        // Writing to a String does not fail.
        for name in &self.generated {
            let _ = writeln!(out, "# {name}: written by the hardware description");
        }
        for file in &self.files {
            let _ = write!(out, "\n# {}\n{}", file.name, file.text);
        }
        out.push('\n');
        for step in &self.steps {
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
        out
    }
}
