//! One client: its messages, and the card's work between them.

use super::dma::{Arrival, Dma};
use super::{Event, LOOK, Statistics};
use crate::card::{Activity, Card};
use crate::config_space::{CONFIG_BYTES, ConfigSpace, Effect};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, TryRecvError};
use weft_protocol::pcie::VECTORS;
use weft_vfio_user::wire::{self, Fields, Short, command, errno, flag, irq, region};
use weft_vfio_user::{EventFd, Message, Receiver, socket};

/// No access of a BAR crosses a multiple of this.
const PAGE: u64 = 4096;
/// Messages that may wait for the card's thread before the client is not read any further.
const QUEUE: usize = 256;

/// Serves one client until it leaves, misbehaves, or `stop` is set; says why it ended.
pub(super) fn serve(
    stream: UnixStream,
    card: &mut dyn Card,
    stop: &AtomicBool,
    statistics: &mut Statistics,
    watch: &mut dyn FnMut(Event),
) -> String {
    let receiving = stream
        .set_nonblocking(false)
        .and_then(|()| stream.try_clone());
    let receiving = match receiving {
        Ok(receiving) => receiving,
        Err(e) => return e.to_string(),
    };
    let (sender, arrivals) = mpsc::sync_channel(QUEUE);
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let over = &over;
        scope.spawn(move || receive(Receiver::new(receiving), &sender, over));
        let window = card.bar_bytes(2);
        let mut session = Session {
            config: ConfigSpace::new(window),
            card,
            stream: &stream,
            agreed: false,
            dma: Dma::new(&stream, &arrivals, statistics, watch),
        };
        session.reset();
        let reason = session.run(&arrivals, stop);
        session.reset();
        session.dma.unmap(wire::dma::ALL, 0, 0);
        over.store(true, Ordering::Relaxed);
        // Wakes a receiver that waits for room in the queue.
        drop(session);
        drop(arrivals);
        reason
    })
}

/// Hands messages on until there are no more.
fn receive(mut receiver: Receiver, queue: &mpsc::SyncSender<Arrival>, over: &AtomicBool) {
    while !over.load(Ordering::Relaxed) {
        let arrival = match receiver.receive(LOOK) {
            Ok(None) => continue,
            Ok(Some(message)) => Arrival::Message(message),
            Err(error) => Arrival::End(error.to_string()),
        };
        let last = matches!(arrival, Arrival::End(_));
        if queue.send(arrival).is_err() || last {
            return;
        }
    }
}

struct Session<'a> {
    card: &'a mut dyn Card,
    config: ConfigSpace,
    stream: &'a UnixStream,
    /// Whether the version was agreed on.
    agreed: bool,
    dma: Dma<'a>,
}

impl Session<'_> {
    fn run(&mut self, arrivals: &mpsc::Receiver<Arrival>, stop: &AtomicBool) -> String {
        let mut activity = Activity::Busy;
        loop {
            if stop.load(Ordering::Relaxed) {
                return "the server stops".into();
            }
            let next = match self.dma.deferred.pop_front() {
                Some(arrival) => Some(arrival),
                None if activity == Activity::Busy => match arrivals.try_recv() {
                    Ok(arrival) => Some(arrival),
                    Err(TryRecvError::Empty) => None,
                    Err(TryRecvError::Disconnected) => return "the receiver ended".into(),
                },
                None => match arrivals.recv_timeout(LOOK) {
                    Ok(arrival) => Some(arrival),
                    Err(RecvTimeoutError::Timeout) => continue,
                    Err(RecvTimeoutError::Disconnected) => return "the receiver ended".into(),
                },
            };
            match next {
                Some(Arrival::End(reason)) => return reason,
                Some(Arrival::Message(message)) if message.is_reply() => self.dma.reply(&message),
                Some(Arrival::Message(message)) => {
                    if let Err(reason) = self.answer(message) {
                        return reason;
                    }
                }
                None => {
                    activity = if self.dma.choked() {
                        Activity::Idle // until the client has acknowledged some
                    } else {
                        self.card.advance(&mut self.dma)
                    };
                    if let Some(reason) = self.dma.lost.take() {
                        return reason;
                    }
                    continue;
                }
            }
            activity = Activity::Busy;
        }
    }

    /// A function-level reset of the card and of everything around it.
    fn reset(&mut self) {
        self.card.reset();
        self.config.reset();
        self.dma.abandon();
        self.dma.statistics.resets += 1;
        self.configure();
    }

    fn configure(&mut self) {
        let c = self.config.settings();
        self.card.configure(c.bus_master, c.max_payload, c.max_read);
    }

    /// Carries a command out and replies. An error ends the session.
    fn answer(&mut self, mut message: Message) -> Result<(), String> {
        if !self.agreed && message.command != command::VERSION {
            return Err("its first message was not the version".into());
        }
        let outcome = self.execute(&mut message);
        let (flags, error, body) = match outcome {
            Ok(body) => (flag::REPLY, 0, body),
            Err(errno) => {
                self.dma.statistics.refused += 1;
                (flag::REPLY | flag::ERROR, errno, Vec::new())
            }
        };
        if message.wants_reply() {
            let kind = (message.id, message.command);
            socket::send(self.stream, kind, (flags, error), &[&body], &[])
                .map_err(|e| e.to_string())?;
        }
        if self.agreed {
            Ok(())
        } else {
            Err("it speaks another version of the protocol".into())
        }
    }

    fn execute(&mut self, message: &mut Message) -> Result<Vec<u8>, u32> {
        let body = std::mem::take(&mut message.body);
        let mut f = Fields::new(&body);
        let bad = |_: Short| errno::INVALID;
        match message.command {
            command::VERSION => self.version(&body).map_err(bad)?.ok_or(errno::INVALID),
            command::DMA_MAP => {
                let flags = f.bytes(4).and_then(|_| f.u32()).map_err(bad)?;
                let offset = f.u64().map_err(bad)?;
                let address = f.u64().map_err(bad)?;
                let bytes = f.u64().map_err(bad)?;
                let fd = message.fds.pop();
                self.dma.map(flags, (offset, address, bytes), fd)?;
                Ok(Vec::new())
            }
            command::DMA_UNMAP => {
                let flags = f.bytes(4).and_then(|_| f.u32()).map_err(bad)?;
                let address = f.u64().map_err(bad)?;
                let bytes = f.u64().map_err(bad)?;
                self.dma.unmap(flags, address, bytes);
                Ok(body[..24].to_vec())
            }
            command::DEVICE_INFO => Ok(wire::words(&[
                16,
                wire::DEVICE_PCI_RESET,
                region::COUNT,
                irq::COUNT,
            ])),
            command::REGION_INFO => {
                let index = f.bytes(8).and_then(|_| f.u32()).map_err(bad)?;
                self.region_info(index)
            }
            command::IRQ_INFO => {
                let index = f.bytes(8).and_then(|_| f.u32()).map_err(bad)?;
                let (flags, count) = match index {
                    irq::MSIX => (irq::EVENTFD | irq::NORESIZE, VECTORS as u32),
                    i if i < irq::COUNT => (0, 0),
                    _ => return Err(errno::INVALID),
                };
                Ok(wire::words(&[16, flags, index, count]))
            }
            command::SET_IRQS => {
                self.set_irqs(f, message)?;
                Ok(Vec::new())
            }
            command::REGION_READ => {
                let (offset, index, count) = access(&mut f).map_err(bad)?;
                if count > wire::MAX_DATA {
                    return Err(errno::INVALID);
                }
                let mut reply = body[..16].to_vec();
                reply.resize(16 + count, 0);
                self.region_read(index, offset, &mut reply[16..])?;
                Ok(reply)
            }
            command::REGION_WRITE => {
                let (offset, index, count) = access(&mut f).map_err(bad)?;
                let data = f.bytes(count).map_err(bad)?;
                self.region_write(index, offset, data)?;
                Ok(body[..16].to_vec())
            }
            command::REGION_WRITE_MULTI => {
                let count = f.u64().map_err(bad)?;
                for _ in 0..count {
                    let (offset, index, bytes) = access(&mut f).map_err(bad)?;
                    let data = f.bytes(8).map_err(bad)?;
                    let data = data.get(..bytes).ok_or(errno::INVALID)?;
                    self.region_write(index, offset, data)?;
                }
                Ok(body[..8].to_vec())
            }
            command::RESET => {
                self.reset();
                Ok(Vec::new())
            }
            _ => Err(errno::NO_SYSTEM_CALL),
        }
    }

    /// The reply to a version message; `None` when the client cannot be served.
    fn version(&mut self, body: &[u8]) -> Result<Option<Vec<u8>>, Short> {
        let (major, _, max_data) = wire::parse_version(body)?;
        if major != wire::MAJOR || self.agreed {
            return Ok(None);
        }
        self.agreed = true;
        self.dma.statistics.clients += 1;
        self.dma.max_data = max_data;
        Ok(Some(wire::version(true)))
    }

    fn region_bytes(&self, index: u32) -> u64 {
        match index {
            0..=5 => self.card.bar_bytes(index as usize),
            region::CONFIG => CONFIG_BYTES as u64,
            _ => 0,
        }
    }

    fn region_info(&self, index: u32) -> Result<Vec<u8>, u32> {
        if index >= region::COUNT {
            return Err(errno::INVALID);
        }
        let bytes = self.region_bytes(index);
        let flags = if bytes > 0 { region::READ_WRITE } else { 0 };
        let mut reply = wire::words(&[32, flags, index, 0]);
        reply.extend_from_slice(&bytes.to_le_bytes());
        reply.extend_from_slice(&0u64.to_le_bytes());
        Ok(reply)
    }

    /// Checks that a region has these bytes.
    fn check(&self, index: u32, offset: u64, bytes: usize) -> Result<(), u32> {
        let end = offset.checked_add(bytes as u64).ok_or(errno::INVALID)?;
        if end > self.region_bytes(index) {
            return Err(errno::INVALID);
        }
        Ok(())
    }

    fn region_read(&mut self, index: u32, offset: u64, data: &mut [u8]) -> Result<(), u32> {
        self.check(index, offset, data.len())?;
        self.dma.statistics.region_reads += 1;
        if index == region::CONFIG {
            self.config.read(offset as usize, data);
        } else if self.config.settings().memory {
            for (start, n) in pieces(offset, data.len()) {
                let at = offset + start as u64;
                self.card
                    .bar_read(index as usize, at, &mut data[start..start + n]);
            }
        } else {
            data.fill(0xff); // nobody answers
        }
        Ok(())
    }

    fn region_write(&mut self, index: u32, offset: u64, data: &[u8]) -> Result<(), u32> {
        self.check(index, offset, data.len())?;
        self.dma.statistics.region_writes += 1;
        if index == region::CONFIG {
            match self.config.write(offset as usize, data) {
                Effect::Settings => self.configure(),
                Effect::Reset => self.reset(),
            }
        } else if self.config.settings().memory {
            for (start, n) in pieces(offset, data.len()) {
                let at = offset + start as u64;
                self.card
                    .bar_write(index as usize, at, &data[start..start + n]);
            }
        }
        Ok(())
    }

    fn set_irqs(&mut self, mut f: Fields<'_>, message: &mut Message) -> Result<(), u32> {
        let mut word = || f.u32().map_err(|_| errno::INVALID);
        let (_, flags, index, start, count) = (word()?, word()?, word()?, word()?, word()?);
        let end = start.checked_add(count).ok_or(errno::INVALID)?;
        let fits = index == irq::MSIX && end as usize <= VECTORS;
        // Other kinds have no vectors, so only "none" can be asked of them.
        let nothing = index < irq::COUNT && count == 0;
        if !(fits || nothing) {
            return Err(errno::INVALID);
        }
        if flags & irq::ACTION_TRIGGER == 0 {
            return Err(errno::INVALID); // vectors are masked in the MSI-X table, which is the client's
        }
        let vectors = start as usize..end as usize;
        if flags & irq::DATA_EVENTFD != 0 {
            let mut fds = std::mem::take(&mut message.fds).into_iter();
            for vector in vectors {
                self.dma.set_event(vector, fds.next().map(EventFd::from))?;
            }
        } else if flags & irq::DATA_NONE != 0 && count == 0 {
            for vector in 0..VECTORS {
                self.dma.set_event(vector, None)?;
            }
        } else if flags & irq::DATA_NONE != 0 {
            for vector in vectors {
                crate::Bus::interrupt(&mut self.dma, vector as u16);
            }
        } else {
            let wanted = f.bytes(count as usize).map_err(|_| errno::INVALID)?;
            for (vector, _) in vectors.zip(wanted).filter(|(_, w)| **w != 0) {
                crate::Bus::interrupt(&mut self.dma, vector as u16);
            }
        }
        Ok(())
    }
}

fn access(f: &mut Fields<'_>) -> Result<(u64, u32, usize), Short> {
    Ok((f.u64()?, f.u32()?, f.u32()? as usize))
}

/// Cuts an access at every multiple of a page: where each piece starts in the data, and its bytes.
fn pieces(offset: u64, bytes: usize) -> impl Iterator<Item = (usize, usize)> {
    let mut start = 0;
    std::iter::from_fn(move || {
        let at = offset + start as u64;
        let n = (bytes - start).min((PAGE - at % PAGE) as usize);
        let piece = (n > 0).then_some((start, n));
        start += n;
        piece
    })
}
