//! One top level for every board: clock, serial link, core, LEDs and a reset button.
//!
//! ```text
//!  clk ──▶ weft_pll ──▶ everything       serial_rx ─▶┌───────────┐ 32-bit words ┌───────────┐
//!  button[0] ─▶ weft_panel ─▶ reset      serial_tx ◀─┤ weft_link ├─▶(weft_pairs)─▶ weft_core │
//!  led[..]   ◀─ weft_panel               ◀───────────┴───────────┘◀─────────────┴───────────┘
//! ```
//!
//! A board differs from another by numbers only: [`BoardConfig`]. What a simulator runs is the same text with a
//! `weft_pll` that passes the clock through.

pub mod panel;

use crate::core::{self, CoreConfig, Error};
use crate::link::{self, LinkConfig};
use crate::primitives::Family;
use crate::rtl::*;
use panel::{LEDS, Panel};

/// Name of the top module. Ports: `clk`, `serial_rx`, `serial_tx`, `led[..]` and `button[..]`, the last two only on
/// boards that have them.
pub const TOP: &str = "weft_board";

/// The clock multiplier between pin and design.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Pll {
    /// None: the design runs from the pin's clock.
    None,
    /// ECP5 `EHXPLLL`.
    Ehxplll {
        /// Divides the reference.
        clki_div: u32,
        /// Divides the feedback.
        clkfb_div: u32,
        /// Divides the oscillator.
        clkop_div: u32,
    },
    /// iCE40 `SB_PLL40_CORE` or `SB_PLL40_PAD`.
    SbPll40 {
        /// The clock comes in on the multiplier's own pin (`SB_PLL40_PAD`).
        pad: bool,
        /// Divides the reference, minus one.
        divr: u32,
        /// Divides the feedback, minus one.
        divf: u32,
        /// Log2 of the output's divider.
        divq: u32,
        /// Loop filter.
        filter_range: u32,
    },
    /// Gowin `rPLL`.
    Rpll {
        /// Input clock in MHz, as the vendor's text has it.
        fclkin: String,
        /// The vendor's name of the part, as in `GW1NR-9C`.
        device: String,
        /// Divides the reference, minus one.
        idiv_sel: u32,
        /// Divides the feedback, minus one.
        fbdiv_sel: u32,
        /// Divides the oscillator.
        odiv_sel: u32,
    },
    /// GateMate `CC_PLL`, whose dividers place and route finds.
    CcPll {
        /// Input clock in MHz, as the vendor's text has it: `10.0`.
        ref_clk: String,
        /// Output clock in MHz, in the same form.
        out_clk: String,
    },
}

impl Pll {
    /// The module's text.
    const fn module(&self) -> &'static str {
        match self {
            Self::None => include_str!("pll/generic.v"),
            Self::Ehxplll { .. } => include_str!("pll/ecp5.v"),
            Self::SbPll40 { pad: false, .. } => include_str!("pll/ice40_core.v"),
            Self::SbPll40 { pad: true, .. } => include_str!("pll/ice40_pad.v"),
            Self::Rpll { .. } => include_str!("pll/gowin.v"),
            Self::CcPll { .. } => include_str!("pll/gatemate.v"),
        }
    }

    /// Its parameters.
    fn parameters(&self) -> Vec<(&'static str, String)> {
        let number = |name, value: &u32| (name, value.to_string());
        match self {
            Self::None => Vec::new(),
            Self::Ehxplll {
                clki_div,
                clkfb_div,
                clkop_div,
            } => vec![
                number("CLKI_DIV", clki_div),
                number("CLKFB_DIV", clkfb_div),
                number("CLKOP_DIV", clkop_div),
            ],
            Self::SbPll40 {
                divr,
                divf,
                divq,
                filter_range,
                ..
            } => vec![
                number("DIVR", divr),
                number("DIVF", divf),
                number("DIVQ", divq),
                number("FILTER_RANGE", filter_range),
            ],
            Self::Rpll {
                fclkin,
                device,
                idiv_sel,
                fbdiv_sel,
                odiv_sel,
            } => vec![
                ("FCLKIN", format!("{fclkin:?}")),
                ("DEVICE", format!("{device:?}")),
                number("IDIV_SEL", idiv_sel),
                number("FBDIV_SEL", fbdiv_sel),
                number("ODIV_SEL", odiv_sel),
            ],
            Self::CcPll { ref_clk, out_clk } => vec![
                ("REF_CLK", format!("{ref_clk:?}")),
                ("OUT_CLK", format!("{out_clk:?}")),
            ],
        }
    }
}

/// What a board's design is built for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BoardConfig {
    /// The core.
    pub core: CoreConfig,
    /// The link.
    pub link: LinkConfig,
    /// The clock multiplier.
    pub pll: Pll,
    /// Whose multipliers and memories the core is built from.
    pub family: Family,
    /// LEDs on pins; the first four show something.
    pub leds: usize,
    /// LEDs light when their pin is low.
    pub leds_low: bool,
    /// Buttons on pins; the first one resets the link.
    pub buttons: usize,
    /// That button's pin is low while it is pressed.
    pub button_low: bool,
}

impl BoardConfig {
    /// A design without clock multiplier, LEDs, buttons and a family's own cells.
    #[must_use]
    pub const fn new(core: CoreConfig, link: LinkConfig) -> Self {
        Self {
            core,
            link,
            pll: Pll::None,
            family: Family::Generic,
            leds: 0,
            leds_low: false,
            buttons: 0,
            button_low: false,
        }
    }

    /// The same design as a simulator runs it: with the pin's clock and generic cells, and cycle by cycle the same behaviour.
    #[must_use]
    pub fn simulated(mut self) -> Self {
        self.pll = Pll::None;
        self.family = Family::Generic;
        self
    }
}

/// The Verilog of a board's whole design, top module `weft_board`: the same text for the same configuration.
///
/// # Errors
/// [`Error::Parameter`] and [`Error::LinkParameter`] for a configuration that cannot be built.
pub fn generate_verilog(config: &BoardConfig) -> Result<String, Error> {
    let mut text = core::generate_verilog_for(&config.core, config.family)?;
    text += &link::generate_verilog(&config.link, &config.core)?;
    text += &panel_verilog()?;
    text += config.pll.module();
    text += &top(config);
    Ok(text)
}

fn panel_verilog() -> Result<String, Error> {
    let mut panel = Panel::default();
    panel.clock.connect();
    panel.locked.connect();
    panel.pressed.connect();
    panel.open.connect();
    panel.good.connect();
    panel.bad.connect();
    panel.connect_all();
    check_connected(&panel).map_err(|cause| Error::Link {
        cause: format!("{cause:?}"),
    })?;
    let mut modules = ModuleDefines::default();
    panel.accept("weft_panel", &mut modules);
    Ok(modules.defines())
}

/// The top module: nothing but instances and the pins' polarity.
fn top(config: &BoardConfig) -> String {
    let mut ports =
        String::from("  input wire clk,\n  input wire serial_rx,\n  output wire serial_tx");
    let mut body = String::new();
    if config.leds > 0 {
        ports += &format!(",\n  output wire [{}:0] led", config.leds - 1);
        let invert = if config.leds_low { "~" } else { "" };
        let shown = config.leds.min(LEDS);
        let leds = match config.leds - shown {
            0 => format!("shown[{}:0]", shown - 1),
            dark => format!("{{{dark}'b0, shown}}"),
        };
        body += &format!("  assign led = {invert}{leds};\n");
    }
    let mut pressed = "1'b0".to_owned();
    if config.buttons > 0 {
        ports += &format!(",\n  input wire [{}:0] button", config.buttons - 1);
        let invert = if config.button_low { "~" } else { "" };
        pressed = format!("{invert}button[0]");
    }
    let parameters: Vec<_> = config
        .pll
        .parameters()
        .into_iter()
        .map(|(name, value)| format!(".{name}({value})"))
        .collect();
    let parameters = match parameters.is_empty() {
        true => String::new(),
        false => format!(" #({})", parameters.join(", ")),
    };
    let last = 8 * config.core.stream_bytes - 1;
    let beats = if config.core.stream_bytes == 8 {
        format!(
            "  {} pairs(\n    .clock(clock), .in_valid(request_valid), .in_ready(request_ready), .in_data(request_word),\n    \
             .out_valid(beat_valid), .out_ready(beat_ready), .out_data(beat)\n  );\n",
            link::PAIRS
        )
    } else {
        "  assign beat_valid = request_valid;\n  assign request_ready = beat_ready;\n  assign beat = request_word;\n".into()
    };
    format!(
        "module {TOP}(\n{ports}\n);
  wire clock, locked, reset, open, good, bad;
  wire request_valid, request_ready, beat_valid, beat_ready, answer_valid, answer_ready;
  wire [31:0] request_word, answer_word;
  wire [{last}:0] beat;
  wire [{shown}:0] shown;
  weft_pll{parameters} pll(.in(clk), .out(clock), .locked(locked));
  weft_panel panel(
    .clock(clock), .locked(locked), .pressed({pressed}), .open(open), .good(good), .bad(bad), .reset(reset), .leds(shown)
  );
  {link} link(
    .clock(clock), .reset(reset), .serial_rx(serial_rx), .serial_tx(serial_tx),
    .request_valid(request_valid), .request_ready(request_ready), .request_word(request_word),
    .answer_valid(answer_valid), .answer_ready(answer_ready), .answer_word(answer_word),
    .open(open), .good(good), .bad(bad)
  );
{beats}  {core} core(
    .clock(clock), .reset(reset), .in_valid(beat_valid), .in_ready(beat_ready), .in_data(beat),
    .out_valid(answer_valid), .out_ready(answer_ready), .out_data(answer_word)
  );
{body}endmodule
",
        shown = LEDS - 1,
        link = link::TOP,
        core = core::TOP,
    )
}
