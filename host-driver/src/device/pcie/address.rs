//! PCI addresses, and what the system says of the device at one.

use super::CardError;
use std::path::Path;

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
