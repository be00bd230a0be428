//! A card in a slot, through the kernel's VFIO: container and group, behind an IOMMU.

use super::CardError;
use super::pin::Pinned;
use super::transport::{DmaBuffer, Transport};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use vfio_bindings::bindings::vfio::{
    VFIO_PCI_BAR0_REGION_INDEX, VFIO_PCI_CONFIG_REGION_INDEX, VFIO_REGION_INFO_FLAG_MMAP,
};
use vfio_ioctls::{VfioContainer, VfioDevice, VfioOps};
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
/// Command register in configuration space, and its bits memory space and bus master.
const COMMAND: u64 = 4;
const MEMORY_AND_BUS_MASTER: u16 = 0b110;

/// A PCI address as sysfs writes it, `0000:03:00.0`; the domain may be left out.
///
/// # Errors
/// What an address looks like.
pub fn parse_address(text: &str) -> Result<String, String> {
    let full = if text.matches(':').count() == 1 {
        format!("0000:{text}")
    } else {
        text.to_owned()
    };
    let parts: Vec<&str> = full.split([':', '.']).collect();
    let widths = [4, 2, 2, 1];
    let hexadecimal = |(part, width): (&&str, usize)| {
        part.len() == width && part.bytes().all(|b| b.is_ascii_hexdigit())
    };
    let fits = parts.len() == widths.len()
        && full.rfind('.') > full.rfind(':')
        && parts.iter().zip(widths).all(hexadecimal);
    if fits {
        Ok(full.to_ascii_lowercase())
    } else {
        Err(format!(
            "{text:?} is not a PCI address like 0000:03:00.0; `lspci -D` lists them"
        ))
    }
}

/// How a card is known to be kept to the memory that it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Protection {
    /// By this IOMMU group.
    Group(u32),
    /// By nothing: the device has no group, or one of the kernel's unprotected mode.
    None,
}

/// Looks the device at `address` up in `sysfs`, the folder where PCI devices are.
///
/// # Errors
/// [`CardError::Transport`] with the next step, when there is no such device or its driver is another.
pub fn examine(sysfs: &Path, address: &str) -> Result<Protection, CardError> {
    let step = "looking for the card";
    let device = sysfs.join(address);
    if !device.exists() {
        return Err(CardError::transport(
            step,
            format!("there is no PCI device {address}; `lspci -D` lists them"),
        ));
    }
    let group = std::fs::read_link(device.join("iommu_group")).ok();
    let unprotected = std::fs::read_to_string(device.join("iommu_group/name"))
        .is_ok_and(|name| name.trim() == "vfio-noiommu");
    let number = group
        .filter(|_| !unprotected)
        .and_then(|g| g.file_name()?.to_str()?.parse().ok());
    let Some(number) = number else {
        return Ok(Protection::None);
    };
    let driver = std::fs::read_link(device.join("driver")).ok();
    let driver = driver.as_deref().and_then(Path::file_name);
    if driver.is_none_or(|d| d != "vfio-pci") {
        let bound = driver.map_or("no driver".into(), |d| format!("{}", d.display()));
        return Err(CardError::transport(
            step,
            format!(
                "{address} is bound to {bound}, not to vfio-pci; `weft doctor` prints the commands that bind it"
            ),
        ));
    }
    Ok(Protection::Group(number))
}

/// A card through VFIO.
pub struct Vfio {
    address: String,
    // Dropped in this order: memory is taken back, then the device is closed, then the container.
    pinned: Vec<Pinned>,
    registers: Option<SharedMemory>,
    device: VfioDevice,
    container: Arc<dyn VfioOps>,
    event: EventFd,
    epoll: Epoll,
    next_address: u64,
}

impl std::fmt::Debug for Vfio {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vfio")
            .field("address", &self.address)
            .field("mapped_registers", &self.registers.is_some())
            .finish_non_exhaustive()
    }
}

impl Vfio {
    /// Opens the card at PCI address `address`, as [`parse_address`] gives it.
    ///
    /// # Errors
    /// [`CardError::Transport`] with the step that failed. A card that no IOMMU keeps to its own memory is refused:
    /// a fault in it, or a bit stream that is not what it seems, could then read and write all memory.
    pub fn open(address: &str) -> Result<Self, CardError> {
        let sysfs = Path::new("/sys/bus/pci/devices");
        let Protection::Group(group) = examine(sysfs, address)? else {
            return Err(CardError::transport(
                "looking for the card's IOMMU",
                format!(
                    "no IOMMU stands between {address} and memory, and this driver never lets a card at all of it; \
                     switch the IOMMU on in the firmware and the kernel's command line (`weft doctor` has the words)"
                ),
            ));
        };
        let failed = |step: &'static str| {
            move |e: vfio_ioctls::VfioError| {
                CardError::transport(
                    step,
                    format!("{e} (IOMMU group {group}); run `weft doctor`"),
                )
            }
        };
        let container = VfioContainer::new(None).map_err(failed("opening VFIO's container"))?;
        let container: Arc<dyn VfioOps> = Arc::new(container);
        let path: PathBuf = sysfs.join(address);
        let device = VfioDevice::new(&path, Arc::clone(&container), false)
            .map_err(failed("opening the card through VFIO"))?;
        let bytes = device.get_region_size(VFIO_PCI_BAR0_REGION_INDEX);
        if bytes != BAR0_BYTES as u64 {
            return Err(CardError::Answer {
                found: format!("a BAR0 of {bytes} bytes"),
                wanted: format!("{BAR0_BYTES}"),
            });
        }
        let (event, epoll) =
            interrupt().map_err(|e| CardError::transport("making an eventfd", e))?;
        device
            .enable_msix(vec![&event; VECTORS])
            .map_err(failed("enabling MSI-X"))?;
        let mut vfio = Self {
            address: address.to_owned(),
            pinned: Vec::new(),
            registers: None,
            device,
            container,
            event,
            epoll,
            next_address: FIRST_ADDRESS,
        };
        vfio.enable()?;
        let mappable = vfio.device.get_region_flags(VFIO_PCI_BAR0_REGION_INDEX)
            & VFIO_REGION_INFO_FLAG_MMAP
            != 0;
        if mappable {
            let offset = vfio.device.get_region_offset(VFIO_PCI_BAR0_REGION_INDEX);
            // A kernel that does not map it is asked for each register, which is slower and no more.
            vfio.registers = SharedMemory::of_device(&vfio.device, offset, REGISTER_BYTES).ok();
        }
        Ok(vfio)
    }

    fn command(&self) -> u16 {
        let mut command = [0xff; 2];
        self.device
            .region_read(VFIO_PCI_CONFIG_REGION_INDEX, &mut command, COMMAND);
        u16::from_le_bytes(command)
    }

    /// Sets memory space and bus master: before that, a touch of the registers is a fault.
    fn enable(&mut self) -> Result<(), CardError> {
        let command = self.command();
        if command == u16::MAX {
            return Err(CardError::Lost);
        }
        let on = command | MEMORY_AND_BUS_MASTER;
        self.device
            .region_write(VFIO_PCI_CONFIG_REGION_INDEX, &on.to_le_bytes(), COMMAND);
        // The write itself reports nothing.
        if self.command() & MEMORY_AND_BUS_MASTER == MEMORY_AND_BUS_MASTER {
            Ok(())
        } else {
            Err(CardError::transport(
                "enabling the card's memory",
                "configuration space does not keep what is written; is the device asleep or in use?",
            ))
        }
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
        format!("pcie:{}", self.address)
    }

    fn read(&mut self, register: CardRegister) -> Result<u32, CardError> {
        let offset = register.offset();
        Ok(match &self.registers {
            Some(registers) => registers.read_register(offset as usize),
            None => {
                let mut data = [0xff; 4];
                self.device
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
                self.device
                    .region_write(VFIO_PCI_BAR0_REGION_INDEX, &value.to_le_bytes(), offset);
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
        let buffer = DmaBuffer {
            memory: Arc::new(memory),
            address: self.next_address,
        };
        // Buffers begin on a huge page, and one that nobody has lies between two of them.
        let taken = (buffer.memory.len() + PAGE).next_multiple_of(HUGE_PAGE);
        self.next_address += taken as u64;
        let pinned = Pinned::new(&self.container, &buffer).map_err(|e| {
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
        self.device.reset();
        self.enable()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_written_as_sysfs_does() {
        assert_eq!(parse_address("03:00.0"), Ok("0000:03:00.0".into()));
        assert_eq!(parse_address("0001:A3:1f.7"), Ok("0001:a3:1f.7".into()));
        for wrong in [
            "",
            "3:0.0",
            "03:00",
            "0000:03:00.00",
            "0000.03:00:0",
            "../x:00.0",
        ] {
            assert!(parse_address(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_card_without_an_iommu_or_under_another_driver_is_told_apart() {
        let sysfs = tempfile::tempdir().expect("a folder");
        let device = sysfs.path().join("0000:03:00.0");
        let missing = examine(sysfs.path(), "0000:03:00.0").expect_err("no device");
        assert!(missing.to_string().contains("lspci"), "{missing}");
        std::fs::create_dir(&device).expect("made");
        let examined = examine(sysfs.path(), "0000:03:00.0").expect("there");
        assert_eq!(examined, Protection::None);
        let group = sysfs.path().join("groups/14");
        std::fs::create_dir_all(&group).expect("made");
        std::os::unix::fs::symlink(&group, device.join("iommu_group")).expect("linked");
        let unbound = examine(sysfs.path(), "0000:03:00.0").expect_err("no driver");
        assert!(unbound.to_string().contains("no driver"), "{unbound}");
        let driver = sysfs.path().join("vfio-pci");
        std::fs::create_dir(&driver).expect("made");
        std::os::unix::fs::symlink(&driver, device.join("driver")).expect("linked");
        let examined = examine(sysfs.path(), "0000:03:00.0").expect("bound");
        assert_eq!(examined, Protection::Group(14));
        std::fs::write(group.join("name"), "vfio-noiommu\n").expect("written");
        let examined = examine(sysfs.path(), "0000:03:00.0").expect("there");
        assert_eq!(examined, Protection::None);
    }
}
