//! A board: clock, pins, programmer, and the parts it is sold with.

use serde::{Deserialize, Serialize};

/// One file of `boards/`: one pin-out, one or more variants of it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Board {
    /// The file's name.
    pub name: String,
    /// Maker and board as people write them.
    pub title: String,
    /// Where to read about it.
    pub url: String,
    /// Links to a host that the board offers.
    pub links: Vec<Link>,
    /// Public definitions that the pins were taken from: repository, commit, file.
    pub sources: Vec<String>,
    /// What comparing those sources showed.
    pub compared: String,
    /// The oscillator.
    pub clock: ClockPin,
    /// The serial line to the host.
    pub serial: Serial,
    /// User LEDs.
    pub leds: Option<Leds>,
    /// User buttons; the first one resets a design that wants a reset.
    #[serde(default)]
    pub buttons: Vec<Button>,
    /// The configuration flash.
    pub flash: Option<Flash>,
    /// How openFPGALoader reaches it.
    pub programmer: Programmer,
    /// What it is sold with.
    pub variants: Vec<Variant>,
}

/// Links to a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Link {
    /// A serial line through a USB bridge or an adapter.
    Serial,
    /// PCI Express.
    Pcie,
    /// UDP over Ethernet.
    Udp,
}

/// The level at which an LED lights or a pressed button stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Active {
    /// High.
    High,
    /// Low.
    Low,
}

/// Pull resistor of a pin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Pull {
    /// To the bank's supply.
    Up,
    /// To ground.
    Down,
    /// None.
    None,
}

/// The oscillator's pin.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClockPin {
    /// Pin of the package.
    pub pin: String,
    /// Frequency, MHz.
    pub mhz: f64,
    /// IO standard, where the tools want one.
    pub io: Option<String>,
    /// Pull resistor.
    pub pull: Option<Pull>,
    /// Further options in the pin file's own words.
    #[serde(default)]
    pub options: Vec<String>,
    /// The pin is the clock multiplier's own input (iCE40), which then takes the pin for itself.
    #[serde(default)]
    pub pll_pad: bool,
}

/// The serial line; directions as the FPGA sees them.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Serial {
    /// Into the FPGA.
    pub rx: String,
    /// Out of the FPGA.
    pub tx: String,
    /// IO standard, where the tools want one.
    pub io: Option<String>,
    /// Pull resistor.
    pub pull: Option<Pull>,
    /// The USB bridge.
    pub bridge: String,
    /// Fastest rate that the bridge allows, bits a second.
    pub max_baud: u32,
}

/// User LEDs.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Leds {
    /// Pins, LED 0 first.
    pub pins: Vec<String>,
    /// Level that lights them.
    pub active: Active,
    /// IO standard, where the tools want one.
    pub io: Option<String>,
}

/// A user button.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Button {
    /// What the board calls it.
    pub name: String,
    /// Pin of the package.
    pub pin: String,
    /// Level while it is pressed.
    pub active: Active,
    /// Pull resistor.
    pub pull: Option<Pull>,
    /// IO standard, where the tools want one.
    pub io: Option<String>,
}

/// The configuration flash.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flash {
    /// Type, where it is known.
    pub chip: Option<String>,
    /// Select, low when selected.
    pub cs: String,
    /// FPGA to flash.
    pub mosi: String,
    /// Flash to FPGA.
    pub miso: String,
    /// Size.
    pub bytes: u64,
}

/// How openFPGALoader reaches the board.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Programmer {
    /// openFPGALoader's name for the board.
    pub board: String,
    /// By which protocol.
    pub mode: ProgrammerMode,
    /// USB identity of the programmer, `vendor:product` in hex.
    pub usb: String,
    /// What it can write.
    pub memory: Vec<Memory>,
}

/// Protocols of programmers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ProgrammerMode {
    /// JTAG; the part tells its identity code.
    Jtag,
    /// Straight to the configuration flash.
    Spi,
    /// A bootloader on the FPGA.
    Dfu,
}

/// What a programmer writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Memory {
    /// The configuration itself, gone at power off.
    Sram,
    /// The configuration flash.
    Flash,
}

/// One part that the board is sold with.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variant {
    /// Name on the command line.
    pub name: String,
    /// The part, a file of `parts/`.
    pub part: String,
    /// Its package.
    pub package: String,
    /// Its speed grade, where the tools take one.
    pub speed: Option<String>,
    /// What has been shown.
    pub status: Status,
    /// Clock that the core is to run at, MHz; the oscillator's where absent.
    pub core_mhz: Option<f64>,
    /// The core to build; absent where none is promised to fit.
    pub core: Option<Core>,
    /// Minutes that its build took with the tools of its passport, on one of two processors, both of which had more to do;
    /// absent where it was not measured.
    pub minutes: Option<f64>,
}

/// What has been shown on a board.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Pins and plan only.
    Planned,
    /// Its whole design was placed and routed, and met its clock.
    Routed,
    /// It ran on the board.
    Hardware,
}

impl Status {
    /// The word in tables.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Routed => "routed, clock met",
            Self::Hardware => "ran on hardware",
        }
    }
}

/// Parameters of the core to build.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Core {
    /// Rows in parallel.
    pub banks: u32,
    /// Tokens in parallel.
    pub batch: u32,
    /// Bytes of the stream a cycle.
    pub stream_bytes: u32,
    /// Accumulators a lane.
    pub depth: u32,
}

impl std::fmt::Display for Core {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}x{}", self.banks, self.batch)
    }
}
