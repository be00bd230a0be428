//! Pin files: which port of the design is on which pin, in each tool's own words.

use std::fmt::Write;

use crate::Board;
use crate::board::Pull;
use crate::family::ConstraintFormat;

/// A port of the top level on a pin.
#[derive(Debug, Clone, PartialEq)]
pub struct PinnedPort {
    /// Port, with its index for one bit of a vector.
    pub port: String,
    /// Pin of the package.
    pub pin: String,
    /// IO standard.
    pub io: Option<String>,
    /// Pull resistor.
    pub pull: Option<Pull>,
    /// Frequency of a clock, MHz.
    pub mhz: Option<f64>,
    /// Further options in the pin file's own words.
    pub options: Vec<String>,
}

/// The ports that every design for a board has: `clk`, `serial_rx` and `serial_tx`.
#[must_use]
pub fn common_ports(board: &Board) -> Vec<PinnedPort> {
    let serial = |port: &str, pin: &str| PinnedPort {
        port: port.into(),
        pin: pin.into(),
        io: board.serial.io.clone(),
        pull: board.serial.pull,
        mhz: None,
        options: Vec::new(),
    };
    vec![
        PinnedPort {
            port: "clk".into(),
            pin: board.clock.pin.clone(),
            io: board.clock.io.clone(),
            pull: board.clock.pull,
            mhz: Some(board.clock.mhz),
            options: board.clock.options.clone(),
        },
        serial("serial_rx", &board.serial.rx),
        serial("serial_tx", &board.serial.tx),
    ]
}

/// One bit of a vector port as nextpnr names it: a vector of a single bit has no index there.
fn bit(port: &str, index: usize, width: usize) -> String {
    match width {
        1 => port.into(),
        _ => format!("{port}[{index}]"),
    }
}

/// The ports of a design that shows its state too: [`common_ports`], `led[i]` and `button[i]`.
#[must_use]
pub fn all_ports(board: &Board) -> Vec<PinnedPort> {
    let mut ports = common_ports(board);
    if let Some(leds) = &board.leds {
        ports.extend(leds.pins.iter().enumerate().map(|(i, pin)| PinnedPort {
            port: bit("led", i, leds.pins.len()),
            pin: pin.clone(),
            io: leds.io.clone(),
            pull: None,
            mhz: None,
            options: Vec::new(),
        }));
    }
    ports.extend(board.buttons.iter().enumerate().map(|(i, b)| PinnedPort {
        port: bit("button", i, board.buttons.len()),
        pin: b.pin.clone(),
        io: b.io.clone(),
        pull: b.pull,
        mhz: None,
        options: Vec::new(),
    }));
    ports
}

/// The pin file's text.
#[must_use]
pub fn text(format: ConstraintFormat, ports: &[PinnedPort]) -> String {
    let mut out = String::new();
    for p in ports {
        match format {
            ConstraintFormat::Lpf => lpf(&mut out, p),
            ConstraintFormat::Pcf => pcf(&mut out, p),
            ConstraintFormat::Cst => cst(&mut out, p),
            ConstraintFormat::Ccf => ccf(&mut out, p),
        }
    }
    out
}

// Writing to a String does not fail.

fn lpf(out: &mut String, p: &PinnedPort) {
    let _ = writeln!(out, "LOCATE COMP \"{}\" SITE \"{}\";", p.port, p.pin);
    let mut settings = Vec::new();
    settings.extend(p.io.as_ref().map(|io| format!("IO_TYPE={io}")));
    settings.extend(p.pull.map(|pull| format!("PULLMODE={}", upper(pull))));
    settings.extend(p.options.iter().cloned());
    if !settings.is_empty() {
        let _ = writeln!(out, "IOBUF PORT \"{}\" {};", p.port, settings.join(" "));
    }
    if let Some(mhz) = p.mhz {
        let _ = writeln!(out, "FREQUENCY PORT \"{}\" {mhz} MHZ;", p.port);
    }
}

fn pcf(out: &mut String, p: &PinnedPort) {
    let pull = match p.pull {
        Some(Pull::Up) => " -pullup yes",
        Some(Pull::None) => " -pullup no",
        _ => "",
    };
    let _ = writeln!(out, "set_io{pull} {} {}", p.port, p.pin);
    if let Some(mhz) = p.mhz {
        let _ = writeln!(out, "set_frequency {} {mhz}", p.port);
    }
}

fn cst(out: &mut String, p: &PinnedPort) {
    let _ = writeln!(out, "IO_LOC \"{}\" {};", p.port, p.pin);
    let mut settings = Vec::new();
    settings.extend(p.io.as_ref().map(|io| format!("IO_TYPE={io}")));
    settings.extend(p.pull.map(|pull| format!("PULL_MODE={}", upper(pull))));
    settings.extend(p.options.iter().cloned());
    if !settings.is_empty() {
        let _ = writeln!(out, "IO_PORT \"{}\" {};", p.port, settings.join(" "));
    }
}

fn ccf(out: &mut String, p: &PinnedPort) {
    let _ = write!(out, "Net \"{}\" Loc = \"{}\"", p.port, p.pin);
    match p.pull {
        Some(Pull::Up) => out.push_str(" | PULLUP=true"),
        Some(Pull::Down) => out.push_str(" | PULLDOWN=true"),
        _ => {}
    }
    for option in &p.options {
        let _ = write!(out, " | {option}");
    }
    out.push_str(";\n");
}

const fn upper(pull: Pull) -> &'static str {
    match pull {
        Pull::Up => "UP",
        Pull::Down => "DOWN",
        Pull::None => "NONE",
    }
}
