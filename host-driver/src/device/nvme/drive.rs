//! The first namespace: asked what it is, and read from.

use super::NvmeError;
use super::controller::{Controller, DATA, ENTRIES, PAGE, page};
use super::queue::Queue;
use super::wire::{Command, ControllerPage, NamespacePage, Opcode};
use crate::device::pcie::DmaBuffer;
use std::collections::VecDeque;
use std::time::Duration;
use weft_vfio_user::SharedMemory;

/// Most bytes of one read: as many pages as a list of one page names, and far below what any drive limits it to.
const MOST_BYTES: usize = 128 << 10;
/// The one namespace that is read.
const NAMESPACE: u32 = 1;

/// A part of a read that one command does.
#[derive(Clone, Copy, Debug)]
struct Part {
    /// Index in `reads`.
    read: usize,
    offset: u64,
    bytes: usize,
    to: u64,
}

/// A read that was asked for.
#[derive(Clone, Copy, Debug)]
struct Read {
    id: u64,
    /// Parts that have not arrived.
    missing: usize,
}

/// A drive.
#[derive(Debug)]
pub struct Drive {
    controller: Controller,
    data: Queue,
    model: String,
    bytes: u64,
    sector_log2: u8,
    most_bytes: usize,
    reads: Vec<Option<Read>>,
    /// What each command id does.
    parts: Vec<Option<Part>>,
    waiting: VecDeque<Part>,
    arrived: VecDeque<u64>,
}

impl Drive {
    /// Bytes of memory that [`Drive::start`] needs.
    pub const MEMORY_BYTES: usize = (page::LISTS + ENTRIES as usize) * PAGE;

    /// Resets the controller behind `registers` (its BAR0) and makes it ready. `memory` is the driver's own, zero, and
    /// may be reached by the drive as long as this lives.
    ///
    /// # Errors
    /// [`NvmeError`].
    pub fn start(registers: SharedMemory, memory: DmaBuffer) -> Result<Self, NvmeError> {
        let data = [page::COMMANDS * PAGE, page::COMPLETIONS * PAGE];
        let mut drive = Self {
            data: Queue::new(memory.clone(), data, ENTRIES),
            controller: Controller::start(registers, memory)?,
            model: String::new(),
            bytes: 0,
            sector_log2: 0,
            most_bytes: MOST_BYTES,
            reads: vec![None; ENTRIES.into()],
            parts: vec![None; usize::from(ENTRIES) - 1],
            waiting: VecDeque::new(),
            arrived: VecDeque::new(),
        };
        drive.identify()?;
        drive.make_queue()?;
        Ok(drive)
    }

    /// The model's name.
    #[must_use]
    pub fn model(&self) -> &str {
        &self.model
    }

    /// Bytes that it holds.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// How long a command may take, 10 s at first.
    pub fn set_patience(&mut self, patience: Duration) {
        self.controller.patience = patience;
    }

    fn identify(&mut self) -> Result<(), NvmeError> {
        let page = self.controller.answer_address();
        let controller = [1, 0, 0];
        self.controller.command(
            "Identify of the controller",
            Opcode::Identify,
            (0, page),
            controller,
        )?;
        let answer = self.controller.answer(PAGE);
        let found = ControllerPage(&answer);
        self.model = found.model();
        self.most_bytes = found.most_bytes().unwrap_or(MOST_BYTES).min(MOST_BYTES);
        self.controller.command(
            "Identify of the namespace",
            Opcode::Identify,
            (NAMESPACE, page),
            [0, 0, 0],
        )?;
        let answer = self.controller.answer(PAGE);
        let found = NamespacePage(&answer);
        self.sector_log2 = found.sector_log2();
        if !(9..=12).contains(&self.sector_log2) || found.metadata_bytes() != 0 {
            return Err(NvmeError::Unfit {
                found: format!(
                    "sectors of 2^{} bytes with {} of metadata",
                    self.sector_log2,
                    found.metadata_bytes()
                ),
                wanted: "512 to 4096 without",
            });
        }
        self.bytes = found.sectors().saturating_mul(1 << self.sector_log2);
        Ok(())
    }

    fn make_queue(&mut self) -> Result<(), NvmeError> {
        let [commands, completions] = self.data.addresses();
        let size = DATA as u32 | u32::from(self.data.entries() - 1) << 16;
        // In one piece; without interrupts; then the completion queue that it goes with.
        let one_piece = 1;
        self.controller.command(
            "the creation of a completion queue",
            Opcode::CreateCompletion,
            (0, completions),
            [size, one_piece, 0],
        )?;
        self.controller.command(
            "the creation of a submission queue",
            Opcode::CreateSubmission,
            (0, commands),
            [size, one_piece | (DATA as u32) << 16, 0],
        )
    }

    /// Reads the first `bytes`, a page at most, into the host's memory.
    ///
    /// # Errors
    /// [`NvmeError`].
    ///
    /// # Panics
    /// When that is more than a page.
    pub fn first_bytes(&mut self, bytes: usize) -> Result<Vec<u8>, NvmeError> {
        assert!(bytes <= PAGE, "a page at most");
        self.read(0, 0, PAGE, self.controller.answer_address());
        while self.finished()?.is_none() {
            self.wait()?;
        }
        Ok(self.controller.answer(bytes))
    }

    /// Starts to read `bytes` from `offset` on, whole pages both, to bus address `to`, which begins a page. What lies
    /// beyond the end of the drive is left as it is. There must be [`Self::room`].
    pub fn read(&mut self, id: u64, offset: u64, bytes: usize, to: u64) {
        let there = self.bytes.saturating_sub(offset);
        let bytes = usize::try_from(there).map_or(bytes, |n| n.min(bytes));
        let slot = self.reads.iter().position(Option::is_none);
        let Some(slot) = slot.filter(|_| bytes > 0) else {
            self.arrived.push_back(id);
            return;
        };
        let starts = (0..bytes).step_by(self.most_bytes);
        let parts = starts.map(|start| Part {
            read: slot,
            offset: offset + start as u64,
            bytes: self.most_bytes.min(bytes - start),
            to: to + start as u64,
        });
        let before = self.waiting.len();
        self.waiting.extend(parts);
        let missing = self.waiting.len() - before;
        self.reads[slot] = Some(Read { id, missing });
        self.submit();
    }

    /// Gives the drive what waits, as far as there is room.
    fn submit(&mut self) {
        let tail = self.data.tail;
        while let Some(id) = self.parts.iter().position(Option::is_none) {
            let Some(part) = self.waiting.pop_front() else {
                break;
            };
            self.parts[id] = Some(part);
            let sector = part.offset >> self.sector_log2;
            let sectors = (part.bytes as u64).div_ceil(1 << self.sector_log2) as u32;
            let pages = self.pages(id, part);
            self.data.push(&Command {
                opcode: Opcode::Read,
                id: id as u16,
                namespace: NAMESPACE,
                pages,
                arguments: [sector as u32, (sector >> 32) as u32, sectors - 1],
            });
        }
        if tail != self.data.tail {
            let doorbell = self.controller.doorbell(DATA, false);
            self.controller
                .registers
                .write_register(doorbell, self.data.tail.into());
        }
    }

    /// The pages that a part goes to, as a command names them.
    fn pages(&self, id: usize, part: Part) -> [u64; 2] {
        let page = |n: usize| part.to + (n * PAGE) as u64;
        match part.bytes.div_ceil(PAGE) {
            0 | 1 => [page(0), 0],
            2 => [page(0), page(1)],
            count => {
                let at = (page::LISTS + id) * PAGE;
                let list: Vec<u8> = (1..count).flat_map(|n| page(n).to_le_bytes()).collect();
                self.controller.memory.memory.write(at, &list);
                [page(0), self.controller.memory.address + at as u64]
            }
        }
    }

    /// The id of the next read that has arrived, if one has.
    ///
    /// # Errors
    /// [`NvmeError::Command`], of that read.
    pub fn finished(&mut self) -> Result<Option<u64>, NvmeError> {
        let head = self.data.head;
        let mut failed = None;
        while let Some(completion) = self.data.pop() {
            let part = self.parts.get_mut(usize::from(completion.id()));
            let Some(part) = part.and_then(Option::take) else {
                continue;
            };
            if completion.status() != 0 {
                failed = Some((part, completion.status()));
            }
            let Some(read) = &mut self.reads[part.read] else {
                continue;
            };
            read.missing -= 1;
            if read.missing == 0 {
                self.arrived.push_back(read.id);
                self.reads[part.read] = None;
            }
        }
        if head != self.data.head {
            let doorbell = self.controller.doorbell(DATA, true);
            self.controller
                .registers
                .write_register(doorbell, self.data.head.into());
            self.submit();
        }
        match failed {
            Some((part, status)) => Err(NvmeError::Command {
                what: format!("a read of {} bytes at {}", part.bytes, part.offset),
                status,
            }),
            None => Ok(self.arrived.pop_front()),
        }
    }

    /// Reads that may be started now.
    #[must_use]
    pub fn room(&self) -> usize {
        self.reads.len() - self.under_way()
    }

    /// Reads that have not arrived.
    #[must_use]
    pub fn under_way(&self) -> usize {
        self.reads.iter().flatten().count()
    }

    /// Waits until something has arrived.
    ///
    /// # Errors
    /// [`NvmeError::Timeout`], [`NvmeError::Lost`].
    pub fn wait(&mut self) -> Result<(), NvmeError> {
        if !self.arrived.is_empty() || self.under_way() == 0 {
            return Ok(());
        }
        let controller = &self.controller;
        controller
            .wait_until("deliver", controller.patience, |_| Ok(self.data.ready()))
            .inspect_err(|_| controller.switch_off())
    }

    /// Waits until nothing is under way any more, and forgets what arrived. A drive that does not end is switched off.
    pub fn drain(&mut self) {
        for part in std::mem::take(&mut self.waiting) {
            if let Some(read) = &mut self.reads[part.read] {
                read.missing -= 1;
            }
        }
        while self.parts.iter().any(Option::is_some) && self.wait().is_ok() {
            // What failed is as over as what arrived.
            drop(self.finished());
        }
        self.arrived.clear();
        self.reads.fill(None);
    }
}
