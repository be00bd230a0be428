//! The client's memory as the card's bus.
//!
//! Memory that came with a descriptor is mapped and copied. All other addresses are reached by messages: writes are
//! sent on at once and everything after them waits its turn until they are acknowledged, so that posted writes keep
//! their order; a read is started by [`Bus::ready`] and answered when its reply has come. So an address that nobody
//! mapped gets to the client, and behind a guest's IOMMU the guest's kernel learns of it, as it would of a real card.

use super::maps::{Maps, Place};
use super::{Event, Statistics};
use crate::card::{Bus, BusError};
use std::collections::VecDeque;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};
use weft_protocol::pcie::VECTORS;
use weft_vfio_user::wire::{self, Fields, command, errno};
use weft_vfio_user::{EventFd, Message, socket};

/// Most bytes of one message to the client.
const MAX_MESSAGE_DATA: usize = 64 << 10;
/// Posted writes that may wait for an acknowledgement before the card is stopped until there are fewer.
const MAX_POSTED: usize = 1 << 10;
/// How long a read that was not asked for with [`Bus::ready`] waits for its reply.
const BLOCKING_READ: Duration = Duration::from_secs(2);

/// What the receiving thread hands to the card's.
#[derive(Debug)]
pub(super) enum Arrival {
    /// A message.
    Message(Message),
    /// No more will come, and why.
    End(String),
}

/// A write or an interrupt that waits for its turn.
#[derive(Debug)]
enum Posted {
    Write(u64, Vec<u8>),
    Interrupt(u16),
}

/// A write message under way.
#[derive(Clone, Copy, Debug)]
struct Writing {
    id: u16,
    address: u64,
    bytes: usize,
}

/// A read by messages.
#[derive(Debug)]
struct Fetch {
    address: u64,
    bytes: usize,
    data: Vec<u8>,
    /// Id of the message under way.
    asked: Option<u16>,
    failed: bool,
}

/// The card's bus: one client's memory and interrupts.
pub(super) struct Dma<'a> {
    stream: &'a UnixStream,
    arrivals: &'a Receiver<Arrival>,
    /// What arrived while a read was waited for.
    pub deferred: VecDeque<Arrival>,
    pub statistics: &'a mut Statistics,
    pub watch: &'a mut dyn FnMut(Event),
    /// Most data bytes that the client takes in one message.
    pub max_data: usize,
    maps: Maps,
    events: [Option<EventFd>; VECTORS],
    posted: VecDeque<Posted>,
    /// The write message that is not acknowledged.
    writing: Option<Writing>,
    fetch: Option<Fetch>,
    next_id: u16,
    /// Set when the socket failed: nothing can be sent any more.
    pub lost: Option<String>,
}

impl<'a> Dma<'a> {
    pub(super) fn new(
        stream: &'a UnixStream,
        arrivals: &'a Receiver<Arrival>,
        statistics: &'a mut Statistics,
        watch: &'a mut dyn FnMut(Event),
    ) -> Self {
        Self {
            stream,
            arrivals,
            deferred: VecDeque::new(),
            statistics,
            watch,
            max_data: wire::MAX_DATA,
            maps: Maps::default(),
            events: [const { None }; VECTORS],
            posted: VecDeque::new(),
            writing: None,
            fetch: None,
            next_id: 0,
            lost: None,
        }
    }

    /// Lets the card reach `bytes` from `address` on.
    pub(super) fn map(
        &mut self,
        flags: u32,
        (offset, address, bytes): (u64, u64, u64),
        fd: Option<OwnedFd>,
    ) -> Result<(), u32> {
        let with_memory = fd.is_some();
        self.maps.add(flags, (offset, address, bytes), fd)?;
        self.statistics.maps += 1;
        self.statistics.maps_with_memory += u64::from(with_memory);
        let maps = self.maps.count();
        (self.watch)(Event::Mapped { maps });
        Ok(())
    }

    /// Takes back every map that reaches into the range, which may be as large as the address space.
    pub(super) fn unmap(&mut self, flags: u32, address: u64, bytes: u64) {
        let removed = self.maps.remove(flags, address, bytes);
        self.statistics.unmaps += removed as u64;
        let maps = self.maps.count();
        (self.watch)(Event::Mapped { maps });
    }

    /// Vector `vector` goes to `event`, or nowhere.
    pub(super) fn set_event(&mut self, vector: usize, event: Option<EventFd>) -> Result<(), u32> {
        *self.events.get_mut(vector).ok_or(errno::INVALID)? = event;
        Ok(())
    }

    /// Forgets what the card had under way.
    pub(super) fn abandon(&mut self) {
        self.posted.clear();
        self.fetch = None;
    }

    /// Whether so many writes wait that the card should not be advanced.
    pub(super) fn choked(&self) -> bool {
        self.posted.len() >= MAX_POSTED
    }

    /// The client's answer to a message of ours.
    pub(super) fn reply(&mut self, message: &Message) {
        if let Some(write) = self.writing.filter(|w| w.id == message.id) {
            self.writing = None;
            if message.failure().is_some() {
                // A posted write that nobody takes is lost; the card does not learn of it.
                self.denied(write.address, write.bytes, true);
            }
            self.post();
        } else if let Some(fetch) = self.fetch.as_mut().filter(|f| f.asked == Some(message.id)) {
            fetch.asked = None;
            let mut fields = Fields::new(&message.body);
            let data = fields.bytes(16).map_or(&[][..], |_| fields.rest());
            let wanted = fetch.bytes - fetch.data.len();
            if message.failure().is_some() || data.is_empty() || data.len() > wanted {
                fetch.failed = true;
            } else {
                fetch.data.extend_from_slice(data);
            }
            self.ask();
        }
    }

    fn send(&mut self, command: u16, parts: &[&[u8]]) -> u16 {
        self.next_id = self.next_id.wrapping_add(1);
        self.statistics.messages += 1;
        let kind = (self.next_id, command);
        if let Err(error) = socket::send(self.stream, kind, (0, 0), parts, &[]) {
            self.lost = Some(error.to_string());
        }
        self.next_id
    }

    fn denied(&mut self, address: u64, bytes: usize, write: bool) {
        self.statistics.blocked += 1;
        (self.watch)(Event::Blocked {
            address,
            bytes,
            write,
        });
    }

    /// Asks for the next bytes of the read under way.
    fn ask(&mut self) {
        let Some(mut fetch) = self.fetch.take() else {
            return;
        };
        while !fetch.failed && fetch.data.len() < fetch.bytes {
            let address = fetch.address.wrapping_add(fetch.data.len() as u64);
            let left = fetch.bytes - fetch.data.len();
            match self.maps.place(address, left, false) {
                (Place::Memory(memory, at), here) => {
                    let start = fetch.data.len();
                    fetch.data.resize(start + here, 0);
                    memory.read(at, &mut fetch.data[start..]);
                }
                (Place::Messages, here) => {
                    let bytes = here.min(MAX_MESSAGE_DATA).min(self.max_data);
                    let body = wire::transfer(address, bytes as u64);
                    fetch.asked = Some(self.send(command::DMA_READ, &[&body]));
                    break;
                }
            }
        }
        self.fetch = Some(fetch);
    }

    /// Carries out posted writes up to the first that must be acknowledged.
    fn post(&mut self) {
        while self.writing.is_none() {
            match self.posted.pop_front() {
                None => return,
                Some(Posted::Interrupt(vector)) => self.signal(vector),
                Some(Posted::Write(address, data)) => self.store(address, &data),
            }
        }
    }

    /// Writes now; what must go by message and does not fit into one goes back to the front of the queue.
    fn store(&mut self, address: u64, data: &[u8]) {
        let mut at = 0;
        while at < data.len() {
            let here = address.wrapping_add(at as u64);
            match self.maps.place(here, data.len() - at, true) {
                (Place::Memory(memory, offset), n) => {
                    memory.write(offset, &data[at..at + n]);
                    at += n;
                }
                (Place::Messages, n) => {
                    let n = n.min(MAX_MESSAGE_DATA).min(self.max_data);
                    let body = wire::transfer(here, n as u64);
                    let id = self.send(command::DMA_WRITE, &[&body, &data[at..at + n]]);
                    self.writing = Some(Writing {
                        id,
                        address: here,
                        bytes: n,
                    });
                    at += n;
                    if at < data.len() {
                        let rest = data[at..].to_vec();
                        let next = address.wrapping_add(at as u64);
                        self.posted.push_front(Posted::Write(next, rest));
                    }
                    return;
                }
            }
        }
    }

    fn signal(&mut self, vector: u16) {
        let event = self
            .events
            .get(usize::from(vector))
            .and_then(Option::as_ref);
        if event.is_some_and(|e| e.signal().is_ok()) {
            self.statistics.interrupts += 1;
        } else {
            self.statistics.unheard_interrupts += 1;
        }
    }

    /// Waits for the reply to a read that was not started in time.
    fn wait_until_ready(&mut self, address: u64, bytes: usize) -> bool {
        let until = Instant::now() + BLOCKING_READ;
        while !self.ready(address, bytes) {
            let left = until.saturating_duration_since(Instant::now());
            match self.arrivals.recv_timeout(left) {
                Ok(Arrival::Message(m)) if m.is_reply() => self.reply(&m),
                Ok(other) => self.deferred.push_back(other),
                Err(_) => return false,
            }
        }
        true
    }
}

impl Bus for Dma<'_> {
    fn ready(&mut self, address: u64, bytes: usize) -> bool {
        // A read does not pass a write.
        if self.writing.is_some() || !self.posted.is_empty() {
            return false;
        }
        if self.maps.all_in_memory(address, bytes) {
            return true;
        }
        let same = |f: &Fetch| (f.address, f.bytes) == (address, bytes);
        match &self.fetch {
            Some(f) if same(f) => f.failed || f.data.len() == f.bytes,
            // Another read, of before a reset: its reply is dropped when it comes.
            _ => {
                self.fetch = Some(Fetch {
                    address,
                    bytes,
                    data: Vec::new(),
                    asked: None,
                    failed: false,
                });
                self.ask();
                self.fetch.as_ref().is_some_and(|f| f.failed)
            }
        }
    }

    fn read(&mut self, address: u64, data: &mut [u8]) -> Result<(), BusError> {
        if !self.ready(address, data.len()) && !self.wait_until_ready(address, data.len()) {
            return Err(BusError::Abort);
        }
        self.statistics.bytes_read += data.len() as u64;
        if let Some(fetch) = self.fetch.take() {
            if fetch.failed {
                self.denied(address, data.len(), false);
                return Err(BusError::Unsupported);
            }
            data.copy_from_slice(&fetch.data);
            return Ok(());
        }
        let mut at = 0;
        while at < data.len() {
            let here = address.wrapping_add(at as u64);
            match self.maps.place(here, data.len() - at, false) {
                (Place::Memory(memory, offset), n) => {
                    memory.read(offset, &mut data[at..at + n]);
                    at += n;
                }
                (Place::Messages, _) => return Err(BusError::Abort),
            }
        }
        Ok(())
    }

    fn write(&mut self, address: u64, data: &[u8]) {
        self.statistics.bytes_written += data.len() as u64;
        if self.writing.is_some() || !self.posted.is_empty() {
            self.posted.push_back(Posted::Write(address, data.to_vec()));
        } else {
            self.store(address, data);
        }
    }

    fn interrupt(&mut self, vector: u16) {
        if self.writing.is_some() || !self.posted.is_empty() {
            self.posted.push_back(Posted::Interrupt(vector));
        } else {
            self.signal(vector);
        }
    }
}
