//! The machine that `weft vm` boots, as a shell: a line goes in, its output and exit code come out.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::card::{Made, ServedCard};
use crate::tiny;

/// Lines of the guest's shell that are not output.
const MARK: &str = "\u{1d}";
/// Reads lines and runs them.
const SHELL: &str = "\
echo \u{1d}ready
while read -r line; do [ \"$line\" = end ] && break; eval \"$line\"; echo \u{1d}$?; done
";
/// Most time of one line, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(100);
/// Most time until the guest's first word: the packages may have to be fetched.
const FETCH: Duration = Duration::from_secs(900);
/// `weft` ends with these where the packages cannot be had: a program is missing, the archive is out of reach.
const OUT_OF_REACH: [i32; 2] = [4, 7];

/// A booted machine with a card and a drive.
pub(crate) struct Guest {
    pub(crate) card: ServedCard,
    folder: TempDir,
    child: Child,
    input: ChildStdin,
    lines: Receiver<String>,
}

/// What a line of shell did.
pub(crate) struct Done {
    pub(crate) code: i32,
    pub(crate) output: String,
}

impl Done {
    /// The JSON that it printed; it must have ended well.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.code, 0, "{}", self.output);
        let start = self.output.find(['{', '[']).unwrap_or(0);
        serde_json::from_str(&self.output[start..])
            .unwrap_or_else(|e| panic!("{e} in {}", self.output))
    }
}

/// Runs `weft` on this machine; what it printed as JSON.
pub(crate) fn weft_json(args: &[&str]) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_weft"))
        .args(args)
        .output()
        .expect("the binary starts");
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args:?}: {err}");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

impl Guest {
    /// Boots a machine whose card has the core of this name, and whose drive is a small packed llama; `/other.weft` there
    /// is another one.
    ///
    /// # Errors
    /// Why the machine's packages are out of reach.
    pub(crate) fn boot(made: Made, core: &str) -> Result<Self, String> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        let text = |name: &str| path(name).to_str().expect("UTF-8").to_owned();
        std::fs::write(path("tiny.gguf"), tiny::gguf()).expect("written");
        std::fs::write(path("shell.sh"), SHELL).expect("written");
        let (gguf, packed) = (text("tiny.gguf"), text("tiny.weft"));
        let other = text("other.weft");
        let pack = ["pack", &gguf, "--tile-rows", "512", "--json", "-o"];
        weft_json(&[&pack[..], &[&packed]].concat());
        weft_json(&[&pack[..], &[&other, "--weights", "i8"]].concat());
        let card = ServedCard::start(made, core, &path("card.sock"));
        let mut child = Command::new(env!("CARGO_BIN_EXE_weft"))
            .args(["vm", "--stdin", "--timeout", "600"])
            .args(["--socket", &text("card.sock"), "--drive", &packed])
            .args(["--script", &text("shell.sh"), "--put", &other])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("starts");
        let (input, output) = (child.stdin.take(), child.stdout.take());
        let (sender, lines) = channel();
        let mut output = BufReader::new(output.expect("piped"));
        std::thread::spawn(move || {
            let mut line = Vec::new();
            while output.read_until(b'\n', &mut line).is_ok_and(|n| n > 0) {
                let text = String::from_utf8_lossy(&line).trim_end().to_owned();
                line.clear();
                if sender.send(text).is_err() {
                    break;
                }
            }
        });
        let mut guest = Self {
            card,
            folder,
            child,
            input: input.expect("piped"),
            lines,
        };
        match guest.until_mark(FETCH) {
            Ok(_) => Ok(guest),
            Err(said) => {
                let code = guest.child.wait().expect("waited for").code();
                if code.is_some_and(|c| OUT_OF_REACH.contains(&c)) {
                    return Err(said);
                }
                panic!("the machine does not start ({code:?}): {said}");
            }
        }
    }

    /// The packed model; its bytes are the drive's, too.
    pub(crate) fn model(&self) -> PathBuf {
        self.folder.path().join("tiny.weft")
    }

    /// The output up to the next mark, and the mark; an error when the machine ended instead.
    fn until_mark(&mut self, patience: Duration) -> Result<(String, String), String> {
        let until = Instant::now() + patience;
        let mut output = String::new();
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) => match line.split_once(MARK) {
                    // Output without a line's end stands before the mark.
                    Some((before, mark)) => return Ok((output + before, mark.to_owned())),
                    None => output.extend([line.as_str(), "\n"]),
                },
                Err(RecvTimeoutError::Timeout) => {
                    panic!("nothing for {patience:?} after {output:?}")
                }
                Err(RecvTimeoutError::Disconnected) => {
                    let mut said = String::new();
                    let err = self.child.stderr.as_mut().expect("piped");
                    err.read_to_string(&mut said).expect("read");
                    return Err(output + &said);
                }
            }
        }
    }

    /// Runs a line of shell.
    #[track_caller]
    pub(crate) fn sh(&mut self, line: &str) -> Done {
        writeln!(self.input, "{line}").expect("the machine listens");
        self.input.flush().expect("the machine listens");
        let (output, mark) = self.until_mark(PATIENCE).expect("the machine goes on");
        Done {
            code: mark.parse().expect("an exit code"),
            output,
        }
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let asked = writeln!(self.input, "end").and_then(|()| self.input.flush());
        if asked.is_err() || std::thread::panicking() {
            drop(self.child.kill());
        }
        drop(self.child.wait());
    }
}

/// As `weft run` is called everywhere here, but for the model and the device.
pub(crate) const RUN: &str = "--prompt the -n 6 --ignore-stop --json";

/// What the processor of this machine writes.
pub(crate) fn on_cpu(model: &Path) -> Value {
    let model = model.to_str().expect("UTF-8");
    let mut line = vec!["run", model, "--device", "cpu"];
    line.extend(RUN.split(' '));
    weft_json(&line)
}
