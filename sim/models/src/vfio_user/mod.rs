//! Serves a card over vfio-user: to QEMU, which shows it to a guest, or to a driver on this machine.
//!
//! Two threads a client. One receives and hands messages on; the other owns the card, answers, and lets the card work
//! in between, a millisecond or so at a time. So no reply waits for the card's work, and nothing that the card starts
//! waits inside a register access: a request to memory that has no descriptor goes out as a message, the card is told
//! to ask again ([`crate::Bus::ready`]), and meanwhile every register answers.
//!
//! Clients come one after another; each finds the card as after power-on, and leaves nothing behind.

mod dma;
mod maps;
mod session;

use crate::card::Card;
use serde::Serialize;
use std::io;
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use weft_vfio_user::socket::readable;

/// How often a thread that waits looks whether it shall stop.
const LOOK: Duration = Duration::from_millis(50);

/// Why a socket cannot be served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// Somebody else serves it.
    #[error("{path} is served by another process; stop that one, or choose another socket")]
    InUse {
        /// The socket.
        path: PathBuf,
    },
    /// The path is something else.
    #[error("{path} exists and is not a socket; choose another path")]
    NotASocket {
        /// The path.
        path: PathBuf,
    },
    /// The system's error.
    #[error("cannot listen at {path}: {source}")]
    Listen {
        /// The socket.
        path: PathBuf,
        /// What happened.
        source: io::Error,
    },
}

/// What was served, summed over all clients.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Statistics {
    /// Clients that agreed on the version.
    pub clients: u64,
    /// Reads of regions.
    pub region_reads: u64,
    /// Writes of regions.
    pub region_writes: u64,
    /// Messages that were refused.
    pub refused: u64,
    /// Resets by message, by configuration space, or because a client left.
    pub resets: u64,
    /// Ranges of client memory mapped.
    pub maps: u64,
    /// Of those, how many came with a descriptor.
    pub maps_with_memory: u64,
    /// Ranges taken back.
    pub unmaps: u64,
    /// Bytes that the card read.
    pub bytes_read: u64,
    /// Bytes that the card wrote.
    pub bytes_written: u64,
    /// Messages to the client, for what is not mapped with a descriptor.
    pub messages: u64,
    /// Accesses of the card that the client refused: nothing is mapped there, or not in that direction.
    pub blocked: u64,
    /// Interrupts signalled.
    pub interrupts: u64,
    /// Interrupts that no client listened to.
    pub unheard_interrupts: u64,
}

/// What happens, for whoever watches.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A client came.
    Connected,
    /// A client left, or was turned away.
    Left {
        /// Why.
        reason: String,
    },
    /// The client gave memory to the card, or took some back.
    Mapped {
        /// Ranges that the card may reach now.
        maps: usize,
    },
    /// The card was denied an access.
    Blocked {
        /// Bus address.
        address: u64,
        /// Bytes.
        bytes: usize,
        /// Whether it was a write.
        write: bool,
    },
}

/// A socket that waits for clients. Removed when this is dropped.
#[derive(Debug)]
pub struct Server {
    listener: UnixListener,
    path: PathBuf,
}

impl Drop for Server {
    fn drop(&mut self) {
        // Nothing can be done about a socket that somebody has removed already.
        drop(std::fs::remove_file(&self.path));
    }
}

impl Server {
    /// Listens at `path`. A socket that nobody serves any more is replaced.
    ///
    /// # Errors
    /// [`ServeError`].
    pub fn bind(path: &Path) -> Result<Self, ServeError> {
        let failed = |source| ServeError::Listen {
            path: path.to_owned(),
            source,
        };
        let listener = match UnixListener::bind(path) {
            Ok(listener) => listener,
            Err(e) if e.kind() == io::ErrorKind::AddrInUse => {
                let kind = std::fs::symlink_metadata(path).map_err(failed)?;
                if !kind.file_type().is_socket() {
                    let path = path.to_owned();
                    return Err(ServeError::NotASocket { path });
                }
                if UnixStream::connect(path).is_ok() {
                    let path = path.to_owned();
                    return Err(ServeError::InUse { path });
                }
                std::fs::remove_file(path).map_err(failed)?;
                UnixListener::bind(path).map_err(failed)?
            }
            Err(e) => return Err(failed(e)),
        };
        listener.set_nonblocking(true).map_err(failed)?;
        Ok(Self {
            listener,
            path: path.to_owned(),
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Serves `card` to one client after another until `stop` is set, and says what was served. `watch` hears what
    /// happens.
    ///
    /// # Errors
    /// [`ServeError::Listen`] when no client can come any more.
    pub fn serve(
        &self,
        card: &mut dyn Card,
        stop: &AtomicBool,
        watch: &mut dyn FnMut(Event),
    ) -> Result<Statistics, ServeError> {
        let mut statistics = Statistics::default();
        let failed = |source| ServeError::Listen {
            path: self.path.clone(),
            source,
        };
        while !stop.load(Ordering::Relaxed) {
            use std::os::fd::AsFd;
            if !readable([self.listener.as_fd()], LOOK).map_err(failed)?[0] {
                continue;
            }
            match self.listener.accept() {
                Ok((stream, _)) => {
                    watch(Event::Connected);
                    let reason = session::serve(stream, card, stop, &mut statistics, watch);
                    watch(Event::Left { reason });
                }
                Err(e) if gone_already(&e) => {}
                Err(e) => return Err(failed(e)),
            }
        }
        Ok(statistics)
    }
}

/// A client that left before it was let in.
fn gone_already(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::ConnectionAborted | io::ErrorKind::Interrupted
    )
}
