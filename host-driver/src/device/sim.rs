//! The simulated card: requests as bytes, clocked through the compiled Verilog of the core.
//!
//! The device sees nothing of the core but its ports. It offers a beat in every cycle and takes every word that
//! comes, so the cycles it reports are the core's own limit, not a link's.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use weft_hdl::core::TOP;
use weft_hdl::{CoreConfig, generate_verilog};
use weft_protocol::ALIGN;
use weft_protocol::packet::Request;
use weft_protocol::registers::{MAGIC, MAP_HASH, Register, VERSION};
use weft_sim::{Design, Input, Program, Signal, Simulator};

use super::stream::{Answers, Carrier, StreamCore};
use super::{CoreInfo, Device, DeviceError, RunStats};

/// Cycles without a beat taken or a word given after which the core counts as hung.
const STUCK_CYCLES: u64 = 1 << 20;
/// Cycles between two looks at the cancel flag.
const CANCEL_CYCLES: u64 = 1 << 14;

/// What a simulated card shows while it runs.
#[derive(Debug, Default)]
pub struct Watch {
    cycles: AtomicU64,
    cancel: Arc<AtomicBool>,
}

impl Watch {
    /// A watch on a card whose runs end with an error when `cancel` is set.
    #[must_use]
    pub fn new(cancel: Arc<AtomicBool>) -> Self {
        Self {
            cycles: AtomicU64::new(0),
            cancel,
        }
    }

    /// Cycles simulated so far.
    #[must_use]
    pub fn cycles(&self) -> u64 {
        self.cycles.load(Ordering::Relaxed)
    }
}

/// Why a simulated card failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SimError {
    /// The core's Verilog could not be written.
    #[error("cannot write the Verilog of core {config}: {source}")]
    Verilog {
        /// The configuration.
        config: String,
        /// What happened.
        source: weft_hdl::Error,
    },
    /// The simulator does not take the core's Verilog.
    #[error("cannot simulate core {config}: {source}")]
    Simulator {
        /// The configuration.
        config: String,
        /// What happened.
        source: weft_sim::Error,
    },
    /// The core is not the one that this driver was built for.
    #[error(
        "register {register} holds {found:#010x}, this driver needs {wanted:#010x}: core and driver were built from different maps"
    )]
    Mismatch {
        /// The register's name.
        register: &'static str,
        /// Its value.
        found: u32,
        /// The value needed.
        wanted: u32,
    },
    /// Nothing moved for a long time.
    #[error(
        "the core moved nothing for {STUCK_CYCLES} cycles with {left} bytes unsent and {missing} result words missing"
    )]
    Stuck {
        /// Bytes not taken.
        left: usize,
        /// Words that should have come.
        missing: usize,
    },
    /// An answer that no request asked for.
    #[error("the core answered with opcode {op:#04x}, which nothing asked for")]
    Answer {
        /// Its first byte.
        op: u8,
    },
    /// The watch's cancel flag was set.
    #[error("interrupted")]
    Cancelled,
}

/// The compiled core, which any number of cards can share.
#[derive(Clone)]
pub struct SimCore {
    config: CoreConfig,
    program: Arc<Program>,
}

impl SimCore {
    /// Generates and compiles the core of `config`.
    ///
    /// # Errors
    /// When the configuration is not one the generator takes.
    pub fn new(config: &CoreConfig) -> Result<Self, SimError> {
        let verilog = generate_verilog(config).map_err(|source| SimError::Verilog {
            config: config.to_string(),
            source,
        })?;
        let program = Design::from_verilog(&verilog, TOP)
            .and_then(|design| design.compile())
            .map_err(|source| SimError::Simulator {
                config: config.to_string(),
                source,
            })?;
        Ok(Self {
            config: *config,
            program,
        })
    }
}

/// One simulated card.
pub struct Sim {
    core: StreamCore<Clocked>,
}

/// The core's ports, clocked.
struct Clocked {
    simulator: Simulator,
    ports: Ports,
    stream_bytes: usize,
    watch: Arc<Watch>,
}

struct Ports {
    in_valid: Input,
    in_data: Input,
    in_ready: Signal,
    out_ready: Input,
    out_valid: Signal,
    out_data: Signal,
}

impl Sim {
    /// A card with its own state on a compiled core; it is reset and its self-description is checked.
    ///
    /// # Errors
    /// [`SimError::Mismatch`] when core and driver disagree about the protocol.
    pub fn new(core: &SimCore, watch: Arc<Watch>) -> Result<Self, SimError> {
        let wrong = |source| SimError::Simulator {
            config: core.config.to_string(),
            source,
        };
        let mut simulator = Simulator::new(core.program.clone());
        let ports = Ports {
            in_valid: simulator.input("in_valid").map_err(wrong)?,
            in_data: simulator.input("in_data").map_err(wrong)?,
            in_ready: simulator.output("in_ready").map_err(wrong)?,
            out_ready: simulator.input("out_ready").map_err(wrong)?,
            out_valid: simulator.output("out_valid").map_err(wrong)?,
            out_data: simulator.output("out_data").map_err(wrong)?,
        };
        simulator.poke(ports.out_ready, 1);
        let info = CoreInfo::of(&format!("sim {}", core.config), &core.config);
        let carrier = Clocked {
            simulator,
            ports,
            stream_bytes: core.config.stream_bytes,
            watch,
        };
        let mut sim = Self {
            core: StreamCore::new(carrier, info),
        };
        sim.core.reset()?;
        for (register, wanted) in [
            (Register::Magic, MAGIC),
            (Register::Version, VERSION),
            (Register::MapHash, MAP_HASH),
            (Register::Banks, core.config.banks as u32),
            (Register::Batch, core.config.batch as u32),
            (Register::StreamBytes, core.config.stream_bytes as u32),
            (Register::Depth, core.config.depth as u32),
        ] {
            let found = sim.core.read(&[register])?[0];
            if found != wanted {
                return Err(SimError::Mismatch {
                    register: register.name(),
                    found,
                    wanted,
                });
            }
        }
        Ok(sim)
    }

    /// The values of registers, as the core answers.
    ///
    /// # Errors
    /// [`SimError::Stuck`] or [`SimError::Answer`] when it does not.
    pub fn registers(&mut self, registers: &[Register]) -> Result<Vec<u32>, SimError> {
        self.core.read(registers)
    }

    /// The simulator behind the card, for waveforms and probes.
    pub fn simulator(&mut self) -> &mut Simulator {
        &mut self.core.carrier.simulator
    }
}

impl Carrier for Clocked {
    type Error = SimError;

    fn exchange(&mut self, wire: &[u8], answers: &mut Answers) -> Result<(), SimError> {
        let width = self.stream_bytes;
        let Self {
            simulator,
            ports,
            watch,
            ..
        } = self;
        let mut sent = 0;
        let mut idle = 0;
        let mut cycles = 0;
        // A refused run ends between two units, where a reset packet is one.
        while !(answers.refused() && sent % ALIGN == 0)
            && (sent < wire.len() || !answers.complete())
        {
            let valid = sent < wire.len();
            if valid {
                let mut beat = [0; 8];
                beat[..width].copy_from_slice(&wire[sent..sent + width]);
                simulator.poke(ports.in_data, u64::from_le_bytes(beat));
            }
            simulator.poke(ports.in_valid, u64::from(valid));
            simulator.cycle();
            idle += 1;
            cycles += 1;
            if valid && simulator.peek(ports.in_ready) == 1 {
                sent += width;
                idle = 0;
            }
            if simulator.peek(ports.out_valid) == 1 {
                answers.push(simulator.peek(ports.out_data) as u32);
                idle = 0;
            }
            if idle == STUCK_CYCLES {
                return Err(SimError::Stuck {
                    left: wire.len() - sent,
                    missing: answers.missing(),
                });
            }
            if cycles % CANCEL_CYCLES == 0 {
                watch.cycles.fetch_add(CANCEL_CYCLES, Ordering::Relaxed);
                if watch.cancel.load(Ordering::Relaxed) {
                    return Err(SimError::Cancelled);
                }
            }
        }
        watch
            .cycles
            .fetch_add(cycles % CANCEL_CYCLES, Ordering::Relaxed);
        Ok(())
    }

    fn recover(&mut self) -> Result<(), SimError> {
        // `exchange` stopped between two units, and a refusing core discards them.
        Ok(())
    }

    fn unasked(op: u8) -> SimError {
        SimError::Answer { op }
    }
}

impl Device for Sim {
    fn info(&self) -> &CoreInfo {
        &self.core.info
    }

    fn run(
        &mut self,
        requests: &[Request<'_>],
        out: &mut Vec<i32>,
    ) -> Result<RunStats, DeviceError> {
        let result = self.core.run(requests, out);
        if let Err(DeviceError::Link { device, .. }) = &result {
            // It stands in the middle of a packet, where a reset packet would be data.
            let device = device.clone();
            let Clocked {
                simulator, ports, ..
            } = &mut self.core.carrier;
            simulator.reset();
            simulator.poke(ports.out_ready, 1);
            match self.core.reset() {
                Ok(()) | Err(SimError::Cancelled) => {}
                Err(source) => {
                    return Err(DeviceError::Link {
                        device,
                        source: Box::new(source),
                    });
                }
            }
        }
        result
    }
}
