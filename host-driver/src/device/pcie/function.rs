//! A PCI function opened through VFIO: configuration space, BARs, reset.

use super::CardError;
use super::address::{Protection, examine};
use std::path::Path;
use std::sync::Arc;
use vfio_bindings::bindings::vfio::{VFIO_PCI_CONFIG_REGION_INDEX, VFIO_REGION_INFO_FLAG_MMAP};
use vfio_ioctls::{VfioContainer, VfioDevice, VfioError, VfioOps};
use weft_vfio_user::SharedMemory;

/// Where the system has its PCI devices.
pub(super) const SYSFS: &str = "/sys/bus/pci/devices";
/// Command register in configuration space, and its bits memory space and bus master.
const COMMAND: u64 = 4;
const MEMORY_AND_BUS_MASTER: u16 = 0b110;

/// A function that this process drives.
pub(super) struct Function {
    address: String,
    device: VfioDevice,
    // Closed after the device.
    container: Arc<dyn VfioOps>,
}

impl Function {
    /// Opens the device at `address` in `sysfs`, in the IOMMU domain of `container`, or a new one.
    ///
    /// # Errors
    /// [`CardError::Transport`] with the step that failed. A device that no IOMMU keeps to the memory that it was given
    /// is refused: a fault in it, or a bit stream that is not what it seems, could then read and write all memory.
    pub(super) fn open(
        sysfs: &Path,
        address: &str,
        container: Option<&Arc<dyn VfioOps>>,
    ) -> Result<Self, CardError> {
        let Protection::Group(group) = examine(sysfs, address)? else {
            return Err(CardError::transport(
                "looking for the card's IOMMU",
                format!(
                    "no IOMMU stands between {address} and memory, so a fault in it could read and overwrite \
                     anything; this driver refuses that, and the kernel's no-IOMMU mode, without exception. Switch \
                     the IOMMU (VT-d, AMD-Vi) on in the firmware and on the kernel's command line; `weft doctor` has \
                     the words"
                ),
            ));
        };
        let failed = |step: &'static str| {
            move |e: VfioError| {
                let text = format!("{e} (IOMMU group {group}); run `weft doctor`");
                CardError::transport(step, text)
            }
        };
        let container = match container {
            Some(container) => Arc::clone(container),
            None => Arc::new(VfioContainer::new(None).map_err(failed("opening VFIO's container"))?),
        };
        let path = sysfs.join(address);
        let device = VfioDevice::new(&path, Arc::clone(&container), false)
            .map_err(failed("opening the device through VFIO"))?;
        let function = Self {
            address: address.to_owned(),
            device,
            container,
        };
        function.enable()?;
        Ok(function)
    }

    pub(super) fn address(&self) -> &str {
        &self.address
    }

    pub(super) fn device(&self) -> &VfioDevice {
        &self.device
    }

    /// Its IOMMU domain.
    pub(super) fn container(&self) -> &Arc<dyn VfioOps> {
        &self.container
    }

    fn command(&self) -> u16 {
        let mut command = [0xff; 2];
        self.device
            .region_read(VFIO_PCI_CONFIG_REGION_INDEX, &mut command, COMMAND);
        u16::from_le_bytes(command)
    }

    /// Sets memory space and bus master: before that, a touch of the registers is a fault.
    fn enable(&self) -> Result<(), CardError> {
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
                "enabling the device's memory",
                "configuration space does not keep what is written; is the device asleep or in use?",
            ))
        }
    }

    /// A function-level reset, after which it may be used again.
    pub(super) fn reset(&self) -> Result<(), CardError> {
        self.device.reset();
        self.enable()
    }

    /// Bytes of a BAR.
    pub(super) fn bar_bytes(&self, bar: u32) -> u64 {
        self.device.get_region_size(bar)
    }

    /// The first `bytes` of a BAR as memory; `None` where the kernel does not map it.
    pub(super) fn map(&self, bar: u32, bytes: usize) -> Option<SharedMemory> {
        let mappable = self.device.get_region_flags(bar) & VFIO_REGION_INFO_FLAG_MMAP != 0;
        let offset = self.device.get_region_offset(bar);
        mappable
            .then(|| SharedMemory::of_device(&self.device, offset, bytes).ok())
            .flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_without_an_iommu_is_refused_in_words_with_the_next_step() {
        let sysfs = tempfile::tempdir().expect("a folder");
        let device = sysfs.path().join("0000:03:00.0");
        std::fs::create_dir(&device).expect("made");
        let no_group = Function::open(sysfs.path(), "0000:03:00.0", None);
        let group = sysfs.path().join("groups/0");
        std::fs::create_dir_all(&group).expect("made");
        std::fs::write(group.join("name"), "vfio-noiommu\n").expect("written");
        std::os::unix::fs::symlink(&group, device.join("iommu_group")).expect("linked");
        let unprotected = Function::open(sysfs.path(), "0000:03:00.0", None);
        for refused in [no_group, unprotected] {
            let text = refused.err().expect("refused").to_string();
            for part in [
                "0000:03:00.0",
                "no IOMMU",
                "without exception",
                "VT-d",
                "weft doctor",
            ] {
                assert!(text.contains(part), "{text}");
            }
        }
    }
}
