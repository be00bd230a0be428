//! Takes command slots to the core, and the core's answers to result slots.

use super::interrupts::Interrupts;
use super::registers::Settings;
use super::ring::Ring;
use crate::card::{Bus, BusError};
use std::collections::VecDeque;
use weft_hdl::Twin;
use weft_protocol::packet::{Header, Opcode};
use weft_protocol::pcie::VECTOR_FAULT;
use weft_protocol::pcie::ring::{
    NOTIFY, Outcome, RECORD_BYTES, Record, SLOT_BYTES, Slot, SlotKind,
};
use weft_protocol::{ALIGN, ROW_GRANULE};

/// Bytes given to the core between two looks at its answers. A core with wires stops taking input while an answer
/// leaves; this one may run ahead by so much, and no more.
pub(super) const STEP_BYTES: usize = 256;
/// No request crosses a multiple of this.
const PAGE: u64 = 4096;

/// What the card counts.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub read_requests: u32,
    pub write_requests: u32,
    pub bytes_read: u32,
    pub bytes_written: u32,
    pub failed_completions: u32,
}

/// A command slot under way.
#[derive(Clone, Debug)]
struct Transfer {
    slot: Slot,
    kind: SlotKind,
    /// Position of the slot in the ring, for what lies inline behind it.
    position: u16,
    /// Bytes fetched.
    fetched: u32,
}

/// The descriptor engine.
#[derive(Clone, Debug)]
pub(super) struct Engine {
    pub command: Ring,
    pub result: Ring,
    pub completion: Ring,
    pub run: bool,
    /// Why it halted, and the cookie of the slot.
    pub fault: Option<(Outcome, u16)>,
    pub counts: Counts,
    transfer: Option<Transfer>,
    /// Fetched, not yet given to the core.
    input: Vec<u8>,
    /// The core's words that have not been stored.
    answers: VecDeque<u32>,
    /// A record for which the ring may have no room yet.
    record: Option<Record>,
    max_payload: usize,
    max_read: usize,
}

impl Default for Engine {
    fn default() -> Self {
        Self {
            command: Ring::default(),
            result: Ring::default(),
            completion: Ring::default(),
            run: false,
            fault: None,
            counts: Counts::default(),
            transfer: None,
            input: Vec::new(),
            answers: VecDeque::new(),
            record: None,
            max_payload: 128,
            max_read: 512,
        }
    }
}

impl Engine {
    pub(super) fn configure(&mut self, max_payload: usize, max_read: usize) {
        self.max_payload = max_payload;
        self.max_read = max_read;
    }

    pub(super) fn abandon(&mut self) {
        self.run = false;
        self.fault = None;
        self.transfer = None;
        self.input.clear();
        self.answers.clear();
        self.record = None;
        for ring in [&mut self.command, &mut self.result, &mut self.completion] {
            ring.restart();
        }
    }

    pub(super) fn idle(&self) -> bool {
        self.transfer.is_none() && self.record.is_none()
    }

    /// One step; the bytes it moved, or `None` when there is nothing to do for now.
    pub(super) fn step(
        &mut self,
        twin: &mut Twin,
        window: &[u8],
        settings: &Settings,
        interrupts: &mut Interrupts,
        bus: &mut dyn Bus,
    ) -> Option<usize> {
        if let Some(record) = self.record {
            return self.store_record(record, settings, interrupts, bus);
        }
        if self.fault.is_some() {
            return None;
        }
        if !self.answers.is_empty() {
            return self.store_answer(bus);
        }
        if !self.input.is_empty() {
            return Some(self.feed(twin));
        }
        if self.transfer.is_some() {
            return self.fetch(window, bus);
        }
        if self.run && self.command.filled() > 0 {
            return self.take_slot(window, bus);
        }
        None
    }

    fn store_record(
        &mut self,
        record: Record,
        settings: &Settings,
        interrupts: &mut Interrupts,
        bus: &mut dyn Bus,
    ) -> Option<usize> {
        if self.completion.full() {
            return None;
        }
        let ring = &mut self.completion;
        let phase = ring.phase();
        bus.write(
            ring.address(ring.tail),
            &Record { phase, ..record }.to_bytes(),
        );
        ring.tail = ring.tail.wrapping_add(1);
        self.count_write(RECORD_BYTES);
        self.record = None;
        interrupts.record(settings, bus);
        if self.fault.is_some() {
            interrupts.send(VECTOR_FAULT, bus);
        }
        Some(0)
    }

    /// Ends a slot. Its record is written next; what is not `Done` or `Short` halts.
    fn finish(&mut self, record: Record) {
        let outcome = Outcome::from_code(record.outcome).unwrap_or(Outcome::Done);
        if !matches!(outcome, Outcome::Done | Outcome::Short) {
            self.fault = Some((outcome, record.cookie));
            self.transfer = None;
            self.input.clear();
        }
        self.record = Some(record);
    }

    fn fail(&mut self, slot: Option<Slot>, moved: u32, outcome: Outcome, result: bool) {
        self.finish(Record {
            bytes: moved,
            cookie: slot.map_or(0, |s| s.cookie),
            outcome: outcome as u8,
            phase: false,
            result,
            header: [0; 8],
        });
    }

    /// Reads from the bus, in requests as the configuration allows them. `None` if the bytes are not there yet.
    fn read(
        &mut self,
        bus: &mut dyn Bus,
        address: u64,
        data: &mut [u8],
    ) -> Option<Result<(), Outcome>> {
        if !bus.ready(address, data.len()) {
            return None;
        }
        self.counts.read_requests = self.counts.read_requests.wrapping_add(1);
        Some(match bus.read(address, data) {
            Ok(()) => {
                self.counts.bytes_read = self.counts.bytes_read.wrapping_add(data.len() as u32);
                Ok(())
            }
            Err(error) => {
                let failed = &mut self.counts.failed_completions;
                *failed = failed.wrapping_add(1);
                Err(match error {
                    BusError::Unsupported => Outcome::Unsupported,
                    BusError::Abort => Outcome::Abort,
                })
            }
        })
    }

    fn count_write(&mut self, bytes: usize) {
        self.counts.write_requests = self.counts.write_requests.wrapping_add(1);
        self.counts.bytes_written = self.counts.bytes_written.wrapping_add(bytes as u32);
    }

    fn read_slot(&mut self, bus: &mut dyn Bus, address: u64, result: bool) -> Option<Option<Slot>> {
        let mut bytes = [0; SLOT_BYTES];
        Some(match self.read(bus, address, &mut bytes)? {
            Ok(()) => Some(Slot::from_bytes(bytes)),
            Err(outcome) => {
                self.fail(None, 0, outcome, result);
                None
            }
        })
    }

    fn take_slot(&mut self, window: &[u8], bus: &mut dyn Bus) -> Option<usize> {
        let position = self.command.head;
        let address = self.command.address(position);
        let Some(slot) = self.read_slot(bus, address, false)? else {
            return Some(SLOT_BYTES);
        };
        match slot.check(window.len() as u64) {
            Ok(kind) => {
                self.transfer = Some(Transfer {
                    slot,
                    kind,
                    position,
                    fetched: 0,
                });
            }
            Err(outcome) => self.fail(Some(slot), 0, outcome, false),
        }
        self.command.head = position.wrapping_add(1);
        Some(SLOT_BYTES)
    }

    /// Fetches the next bytes of the slot under way.
    fn fetch(&mut self, window: &[u8], bus: &mut dyn Bus) -> Option<usize> {
        let transfer = self.transfer.clone()?;
        let Transfer { slot, fetched, .. } = transfer;
        let left = slot.length - fetched;
        if transfer.kind == SlotKind::Window {
            let start = slot.address as usize + fetched as usize;
            let bytes = (left as usize).min(self.max_read);
            self.input.extend_from_slice(&window[start..start + bytes]);
            return Some(self.fetched(bytes));
        }
        let address = match transfer.kind {
            SlotKind::Inline => {
                let ahead = 1 + (fetched / SLOT_BYTES as u32) as u16;
                if self.command.filled() == 0 {
                    return None; // the host has not told of the rest yet
                }
                self.command.address(transfer.position.wrapping_add(ahead))
            }
            _ => slot.address.wrapping_add(fetched.into()),
        };
        let most = match transfer.kind {
            SlotKind::Inline => SLOT_BYTES,
            _ => self.max_read.min((PAGE - address % PAGE) as usize),
        };
        let mut data = vec![0; most.min(left as usize)];
        match self.read(bus, address, &mut data)? {
            Ok(()) => {}
            Err(outcome) => {
                self.fail(Some(slot), fetched, outcome, false);
                return Some(0);
            }
        }
        if transfer.kind == SlotKind::Inline {
            self.command.head = self.command.head.wrapping_add(1);
        }
        let bytes = data.len();
        self.input.append(&mut data);
        Some(self.fetched(bytes))
    }

    fn fetched(&mut self, bytes: usize) -> usize {
        if let Some(transfer) = &mut self.transfer {
            transfer.fetched += bytes as u32;
        }
        0
    }

    /// Gives the core the next bytes, and ends the slot with its last one.
    fn feed(&mut self, twin: &mut Twin) -> usize {
        let bytes = self.input.len().min(STEP_BYTES);
        twin.push(&self.input[..bytes]);
        self.input.drain(..bytes);
        self.answers.extend(twin.responses());
        let done = |t: &Transfer| t.fetched == t.slot.length;
        if self.input.is_empty() && self.transfer.as_ref().is_some_and(done) {
            let slot = self.transfer.take().map(|t| t.slot);
            if let Some(slot) = slot.filter(|s| s.flags & NOTIFY != 0) {
                self.finish(Record {
                    bytes: slot.length,
                    cookie: slot.cookie,
                    outcome: Outcome::Done as u8,
                    phase: false,
                    result: false,
                    header: [0; 8],
                });
            }
        }
        bytes
    }

    /// Stores the core's next answer packet, if there is a buffer for it.
    fn store_answer(&mut self, bus: &mut dyn Bus) -> Option<usize> {
        // A stop lets the descriptor under way end, and that may need answers to leave.
        let taking = self.run || self.transfer.is_some();
        if self.result.filled() == 0 || !taking {
            return None;
        }
        let address = self.result.address(self.result.head);
        let Some(slot) = self.read_slot(bus, address, true)? else {
            return Some(SLOT_BYTES);
        };
        self.result.head = self.result.head.wrapping_add(1);
        // No window for answers, and no kind but host memory.
        let checked = match slot.kind {
            0 => slot.check(0).map(drop),
            _ => Err(Outcome::Kind),
        };
        if let Err(outcome) = checked {
            self.fail(Some(slot), 0, outcome, true);
            return Some(SLOT_BYTES);
        }
        let packet = self.take_answer();
        let stored = packet.len().min(slot.length as usize);
        let mut at = 0;
        while at < stored {
            let address = slot.address.wrapping_add(at as u64);
            let bytes = (stored - at)
                .min(self.max_payload)
                .min((PAGE - address % PAGE) as usize);
            bus.write(address, &packet[at..at + bytes]);
            self.count_write(bytes);
            at += bytes;
        }
        self.finish(Record {
            bytes: stored as u32,
            cookie: slot.cookie,
            outcome: if stored < packet.len() {
                Outcome::Short as u8
            } else {
                Outcome::Done as u8
            },
            phase: false,
            result: true,
            header: std::array::from_fn(|i| packet[i]),
        });
        Some(stored)
    }

    /// The core's next answer packet.
    fn take_answer(&mut self) -> Vec<u8> {
        let words = self.answers.iter().take(2).flat_map(|w| w.to_le_bytes());
        let mut header = [0; ALIGN];
        for (to, from) in header.iter_mut().zip(words) {
            *to = from;
        }
        let h = Header::from_bytes(header);
        let payload = match Opcode::from_code(h.op) {
            Some(Opcode::Result) => (usize::from(h.arg16) * ROW_GRANULE) << h.flags,
            _ => 0,
        };
        let words = (2 + payload).min(self.answers.len());
        self.answers
            .drain(..words)
            .flat_map(u32::to_le_bytes)
            .collect()
    }
}
