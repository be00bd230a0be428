//! The simulated card: requests as bytes, clocked through the compiled Verilog of the core.
//!
//! The device sees nothing of the core but its ports. It offers a beat in every cycle and takes every word that
//! comes, so the cycles it reports are the core's own limit, not a link's.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use weft_hdl::core::TOP;
use weft_hdl::{CoreConfig, generate_verilog};
use weft_protocol::packet::{ErrorCode, Header, Opcode, Request};
use weft_protocol::registers::{MAGIC, MAP_HASH, Register, VERSION};
use weft_protocol::{ROW_GRANULE, wrap_accumulator};
use weft_sim::{Design, Input, Program, Signal, Simulator};

use super::{CoreInfo, Counters, Device, DeviceError, RunStats};

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
    info: CoreInfo,
    simulator: Simulator,
    ports: Ports,
    watch: Arc<Watch>,
    counters: [u32; COUNTERS.len()],
    wire: Vec<u8>,
    words: Vec<u32>,
}

struct Ports {
    in_valid: Input,
    in_data: Input,
    in_ready: Signal,
    out_ready: Input,
    out_valid: Signal,
    out_data: Signal,
}

const COUNTERS: [Register; 6] = [
    Register::Cycles,
    Register::Beats,
    Register::Starved,
    Register::Stalled,
    Register::Rounds,
    Register::Hazards,
];

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
        let info = CoreInfo {
            name: format!("sim {}", core.config),
            banks: core.config.banks,
            batch: core.config.batch,
            stream_bytes: core.config.stream_bytes,
            depth: core.config.depth,
        };
        let mut sim = Self {
            info,
            simulator,
            ports,
            watch,
            counters: [0; COUNTERS.len()],
            wire: Vec::new(),
            words: Vec::new(),
        };
        sim.reset()?;
        for (register, wanted) in [
            (Register::Magic, MAGIC),
            (Register::Version, VERSION),
            (Register::MapHash, MAP_HASH),
            (Register::Banks, core.config.banks as u32),
            (Register::Batch, core.config.batch as u32),
            (Register::StreamBytes, core.config.stream_bytes as u32),
            (Register::Depth, core.config.depth as u32),
        ] {
            let found = sim.read(&[register])?[0];
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

    /// The simulator behind the card, for waveforms and probes.
    pub fn simulator(&mut self) -> &mut Simulator {
        &mut self.simulator
    }

    fn power_cycle(&mut self) -> Result<(), SimError> {
        self.simulator.reset();
        self.simulator.poke(self.ports.out_ready, 1);
        self.reset()
    }

    fn reset(&mut self) -> Result<(), SimError> {
        self.wire.clear();
        Request::Reset.encode(&mut self.wire);
        self.exchange(2)?;
        self.counters = [0; COUNTERS.len()];
        Ok(())
    }

    fn read(&mut self, registers: &[Register]) -> Result<Vec<u32>, SimError> {
        self.wire.clear();
        for &register in registers {
            Request::Read {
                register: register as u16,
            }
            .encode(&mut self.wire);
        }
        self.exchange(2 * registers.len())?;
        Ok(self.words.iter().skip(1).step_by(2).copied().collect())
    }

    /// Clocks all of `self.wire` in and `expected` words out, into `self.words`; fewer when the core refuses.
    fn exchange(&mut self, expected: usize) -> Result<(), SimError> {
        let width = self.info.stream_bytes;
        let Self {
            simulator,
            ports,
            watch,
            wire,
            words,
            ..
        } = self;
        words.clear();
        let mut sent = 0;
        let mut idle = 0;
        let mut cycles = 0;
        let mut packet_end = 0;
        while sent < wire.len() || words.len() < expected {
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
                words.push(simulator.peek(ports.out_data) as u32);
                idle = 0;
                if words.len() == packet_end + 2 {
                    match answer_words(words[packet_end]) {
                        Some(n) => packet_end += 2 + n,
                        None => break, // refused: nothing more will come
                    }
                }
            }
            if idle == STUCK_CYCLES {
                let left = wire.len() - sent;
                return Err(SimError::Stuck {
                    left,
                    missing: expected - words.len(),
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

    fn execute(
        &mut self,
        requests: &[Request<'_>],
        out: &mut Vec<i32>,
    ) -> Result<RunStats, Failure> {
        let mut stats = RunStats::of(requests, &self.info);
        self.wire.clear();
        let mut starts = Vec::with_capacity(requests.len());
        for (index, request) in requests.iter().enumerate() {
            if matches!(request, Request::Read { .. } | Request::Reset) {
                return Err(Failure::NotAProduct(index));
            }
            starts.push(self.wire.len());
            request.encode(&mut self.wire);
        }
        self.exchange(stats.result_words as usize + 2 * stats.tiles as usize)?;
        out.clear();
        let mut at = 0;
        while let Some(&first) = self.words.get(at) {
            let header = Header::from_bytes(
                (u64::from(first) | u64::from(self.words[at + 1]) << 32).to_le_bytes(),
            );
            match Opcode::from_code(header.op) {
                Some(Opcode::Result) => {
                    let n = answer_words(first).unwrap_or(0);
                    out.extend(
                        self.words[at + 2..at + 2 + n]
                            .iter()
                            .map(|&w| wrap_accumulator(w as i32)),
                    );
                    at += 2 + n;
                }
                Some(Opcode::Error) => {
                    let index = refused(requests, header.arg32);
                    let code = ErrorCode::from_code(header.flags).unwrap_or(ErrorCode::Opcode);
                    return Err(Failure::Refused(index, code));
                }
                _ => return Err(SimError::Answer { op: header.op }.into()),
            }
        }
        let now = self.read(&COUNTERS)?;
        let mut since = [0; COUNTERS.len()];
        for ((delta, last), now) in since.iter_mut().zip(&mut self.counters).zip(now) {
            *delta = u64::from(now.wrapping_sub(*last));
            *last = now;
        }
        let [cycles, beats, starved, stalled, rounds, hazards] = since;
        stats.counters = Some(Counters {
            cycles,
            beats,
            starved,
            stalled,
            rounds,
            hazards,
        });
        Ok(stats)
    }
}

/// Payload words behind an answer's header, of which `first` is the first word; `None` for a refusal.
fn answer_words(first: u32) -> Option<usize> {
    let header = Header::from_bytes(u64::from(first).to_le_bytes());
    match Opcode::from_code(header.op) {
        Some(Opcode::Error) => None,
        Some(Opcode::Result) => Some((usize::from(header.arg16) * ROW_GRANULE) << header.flags),
        _ => Some(0),
    }
}

enum Failure {
    NotAProduct(usize),
    Refused(usize, ErrorCode),
    Sim(SimError),
}

impl From<SimError> for Failure {
    fn from(error: SimError) -> Self {
        Self::Sim(error)
    }
}

impl Device for Sim {
    fn info(&self) -> &CoreInfo {
        &self.info
    }

    fn run(
        &mut self,
        requests: &[Request<'_>],
        out: &mut Vec<i32>,
    ) -> Result<RunStats, DeviceError> {
        let failure = match self.execute(requests, out) {
            Ok(stats) => return Ok(stats),
            Err(failure) => failure,
        };
        let device = self.info.name.clone();
        let (error, ready) = match failure {
            Failure::NotAProduct(index) => return Err(DeviceError::NotAProduct { index }),
            // The core is discarding what it gets until a reset packet comes.
            Failure::Refused(index, code) => (
                DeviceError::Refused {
                    device,
                    index,
                    code,
                },
                self.reset(),
            ),
            // It stands in the middle of a packet, where a reset packet would be data.
            Failure::Sim(source) => (
                DeviceError::Link {
                    device,
                    source: Box::new(source),
                },
                self.power_cycle(),
            ),
        };
        match ready {
            Ok(()) | Err(SimError::Cancelled) => Err(error),
            Err(source) => Err(DeviceError::Link {
                device: self.info.name.clone(),
                source: Box::new(source),
            }),
        }
    }
}

/// Which request has `first` as the first word of its header.
pub(super) fn refused(requests: &[Request<'_>], first: u32) -> usize {
    let word = |r: &Request<'_>| u64::from_le_bytes(r.header().to_bytes()) as u32;
    requests
        .iter()
        .position(|r| word(r) == first)
        .unwrap_or(requests.len())
}
