//! A card's register-transfer logic in the simulator, pin by pin.

use crate::Bus;
use crate::checker::Rule;
use crate::root_complex::{Beat, DEVICE, RootComplex};
use std::sync::Arc;
use weft_hdl::pcie::{CARD_TOP, CardConfig, generate_card};
use weft_sim::{Design, Input, Program, Signal, Simulator};

/// Why a card cannot be simulated.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    /// Its configuration cannot be built.
    #[error(transparent)]
    Description(#[from] weft_hdl::Error),
    /// Its Verilog does not compile, or does not have the pins of a card.
    #[error("the card's Verilog cannot be simulated: {0}")]
    Simulation(#[from] weft_sim::Error),
}

struct Pins {
    rx_valid: Input,
    rx_data: Input,
    rx_last: Input,
    rx_keep: Input,
    rx_poison: Input,
    rx_bar: Input,
    rx_ready: Signal,
    rx_read_ok: Signal,
    tx_ready: Input,
    tx_posted_ok: Input,
    tx_read_ok: Input,
    tx_completion_ok: Input,
    tx_valid: Signal,
    tx_data: Signal,
    tx_last: Signal,
    tx_keep: Signal,
    bus_master: Input,
    max_payload: Input,
    max_read: Input,
    msix_enable: Input,
    msix_mask: Input,
    function_reset: Input,
}

/// The machine code of a card: compile once, simulate often.
#[derive(Clone, Debug)]
pub struct CardProgram {
    program: Arc<Program>,
    config: CardConfig,
}

impl CardProgram {
    /// Compiles the card of a configuration.
    ///
    /// # Errors
    /// [`EndpointError`] if the configuration cannot be built.
    pub fn new(config: CardConfig) -> Result<Self, EndpointError> {
        let design = Design::from_verilog(&generate_card(&config)?, CARD_TOP)?;
        Ok(Self {
            program: design.compile()?,
            config,
        })
    }

    /// What the card is.
    #[must_use]
    pub fn config(&self) -> CardConfig {
        self.config
    }
}

/// One simulated card.
pub struct Endpoint {
    sim: Simulator,
    pins: Pins,
    reads_ok: bool,
    /// What the card offered and nobody took.
    held: Option<(u64, u64)>,
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "a card in cycle {}", self.sim.cycles())
    }
}

/// The code of a size in configuration space: 128 bytes shifted left by it; 7, which PCI Express reserves, is 64.
fn size_code(bytes: usize) -> u64 {
    (bytes / 128).checked_ilog2().unwrap_or(7).into()
}

impl Endpoint {
    /// A card after power-up.
    ///
    /// # Errors
    /// [`EndpointError::Simulation`] if the program has not the pins of a card.
    pub fn new(program: &CardProgram) -> Result<Self, EndpointError> {
        let mut sim = Simulator::new(program.program.clone());
        let (i, o) = (|n| sim.input(n), |n| sim.output(n));
        let device = i("device")?;
        let pins = Pins {
            rx_valid: i("rx_valid")?,
            rx_data: i("rx_data")?,
            rx_last: i("rx_last")?,
            rx_keep: i("rx_keep")?,
            rx_poison: i("rx_poison")?,
            rx_bar: i("rx_bar")?,
            rx_ready: o("rx_ready")?,
            rx_read_ok: o("rx_read_ok")?,
            tx_ready: i("tx_ready")?,
            tx_posted_ok: i("tx_posted_ok")?,
            tx_read_ok: i("tx_read_ok")?,
            tx_completion_ok: i("tx_completion_ok")?,
            tx_valid: o("tx_valid")?,
            tx_data: o("tx_data")?,
            tx_last: o("tx_last")?,
            tx_keep: o("tx_keep")?,
            bus_master: i("bus_master")?,
            max_payload: i("max_payload")?,
            max_read: i("max_read")?,
            msix_enable: i("msix_enable")?,
            msix_mask: i("msix_mask")?,
            function_reset: i("function_reset")?,
        };
        sim.poke(device, DEVICE.into());
        sim.poke(pins.tx_completion_ok, 1);
        Ok(Self {
            sim,
            pins,
            reads_ok: true,
            held: None,
        })
    }

    /// Holds or releases the function-level reset.
    pub fn function_reset(&mut self, held: bool) {
        self.sim.poke(self.pins.function_reset, held.into());
    }

    /// One cycle against `root`, whose memory is `bus`.
    pub fn cycle(&mut self, root: &mut RootComplex, bus: &mut dyn Bus) {
        let (sim, pins) = (&mut self.sim, &self.pins);
        let config = root.config();
        sim.poke(pins.bus_master, config.bus_master.into());
        sim.poke(pins.max_payload, size_code(config.max_payload));
        sim.poke(pins.max_read, size_code(config.max_read));
        sim.poke(pins.msix_enable, config.msix_enable.into());
        sim.poke(pins.msix_mask, config.msix_mask.into());
        let offered = root.offer(self.reads_ok);
        sim.poke(pins.rx_valid, offered.is_some().into());
        if let Some(Beat {
            data,
            last,
            keep,
            poison,
            bar,
        }) = offered
        {
            sim.poke(pins.rx_data, data);
            sim.poke(pins.rx_last, last.into());
            sim.poke(pins.rx_keep, keep.into());
            sim.poke(pins.rx_poison, poison.into());
            sim.poke(pins.rx_bar, bar.into());
        }
        let allowed = root.allowed();
        sim.poke(pins.tx_ready, allowed.ready.into());
        sim.poke(pins.tx_posted_ok, allowed.posted.into());
        sim.poke(pins.tx_read_ok, allowed.read.into());
        sim.cycle();
        if offered.is_some() && sim.peek(pins.rx_ready) == 1 {
            root.taken();
        }
        self.reads_ok = sim.peek(pins.rx_read_ok) == 1;
        let beat = (sim.peek(pins.tx_valid) == 1).then(|| {
            let (last, keep) = (sim.peek(pins.tx_last), sim.peek(pins.tx_keep));
            (sim.peek(pins.tx_data), last << 1 | keep)
        });
        if self.held.is_some() && self.held != beat {
            root.checker
                .report(Rule::Stream, "a beat changed before it was taken");
        }
        self.held = None;
        match beat {
            Some((data, flags)) if allowed.ready => root.push(data, flags & 2 != 0, flags & 1 != 0),
            waiting => self.held = waiting,
        }
        root.tick(bus);
    }
}
