//! What the parts of one vendor's family have in common: tools, primitives, clock ranges.

use serde::{Deserialize, Serialize};

use crate::pll::{PllKind, Ranges};

/// One file of `families/`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Family {
    /// Name that parts refer to.
    pub name: String,
    /// Vendor and family as people write them.
    pub title: String,
    /// Format of the pin file.
    pub constraints: ConstraintFormat,
    /// Extension of the image.
    pub image: String,
    /// The synthesis command.
    pub synthesis: Synthesis,
    /// The place and route program.
    pub place_and_route: PlaceAndRoute,
    /// The program that packs the routed design into an image.
    pub pack: Pack,
    /// Vendor cells that the design uses.
    pub primitives: Primitives,
    /// The clock multiplier, where its arithmetic is known here.
    pub pll: Option<FamilyPll>,
    /// Names under which nextpnr's report counts the resources.
    pub report: ReportCells,
}

/// Formats of pin files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ConstraintFormat {
    /// Lattice preference file (ECP5).
    Lpf,
    /// Physical constraints of IceStorm (iCE40).
    Pcf,
    /// Gowin physical constraints.
    Cst,
    /// Cologne Chip constraints.
    Ccf,
}

impl ConstraintFormat {
    /// The file's extension.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Lpf => "lpf",
            Self::Pcf => "pcf",
            Self::Cst => "cst",
            Self::Ccf => "ccf",
        }
    }
}

/// A yosys command; parts add their own arguments.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Synthesis {
    /// For example `synth_ecp5`.
    pub command: String,
    /// Arguments beside the top and the netlist's name.
    #[serde(default)]
    pub args: Vec<String>,
    /// Oldest yosys that is known to serve this family, as in `0.64`.
    pub oldest: Option<String>,
}

/// A nextpnr call. `{package}`, `{speed}`, `{device}`, `{series}`, `{netlist}`, `{constraints}` and `{placed}` stand
/// for what the board, the part and the plan say; parts add arguments in front.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlaceAndRoute {
    /// Program name.
    pub program: String,
    /// Arguments with placeholders.
    pub args: Vec<String>,
    /// Extension of the routed design.
    pub placed: String,
    /// More arguments for a core that takes much of the die.
    pub wide: Option<Wide>,
}

/// Arguments for cores of many lanes, whose multipliers are all over the die.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wide {
    /// For cores of as many lanes, and more.
    pub lanes: u32,
    /// The arguments.
    pub args: Vec<String>,
}

/// A packer call with the placeholders `{placed}`, `{image}` and `{series}`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pack {
    /// Program name.
    pub program: String,
    /// Arguments with placeholders.
    pub args: Vec<String>,
}

/// Vendor cells by what they do.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Primitives {
    /// Multiplier block; none where the family, or some of its parts, have none.
    pub multiplier: Option<String>,
    /// Block RAMs.
    pub block_ram: Vec<String>,
    /// Clock multiplier.
    pub pll: String,
    /// Global clock buffer.
    pub global_clock: String,
}

/// The family's clock multiplier.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FamilyPll {
    /// Which arithmetic.
    pub kind: PllKind,
    /// Input clock, MHz; absent where the parts differ.
    pub input_mhz: Option<[f64; 2]>,
    /// Output clock, MHz.
    pub output_mhz: Option<[f64; 2]>,
    /// Phase detector, MHz.
    pub pfd_mhz: Option<[f64; 2]>,
    /// Oscillator, MHz.
    pub vco_mhz: Option<[f64; 2]>,
}

impl FamilyPll {
    /// The family's ranges, if it states all four.
    #[must_use]
    pub fn ranges(&self) -> Option<Ranges> {
        Some(Ranges {
            input_mhz: self.input_mhz?,
            output_mhz: self.output_mhz?,
            pfd_mhz: self.pfd_mhz?,
            vco_mhz: self.vco_mhz?,
        })
    }
}

/// Names under which nextpnr's report counts the resources.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReportCells {
    /// Look-up tables.
    pub luts: Vec<String>,
    /// Registers; empty where the report does not count them apart.
    pub registers: Vec<String>,
    /// Multiplier blocks.
    pub multipliers: Vec<String>,
    /// Multiplier blocks of which two take the place of one.
    #[serde(default)]
    pub half_multipliers: Vec<String>,
    /// Block RAMs.
    pub block_rams: Vec<String>,
}
