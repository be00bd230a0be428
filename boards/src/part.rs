//! A part: how the tools call it, what it holds, which pins its packages have.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::pll::Ranges;

/// One file of `parts/`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// Name that boards refer to, and the file's own.
    pub name: String,
    /// The vendor's name.
    pub title: String,
    /// Family, a file of `families/`.
    pub family: String,
    /// What stands for `{device}` in the family's commands.
    pub device: Option<String>,
    /// What stands for `{series}` in the family's commands.
    pub series: Option<String>,
    /// Columns and rows of tiles, as nextpnr numbers them; for pictures.
    pub grid: Option<[u32; 2]>,
    /// What the part answers on JTAG, `0x` and eight hex digits.
    pub idcode: Option<String>,
    /// The part's multiplier block where the family's parts differ.
    pub multiplier: Option<String>,
    /// Speed grades that the tools know; empty where they take none.
    #[serde(default)]
    pub speed_grades: Vec<String>,
    /// Arguments added to the family's synthesis command.
    #[serde(default)]
    pub synthesis: Extra,
    /// Arguments added to the family's place and route command.
    #[serde(default)]
    pub place_and_route: Extra,
    /// What it holds.
    pub resources: Resources,
    /// Clock ranges where the family's parts differ.
    pub pll: Option<Ranges>,
    /// Packages by the tools' name.
    pub packages: BTreeMap<String, Package>,
}

/// Arguments added to a command of the family.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Extra {
    /// The arguments.
    pub args: Vec<String>,
}

/// What a part holds, as the open tools count it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Resources {
    /// Four-input look-up tables.
    pub luts: u32,
    /// Registers.
    pub registers: u32,
    /// Multiplier blocks, 18 x 18 (16 x 16 on iCE40).
    pub multipliers: u32,
    /// Block RAMs.
    pub block_rams: u32,
    /// Bits of one block RAM, parity included.
    pub block_ram_bits: u32,
    /// Clock multipliers.
    pub plls: u32,
}

/// A package of a part.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Package {
    /// Pins that a design may use, separated by white space.
    pins: String,
}

impl Package {
    /// Whether a design may use this pin.
    #[must_use]
    pub fn has(&self, pin: &str) -> bool {
        self.pins().any(|p| p == pin)
    }

    /// The pins that a design may use.
    pub fn pins(&self) -> impl Iterator<Item = &str> {
        self.pins.split_whitespace()
    }
}

impl Part {
    /// The identity code as a number; `None` where it is unknown or not written as `0x` and hex digits.
    #[must_use]
    pub fn idcode_value(&self) -> Option<u32> {
        let digits = self.idcode.as_deref()?.strip_prefix("0x")?;
        u32::from_str_radix(digits, 16).ok()
    }
}
