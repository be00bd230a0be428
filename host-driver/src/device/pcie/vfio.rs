//! A card in a slot, through the kernel's VFIO: container and group, behind an IOMMU.

use super::CardError;
use super::function::{Function, SYSFS};
use super::pin::Pinned;
use super::transport::{DmaBuffer, Transport};
use crate::device::nvme::Drive;
use std::os::fd::AsRawFd;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use vfio_bindings::bindings::vfio::{VFIO_PCI_BAR0_REGION_INDEX, VFIO_PCI_BAR2_REGION_INDEX};
use vmm_sys_util::epoll::{ControlOperation, Epoll, EpollEvent, EventSet};
use vmm_sys_util::eventfd::EventFd;
use weft_protocol::pcie::{BAR0_BYTES, CardRegister, VECTORS};
use weft_vfio_user::SharedMemory;
use weft_vfio_user::memory::HUGE_PAGE;

const PAGE: usize = 4096;
/// Bytes of BAR0 that hold registers; the MSI-X table behind them is the kernel's.
const REGISTER_BYTES: usize = PAGE;
/// Bus address of the first buffer: above every hole that systems leave below 4 GiB.
const FIRST_ADDRESS: u64 = 1 << 32;
/// Bytes of a drive's BAR0 that hold its registers and its first doorbells.
const DRIVE_REGISTER_BYTES: usize = 2 * PAGE;

/// A card through VFIO.
pub struct Vfio {
    // Dropped in this order: memory is taken back, then the devices are closed, then their container.
    pinned: Vec<Pinned>,
    registers: Option<SharedMemory>,
    card: Function,
    /// The drive that delivers into the card.
    drive: Option<Function>,
    event: EventFd,
    epoll: Epoll,
    next_address: u64,
}

impl std::fmt::Debug for Vfio {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vfio")
            .field("address", &self.card.address())
            .field("mapped_registers", &self.registers.is_some())
            .finish_non_exhaustive()
    }
}

/// A drive, and the window of the card that it delivers into.
#[derive(Debug)]
pub struct Peer {
    pub(super) drive: Drive,
    /// The card's BAR2, at the bus address where the drive finds it.
    pub(super) window: DmaBuffer,
}

impl Peer {
    /// The drive.
    #[must_use]
    pub fn drive(&self) -> &Drive {
        &self.drive
    }
}

impl Vfio {
    /// Opens the card at PCI address `address`, as [`super::parse_address`] gives it.
    ///
    /// # Errors
    /// [`CardError::Transport`] with the step that failed. A card that no IOMMU keeps to its own memory is refused:
    /// a fault in it, or a bit stream that is not what it seems, could then read and write all memory.
    pub fn open(address: &str) -> Result<Self, CardError> {
        let card = Function::open(Path::new(SYSFS), address, None)?;
        let bytes = card.bar_bytes(VFIO_PCI_BAR0_REGION_INDEX);
        if bytes != BAR0_BYTES as u64 {
            return Err(CardError::Answer {
                found: format!("a BAR0 of {bytes} bytes"),
                wanted: format!("{BAR0_BYTES}"),
            });
        }
        let (event, epoll) =
            interrupt().map_err(|e| CardError::transport("making an eventfd", e))?;
        card.device()
            .enable_msix(vec![&event; VECTORS])
            .map_err(|e| CardError::transport("enabling MSI-X", e))?;
        Ok(Self {
            pinned: Vec::new(),
            // A kernel that does not map it is asked for each register, which is slower and no more.
            registers: card.map(VFIO_PCI_BAR0_REGION_INDEX, REGISTER_BYTES),
            card,
            drive: None,
            event,
            epoll,
            next_address: FIRST_ADDRESS,
        })
    }

    /// Takes the NVMe drive at PCI address `address`, which is bound to vfio-pci as well, into the card's IOMMU domain,
    /// and lets it reach the card's window and some memory for its queues, and nothing else. Experimental.
    ///
    /// # Errors
    /// [`CardError`] with the step that failed.
    pub fn take_drive(&mut self, address: &str) -> Result<Peer, CardError> {
        let container = Arc::clone(self.card.container());
        let function = Function::open(Path::new(SYSFS), address, Some(&container))?;
        function.reset()?;
        let registers = function
            .map(VFIO_PCI_BAR0_REGION_INDEX, DRIVE_REGISTER_BYTES)
            .ok_or_else(|| {
                CardError::transport(
                    "mapping the drive's registers",
                    format!("the kernel does not map BAR0 of {address}; is it an NVMe drive?"),
                )
            })?;
        self.drive = Some(function);
        let window = self.window()?;
        let queues = self.allocate(Drive::MEMORY_BYTES)?;
        let drive = Drive::start(registers, queues).map_err(|e| CardError::Read(Box::new(e)))?;
        Ok(Peer { drive, window })
    }

    /// Gives BAR2 of the card a bus address, where others of its domain reach it.
    fn window(&mut self) -> Result<DmaBuffer, CardError> {
        let step = "mapping the card's window for the drive";
        let bytes = self.card.bar_bytes(VFIO_PCI_BAR2_REGION_INDEX);
        let memory = usize::try_from(bytes)
            .ok()
            .filter(|&n| n > 0)
            .and_then(|n| self.card.map(VFIO_PCI_BAR2_REGION_INDEX, n))
            .ok_or_else(|| {
                CardError::transport(step, "the kernel does not map BAR2 of the card")
            })?;
        self.pin(step, memory)
    }

    /// Puts memory into the IOMMU's tables.
    fn pin(&mut self, step: &'static str, memory: SharedMemory) -> Result<DmaBuffer, CardError> {
        let buffer = DmaBuffer {
            memory: Arc::new(memory),
            address: self.next_address,
        };
        // Buffers begin on a huge page, and one that nobody has lies between two of them.
        let taken = (buffer.memory.len() + PAGE).next_multiple_of(HUGE_PAGE);
        self.next_address += taken as u64;
        let pinned = Pinned::new(self.card.container(), &buffer).map_err(|e| {
            CardError::transport(
                step,
                format!(
                    "{e}; the card needs {} locked bytes: `ulimit -l` must allow them, `weft doctor` shows how",
                    buffer.memory.len()
                ),
            )
        })?;
        self.pinned.push(pinned);
        Ok(buffer)
    }
}

/// A counter for interrupts, and what waits for it.
fn interrupt() -> std::io::Result<(EventFd, Epoll)> {
    let event = EventFd::new(libc::EFD_NONBLOCK | libc::EFD_CLOEXEC)?;
    let epoll = Epoll::new()?;
    let readable = EpollEvent::new(EventSet::IN, 0);
    epoll.ctl(ControlOperation::Add, event.as_raw_fd(), readable)?;
    Ok((event, epoll))
}

impl Transport for Vfio {
    fn name(&self) -> String {
        format!("pcie:{}", self.card.address())
    }

    fn read(&mut self, register: CardRegister) -> Result<u32, CardError> {
        let offset = register.offset();
        Ok(match &self.registers {
            Some(registers) => registers.read_register(offset as usize),
            None => {
                let mut data = [0xff; 4];
                self.card
                    .device()
                    .region_read(VFIO_PCI_BAR0_REGION_INDEX, &mut data, offset);
                u32::from_le_bytes(data)
            }
        })
    }

    fn write(&mut self, register: CardRegister, value: u32) -> Result<(), CardError> {
        let offset = register.offset();
        match &self.registers {
            Some(registers) => registers.write_register(offset as usize, value),
            None => {
                let value = value.to_le_bytes();
                self.card
                    .device()
                    .region_write(VFIO_PCI_BAR0_REGION_INDEX, &value, offset);
            }
        }
        Ok(())
    }

    fn allocate(&mut self, bytes: usize) -> Result<DmaBuffer, CardError> {
        let step = "allocating memory for the card";
        let huge = (bytes >= HUGE_PAGE)
            .then(|| SharedMemory::anonymous(bytes.next_multiple_of(HUGE_PAGE), true).ok())
            .flatten();
        let memory = match huge {
            Some(memory) => memory,
            None => SharedMemory::anonymous(bytes.next_multiple_of(PAGE), false)
                .map_err(|e| CardError::transport(step, e))?,
        };
        self.pin(step, memory)
    }

    fn wait(&mut self, wait: Duration) -> Result<bool, CardError> {
        let step = "waiting for an interrupt";
        let milliseconds = wait.as_millis().try_into().unwrap_or(i32::MAX);
        let mut ready = [EpollEvent::default()];
        match self.epoll.wait(milliseconds, &mut ready) {
            Ok(0) => return Ok(false),
            Ok(_) => {}
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => return Ok(false),
            Err(e) => return Err(CardError::transport(step, e)),
        }
        match self.event.read() {
            Ok(_) => Ok(true),
            Err(e) if e.kind() == std::io::ErrorKind::WouldBlock => Ok(false),
            Err(e) => Err(CardError::transport(step, e)),
        }
    }

    fn reset(&mut self) -> Result<(), CardError> {
        self.card.reset()
    }
}
