//! The client's side: what QEMU does for a guest, and what the driver does when it talks to a card's socket itself.
//!
//! One thread. While it waits, for a reply or an interrupt, it answers the device's own requests for memory that
//! was mapped without a descriptor.

use crate::event::EventFd;
use crate::memory::SharedMemory;
use crate::socket::{Message, Receiver, SocketError, readable, send};
use crate::wire::{self, Fields, Short, command, dma, errno, flag, irq};
use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Why a request to a device failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// Nobody answers at the socket.
    #[error(
        "cannot connect to {path}: {source}; start the card there with `weft card --socket {path}`"
    )]
    Connect {
        /// The socket.
        path: PathBuf,
        /// What happened.
        source: io::Error,
    },
    /// The connection is gone.
    #[error(transparent)]
    Socket(#[from] SocketError),
    /// The device did not answer in time.
    #[error("no reply to {what} within {waited:?}")]
    Timeout {
        /// The request.
        what: &'static str,
        /// How long.
        waited: Duration,
    },
    /// The device refused a request.
    #[error("the device refused {what}: error {errno}")]
    Refused {
        /// The request.
        what: &'static str,
        /// Its error number.
        errno: u32,
    },
    /// A reply is shorter than it must be.
    #[error("the reply to {what} cannot be read: {source}")]
    Reply {
        /// The request.
        what: &'static str,
        /// How short.
        source: Short,
    },
    /// The server speaks another protocol version.
    #[error("the server speaks vfio-user {major}.{minor}, this client 0.0")]
    Version {
        /// Its major version.
        major: u16,
        /// Its minor version.
        minor: u16,
    },
    /// An eventfd could not be made or read.
    #[error("eventfd: {0}")]
    Event(io::Error),
}

/// Memory that the device reaches by messages to this client.
#[derive(Debug)]
struct Served {
    address: u64,
    memory: Arc<SharedMemory>,
}

/// A device on a socket.
#[derive(Debug)]
pub struct Client {
    stream: UnixStream,
    receiver: Receiver,
    timeout: Duration,
    next_id: u16,
    max_data: usize,
    served: Vec<Served>,
}

impl Client {
    /// Connects, and agrees on the version. Every later request waits at most `timeout`.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn connect(path: &Path, timeout: Duration) -> Result<Self, ClientError> {
        let open = || {
            let stream = UnixStream::connect(path)?;
            Ok((stream.try_clone()?, stream))
        };
        let (stream, receiving) = open().map_err(|source| ClientError::Connect {
            path: path.to_owned(),
            source,
        })?;
        let mut client = Self {
            stream,
            receiver: Receiver::new(receiving),
            timeout,
            next_id: 0,
            max_data: wire::MAX_DATA,
            served: Vec::new(),
        };
        let what = "the version";
        let body = wire::version(false);
        let reply = client.request(what, command::VERSION, &[&body], &[])?;
        let (major, minor, max_data) =
            wire::parse_version(&reply).map_err(|source| ClientError::Reply { what, source })?;
        if major != wire::MAJOR {
            return Err(ClientError::Version { major, minor });
        }
        client.max_data = max_data;
        Ok(client)
    }

    /// Bytes of a region.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn region_bytes(&mut self, region: u32) -> Result<u64, ClientError> {
        let what = "a region's size";
        let body = wire::words(&[32, 0, region, 0, 0, 0, 0, 0]);
        let reply = self.request(what, command::REGION_INFO, &[&body], &[])?;
        let mut fields = Fields::new(&reply);
        fields
            .bytes(16)
            .and_then(|_| fields.u64())
            .map_err(|source| ClientError::Reply { what, source })
    }

    /// Reads a region, in as many messages as needed.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn read(&mut self, region: u32, offset: u64, data: &mut [u8]) -> Result<(), ClientError> {
        let what = "a region read";
        for (i, part) in data.chunks_mut(self.max_data).enumerate() {
            let at = offset + (i * self.max_data) as u64;
            let body = wire::access(at, region, part.len() as u32);
            let reply = self.request(what, command::REGION_READ, &[&body], &[])?;
            let mut fields = Fields::new(&reply);
            let found = fields.bytes(16).and_then(|_| fields.bytes(part.len()));
            part.copy_from_slice(found.map_err(|source| ClientError::Reply { what, source })?);
        }
        Ok(())
    }

    /// Writes a region, in as many messages as needed, and waits until the device has them.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn write(&mut self, region: u32, offset: u64, data: &[u8]) -> Result<(), ClientError> {
        for (i, part) in data.chunks(self.max_data).enumerate() {
            let at = offset + (i * self.max_data) as u64;
            let body = wire::access(at, region, part.len() as u32);
            self.request("a region write", command::REGION_WRITE, &[&body, part], &[])?;
        }
        Ok(())
    }

    /// Writes a region and does not wait: errors show later, as the loss of the connection does.
    ///
    /// # Errors
    /// [`ClientError::Socket`].
    ///
    /// # Panics
    /// When `data` is longer than a message.
    pub fn post(&mut self, region: u32, offset: u64, data: &[u8]) -> Result<(), ClientError> {
        let id = self.id();
        let body = wire::access(offset, region, data.len() as u32);
        let kind = (id, command::REGION_WRITE);
        Ok(send(
            &self.stream,
            kind,
            (flag::NO_REPLY, 0),
            &[&body, data],
            &[],
        )?)
    }

    /// Lets the device reach `memory` at bus address `address`: through `file`, whose bytes it is from the first on,
    /// or, without one, by messages that this client answers while it waits.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn map(
        &mut self,
        address: u64,
        memory: &Arc<SharedMemory>,
        file: Option<&File>,
    ) -> Result<(), ClientError> {
        let mut body = wire::words(&[32, dma::READ | dma::WRITE]);
        for word in [0, address, memory.len() as u64] {
            body.extend_from_slice(&word.to_le_bytes());
        }
        let fds = file.map(AsFd::as_fd);
        self.request("a DMA map", command::DMA_MAP, &[&body], fds.as_slice())?;
        if file.is_none() {
            self.served.push(Served {
                address,
                memory: Arc::clone(memory),
            });
        }
        Ok(())
    }

    /// Takes memory back. The device does not touch it after this returns.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn unmap(&mut self, address: u64, bytes: u64) -> Result<(), ClientError> {
        let mut body = wire::words(&[24, 0]);
        body.extend_from_slice(&address.to_le_bytes());
        body.extend_from_slice(&bytes.to_le_bytes());
        self.request("a DMA unmap", command::DMA_UNMAP, &[&body], &[])?;
        self.served.retain(|s| s.address != address);
        Ok(())
    }

    /// Sends the first MSI-X vectors to `events`, one each.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn set_interrupts(&mut self, events: &[&EventFd]) -> Result<(), ClientError> {
        let how = irq::DATA_EVENTFD | irq::ACTION_TRIGGER;
        let body = wire::words(&[20, how, irq::MSIX, 0, events.len() as u32]);
        let fds: Vec<_> = events.iter().map(|e| e.as_fd()).collect();
        self.request("interrupts", command::SET_IRQS, &[&body], &fds)?;
        Ok(())
    }

    /// A function-level reset.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn reset(&mut self) -> Result<(), ClientError> {
        self.request("a reset", command::RESET, &[], &[])?;
        Ok(())
    }

    /// Waits for `event` at most `wait`, serving the device meanwhile. True if it was signalled.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn wait(&mut self, event: &EventFd, wait: Duration) -> Result<bool, ClientError> {
        let until = Instant::now() + wait;
        loop {
            if event.take().map_err(ClientError::Event)? > 0 {
                return Ok(true);
            }
            let left = until.saturating_duration_since(Instant::now());
            let [_, message] =
                readable([event.as_fd(), self.stream.as_fd()], left).map_err(ClientError::Event)?;
            if message {
                if let Some(message) = self.receiver.receive(Duration::ZERO)? {
                    self.serve(&message)?;
                }
            } else if left.is_zero() {
                return Ok(event.take().map_err(ClientError::Event)? > 0);
            }
        }
    }

    /// Answers what the device has asked so far, without waiting.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn poll(&mut self) -> Result<(), ClientError> {
        while let Some(message) = self.receiver.receive(Duration::ZERO)? {
            self.serve(&message)?;
        }
        Ok(())
    }

    fn id(&mut self) -> u16 {
        self.next_id = self.next_id.wrapping_add(1);
        self.next_id
    }

    fn request(
        &mut self,
        what: &'static str,
        command: u16,
        parts: &[&[u8]],
        fds: &[std::os::fd::BorrowedFd<'_>],
    ) -> Result<Vec<u8>, ClientError> {
        let id = self.id();
        send(&self.stream, (id, command), (0, 0), parts, fds)?;
        let until = Instant::now() + self.timeout;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let Some(message) = self.receiver.receive(left)? else {
                let waited = self.timeout;
                return Err(ClientError::Timeout { what, waited });
            };
            if !message.is_reply() {
                self.serve(&message)?;
            } else if message.id == id {
                return match message.failure() {
                    Some(errno) => Err(ClientError::Refused { what, errno }),
                    None => Ok(message.body),
                };
            }
            // A reply to a request that timed out earlier is of no use to anybody.
        }
    }

    /// Answers a request of the device.
    fn serve(&mut self, message: &Message) -> Result<(), ClientError> {
        if message.is_reply() {
            return Ok(());
        }
        let answer = self.transfer(message);
        if !message.wants_reply() {
            return Ok(());
        }
        let (flags, error, body) = match answer {
            Ok(body) => (flag::REPLY, 0, body),
            Err(errno) => (flag::REPLY | flag::ERROR, errno, Vec::new()),
        };
        let kind = (message.id, message.command);
        Ok(send(&self.stream, kind, (flags, error), &[&body], &[])?)
    }

    /// A device's read or write of memory that is served by messages; an error number if it cannot be.
    fn transfer(&self, message: &Message) -> Result<Vec<u8>, u32> {
        let mut fields = Fields::new(&message.body);
        let head = (|| Ok::<_, Short>((fields.u64()?, fields.u64()?)))();
        let (address, count) = head.map_err(|_| errno::INVALID)?;
        let count = usize::try_from(count)
            .ok()
            .filter(|&n| n <= wire::MAX_DATA)
            .ok_or(errno::INVALID)?;
        let found = self.served.iter().find_map(|s| {
            let offset = usize::try_from(address.checked_sub(s.address)?).ok()?;
            (offset.checked_add(count)? <= s.memory.len()).then_some((&s.memory, offset))
        });
        let (memory, offset) = found.ok_or(errno::FAULT)?;
        let mut body = wire::transfer(address, count as u64).to_vec();
        match message.command {
            command::DMA_READ => {
                body.resize(16 + count, 0);
                memory.read(offset, &mut body[16..]);
            }
            command::DMA_WRITE => {
                let data = fields.bytes(count).map_err(|_| errno::INVALID)?;
                memory.write(offset, data);
            }
            _ => return Err(errno::NO_SYSTEM_CALL),
        }
        Ok(body)
    }
}
