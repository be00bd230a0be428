//! The host's requests to the card's BARs.

use super::{BAR0, BAR2, DEVICE, ROOT, RootComplex};
use crate::tlp::Tlp;
use std::collections::{HashMap, VecDeque};
use weft_protocol::pcie::tlp::{ANSWERED_TAG, LENGTH, STATUS, SUCCESS, TAG};

/// A read of the host that is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ticket(u8);

/// Why a read of the host has no data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HostError {
    /// The card answered with another status than success.
    #[error("the card answered a read with status {0}")]
    Status(u32),
    /// The card did not answer.
    #[error("the card did not answer a read within {0} cycles")]
    Silent(u64),
}

/// A read under way.
#[derive(Debug, Default)]
struct Reading {
    skip: usize,
    bytes: usize,
    data: Vec<u8>,
    failed: Option<u32>,
}

/// Requests that wait for the link, and reads that wait for their answer.
#[derive(Debug, Default)]
pub(super) struct Host {
    queue: VecDeque<Tlp>,
    reading: HashMap<u8, Reading>,
    next_tag: u8,
}

impl Host {
    pub(super) fn quiet(&self) -> bool {
        self.queue.is_empty()
    }

    /// The next request, in order; one that wants an answer waits for `reads_ok`, and everything behind it.
    pub(super) fn next(&mut self, reads_ok: bool) -> Option<Tlp> {
        let first = self.queue.front()?;
        if !first.is_write() && !reads_ok {
            return None;
        }
        self.queue.pop_front()
    }

    pub(super) fn completed(&mut self, tlp: &Tlp) {
        let Some(reading) = self.reading.get_mut(&(tlp.get(ANSWERED_TAG) as u8)) else {
            return;
        };
        if tlp.get(STATUS) == SUCCESS {
            reading.data.extend_from_slice(&tlp.data);
        } else {
            reading.failed = Some(tlp.get(STATUS));
        }
    }
}

impl RootComplex {
    /// Queues any packet for the card.
    pub fn send(&mut self, tlp: Tlp) {
        self.host.queue.push_back(tlp);
    }

    /// Queues a write into a BAR, in packets of at most the maximum payload that cross no 4 KiB.
    pub fn host_write(&mut self, bar: usize, offset: u64, data: &[u8]) {
        let mut address = base(bar) + offset;
        let mut data = data;
        while !data.is_empty() {
            let most = self.config.max_payload as u64;
            let piece = (most - address % most).min(data.len() as u64) as usize;
            let (now, later) = data.split_at(piece);
            self.send(Tlp::write(ROOT, address, now));
            address += piece as u64;
            data = later;
        }
    }

    /// Queues a read of at most 4,096 bytes that cross no 4 KiB.
    pub fn host_read(&mut self, bar: usize, offset: u64, bytes: usize) -> Ticket {
        let tag = self.host.next_tag;
        self.host.next_tag = tag.wrapping_add(1);
        let tlp = Tlp::read(ROOT, tag, base(bar) + offset, bytes);
        self.expect(tag, (offset & 3) as usize, bytes);
        self.send(tlp);
        Ticket(tag)
    }

    /// Queues any request that wants an answer; its tag is replaced.
    pub fn host_ask(&mut self, mut tlp: Tlp) -> Ticket {
        let tag = self.host.next_tag;
        self.host.next_tag = tag.wrapping_add(1);
        tlp.set(TAG, tag.into());
        self.expect(tag, 0, 4 * tlp.get(LENGTH) as usize);
        self.send(tlp);
        Ticket(tag)
    }

    fn expect(&mut self, tag: u8, skip: usize, bytes: usize) {
        let reading = Reading {
            skip,
            bytes,
            ..Reading::default()
        };
        self.host.reading.insert(tag, reading);
    }

    /// The answer to a read, once it is complete.
    pub fn answer(&mut self, ticket: Ticket) -> Option<Result<Vec<u8>, HostError>> {
        let reading = self.host.reading.get(&ticket.0)?;
        let (skip, end) = (reading.skip, reading.skip + reading.bytes);
        if let Some(status) = reading.failed {
            self.host.reading.remove(&ticket.0);
            return Some(Err(HostError::Status(status)));
        }
        if reading.data.len() < end.max(4) {
            return None;
        }
        let reading = self.host.reading.remove(&ticket.0)?;
        Some(Ok(reading.data[skip..end].to_vec()))
    }
}

fn base(bar: usize) -> u64 {
    debug_assert_eq!(DEVICE & 7, 0);
    if bar == 0 { BAR0 } else { BAR2 }
}
