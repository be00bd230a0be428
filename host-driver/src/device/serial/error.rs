//! What can go wrong on a serial line.

use std::io;
use std::time::Duration;

use weft_protocol::serial::IdentityError;

/// Why a board on a serial line did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SerialError {
    /// The port cannot be opened.
    #[error("cannot open {path}: {source}; {hint}")]
    Open {
        /// The port.
        path: String,
        /// What the system said.
        source: serialport::Error,
        /// What to do.
        hint: &'static str,
    },
    /// The line went away.
    #[error("the line {path} is gone ({source}): is the board still plugged in?")]
    Line {
        /// The port.
        path: String,
        /// What the system said.
        source: io::Error,
    },
    /// No Weft board answered a hello.
    #[error(
        "no Weft board answered on {path} at {bauds} baud within {:.1} s ({bytes} bytes came, {damaged} damaged frames): is \
         the board configured (`weft flash`), and is this its port?",
        waited.as_secs_f64()
    )]
    Nobody {
        /// The port.
        path: String,
        /// The rates tried.
        bauds: String,
        /// How long.
        waited: Duration,
        /// Bytes that came.
        bytes: u64,
        /// Frames that came damaged.
        damaged: u64,
    },
    /// Something answered that this driver cannot talk to.
    #[error("what answers on {path} is not a board for this driver: {source}")]
    Identity {
        /// The port.
        path: String,
        /// What is wrong.
        source: IdentityError,
    },
    /// The board was built from another map.
    #[error(
        "the board on {path} was built with {what} {found:#010x}, this driver needs {wanted:#010x}: build and flash it again"
    )]
    Mismatch {
        /// The port.
        path: String,
        /// Which hash.
        what: &'static str,
        /// The board's.
        found: u32,
        /// This driver's.
        wanted: u32,
    },
    /// The board says that its core has a shape that no core has.
    #[error("the board on {path} names an impossible core: {source}")]
    Core {
        /// The port.
        path: String,
        /// What is wrong.
        source: weft_hdl::Error,
    },
    /// Nothing comes any more.
    #[error(
        "{path} has been silent for {:.1} s with {unsent} units unsent and {missing} answer words missing: was the board unplugged?",
        waited.as_secs_f64()
    )]
    Silent {
        /// The port.
        path: String,
        /// How long.
        waited: Duration,
        /// Units of requests that the board does not have.
        unsent: u64,
        /// Words that should have come.
        missing: usize,
    },
    /// The board answers, and nothing moves.
    #[error(
        "the core behind {path} has moved nothing for {:.1} s with {unsent} units unsent and {missing} answer words missing",
        waited.as_secs_f64()
    )]
    Stuck {
        /// The port.
        path: String,
        /// How long.
        waited: Duration,
        /// Units of requests that the board does not have.
        unsent: u64,
        /// Words that should have come.
        missing: usize,
    },
    /// The board lost the session.
    #[error("the board on {path} was reset in the middle of a session; start again")]
    Restarted {
        /// The port.
        path: String,
    },
    /// An answer that no request asked for.
    #[error("the core answered with opcode {op:#04x}, which nothing asked for")]
    Answer {
        /// Its first byte.
        op: u8,
    },
    /// The loop-back brought other bytes.
    #[error("byte {at} of {bytes} came back from {path} as another one")]
    Echo {
        /// The port.
        path: String,
        /// First difference.
        at: usize,
        /// Bytes sent.
        bytes: usize,
    },
    /// The cancel flag was set.
    #[error("interrupted")]
    Cancelled,
}

impl SerialError {
    /// There is no such port.
    #[must_use]
    pub fn missing(&self) -> bool {
        let Self::Open { source, .. } = self else {
            return false;
        };
        matches!(
            source.kind(),
            serialport::ErrorKind::NoDevice | serialport::ErrorKind::Io(io::ErrorKind::NotFound)
        )
    }
}
