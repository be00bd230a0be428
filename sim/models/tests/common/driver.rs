//! A minimal driver of a card's rings, for tests.

use super::System;
use std::collections::VecDeque;
use weft_models::RootConfig;
use weft_models::root_complex::INTERRUPTS;
use weft_protocol::pcie::ring::{RECORD_BYTES, Record, SLOT_BYTES, Slot};
use weft_protocol::pcie::{CardRegister, Control, MSIX_TABLE, Status};

/// Where the rings are.
pub const COMMANDS: u64 = 0x10_0000;
pub const RESULTS: u64 = 0x20_0000;
pub const RECORDS: u64 = 0x30_0000;
/// Memory below 4 GiB for data.
pub const LOW: u64 = 0x1000_0000;
/// Memory above it.
pub const HIGH: u64 = 0x12_0000_0000;
/// Bytes of each of the two.
pub const DATA_BYTES: usize = 1 << 20;

pub fn ranges() -> [(u64, usize); 5] {
    [
        (COMMANDS, 1 << 19),
        (RESULTS, 1 << 19),
        (RECORDS, 1 << 19),
        (LOW, DATA_BYTES),
        (HIGH, DATA_BYTES),
    ]
}

/// A system whose rings are set up.
pub struct Driver {
    pub system: System,
    pub log2: u32,
    pub command_tail: u16,
    pub result_tail: u16,
    pub completion_head: u16,
    pub records: VecDeque<Record>,
}

impl Driver {
    pub fn new(config: RootConfig, log2: u32) -> Self {
        Self::over(System::new(config, &ranges()), log2)
    }

    pub fn over(system: System, log2: u32) -> Self {
        let mut driver = Self {
            system,
            log2,
            command_tail: 0,
            result_tail: 0,
            completion_head: 0,
            records: VecDeque::new(),
        };
        driver.set_up();
        driver
    }

    fn set_up(&mut self) {
        use CardRegister as R;
        let s = &mut self.system;
        for vector in 0..2_u32 {
            let mut entry = ((INTERRUPTS.start as u32) + 4 * vector)
                .to_le_bytes()
                .to_vec();
            entry.extend([0; 4]);
            entry.extend((0xb000 + vector).to_le_bytes());
            entry.extend([0; 4]);
            s.root
                .host_write(0, (MSIX_TABLE + 16 * vector as usize) as u64, &entry);
        }
        for (base, log2, at) in [
            (R::CommandBase, R::CommandLog2, COMMANDS),
            (R::ResultBase, R::ResultLog2, RESULTS),
            (R::CompletionBase, R::CompletionLog2, RECORDS),
        ] {
            s.root.host_write(0, base.offset(), &at.to_le_bytes());
            s.set(log2, self.log2);
        }
        s.set(R::Control, Control::RUN);
    }

    fn slots(&self) -> u64 {
        1 << self.log2
    }

    fn place(&mut self, ring: u64, tail: u16, bytes: &[u8]) {
        let at = ring + u64::from(tail) % self.slots() * SLOT_BYTES as u64;
        let slot = self
            .system
            .memory
            .slice_mut(at, SLOT_BYTES)
            .expect("a ring in memory");
        slot.copy_from_slice(bytes);
    }

    /// Puts a command slot into the ring, and what follows an inline one.
    pub fn command(&mut self, slot: Slot, inline: &[u8]) {
        self.place(COMMANDS, self.command_tail, &slot.to_bytes());
        self.command_tail = self.command_tail.wrapping_add(1);
        for piece in inline.chunks(SLOT_BYTES) {
            let mut bytes = [0xee; SLOT_BYTES];
            bytes[..piece.len()].copy_from_slice(piece);
            self.place(COMMANDS, self.command_tail, &bytes);
            self.command_tail = self.command_tail.wrapping_add(1);
        }
    }

    /// Puts a result slot into the ring.
    pub fn buffer(&mut self, address: u64, length: u32, cookie: u16) {
        let slot = Slot {
            address,
            length,
            kind: 0,
            flags: 0,
            cookie,
        };
        self.place(RESULTS, self.result_tail, &slot.to_bytes());
        self.result_tail = self.result_tail.wrapping_add(1);
    }

    /// Rings both doorbells.
    pub fn ring(&mut self) {
        self.system
            .set(CardRegister::CommandTail, self.command_tail.into());
        self.system
            .set(CardRegister::ResultTail, self.result_tail.into());
    }

    /// Takes the records that have come and makes room for more.
    pub fn poll(&mut self) -> usize {
        let mut found = 0;
        loop {
            let index = u64::from(self.completion_head) % self.slots();
            let lap = u64::from(self.completion_head) / self.slots();
            let at = RECORDS + index * RECORD_BYTES as u64;
            let bytes = self
                .system
                .memory
                .slice_mut(at, RECORD_BYTES)
                .expect("a ring in memory");
            let record = Record::from_bytes(std::array::from_fn(|i| bytes[i]));
            if record.phase != lap.is_multiple_of(2) {
                break;
            }
            self.records.push_back(record);
            self.completion_head = self.completion_head.wrapping_add(1);
            found += 1;
        }
        if found > 0 {
            self.system
                .set(CardRegister::CompletionHead, self.completion_head.into());
        }
        found
    }

    /// Runs until the next record.
    pub fn record(&mut self) -> Record {
        for _ in 0..400_000 {
            if self.records.is_empty() {
                self.poll();
            }
            if let Some(record) = self.records.pop_front() {
                return record;
            }
            self.system.run(8);
        }
        panic!(
            "no record came; status {:#x}, broken rules {:?}",
            self.system.register(CardRegister::Status),
            self.system.root.checker.violations()
        );
    }

    pub fn status(&mut self) -> Status {
        Status(self.system.register(CardRegister::Status))
    }

    /// Resets the card and sets it up again, with empty rings.
    pub fn reset(&mut self) {
        self.system.set(CardRegister::Control, Control::RESET);
        let mut patience = 3000;
        while self.system.register(CardRegister::Control) & Control::RESET != 0 {
            self.system.run(100);
            patience -= 1;
            assert!(patience > 0, "the reset does not end");
        }
        self.restart();
    }

    /// After a reset: rings are empty, and the card runs.
    pub fn restart(&mut self) {
        self.command_tail = 0;
        self.result_tail = 0;
        self.completion_head = 0;
        self.records.clear();
        let ring = self
            .system
            .memory
            .slice_mut(RECORDS, self.slots() as usize * RECORD_BYTES);
        ring.expect("a ring in memory").fill(0);
        self.set_up();
    }
}
