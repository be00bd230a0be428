//! The controller: switched on and off, its doorbells, and its admin commands.

use super::NvmeError;
use super::queue::Queue;
use super::wire::{Capabilities, Command, Completion, ENABLE, FATAL, Opcode, READY, register};
use crate::device::pcie::DmaBuffer;
use std::time::{Duration, Instant};
use weft_vfio_user::SharedMemory;

pub(super) const PAGE: usize = 4096;
/// Entries of the queue for data; one less may be under way.
pub(super) const ENTRIES: u16 = 64;
const ADMIN_ENTRIES: u16 = 8;
/// The queue for data.
pub(super) const DATA: usize = 1;
/// How long a command may take at first.
const PATIENCE: Duration = Duration::from_secs(10);
/// Between two looks.
const NAP: Duration = Duration::from_micros(20);

/// Pages of the drive's memory, in order.
pub(super) mod page {
    pub(crate) const ADMIN_COMMANDS: usize = 0;
    pub(crate) const ADMIN_COMPLETIONS: usize = 1;
    pub(crate) const COMMANDS: usize = 2;
    pub(crate) const COMPLETIONS: usize = 3;
    /// What is read for the driver itself.
    pub(crate) const ANSWER: usize = 4;
    /// A list of pages for each command.
    pub(crate) const LISTS: usize = 5;
}

/// A controller; switched off when dropped.
#[derive(Debug)]
pub(super) struct Controller {
    pub registers: SharedMemory,
    pub memory: DmaBuffer,
    /// How long a command may take.
    pub patience: Duration,
    stride: usize,
    admin: Queue,
}

impl Controller {
    /// Resets the controller behind `registers` and makes it ready for admin commands.
    pub(super) fn start(registers: SharedMemory, memory: DmaBuffer) -> Result<Self, NvmeError> {
        let admin = [page::ADMIN_COMMANDS * PAGE, page::ADMIN_COMPLETIONS * PAGE];
        let mut controller = Self {
            admin: Queue::new(memory.clone(), admin, ADMIN_ENTRIES),
            registers,
            memory,
            patience: PATIENCE,
            stride: 0,
        };
        controller.switch_on()?;
        Ok(controller)
    }

    fn status(&self) -> Result<u32, NvmeError> {
        match self.registers.read_register(register::STATUS) {
            status if status == u32::MAX || status & FATAL != 0 => Err(NvmeError::Lost { status }),
            status => Ok(status),
        }
    }

    fn write_wide(&self, register: usize, value: u64) {
        self.registers.write_register(register, value as u32);
        self.registers
            .write_register(register + 4, (value >> 32) as u32);
    }

    /// Waits until `done`, which is asked over and over.
    pub(super) fn wait_until(
        &self,
        what: &'static str,
        waited: Duration,
        mut done: impl FnMut(&Self) -> Result<bool, NvmeError>,
    ) -> Result<(), NvmeError> {
        let until = Instant::now() + waited;
        while !done(self)? {
            if Instant::now() >= until {
                return Err(NvmeError::Timeout { what, waited });
            }
            std::thread::sleep(NAP);
        }
        Ok(())
    }

    fn switch_on(&mut self) -> Result<(), NvmeError> {
        let read = |at| u64::from(self.registers.read_register(at));
        let low = read(register::CAPABILITIES);
        let capabilities = Capabilities(low | read(register::CAPABILITIES + 4) << 32);
        if capabilities.0 == u64::MAX {
            return Err(NvmeError::Lost { status: u32::MAX });
        }
        self.stride = capabilities.doorbell_stride();
        let unfit = |found, wanted| Err(NvmeError::Unfit { found, wanted });
        if capabilities.smallest_page() > PAGE as u64 {
            let found = format!("pages of {} bytes", capabilities.smallest_page());
            return unfit(found, "4096");
        }
        if capabilities.most_entries() < ENTRIES.into() {
            let found = format!("queues of {} entries", capabilities.most_entries());
            return unfit(found, "64");
        }
        if self.doorbell(DATA, true) + 4 > self.registers.len() {
            let found = format!("doorbells {} bytes apart", self.stride);
            return unfit(found, "them closer");
        }
        let patience = Duration::from_millis(500 * (1 + capabilities.timeout_halves()));
        self.registers.write_register(register::CONFIGURATION, 0);
        self.wait_until("stop", patience, |d| Ok(d.status()? & READY == 0))?;
        let sizes = u32::from(ADMIN_ENTRIES - 1);
        self.registers
            .write_register(register::ADMIN_QUEUE_SIZES, sizes | sizes << 16);
        let [commands, completions] = self.admin.addresses();
        self.write_wide(register::ADMIN_SUBMISSION, commands);
        self.write_wide(register::ADMIN_COMPLETION, completions);
        self.registers
            .write_register(register::CONFIGURATION, ENABLE);
        self.wait_until("start", patience, |d| Ok(d.status()? & READY != 0))
    }

    /// Where the doorbell of a queue is: the tail of commands, or the head of completions.
    pub(super) fn doorbell(&self, queue: usize, completions: bool) -> usize {
        register::DOORBELLS + (2 * queue + usize::from(completions)) * self.stride
    }

    /// Carries an admin command out.
    pub(super) fn command(
        &mut self,
        what: &str,
        opcode: Opcode,
        (namespace, page): (u32, u64),
        arguments: [u32; 3],
    ) -> Result<(), NvmeError> {
        self.admin.push(&Command {
            opcode,
            id: 0,
            namespace,
            pages: [page, 0],
            arguments,
        });
        let tail = self.doorbell(0, false);
        self.registers.write_register(tail, self.admin.tail.into());
        self.wait_until("answer", self.patience, |d| Ok(d.admin.ready()))?;
        let status = self.admin.pop().map_or(0, Completion::status);
        let head = self.doorbell(0, true);
        self.registers.write_register(head, self.admin.head.into());
        if status == 0 {
            return Ok(());
        }
        let what = what.to_owned();
        Err(NvmeError::Command { what, status })
    }

    pub(super) fn answer_address(&self) -> u64 {
        self.memory.address + (page::ANSWER * PAGE) as u64
    }

    pub(super) fn answer(&self, bytes: usize) -> Vec<u8> {
        let mut answer = vec![0; bytes];
        self.memory.memory.read(page::ANSWER * PAGE, &mut answer);
        answer
    }

    /// It fetches and writes nothing any more once it is not ready.
    pub(super) fn switch_off(&self) {
        self.registers.write_register(register::CONFIGURATION, 0);
    }
}

impl Drop for Controller {
    fn drop(&mut self) {
        self.switch_off();
        drop(self.wait_until("stop", self.patience, |c| Ok(c.status()? & READY == 0)));
    }
}
