//! A virtual card served by `weft card`, and a model on it: two processes and a socket between them.
#![cfg(target_os = "linux")]

mod tiny;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

fn weft(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_weft"))
        .args(args)
        .output()
        .expect("the binary starts")
}

#[track_caller]
fn json(args: &[&str]) -> Value {
    let output = weft(args);
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args:?}: {err}");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// A served card in a folder with `tiny.weft`.
struct Served {
    folder: TempDir,
    child: Option<Child>,
}

const START: Duration = Duration::from_secs(60);

impl Served {
    fn new(config: &str) -> Self {
        Self::of("behaviour", config)
    }

    fn of(model: &str, config: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut served = Self {
            folder,
            child: None,
        };
        std::fs::write(served.path("tiny.gguf"), tiny::gguf()).expect("written");
        let (gguf, packed) = (served.text("tiny.gguf"), served.text("tiny.weft"));
        json(&["pack", &gguf, "-o", &packed, "--tile-rows", "512", "--json"]);
        served.start(model, config);
        served
    }

    fn start(&mut self, model: &str, config: &str) {
        let child = Command::new(env!("CARGO_BIN_EXE_weft"))
            .args(["card", "--json", "--model", model, "--config", config])
            .arg("--socket")
            .arg(self.path("card.sock"))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("starts");
        self.child = Some(child);
        let until = Instant::now() + START;
        while std::os::unix::net::UnixStream::connect(self.path("card.sock")).is_err() {
            assert!(Instant::now() < until, "the card's socket answers");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).to_str().expect("UTF-8").to_owned()
    }

    fn run(&self, device: &str, more: &[&str]) -> Value {
        let packed = self.text("tiny.weft");
        let mut line = vec![
            "run",
            &packed,
            "--prompt",
            "the",
            "-n",
            "6",
            "--ignore-stop",
        ];
        line.extend(["--json", "--device", device]);
        line.extend(more);
        json(&line)
    }

    fn device(&self) -> String {
        format!("vfio-user:{}", self.text("card.sock"))
    }

    /// Ctrl-C, and what the server says at its end.
    fn interrupt(&mut self) -> Value {
        let mut child = self.child.take().expect("started");
        let pid = child.id().to_string();
        let sent = Command::new("kill").args(["-INT", &pid]).status();
        assert!(sent.expect("sent").success());
        let until = Instant::now() + START;
        let status = loop {
            if let Some(status) = child.try_wait().expect("waited for") {
                break status;
            }
            assert!(Instant::now() < until, "Ctrl-C ends the server");
            std::thread::sleep(Duration::from_millis(10));
        };
        assert!(status.success(), "{status}");
        let mut text = String::new();
        let mut out = child.stdout.take().expect("piped");
        out.read_to_string(&mut text).expect("read");
        serde_json::from_str(&text).expect("JSON")
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            drop(child.kill());
            drop(child.wait());
        }
    }
}

fn exists(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok()
}

#[test]
fn a_model_on_a_served_card_writes_what_the_processor_writes() {
    let mut served = Served::new("8x4");
    let cpu = served.run("cpu", &[]);
    for more in [&[][..], &["--poll"]] {
        let card = served.run(&served.device(), more);
        for key in ["tokens", "logits_hash", "text"] {
            assert_eq!(card[key], cpu[key], "{key} {more:?}");
        }
        let link = &card["link"];
        assert_eq!(
            link["copied_bytes"], 0,
            "weights come from the file: {link}"
        );
        assert!(
            link["read_bytes"].as_u64().expect("a number") > 10_000,
            "{link}"
        );
        let name = card["device"].as_str().expect("text");
        assert!(name.starts_with("vfio-user:"), "{name}");
    }
    let statistics = served.interrupt();
    assert_eq!(statistics["clients"], 2);
    assert_eq!(statistics["blocked"], 0);
    assert!(statistics["bytes_read"].as_u64().expect("a number") > 10_000);
    assert!(!exists(&served.path("card.sock")), "the socket is removed");
}

#[test]
fn the_card_in_logic_gives_the_same_and_counts_its_cycles() {
    let mut served = Served::of("rtl", "8x1");
    let cpu = served.run("cpu", &[]);
    let card = served.run(&served.device(), &[]);
    for key in ["tokens", "logits_hash"] {
        assert_eq!(card[key], cpu[key], "{key}");
    }
    assert_eq!(card["cycles_are"], "counted");
    let statistics = served.interrupt();
    assert_eq!(
        (&statistics["clients"], &statistics["blocked"]),
        (&1.into(), &0.into())
    );
    assert!(statistics["cycles"].as_u64().expect("a number") > 10_000);
}

#[test]
fn a_killed_server_leaves_a_socket_that_the_next_one_takes() {
    let mut served = Served::new("8x1");
    let mut child = served.child.take().expect("started");
    child.kill().expect("killed");
    child.wait().expect("gone");
    assert!(exists(&served.path("card.sock")));
    let refused = weft(&[
        "run",
        &served.text("tiny.weft"),
        "--prompt",
        "x",
        "--device",
        &served.device(),
    ]);
    let err = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(5), "{err}");
    assert!(err.contains("weft card --socket"), "{err}");
    served.start("behaviour", "8x1");
    let second = weft(&["card", "--socket", &served.text("card.sock")]);
    assert_eq!(second.status.code(), Some(2), "one server a socket");
    let file = weft(&["card", "--socket", &served.text("tiny.weft")]);
    assert_eq!(file.status.code(), Some(2), "a file is not replaced");
    assert_eq!(served.run(&served.device(), &[])["end"], "length");
}

#[test]
fn a_killed_driver_leaves_a_card_that_the_next_one_can_use() {
    let mut served = Served::new("8x1");
    let wanted = served.run("cpu", &[]);
    let mut driver = Command::new(env!("CARGO_BIN_EXE_weft"))
        .args([
            "run",
            &served.text("tiny.weft"),
            "--prompt",
            "the",
            "-n",
            "40",
        ])
        .args(["--ignore-stop", "--device", &served.device()])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("starts");
    // Its first text has come, so the card is at work.
    let mut first = [0];
    let mut out = driver.stdout.take().expect("piped");
    out.read_exact(&mut first).expect("text");
    driver.kill().expect("killed");
    driver.wait().expect("gone");
    let next = served.run(&served.device(), &[]);
    assert_eq!(next["logits_hash"], wanted["logits_hash"]);
    let statistics = served.interrupt();
    assert_eq!(statistics["clients"], 2);
    assert_eq!(
        statistics["maps"], statistics["unmaps"],
        "nothing stays mapped"
    );
}

#[test]
fn device_names_that_mean_nothing_are_refused_with_the_ones_that_do() {
    let folder = tempfile::tempdir().expect("a folder");
    let model = folder.path().join("none.weft");
    let model = model.to_str().expect("UTF-8");
    for (name, says) in [
        ("gpu", "vfio-user:SOCKET"),
        ("vfio-user:", "vfio-user:SOCKET"),
        ("pcie:somewhere", "lspci"),
    ] {
        let refused = weft(&["run", model, "--prompt", "x", "--device", name]);
        let err = String::from_utf8_lossy(&refused.stderr);
        assert_eq!(refused.status.code(), Some(2), "{name}: {err}");
        assert!(err.contains(says), "{name}: {err}");
    }
}
