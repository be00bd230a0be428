//! Primitives behind portable modules: one Verilog text each, and a form of it for each family of parts.
//!
//! | module | parameters | latency | ECP5 | iCE40 | Gowin, GateMate |
//! |---|---|---|---|---|---|
//! | `weft_multiplier` | `A`, `B` | 2 | `MULT18X18D`, input and output registers | `SB_MAC16`, input and output registers | inferred |
//! | `weft_ram` | `WIDTH`, `WORDS`, `ADDRESS` | 2 | `DP16KD`, output register | inferred | inferred |
//! | `weft_queue_ram` | `WIDTH`, `WORDS`, `ADDRESS` | 1 | look-up RAM, a long one in parts of sixteen words | block RAM | inferred |
//! | `weft_relay` | `WIDTH` | 1 | flip-flops that stay as many as they are | inferred | inferred |
//!
//! The blocks of core and link instantiate the modules by name; [`crate::generate_verilog_for`] appends the texts of the
//! family asked for. The generic texts are what simulators read and what the others must equal, cycle by cycle.

/// A family of parts with its own multipliers and memories.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// Plain Verilog: simulation, and synthesis for a family without a form of its own.
    Generic,
    /// Lattice ECP5.
    Ecp5,
    /// Lattice iCE40.
    Ice40,
    /// Gowin LittleBee and Arora.
    Gowin,
    /// Cologne Chip GateMate, which has no multiplier blocks: products are made in its cells.
    GateMate,
}

const MULTIPLIER: &str = include_str!("generic/weft_multiplier.v");
const RAM: &str = include_str!("generic/weft_ram.v");
const QUEUE_RAM: &str = include_str!("generic/weft_queue_ram.v");
const RELAY: &str = include_str!("generic/weft_relay.v");

impl Family {
    /// Every family.
    pub const ALL: [Self; 5] = [
        Self::Generic,
        Self::Ecp5,
        Self::Ice40,
        Self::Gowin,
        Self::GateMate,
    ];

    /// The family's name: `generic`, or as the boards' files spell it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Generic => "generic",
            Self::Ecp5 => "ecp5",
            Self::Ice40 => "ice40",
            Self::Gowin => "gowin",
            Self::GateMate => "gatemate",
        }
    }

    /// The family with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|f| f.name() == name)
    }

    /// The Verilog of its primitives.
    #[must_use]
    pub const fn primitives(self) -> &'static [&'static str] {
        match self {
            // Synthesis packs the registers of the generic forms itself (yosys 0.64, `synth_gowin`, `synth_gatemate`).
            Self::Generic | Self::Gowin | Self::GateMate => &[MULTIPLIER, RAM, QUEUE_RAM, RELAY],
            Self::Ecp5 => &[
                include_str!("ecp5/weft_multiplier.v"),
                include_str!("ecp5/weft_ram.v"),
                include_str!("ecp5/weft_queue_ram.v"),
                include_str!("ecp5/weft_relay.v"),
            ],
            Self::Ice40 => &[
                include_str!("ice40/weft_multiplier.v"),
                RAM,
                include_str!("ice40/weft_queue_ram.v"),
                RELAY,
            ],
        }
    }
}
