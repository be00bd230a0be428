//! The guest's first and only file system: busybox, modules, one program with its libraries, one script.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use weft_protocol::pcie;

use crate::cpio::Archive;
use crate::error::{Error, Result, at};
use crate::packages::Root;

/// Marks the line with which the guest reports the script's exit code.
pub(crate) const EXIT_MARK: &str = "\u{1e}weft-vm exit ";

/// What runs in the machine.
#[derive(Clone, Debug)]
pub struct Guest {
    /// A program of this host; its libraries come with it. It is `/bin/NAME` there.
    pub program: PathBuf,
    /// Lines for busybox's shell. `$CARD` is the card's PCI address, bound to vfio-pci already, and `$DRIVE` the NVMe
    /// drive's block device; both are empty where there is none.
    pub script: String,
    /// More files of this host and where they are in the guest, without the leading slash.
    pub files: Vec<(PathBuf, String)>,
    /// Hugepages of 2 MiB to reserve, for DMA buffers.
    pub hugepages: u32,
}

impl Guest {
    /// Writes the file system to `path`. With `input` the script reads what is written to the machine's second serial line.
    ///
    /// # Errors
    /// [`Error::Guest`] for a program whose libraries cannot be told, [`Error::Io`].
    pub(crate) fn pack(&self, root: &Root, input: bool, path: &Path) -> Result<()> {
        let name = file_name(&self.program)?;
        let mut entries = vec![
            ("bin/busybox".to_owned(), root.tree.join("usr/bin/busybox")),
            (format!("bin/{name}"), self.program.clone()),
        ];
        entries.extend(libraries(&self.program)?);
        let modules = root.modules.iter();
        entries.extend(modules.map(|(name, file)| (format!("mod/{name}.ko"), file.clone())));
        entries.extend(self.files.iter().map(|(f, name)| (name.clone(), f.clone())));

        let io = |source| Error::Io {
            path: path.to_owned(),
            source,
        };
        let file = fs::File::create(path).map_err(io)?;
        let mut archive = Archive::new(io::BufWriter::new(file));
        let mut folders: Vec<String> = ["dev", "proc", "sys", "tmp"].map(String::from).to_vec();
        for (name, _) in &entries {
            let above = Path::new(name).ancestors().skip(1);
            folders.extend(above.filter_map(|p| p.to_str()).map(String::from));
        }
        folders.retain(|f| !f.is_empty());
        folders.sort();
        folders.dedup();
        for folder in &folders {
            archive.folder(folder).map_err(io)?;
        }
        archive.device("dev/console", (5, 1)).map_err(io)?;
        for (name, file) in &entries {
            let content = fs::read(file).map_err(at(file))?;
            archive.file(name, &content).map_err(io)?;
        }
        let init = self.init(root, input);
        archive.file("init", init.as_bytes()).map_err(io)?;
        let script = format!("{}\n", self.script);
        archive.file("script", script.as_bytes()).map_err(io)?;
        archive.finish().map_err(io)?;
        Ok(())
    }

    /// The first process. Everything up to the script is silent, so that the second serial line has its output only.
    fn init(&self, root: &Root, input: bool) -> String {
        let modules: Vec<_> = root.modules.iter().map(|(name, _)| name.as_str()).collect();
        let (vendor, device) = (pcie::VENDOR, pcie::DEVICE);
        format!(
            "#!/bin/busybox sh
/bin/busybox mkdir -p /usr/bin /usr/sbin /sbin
/bin/busybox --install -s
export PATH=/bin:/sbin:/usr/bin:/usr/sbin HOME=/tmp
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev
for m in {modules}; do insmod /mod/$m.ko; done
echo {hugepages} > /proc/sys/vm/nr_hugepages
export CARD= DRIVE=
for d in /sys/bus/pci/devices/*; do
  [ \"$(cat $d/vendor)\" = {vendor:#06x} ] && [ \"$(cat $d/device)\" = {device:#06x} ] || continue
  CARD=${{d##*/}}
  echo vfio-pci > $d/driver_override
  echo $CARD > /sys/bus/pci/drivers_probe
done
for i in 1 2 3 4 5 6 7 8 9 10; do [ -e /dev/nvme0n1 ] && DRIVE=/dev/nvme0n1 && break
  [ -e /sys/class/nvme/nvme0 ] || break; sleep 0.1; done
ln -s /proc/self/fd /dev/fd
stty -F /dev/ttyS1 raw -echo
cd /tmp
sh /script > /dev/ttyS1 2>&1 < {input}
printf '\\036weft-vm exit %d\\n' $? > /dev/ttyS1
sync
poweroff -f
",
            modules = modules.join(" "),
            hugepages = self.hugepages,
            input = if input { "/dev/ttyS1" } else { "/dev/null" },
        )
    }
}

fn file_name(path: &Path) -> Result<&str> {
    let name = path.file_name().and_then(|n| n.to_str());
    name.ok_or_else(|| Error::Guest(format!("{} has no name", path.display())))
}

/// The shared libraries that a program loads, as the host's own loader finds them, each at the same place in the
/// guest. None for a static program.
fn libraries(program: &Path) -> Result<Vec<(String, PathBuf)>> {
    let output = Command::new("ldd").arg(program).output();
    let output = output.map_err(|_| Error::Program {
        program: "ldd",
        package: "libc-bin",
    })?;
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    if said.contains("not a dynamic executable") || said.contains("statically linked") {
        return Ok(Vec::new());
    }
    if !output.status.success() || said.contains("not found") {
        let name = program.display();
        return Err(Error::Guest(format!(
            "the libraries of {name} cannot be told: {}",
            said.trim()
        )));
    }
    Ok(library_paths(&said)
        .map(|p| (p.trim_start_matches('/').to_owned(), PathBuf::from(p)))
        .collect())
}

/// The absolute paths in what `ldd` prints.
fn library_paths(said: &str) -> impl Iterator<Item = &str> {
    said.lines().filter_map(|line| {
        let line = line.trim();
        let path = line.split_once("=> ").map_or(line, |(_, path)| path);
        path.split(' ').next().filter(|p| p.starts_with('/'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_are_read_from_what_ldd_prints() {
        let said = "\tlinux-vdso.so.1 (0x00007f)\n\tlibm.so.6 => /lib/x/libm.so.6 (0x00007f)\n\t/lib64/ld-linux.so.2 (0x1)\n";
        let paths: Vec<_> = library_paths(said).collect();
        assert_eq!(paths, ["/lib/x/libm.so.6", "/lib64/ld-linux.so.2"]);
    }

    #[test]
    fn a_guest_has_its_program_script_and_modules() {
        let dir = tempfile::tempdir().unwrap();
        let tree = dir.path().join("root");
        fs::create_dir_all(tree.join("usr/bin")).unwrap();
        fs::write(tree.join("usr/bin/busybox"), "BUSYBOX").unwrap();
        let module = dir.path().join("vfio.ko");
        fs::write(&module, "MODULE").unwrap();
        let root = Root {
            kernel: tree.join("vmlinux"),
            tree,
            modules: vec![("vfio".into(), module)],
            versions: String::new(),
        };
        let guest = Guest {
            program: std::env::current_exe().unwrap(),
            script: "echo the script".into(),
            files: vec![(dir.path().join("vfio.ko"), "data/deep/file".into())],
            hugepages: 7,
        };
        let path = dir.path().join("initrd");
        guest.pack(&root, false, &path).unwrap();
        let bytes = fs::read(&path).unwrap();
        let has = |text: &str| bytes.windows(text.len()).any(|w| w == text.as_bytes());
        for text in [
            "BUSYBOX",
            "MODULE",
            "echo the script",
            "mod/vfio.ko",
            "data/deep/file",
            "data/deep\0",
            "libc.so.6",
            "echo 7 > /proc/sys/vm/nr_hugepages",
            "TRAILER!!!",
        ] {
            assert!(has(text), "{text}");
        }
        let (vendor, device) = (pcie::VENDOR, pcie::DEVICE);
        assert!(has(&format!("= {vendor:#06x} ]")) && has(&format!("= {device:#06x} ]")));
    }
}
