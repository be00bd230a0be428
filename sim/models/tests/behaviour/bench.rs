//! A card, its host, and what a driver does.

use weft_hdl::CoreConfig;
use weft_models::Card;
use weft_models::{Activity, BehaviouralCard, Bus, BusError};
use weft_protocol::packet::Request;
use weft_protocol::pcie::ring::{Record, Slot, SlotKind};
use weft_protocol::pcie::{CardRegister as R, Control, Status};
use weft_protocol::registers::Register;
/// Host memory at [`HOST`], and what was signalled.
pub(crate) struct Host {
    pub(crate) memory: Vec<u8>,
    pub(crate) interrupts: Vec<u16>,
    /// Reads of this address end with completer abort.
    pub(crate) aborts: Option<u64>,
}

pub(crate) const HOST: u64 = 0x1_0000_0000;
pub(crate) const COMMAND: u64 = HOST;
pub(crate) const RESULT: u64 = HOST + 0x1000;
pub(crate) const COMPLETION: u64 = HOST + 0x2000;
pub(crate) const DATA: u64 = HOST + 0x10000;
pub(crate) const BUFFERS: u64 = HOST + 0x80000;

impl Bus for Host {
    fn read(&mut self, address: u64, data: &mut [u8]) -> Result<(), BusError> {
        assert!(data.len() <= 512 && address % 4096 + data.len() as u64 <= 4096);
        if self.aborts == Some(address) {
            return Err(BusError::Abort);
        }
        let at = address.checked_sub(HOST).ok_or(BusError::Unsupported)? as usize;
        let from = self
            .memory
            .get(at..at + data.len())
            .ok_or(BusError::Unsupported)?;
        data.copy_from_slice(from);
        Ok(())
    }

    fn write(&mut self, address: u64, data: &[u8]) {
        assert!(data.len() <= 128 && address % 4096 + data.len() as u64 <= 4096);
        let at = (address - HOST) as usize;
        self.memory[at..at + data.len()].copy_from_slice(data);
    }

    fn interrupt(&mut self, vector: u16) {
        self.interrupts.push(vector);
    }
}

/// A card, its host, and the positions that a driver keeps.
pub(crate) struct Bench {
    pub(crate) card: BehaviouralCard,
    pub(crate) host: Host,
    pub(crate) command_tail: u16,
    pub(crate) result_tail: u16,
    pub(crate) completion_head: u16,
    pub(crate) log2: u8,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::with_rings(6)
    }

    pub(crate) fn with_rings(log2: u8) -> Self {
        let core = CoreConfig::named("4x1").expect("named");
        let mut card = BehaviouralCard::new(core, 16);
        card.configure(true, 128, 512);
        let mut bench = Self {
            card,
            host: Host {
                memory: vec![0; 1 << 20],
                interrupts: Vec::new(),
                aborts: None,
            },
            command_tail: 0,
            result_tail: 0,
            completion_head: 0,
            log2,
        };
        bench.start();
        bench
    }

    pub(crate) fn start(&mut self) {
        for (low, high, size, base) in [
            (R::CommandBase, R::CommandBaseHigh, R::CommandLog2, COMMAND),
            (R::ResultBase, R::ResultBaseHigh, R::ResultLog2, RESULT),
            (
                R::CompletionBase,
                R::CompletionBaseHigh,
                R::CompletionLog2,
                COMPLETION,
            ),
        ] {
            self.set(low, base as u32);
            self.set(high, (base >> 32) as u32);
            self.set(size, self.log2.into());
        }
        self.set(R::Control, Control::RUN);
    }

    pub(crate) fn set(&mut self, register: R, value: u32) {
        self.card
            .bar_write(0, register.offset(), &value.to_le_bytes());
    }

    pub(crate) fn get(&mut self, register: R) -> u32 {
        let mut data = [0; 4];
        self.card.bar_read(0, register.offset(), &mut data);
        u32::from_le_bytes(data)
    }

    pub(crate) fn status(&mut self) -> Status {
        Status(self.get(R::Status))
    }

    pub(crate) fn store(&mut self, address: u64, bytes: &[u8]) {
        let at = (address - HOST) as usize;
        self.host.memory[at..at + bytes.len()].copy_from_slice(bytes);
    }

    pub(crate) fn slot(&mut self, ring: u64, tail: u16, bytes: &[u8]) {
        let index = u64::from(tail) % (1 << self.log2);
        self.store(ring + 16 * index, bytes);
    }

    pub(crate) fn command(&mut self, slot: Slot) {
        self.slot(COMMAND, self.command_tail, &slot.to_bytes());
        self.command_tail = self.command_tail.wrapping_add(1);
    }

    pub(crate) fn inline(&mut self, bytes: &[u8], flags: u8, cookie: u16) {
        self.command(Slot {
            address: 0,
            length: bytes.len() as u32,
            kind: SlotKind::Inline as u8,
            flags,
            cookie,
        });
        for part in bytes.chunks(16) {
            self.slot(COMMAND, self.command_tail, part);
            self.command_tail = self.command_tail.wrapping_add(1);
        }
    }

    pub(crate) fn buffer(&mut self, address: u64, length: u32, cookie: u16) {
        let slot = Slot {
            address,
            length,
            kind: 0,
            flags: 0,
            cookie,
        };
        self.slot(RESULT, self.result_tail, &slot.to_bytes());
        self.result_tail = self.result_tail.wrapping_add(1);
    }

    /// Rings both doorbells and lets the card work until it is idle.
    pub(crate) fn work(&mut self) {
        self.set(R::CommandTail, self.command_tail.into());
        self.set(R::ResultTail, self.result_tail.into());
        while self.card.advance(&mut self.host) == Activity::Busy {}
    }

    /// The records since the last time, after telling the card that they are taken.
    pub(crate) fn records(&mut self) -> Vec<Record> {
        let mut records = Vec::new();
        loop {
            let index = u64::from(self.completion_head) % (1 << self.log2);
            let at = (COMPLETION - HOST + 16 * index) as usize;
            let bytes: [u8; 16] = std::array::from_fn(|i| self.host.memory[at + i]);
            let record = Record::from_bytes(bytes);
            if record.phase != (self.completion_head >> self.log2 & 1 == 0) {
                self.set(R::CompletionHead, self.completion_head.into());
                return records;
            }
            self.completion_head = self.completion_head.wrapping_add(1);
            records.push(record);
        }
    }
}

pub(crate) fn packets(requests: &[Request<'_>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for request in requests {
        request.encode(&mut bytes);
    }
    bytes
}

pub(crate) fn read(register: Register) -> Request<'static> {
    Request::Read {
        register: register as u16,
    }
}
