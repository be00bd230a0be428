//! A board on a serial line.
//!
//! [`Serial`] is a [`Device`] whose requests travel in the frames of [`weft_protocol::serial`]. The board answers and
//! never asks, so all policy is here: credit, what to send again and when, and when to give up.
//!
//! | file | what |
//! |---|---|
//! | `port` | the operating system's serial port, and the trait that a test's own line implements |
//! | `ports` | what ports this machine has |
//! | `wire` | whole frames over the port, damaged ones dropped; `stats` counts them |
//! | `window` | what was sent, taken and heard; when to go back |
//! | `line` | sessions: sending within credit, asking again, giving up (`progress`) |
//! | `error` | what can go wrong, with the next move |

mod error;
mod line;
mod port;
mod ports;
mod progress;
mod stats;
mod window;
mod wire;

pub use error::SerialError;
pub use port::{Port, SystemPort};
pub use ports::{PortInfo, ports};
pub use stats::LineStats;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use weft_hdl::CoreConfig;
use weft_protocol::packet::Request;
use weft_protocol::registers::{MAP_HASH, Register};
use weft_protocol::serial::{Identity, ask, link_hash};

use self::line::Line;
use super::stream::{Carrier, StreamCore};
use super::{CoreInfo, Device, DeviceError, RunStats};

/// Rates that are tried, in this order, when none is given: those that boards are built for.
pub const BAUDS: [u32; 10] = [
    3_000_000, 2_000_000, 1_000_000, 6_000_000, 12_000_000, 4_000_000, 921_600, 500_000, 460_800,
    115_200,
];

/// How long each rate is tried when none is given.
const KNOCK: Duration = Duration::from_millis(600);

/// How to talk to a board.
#[derive(Clone, Debug)]
pub struct Options {
    /// Bits a second; all of [`BAUDS`] are tried when absent.
    pub baud: Option<u32>,
    /// Longest silence, and longest time without progress, before an error.
    pub timeout: Duration,
    /// Ends a run with an error when set.
    pub cancel: Arc<AtomicBool>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            baud: None,
            timeout: Duration::from_secs(10),
            cancel: Arc::default(),
        }
    }
}

/// A board on a serial line.
pub struct Serial<P = SystemPort> {
    core: StreamCore<Line<P>>,
    path: String,
    timeout: Duration,
    first: Identity,
    broken: bool,
}

impl Serial {
    /// Opens the port at `path`, finds the board, and resets its core.
    ///
    /// # Errors
    /// See [`SerialError`].
    pub fn open(path: &str, options: &Options) -> Result<Self, SerialError> {
        let baud = options.baud.unwrap_or(BAUDS[0]);
        let port = SystemPort::open(path, baud).map_err(|source| SerialError::Open {
            path: path.into(),
            hint: hint(&source),
            source,
        })?;
        Self::on(port, path, options)
    }
}

/// What to do about a port that does not open.
fn hint(error: &serialport::Error) -> &'static str {
    match error.kind() {
        serialport::ErrorKind::NoDevice => {
            "is the board plugged in, and is nobody else using the port? `weft doctor` lists the ports"
        }
        serialport::ErrorKind::Io(std::io::ErrorKind::PermissionDenied) => {
            "join the group that owns it (`dialout` on Debian), then log in again"
        }
        serialport::ErrorKind::Io(std::io::ErrorKind::NotFound) => {
            "`weft doctor` lists the serial ports of this machine"
        }
        _ => "is it a serial port?",
    }
}

impl<P: Port> Serial<P> {
    /// Finds the board on an open port, and resets its core.
    ///
    /// # Errors
    /// See [`SerialError`].
    pub fn on(port: P, path: &str, options: &Options) -> Result<Self, SerialError> {
        let mut line = Line::new(
            port,
            path.into(),
            options.timeout,
            options.cancel.clone(),
            first_session(),
        );
        let identity = knock(&mut line, path, options)?;
        for (what, found, wanted) in [
            ("map hash", identity.map_hash, MAP_HASH),
            ("link hash", identity.link_hash, link_hash()),
        ] {
            if found != wanted {
                return Err(SerialError::Mismatch {
                    path: path.into(),
                    what,
                    found,
                    wanted,
                });
            }
        }
        let config = CoreConfig {
            banks: identity.banks.into(),
            batch: identity.batch.into(),
            stream_bytes: identity.stream_bytes.into(),
            depth: identity.depth.into(),
        };
        config.check().map_err(|source| SerialError::Core {
            path: path.into(),
            source,
        })?;
        let info = CoreInfo::of(&format!("serial {path} ({config})"), &config);
        let mut serial = Self {
            core: StreamCore::new(line, info),
            path: path.into(),
            timeout: options.timeout,
            first: identity,
            broken: false,
        };
        serial.begin()?;
        Ok(serial)
    }

    /// A session in which the core waits for a header, cleared.
    fn begin(&mut self) -> Result<(), SerialError> {
        self.core.carrier.recover()?;
        self.core.reset()?;
        self.broken = false;
        Ok(())
    }

    /// What the board said about itself when it was found; its counters are those of then.
    pub fn identity(&self) -> &Identity {
        &self.first
    }

    /// What the board says about itself now.
    ///
    /// # Errors
    /// See [`SerialError`].
    pub fn identify(&mut self) -> Result<Identity, SerialError> {
        self.core.carrier.identify()
    }

    /// What this end of the line counted.
    pub fn stats(&self) -> LineStats {
        self.core.carrier.stats()
    }

    /// The values of the core's registers.
    ///
    /// # Errors
    /// See [`SerialError`].
    pub fn registers(&mut self, registers: &[Register]) -> Result<Vec<u32>, SerialError> {
        self.core.read(registers)
    }

    /// Sends `bytes`, a multiple of 8, through both of the board's buffers and back, past the core.
    ///
    /// # Errors
    /// [`SerialError::Echo`] when other bytes come back.
    pub fn loop_back(&mut self, bytes: &[u8]) -> Result<(), SerialError> {
        let line = &mut self.core.carrier;
        let answer = line.hello(ask::LOOP, self.timeout)?;
        let back = match answer {
            None => {
                return Err(SerialError::Nobody {
                    path: self.path.clone(),
                    bauds: "its".into(),
                    waited: self.timeout,
                    bytes: line.stats().bytes_received,
                    damaged: line.stats().damaged,
                });
            }
            Some(_) => line.echo(bytes)?,
        };
        if let Some(at) = back.iter().zip(bytes).position(|(a, b)| a != b) {
            return Err(SerialError::Echo {
                path: self.path.clone(),
                at,
                bytes: bytes.len(),
            });
        }
        self.begin()
    }
}

/// A number for the first session that the last client has hardly used.
fn first_session() -> u8 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let nanos = since.map_or(0, |d| d.subsec_nanos());
    (nanos / 1000) as u8 ^ std::process::id() as u8
}

/// Tries the rates until a board answers.
fn knock<P: Port>(
    line: &mut Line<P>,
    path: &str,
    options: &Options,
) -> Result<Identity, SerialError> {
    let start = Instant::now();
    let bauds = match &options.baud {
        Some(baud) => std::slice::from_ref(baud),
        None => &BAUDS[..],
    };
    let wait = match bauds.len() {
        1 => options.timeout,
        _ => KNOCK,
    };
    for &baud in bauds {
        // A port without this rate has no board at it.
        if line.port().set_baud(baud).is_err() {
            continue;
        }
        if let Some(identity) = line.hello(0, wait)? {
            return Ok(identity);
        }
    }
    let names: Vec<_> = bauds.iter().map(u32::to_string).collect();
    Err(SerialError::Nobody {
        path: path.into(),
        bauds: names.join(", "),
        waited: start.elapsed(),
        bytes: line.stats().bytes_received,
        damaged: line.stats().damaged,
    })
}

impl<P: Port> Device for Serial<P> {
    fn info(&self) -> &CoreInfo {
        &self.core.info
    }

    fn run(
        &mut self,
        requests: &[Request<'_>],
        out: &mut Vec<i32>,
    ) -> Result<RunStats, DeviceError> {
        if self.broken {
            self.begin().map_err(|source| DeviceError::Link {
                device: self.core.info.name.clone(),
                source: Box::new(source),
            })?;
        }
        let result = self.core.run(requests, out);
        self.broken = matches!(result, Err(DeviceError::Link { .. }));
        result
    }

    fn link_counters(&self) -> Vec<(&'static str, u64)> {
        self.stats().entries().to_vec()
    }
}
