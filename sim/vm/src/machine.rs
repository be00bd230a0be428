//! QEMU's command line, and one run of it.
//!
//! The IOMMU needs `caching-mode` (vfio-user) and `intremap` (vfio without unsafe interrupts); guest memory is shared,
//! so that the card's process can map it. The processor is emulated: KVM would be quicker, but the card's process
//! is the slow part.

use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use crate::error::{Error, Result, at};
use crate::guest::{EXIT_MARK, Guest};
use crate::packages::Root;

/// How long a finished machine may take to switch itself off.
const POWER_OFF: Duration = Duration::from_secs(10);
/// How often a waiting run looks at the clock and the cancel flag.
const TICK: Duration = Duration::from_millis(100);
/// How long QEMU waits for one answer of the card, in milliseconds.
const CARD_TIMEOUT_MS: u32 = 60_000;

/// A machine to boot.
#[derive(Clone, Debug)]
pub struct Machine {
    /// QEMU and the kernel.
    pub root: Root,
    /// Guest memory in MiB.
    pub memory_mib: u32,
    /// Processors.
    pub processors: u32,
    /// A vfio-user socket that a card listens on.
    pub card: Option<PathBuf>,
    /// Whether this process's standard input is the script's; else the script has none.
    pub input: bool,
    /// A file that is the content of an NVMe drive; the guest's writes to it are lost.
    pub drive: Option<PathBuf>,
    /// Most time for boot, script and power-off.
    pub limit: Duration,
}

/// How a script ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Its exit code.
    pub code: i32,
    /// From QEMU's start to the script's end.
    pub time: Duration,
}

impl Machine {
    /// QEMU's arguments; `work` has the first file system and takes the kernel's console.
    fn arguments(&self, work: &Path) -> Vec<OsString> {
        let memory = self.memory_mib;
        let mut line: Vec<OsString> = Vec::new();
        let mut add = |words: &[&str]| line.extend(words.iter().map(OsString::from));
        add(&[
            "-machine",
            "q35",
            "-accel",
            "tcg,thread=multi",
            "-cpu",
            "max",
        ]);
        add(&[
            "-m",
            &format!("{memory}M"),
            "-smp",
            &self.processors.to_string(),
        ]);
        add(&[
            "-nodefaults",
            "-no-user-config",
            "-display",
            "none",
            "-vga",
            "none",
        ]);
        add(&["-bios", "qboot.rom", "-monitor", "none", "-no-reboot"]);
        let backend = format!("memory-backend-memfd,id=mem,size={memory}M,share=on");
        add(&["-object", &backend, "-machine", "memory-backend=mem"]);
        add(&["-device", "intel-iommu,intremap=on,caching-mode=on"]);
        if let Some(card) = &self.card {
            add(&["-device", "pcie-root-port,id=rp0,slot=1", "-device"]);
            add(&[&card_device(card)]);
        }
        if let Some(drive) = &self.drive {
            let path = drive.display().to_string().replace(',', ",,");
            let drive = format!("if=none,id=d0,file={path},format=raw,aio=threads,snapshot=on");
            add(&["-drive", &drive, "-device", "pcie-root-port,id=rp1,slot=2"]);
            add(&[
                "-device",
                "nvme,serial=weft,drive=d0,bus=rp1,x-max-bounce-buffer-size=1M",
            ]);
        }
        add(&["-append"]);
        add(&[
            "console=ttyS0 panic=-1 quiet intel_iommu=on nokaslr mitigations=off tsc=reliable \
               no_timer_check rcupdate.rcu_expedited=1 8250.nr_uarts=2",
        ]);
        add(&[
            "-serial",
            &format!("file:{}", work.join("console").display()),
        ]);
        add(&["-serial", "stdio"]);
        line.extend(["-kernel".into(), self.root.kernel.clone().into_os_string()]);
        line.extend(["-initrd".into(), work.join("initrd").into_os_string()]);
        line
    }

    /// QEMU under its own loader and with its own libraries, whatever the host has.
    fn command(&self, work: &Path) -> Command {
        let tree = &self.root.tree;
        let qemu = tree.join("usr/bin/qemu-system-x86_64");
        let mut command = Command::new(tree.join("usr/lib64/ld-linux-x86-64.so.2"));
        command
            .arg("--library-path")
            .arg(tree.join("usr/lib/x86_64-linux-gnu"));
        command.args(["--argv0", "qemu-system-x86_64"]).arg(qemu);
        for folder in ["usr/share/qemu", "usr/share/seabios"] {
            command.arg("-L").arg(tree.join(folder));
        }
        command.args(self.arguments(work));
        command
    }

    /// Boots, passes what the guest's script prints on to `out`, and waits for its end. Files in between are in a
    /// temporary folder. Setting `cancel` stops the machine.
    ///
    /// # Errors
    /// [`Error::TimedOut`], [`Error::Died`], [`Error::Interrupted`], and what [`Guest`] has.
    pub fn run(&self, guest: &Guest, out: &mut dyn Write, cancel: &AtomicBool) -> Result<Outcome> {
        let folder = std::env::temp_dir();
        let work = tempfile::Builder::new()
            .prefix("weft-vm-")
            .tempdir_in(&folder);
        let work = work.map_err(at(&folder))?;
        guest.pack(&self.root, self.input, &work.path().join("initrd"))?;
        let start = Instant::now();
        let mut command = self.command(work.path());
        command
            .stdin(if self.input {
                Stdio::inherit()
            } else {
                Stdio::null()
            })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let child = command.spawn().map_err(at(&self.root.tree))?;
        let mut running = Running { child };
        let console = || last_lines(&work.path().join("console"));
        let (lines, said) = (running.lines(), running.messages());
        let code = loop {
            if cancel.load(Ordering::SeqCst) {
                return Err(Error::Interrupted);
            }
            if start.elapsed() > self.limit {
                return Err(Error::TimedOut {
                    seconds: self.limit.as_secs(),
                    console: console(),
                });
            }
            match lines.recv_timeout(TICK) {
                Ok(line) => match exit_code(&line) {
                    Some(code) => break code,
                    None => out
                        .write_all(&line)
                        .map_err(at(Path::new("the script's output")))?,
                },
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(Error::Died {
                        status: running.child.wait().map_err(at(&self.root.tree))?,
                        said: said.recv().unwrap_or_default(),
                        console: console(),
                    });
                }
            }
        };
        let time = start.elapsed();
        running.let_power_off();
        Ok(Outcome { code, time })
    }
}

/// The card as QEMU's JSON takes it.
fn card_device(socket: &Path) -> String {
    let path = socket.display().to_string();
    let path = path.replace('\\', "\\\\").replace('"', "\\\"");
    format!(
        "{{\"driver\":\"vfio-user-pci\",\"bus\":\"rp0\",\"x-msg-timeout\":{CARD_TIMEOUT_MS},\
         \"socket\":{{\"type\":\"unix\",\"path\":\"{path}\"}}}}"
    )
}

/// The exit code in the guest's last line.
fn exit_code(line: &[u8]) -> Option<i32> {
    let text = std::str::from_utf8(line).ok()?;
    text.trim()
        .strip_prefix(EXIT_MARK.trim_start())?
        .parse()
        .ok()
}

fn last_lines(path: &Path) -> String {
    let text = fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<_> = text.lines().filter(|l| !l.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(12)..].join("\n")
}

/// QEMU while it runs; stopped when dropped.
struct Running {
    child: Child,
}

impl Running {
    /// Lines of the guest's second serial line.
    fn lines(&mut self) -> mpsc::Receiver<Vec<u8>> {
        let (send, receive) = mpsc::channel();
        if let Some(pipe) = self.child.stdout.take() {
            std::thread::spawn(move || {
                let mut reader = BufReader::new(pipe);
                let mut line = Vec::new();
                while reader.read_until(b'\n', &mut line).is_ok_and(|n| n > 0) {
                    if send.send(std::mem::take(&mut line)).is_err() {
                        break;
                    }
                }
            });
        }
        receive
    }

    /// What QEMU itself says, once it has ended.
    fn messages(&mut self) -> mpsc::Receiver<String> {
        let (send, receive) = mpsc::channel();
        if let Some(mut pipe) = self.child.stderr.take() {
            std::thread::spawn(move || {
                let mut bytes = Vec::new();
                let _ = pipe.read_to_end(&mut bytes);
                let _ = send.send(String::from_utf8_lossy(&bytes).trim().to_owned());
            });
        }
        receive
    }

    /// Waits for the guest to switch itself off.
    fn let_power_off(&mut self) {
        let start = Instant::now();
        while start.elapsed() < POWER_OFF && matches!(self.child.try_wait(), Ok(None)) {
            std::thread::sleep(TICK);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_marked_line_is_an_exit_code() {
        assert_eq!(exit_code(b"\x1eweft-vm exit 3\n"), Some(3));
        assert_eq!(exit_code(b"weft-vm exit 3\n"), None);
        assert_eq!(exit_code(b"\xff\n"), None);
    }

    #[test]
    fn the_command_line_has_card_and_drive_only_where_there_are_some() {
        let root = Root {
            tree: "/r".into(),
            kernel: "/r/weft/vmlinux".into(),
            modules: Vec::new(),
            versions: String::new(),
        };
        let mut machine = Machine {
            root,
            memory_mib: 512,
            processors: 2,
            card: None,
            input: false,
            drive: None,
            limit: Duration::from_secs(1),
        };
        let text = |m: &Machine| {
            let words = m.arguments(Path::new("/w"));
            let words: Vec<_> = words
                .iter()
                .map(|w| w.to_string_lossy().into_owned())
                .collect();
            words.join(" ")
        };
        assert!(!text(&machine).contains("vfio-user") && !text(&machine).contains("nvme"));
        machine.card = Some("/s/a\"b".into());
        machine.drive = Some("/d/x,y".into());
        let line = text(&machine);
        assert!(line.contains(r#""path":"/s/a\"b""#), "{line}");
        assert!(line.contains("file=/d/x,,y,"), "{line}");
    }
}
