//! QEMU, a kernel and busybox from Debian, in a folder of their own.
//!
//! apt runs with its own state (lists, caches, an empty list of installed packages), so it neither needs root nor
//! changes the machine. Signatures are checked against Debian's keyring. What was fetched once stays.

use std::fs::{self, File};

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::error::{Error, Result, at};
use crate::kernel;

/// Suite of the kernel and busybox.
const SUITE: &str = "trixie";
/// Suite of QEMU: the first one whose QEMU has the vfio-user client.
const QEMU_SUITE: &str = "trixie-backports";
const QEMU: &str = "qemu-system-x86";
const KERNEL: &str = "linux-image-cloud-amd64";
const BUSYBOX: &str = "busybox-static";
/// Debian's own mirror, where the machine's apt names no other.
const MIRROR: &str = "http://deb.debian.org/debian";
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";
/// What the guest needs beyond the kernel's own, in the order of loading.
const MODULES: [&str; 5] = [
    "irqbypass",
    "vfio",
    "vfio_iommu_type1",
    "vfio-pci-core",
    "vfio-pci",
];

/// A folder for packages and what is unpacked from them.
#[derive(Clone, Debug)]
pub struct Packages {
    cache: PathBuf,
}

/// Packages, unpacked.
#[derive(Clone, Debug)]
pub struct Root {
    /// `usr`, `bin` and so on.
    pub(crate) tree: PathBuf,
    /// The kernel as ELF.
    pub(crate) kernel: PathBuf,
    /// Modules with their names, decompressed, in the order of loading.
    pub(crate) modules: Vec<(String, PathBuf)>,
    /// The packages, for people: one `name version` a line.
    pub versions: String,
}

impl Packages {
    /// Uses `cache`, which need not exist yet. Some 300 MB.
    #[must_use]
    pub fn in_folder(cache: &Path) -> Self {
        Self {
            cache: cache.to_owned(),
        }
    }

    /// Fetches and unpacks what is missing; `progress` hears the name of each step. Several processes may do so at
    /// once: one works, the others wait.
    ///
    /// # Errors
    /// [`Error::Program`], [`Error::Keyring`], [`Error::Fetch`] without network, [`Error::Io`] on a full disk.
    pub fn ensure(&self, mut progress: impl FnMut(&str)) -> Result<Root> {
        fs::create_dir_all(&self.cache).map_err(at(&self.cache))?;
        let path = self.cache.join("lock");
        let lock = File::create(&path).map_err(at(&path))?;
        lock.lock().map_err(at(&path))?;
        let done = self.cache.join("root");
        if !done.is_dir() {
            let archives = self.fetch(&mut progress)?;
            let fresh = self.cache.join("root.new");
            if fresh.exists() {
                fs::remove_dir_all(&fresh).map_err(at(&fresh))?;
            }
            progress("unpacking the machine");
            unpack(&archives, &fresh)?;
            self.prepare(&fresh)?;
            fs::rename(&fresh, &done).map_err(at(&done))?;
        }
        self.open(&done)
    }

    fn open(&self, done: &Path) -> Result<Root> {
        let read = |name: &str| {
            let path = done.join(name);
            fs::read_to_string(&path).map_err(at(&path))
        };
        let modules = read("weft/modules")?
            .lines()
            .map(|name| {
                (
                    name.to_owned(),
                    done.join("weft").join(format!("{name}.ko")),
                )
            })
            .collect();
        Ok(Root {
            tree: done.to_owned(),
            kernel: done.join("weft/vmlinux"),
            modules,
            versions: read("weft/versions")?,
        })
    }

    /// Downloads the packages; the paths of the archives.
    fn fetch(&self, progress: &mut impl FnMut(&str)) -> Result<Vec<PathBuf>> {
        let keyring = Path::new(KEYRING);
        if !keyring.is_file() {
            return Err(Error::Keyring {
                path: keyring.to_owned(),
            });
        }
        let apt = Apt::new(&self.cache)?;
        progress("asking for the machine's packages");
        apt.run("apt-get update", &["update"], &apt.state)?;
        progress("fetching the machine: QEMU, a kernel, busybox (71 MB)");
        let qemu = ["install", "-y", "--download-only", "-t", QEMU_SUITE, QEMU];
        apt.run("fetching QEMU", &qemu, &apt.state)?;
        // The kernel's dependencies are for installing it, so only the package itself is wanted.
        let plan = apt.run(
            "asking for the kernel",
            &["-s", "install", KERNEL],
            &apt.state,
        )?;
        let kernel = plan
            .lines()
            .filter_map(|l| l.strip_prefix("Inst "))
            .filter_map(|l| l.split(' ').next())
            .find(|name| name.starts_with("linux-image-") && *name != KERNEL)
            .ok_or_else(|| self.incomplete("a kernel's name"))?;
        let alone = apt.state.join("alone");
        fs::create_dir_all(&alone).map_err(at(&alone))?;
        let download = ["download", kernel, BUSYBOX];
        apt.run("fetching the kernel", &download, &alone)?;
        let mut archives = Vec::new();
        for folder in [apt.state.join("cache/archives"), alone] {
            for entry in fs::read_dir(&folder).map_err(at(&folder))? {
                let path = entry.map_err(at(&folder))?.path();
                if path.extension().is_some_and(|e| e == "deb") {
                    archives.push(path);
                }
            }
        }
        archives.sort();
        Ok(archives)
    }

    /// Adds the ELF kernel, the decompressed modules and the list of versions to a tree.
    fn prepare(&self, tree: &Path) -> Result<()> {
        let own = tree.join("weft");
        fs::create_dir_all(&own).map_err(at(&own))?;
        let write = |name: &str, bytes: &[u8]| {
            let path = own.join(name);
            fs::write(&path, bytes).map_err(at(&path))
        };
        let release = only_entry(&tree.join("usr/lib/modules"))
            .ok_or_else(|| self.incomplete("a kernel's folder of modules"))?;
        let compressed = tree.join("boot").join(format!("vmlinuz-{release}"));
        write("vmlinux", &kernel::elf_of(&compressed)?)?;
        let folder = tree.join("usr/lib/modules").join(&release).join("kernel");
        let mut found = Vec::new();
        for name in MODULES {
            // One that is not there is part of the kernel itself.
            if let Some(path) = module_file(&folder, name)? {
                write(&format!("{name}.ko"), &kernel::module(&path)?)?;
                found.push(name);
            }
        }
        write("modules", found.join("\n").as_bytes())?;
        for program in ["usr/bin/qemu-system-x86_64", "usr/bin/busybox"] {
            if !tree.join(program).is_file() {
                return Err(self.incomplete(program));
            }
        }
        let mut versions = format!("linux {release}\n");
        let status = self.cache.join("apt/versions");
        versions.push_str(&fs::read_to_string(status).unwrap_or_default());
        write("versions", versions.as_bytes())
    }

    fn incomplete(&self, what: &str) -> Error {
        Error::Incomplete {
            what: what.into(),
            cache: self.cache.clone(),
        }
    }
}

/// apt with a state of its own.
struct Apt {
    state: PathBuf,
    options: Vec<String>,
}

impl Apt {
    fn new(cache: &Path) -> Result<Self> {
        let state = cache.join("apt");
        for folder in ["lists/partial", "cache/archives/partial", "state"] {
            let folder = state.join(folder);
            fs::create_dir_all(&folder).map_err(at(&folder))?;
        }
        let state = state.canonicalize().map_err(at(&state))?;
        let write = |name: &str, text: &str| {
            let path = state.join(name);
            fs::write(&path, text).map_err(at(&path))?;
            Ok(path.display().to_string())
        };
        let status = write("status", "")?;
        let mirror = mirror();
        let line = |suite| format!("deb [signed-by={KEYRING}] {mirror} {suite} main\n");
        let sources = write("sources.list", &(line(SUITE) + &line(QEMU_SUITE)))?;
        let at = |folder: &str| state.join(folder).display().to_string();
        let options = [
            ("Dir::Etc::SourceList", sources),
            ("Dir::Etc::SourceParts", "/dev/null".into()),
            ("Dir::Etc::Parts", "/dev/null".into()),
            ("Dir::Etc::Preferences", "/dev/null".into()),
            ("Dir::Etc::PreferencesParts", "/dev/null".into()),
            ("Dir::State", at("state")),
            ("Dir::State::Lists", at("lists")),
            ("Dir::State::status", status),
            ("Dir::Cache", at("cache")),
            ("Dir::Cache::archives", at("cache/archives")),
            ("APT::Architecture", "amd64".into()),
            ("APT::Install-Recommends", "0".into()),
            ("APT::Sandbox::User", String::new()),
            ("Acquire::Languages", "none".into()),
            ("Acquire::Retries", "3".into()),
            ("Acquire::http::Timeout", "30".into()),
            ("Debug::NoLocking", "1".into()),
        ];
        let options = options.map(|(name, value)| format!("{name}={value}"));
        Ok(Self {
            state,
            options: options.to_vec(),
        })
    }

    fn run(&self, step: &'static str, arguments: &[&str], folder: &Path) -> Result<String> {
        let mut command = Command::new("apt-get");
        command.arg("-q=2").current_dir(folder).stdin(Stdio::null());
        for option in &self.options {
            command.arg("-o").arg(option);
        }
        let output = output(command.args(arguments), "apt-get", "apt")?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.success() {
            return Ok(text);
        }
        let said = text + &String::from_utf8_lossy(&output.stderr);
        let last: Vec<_> = said.lines().filter(|l| !l.is_empty()).collect();
        Err(Error::Fetch {
            step,
            status: output.status,
            tail: last[last.len().saturating_sub(3)..].join("; "),
        })
    }
}

/// The Debian mirror that this machine's apt uses.
fn mirror() -> String {
    let mut files = vec![PathBuf::from("/etc/apt/sources.list")];
    if let Ok(folder) = fs::read_dir("/etc/apt/sources.list.d") {
        files.extend(folder.flatten().map(|e| e.path()));
    }
    files.sort();
    let texts = files.iter().filter_map(|f| fs::read_to_string(f).ok());
    let found = texts.into_iter().find_map(|text| debian_mirror(&text));
    found.unwrap_or_else(|| MIRROR.into())
}

/// The first address in a list of sources that is a Debian archive (and not its security updates).
fn debian_mirror(text: &str) -> Option<String> {
    let lines = text.lines().map(str::trim).filter(|l| !l.starts_with('#'));
    let words = lines.flat_map(str::split_whitespace);
    words
        .filter(|w| w.contains("://"))
        .map(|w| w.trim_end_matches('/'))
        .find(|w| w.ends_with("/debian"))
        .map(str::to_owned)
}

/// Unpacks archives into a new folder that has the merged `/usr` of Debian.
fn unpack(archives: &[PathBuf], tree: &Path) -> Result<()> {
    for folder in ["bin", "sbin", "lib", "lib64"] {
        let real = tree.join("usr").join(folder);
        fs::create_dir_all(&real).map_err(at(&real))?;
        let link = tree.join(folder);
        std::os::unix::fs::symlink(Path::new("usr").join(folder), &link).map_err(at(&link))?;
    }
    for archive in archives {
        let packed = Command::new("dpkg-deb")
            .arg("--fsys-tarfile")
            .arg(archive)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn();
        let mut packed = packed.map_err(|_| Error::Program {
            program: "dpkg-deb",
            package: "dpkg",
        })?;
        let stream = packed.stdout.take().map_or_else(Stdio::null, Stdio::from);
        let mut tar = Command::new("tar");
        tar.arg("-x").arg("-C").arg(tree).stdin(stream);
        tar.args(["--keep-directory-symlink", "--no-same-owner"]);
        tar.args(["--exclude=./usr/share/doc*", "--exclude=./usr/share/man*"]);
        let unpacked = output(&mut tar, "tar", "tar")?;
        let read = packed.wait().map_err(at(archive))?;
        if !unpacked.status.success() || !read.success() {
            return Err(Error::Damaged {
                path: archive.clone(),
                cause: String::from_utf8_lossy(&unpacked.stderr).trim().to_owned(),
            });
        }
    }
    Ok(())
}

fn output(
    command: &mut Command,
    program: &'static str,
    package: &'static str,
) -> Result<std::process::Output> {
    command
        .output()
        .map_err(|_| Error::Program { program, package })
}

fn only_entry(folder: &Path) -> Option<String> {
    let entry = fs::read_dir(folder).ok()?.next()?.ok()?;
    entry.file_name().into_string().ok()
}

/// The file of module `name` somewhere below `folder`.
fn module_file(folder: &Path, name: &str) -> Result<Option<PathBuf>> {
    for entry in fs::read_dir(folder).map_err(at(folder))? {
        let path = entry.map_err(at(folder))?.path();
        if path.is_dir() {
            if let Some(found) = module_file(&path, name)? {
                return Ok(Some(found));
            }
        } else if path
            .file_name()
            .and_then(|f| f.to_str())
            .and_then(|f| f.strip_prefix(name))
            .is_some_and(|rest| rest == ".ko" || rest.starts_with(".ko."))
        {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mirror_is_the_machines_own_debian() {
        let deb822 =
            "Types: deb\n# http://old/debian\nURIs: http://near.example/debian/\nSuites: x\n";
        assert_eq!(
            debian_mirror(deb822).as_deref(),
            Some("http://near.example/debian")
        );
        let line = "deb http://security.example/debian-security x main\ndeb [a=b] https://m.example/debian x main";
        assert_eq!(
            debian_mirror(line).as_deref(),
            Some("https://m.example/debian")
        );
        assert_eq!(
            debian_mirror("deb http://ubuntu.example/ubuntu x main"),
            None
        );
    }

    #[test]
    fn a_machine_without_the_archive_says_so_and_leaves_nothing_half_done() {
        let dir = tempfile::tempdir().unwrap();
        let apt = Apt::new(dir.path());
        let Ok(apt) = apt else {
            panic!("{apt:?}", apt = apt.err())
        };
        let error = apt.run(
            "fetching QEMU",
            &["install", "--download-only", "no-such-package"],
            &apt.state,
        );
        let text = error.unwrap_err().to_string();
        assert!(
            text.contains("no-such-package") || text.contains("apt-get"),
            "{text}"
        );
        assert!(!dir.path().join("root").exists());
    }
}
