//! A card that another process serves over vfio-user.

use super::CardError;
use super::transport::{DmaBuffer, Transport};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use weft_protocol::pcie::{BAR0_BYTES, CardRegister, VECTORS};
use weft_vfio_user::wire::region;
use weft_vfio_user::{Client, ClientError, EventFd, SharedMemory, SocketError};

/// How long a reply may take.
const REPLY: Duration = Duration::from_secs(5);
/// Bus address of the first buffer; what is below is where other systems have holes.
const FIRST_ADDRESS: u64 = 1 << 32;
const PAGE: usize = 4096;
/// Command register in configuration space, and its bits memory space and bus master.
const COMMAND: u64 = 4;
const MEMORY_AND_BUS_MASTER: u16 = 0b110;
const BAR0: u32 = 0;

/// A card behind a socket.
#[derive(Debug)]
pub struct Socket {
    path: PathBuf,
    client: Client,
    /// Completions, then faults: both wake the driver.
    event: EventFd,
    buffers: Vec<DmaBuffer>,
    next_address: u64,
    by_messages: bool,
}

impl Socket {
    /// Connects to the server at `path`.
    ///
    /// # Errors
    /// [`CardError::Transport`].
    pub fn connect(path: &Path) -> Result<Self, CardError> {
        let step = "connecting to the card's socket";
        let failed = |e: ClientError| CardError::transport(step, e);
        let mut client = Client::connect(path, REPLY).map_err(failed)?;
        let bytes = client.region_bytes(BAR0).map_err(failed)?;
        if bytes != BAR0_BYTES as u64 {
            return Err(CardError::Answer {
                found: format!("a BAR0 of {bytes} bytes"),
                wanted: format!("{BAR0_BYTES}"),
            });
        }
        let event = EventFd::new().map_err(|e| CardError::transport(step, e))?;
        let vectors = [&event; VECTORS];
        client.set_interrupts(&vectors).map_err(failed)?;
        Ok(Self {
            path: path.to_owned(),
            client,
            event,
            buffers: Vec::new(),
            next_address: FIRST_ADDRESS,
            by_messages: false,
        })
    }

    /// Lets the card reach this process's memory by messages alone, as it reaches memory that cannot be mapped.
    #[must_use]
    pub fn by_messages(mut self) -> Self {
        self.by_messages = true;
        self
    }

    /// The client, for tests that break what it set up.
    pub fn client(&mut self) -> &mut Client {
        &mut self.client
    }

    /// What a lost connection means to the driver.
    fn failed(step: &'static str) -> impl Fn(ClientError) -> CardError {
        move |error| match error {
            ClientError::Socket(SocketError::Closed) => CardError::Lost,
            other => CardError::transport(step, other),
        }
    }

    fn enable(&mut self) -> Result<(), CardError> {
        let data = MEMORY_AND_BUS_MASTER.to_le_bytes();
        self.client
            .write(region::CONFIG, COMMAND, &data)
            .map_err(Self::failed("enabling the card's memory"))
    }
}

impl Transport for Socket {
    fn name(&self) -> String {
        format!("vfio-user:{}", self.path.display())
    }

    fn read(&mut self, register: CardRegister) -> Result<u32, CardError> {
        let mut data = [0; 4];
        self.client
            .read(BAR0, register.offset(), &mut data)
            .map_err(Self::failed("reading a register"))?;
        Ok(u32::from_le_bytes(data))
    }

    fn write(&mut self, register: CardRegister, value: u32) -> Result<(), CardError> {
        self.client
            .post(BAR0, register.offset(), &value.to_le_bytes())
            .map_err(Self::failed("writing a register"))
    }

    fn allocate(&mut self, bytes: usize) -> Result<DmaBuffer, CardError> {
        let step = "allocating memory for the card";
        let bytes = bytes.next_multiple_of(PAGE);
        let (memory, file) =
            SharedMemory::memfd("weft-dma", bytes).map_err(|e| CardError::transport(step, e))?;
        let buffer = DmaBuffer {
            memory: Arc::new(memory),
            address: self.next_address,
        };
        let file = (!self.by_messages).then_some(&file);
        self.client
            .map(buffer.address, &buffer.memory, file)
            .map_err(Self::failed(step))?;
        // A page that nobody has lies between two buffers.
        self.next_address += (bytes + PAGE) as u64;
        self.buffers.push(buffer.clone());
        Ok(buffer)
    }

    fn wait(&mut self, wait: Duration) -> Result<bool, CardError> {
        self.client
            .wait(&self.event, wait)
            .map_err(Self::failed("waiting for an interrupt"))
    }

    fn poll(&mut self) -> Result<(), CardError> {
        // The card asks for what it cannot reach by itself, if only to be refused.
        self.client
            .poll()
            .map_err(Self::failed("serving the card's requests"))
    }

    fn reset(&mut self) -> Result<(), CardError> {
        self.client
            .reset()
            .map_err(Self::failed("resetting the card"))?;
        self.enable()
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        for buffer in &self.buffers {
            let bytes = buffer.memory.len() as u64;
            // A server that is gone has no memory of ours left.
            drop(self.client.unmap(buffer.address, bytes));
        }
    }
}
