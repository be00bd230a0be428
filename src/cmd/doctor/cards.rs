//! What cards on PCI Express need of this machine: an IOMMU, VFIO, permission, lockable memory. Each finding that is
//! missing comes with the commands that change it.

use std::fs;
use std::path::{Path, PathBuf};

use weft_host::device::pcie::Options;
use weft_protocol::pcie::{DEVICE, VENDOR};

use super::Finding;

const SERVES: &str = "cards on PCI Express (--device pcie:)";
const HUGE_PAGE: usize = 2 << 20;

/// Where the system tells of itself; another place in tests.
pub(super) struct System {
    /// `/sys`
    pub(super) sys: PathBuf,
    /// `/proc`
    pub(super) proc: PathBuf,
    /// `/dev`
    pub(super) dev: PathBuf,
}

impl System {
    /// This machine.
    pub(super) fn here() -> Self {
        Self {
            sys: "/sys".into(),
            proc: "/proc".into(),
            dev: "/dev".into(),
        }
    }

    /// Everything that a card needs, in the order in which to put it right.
    pub(super) fn examine(&self) -> Vec<Finding> {
        let mut findings = vec![self.iommu(), self.vfio()];
        let cards = self.cards();
        if cards.is_empty() {
            findings.push(finding(
                "Weft card",
                None,
                format!(
                    "no PCI device {VENDOR:04x}:{DEVICE:04x}: is its bitstream loaded? then `echo 1 > \
                     /sys/bus/pci/rescan`; `weft card --socket card.sock` serves a virtual one"
                ),
            ));
        }
        findings.extend(cards.iter().map(|address| self.card(address)));
        findings.push(self.locked_memory());
        findings.push(self.huge_pages());
        findings
    }

    fn iommu(&self) -> Finding {
        let groups = fs::read_dir(self.sys.join("kernel/iommu_groups"));
        let groups = groups.map_or(0, Iterator::count);
        let vendor = fs::read_to_string(self.proc.join("cpuinfo")).unwrap_or_default();
        let word = if vendor.contains("AuthenticAMD") {
            "amd_iommu=on"
        } else {
            "intel_iommu=on"
        };
        finding(
            "IOMMU groups",
            (groups > 0).then(|| groups.to_string()),
            format!(
                "switch the IOMMU (VT-d, AMD-Vi) on in the firmware and add {word} to the kernel's command line"
            ),
        )
    }

    fn vfio(&self) -> Finding {
        let path = self.dev.join("vfio/vfio");
        let opened = fs::File::options().read(true).write(true).open(&path);
        let next = match &opened {
            Err(e) if e.kind() == std::io::ErrorKind::PermissionDenied => {
                format!(
                    "sudo chmod 0666 {} (it gives no device away)",
                    path.display()
                )
            }
            _ => "sudo modprobe vfio-pci".into(),
        };
        let found = opened.is_ok().then(|| path.display().to_string());
        finding("VFIO", found, next)
    }

    fn devices(&self) -> PathBuf {
        self.sys.join("bus/pci/devices")
    }

    /// PCI addresses of our cards.
    fn cards(&self) -> Vec<String> {
        let number = |device: &Path, file: &str| {
            let text = fs::read_to_string(device.join(file)).ok()?;
            u16::from_str_radix(text.trim().trim_start_matches("0x"), 16).ok()
        };
        let mut found: Vec<String> = fs::read_dir(self.devices())
            .into_iter()
            .flatten()
            .flatten()
            .filter(|e| {
                let device = e.path();
                (number(&device, "vendor"), number(&device, "device"))
                    == (Some(VENDOR), Some(DEVICE))
            })
            .filter_map(|e| e.file_name().into_string().ok())
            .collect();
        found.sort();
        found
    }

    fn card(&self, address: &str) -> Finding {
        let device = self.devices().join(address);
        let what = format!("card {address}");
        let Some(group) = last(&device.join("iommu_group")) else {
            return finding(
                &what,
                None,
                "no IOMMU stands between it and memory: see IOMMU groups above".into(),
            );
        };
        let driver = last(&device.join("driver"));
        if driver.as_deref() != Some("vfio-pci") {
            let unbind = driver.map_or(String::new(), |_| {
                format!("echo {address} | sudo tee /sys/bus/pci/devices/{address}/driver/unbind; ")
            });
            return finding(
                &what,
                None,
                format!(
                    "bind it: sudo modprobe vfio-pci; echo vfio-pci | sudo tee \
                     /sys/bus/pci/devices/{address}/driver_override; {unbind}echo {address} | sudo tee \
                     /sys/bus/pci/drivers_probe"
                ),
            );
        }
        // The kernel gives a group to user space only as a whole; bridges do not count.
        let others: Vec<String> = fs::read_dir(device.join("iommu_group/devices"))
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|e| e.file_name().into_string().ok())
            .filter(|other| other != address && self.holds_group(other))
            .collect();
        if !others.is_empty() {
            return finding(
                &what,
                None,
                format!(
                    "IOMMU group {group} also has {}, driven by the kernel: bind those to vfio-pci as well, or put \
                     the card into another slot",
                    others.join(", ")
                ),
            );
        }
        let node = self.dev.join("vfio").join(&group);
        let opened = fs::File::options().read(true).write(true).open(&node);
        match opened {
            Ok(_) => finding(
                &what,
                Some(format!("group {group}, vfio-pci; --device pcie:{address}")),
                String::new(),
            ),
            Err(e) if e.kind() == std::io::ErrorKind::PermissionDenied => {
                finding(&what, None, format!("sudo chown $USER {}", node.display()))
            }
            Err(e) => finding(
                &what,
                None,
                format!("{}: {e}; end the program that has it open", node.display()),
            ),
        }
    }

    /// Whether `address` is driven by the kernel, so that its group is not user space's.
    fn holds_group(&self, address: &str) -> bool {
        let device = self.devices().join(address);
        let class = fs::read_to_string(device.join("class")).unwrap_or_default();
        let bridge = class.trim().starts_with("0x0604");
        let driver = last(&device.join("driver"));
        !bridge && driver.is_some_and(|d| d != "vfio-pci")
    }

    fn locked_memory(&self) -> Finding {
        let needed = Options::default().locked_bytes();
        let limits = fs::read_to_string(self.proc.join("self/limits")).unwrap_or_default();
        let line = limits.lines().find(|l| l.starts_with("Max locked memory"));
        let soft = line.and_then(|l| l.split_whitespace().nth(3));
        let enough = match soft {
            Some("unlimited") => true,
            Some(bytes) => bytes.parse::<usize>().is_ok_and(|n| n >= needed),
            None => false,
        };
        let kib = needed.div_ceil(1024);
        finding(
            "locked memory",
            soft.filter(|_| enough)
                .map(|s| format!("{s} bytes allowed, {needed} needed")),
            format!(
                "{needed} bytes are needed: `ulimit -l {kib}`, or a line `* - memlock {kib}` in \
                 /etc/security/limits.d/weft.conf and a new login"
            ),
        )
    }

    fn huge_pages(&self) -> Finding {
        let free = self
            .sys
            .join("kernel/mm/hugepages/hugepages-2048kB/free_hugepages");
        let free = fs::read_to_string(free).ok();
        let free = free
            .and_then(|t| t.trim().parse::<usize>().ok())
            .unwrap_or(0);
        let needed = Options::default().ring_bytes.div_ceil(HUGE_PAGE);
        finding(
            "huge pages",
            (free >= needed).then(|| format!("{free} free, {needed} of use")),
            format!(
                "optional, maps the ring in {needed} pieces instead of {}: echo {needed} | sudo tee \
                 /proc/sys/vm/nr_hugepages",
                needed * HUGE_PAGE / 4096
            ),
        )
    }
}

fn finding(what: &str, found: Option<String>, next_step: String) -> Finding {
    Finding {
        what: what.into(),
        found,
        serves: SERVES.into(),
        next_step: next_step.into(),
    }
}

/// Last part of what a link leads to.
fn last(link: &Path) -> Option<String> {
    let target = fs::read_link(link).ok()?;
    Some(target.file_name()?.to_str()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    struct Machine {
        folder: tempfile::TempDir,
    }

    impl Machine {
        fn new() -> Self {
            let folder = tempfile::tempdir().expect("a folder");
            let machine = Self { folder };
            machine.file("proc/cpuinfo", "vendor_id : AuthenticAMD\n");
            machine
        }

        fn path(&self, path: &str) -> PathBuf {
            self.folder.path().join(path)
        }

        fn file(&self, path: &str, text: &str) {
            let path = self.path(path);
            fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            fs::write(path, text).expect("written");
        }

        fn link(&self, from: &str, to: &str) {
            fs::create_dir_all(self.path(to)).expect("made");
            symlink(self.path(to), self.path(from)).expect("linked");
        }

        fn device(&self, address: &str, ids: (&str, &str), class: &str) -> String {
            let device = format!("sys/bus/pci/devices/{address}");
            self.file(&format!("{device}/vendor"), ids.0);
            self.file(&format!("{device}/device"), ids.1);
            self.file(&format!("{device}/class"), class);
            device
        }

        fn findings(&self) -> Vec<Finding> {
            System {
                sys: self.path("sys"),
                proc: self.path("proc"),
                dev: self.path("dev"),
            }
            .examine()
        }

        #[track_caller]
        fn missing(&self, what: &str, says: &str) {
            let findings = self.findings();
            let f = findings
                .iter()
                .find(|f| f.what == what)
                .expect("looked for");
            assert!(f.found.is_none(), "{what}: {:?}", f.found);
            assert!(f.next_step.contains(says), "{what}: {}", f.next_step);
        }
    }

    const OURS: (&str, &str) = ("0x1234\n", "0x57ef\n");

    #[test]
    fn each_missing_thing_has_its_command() {
        let m = Machine::new();
        m.missing("IOMMU groups", "amd_iommu=on");
        m.missing("VFIO", "modprobe vfio-pci");
        m.missing("Weft card", "1234:57ef");
        m.missing("locked memory", "ulimit -l");
        m.missing("huge pages", "nr_hugepages");
        m.file("proc/self/limits", "Max locked memory  8192  8192  bytes\n");
        m.missing("locked memory", "memlock");
    }

    #[test]
    fn a_card_is_followed_from_its_slot_to_its_device_node() {
        let m = Machine::new();
        let card = m.device("0000:03:00.0", OURS, "0x120000\n");
        m.device("0000:04:00.0", ("0x8086\n", "0x57ef\n"), "0x020000\n");
        m.missing("card 0000:03:00.0", "IOMMU");
        m.link(&format!("{card}/iommu_group"), "sys/kernel/iommu_groups/14");
        m.missing("card 0000:03:00.0", "driver_override");
        m.link(&format!("{card}/driver"), "sys/bus/pci/drivers/other");
        m.missing("card 0000:03:00.0", "driver/unbind");
        fs::remove_file(m.path(&format!("{card}/driver"))).expect("unbound");
        m.link(&format!("{card}/driver"), "sys/bus/pci/drivers/vfio-pci");
        let neighbour = m.device("0000:03:00.1", ("0x8086\n", "0x1\n"), "0x020000\n");
        m.link(&format!("{neighbour}/driver"), "sys/bus/pci/drivers/net");
        for member in ["0000:03:00.0", "0000:03:00.1"] {
            let at = format!("sys/kernel/iommu_groups/14/devices/{member}");
            m.link_member(&at, member);
        }
        m.missing("card 0000:03:00.0", "0000:03:00.1");
        fs::remove_file(m.path(&format!("{neighbour}/driver"))).expect("unbound");
        m.missing("card 0000:03:00.0", "vfio/14");
        m.file("dev/vfio/14", "");
        let findings = m.findings();
        let found = findings.iter().find(|f| f.what == "card 0000:03:00.0");
        let found = found.and_then(|f| f.found.clone()).expect("ready");
        assert!(found.contains("pcie:0000:03:00.0"), "{found}");
    }

    impl Machine {
        fn link_member(&self, at: &str, address: &str) {
            let at = self.path(at);
            fs::create_dir_all(at.parent().expect("a folder")).expect("made");
            symlink(self.path("sys/bus/pci/devices").join(address), at).expect("linked");
        }
    }
}
