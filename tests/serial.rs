//! A virtual board and its host as two processes: `weft board-sim` behind a pseudo-terminal, and what talks to it.
#![cfg(unix)]

mod tiny;

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use serde_json::Value;

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

/// A board in its own process, ended when it is dropped.
struct Board {
    child: Child,
    out: BufReader<ChildStdout>,
    device: String,
}

impl Board {
    fn new(options: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_weft"))
            .args(["board-sim", "--board", "ulx3s-85f", "--core", "2x1"])
            .args(["--clocks-per-bit", "4", "--json"])
            .args(options)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut line = String::new();
        out.read_line(&mut line).expect("a line");
        let started: Value = serde_json::from_str(&line).expect("JSON");
        assert_eq!(started["core"], "2x1");
        let device = format!("serial:{}", started["terminal"].as_str().expect("a path"));
        Self { child, out, device }
    }

    /// Ends it as Ctrl-C does, and returns what it printed last.
    fn end(mut self) -> Value {
        let pid = self.child.id().to_string();
        let kill = Command::new("kill").args(["-INT", &pid]).status();
        assert!(kill.expect("kill starts").success());
        let mut line = String::new();
        self.out.read_line(&mut line).expect("a line");
        assert!(self.child.wait().expect("it ends").success());
        serde_json::from_str(&line).expect("JSON")
    }
}

impl Drop for Board {
    fn drop(&mut self) {
        // Already over when `end` was called.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_virtual_board_passes_its_self_test_for_one_client_after_another() {
    let board = Board::new(&[]);
    for _ in 0..2 {
        let report = json(&[
            "selftest",
            "--device",
            &board.device,
            "--products",
            "4",
            "--json",
        ]);
        assert_eq!(report["passed"], true, "{report:#}");
        let checks = report["checks"].as_array().expect("a list");
        assert_eq!(checks.len(), 6, "{report:#}");
        assert_eq!(report["board_link"]["Bad"], 0);
    }
    let ended = board.end();
    assert!(ended["clocks"].as_u64().is_some_and(|n| n > 100_000));
}

#[test]
fn the_other_devices_pass_too() {
    for device in [&["cpu"][..], &["sim", "--config", "2x1"]] {
        let mut line = vec!["selftest", "--products", "4", "--json", "--device"];
        line.extend(device);
        let report = json(&line);
        assert_eq!(report["passed"], true, "{report:#}");
    }
    let table = weft(&["selftest", "--products", "1", "--device", "cpu"]);
    let table = String::from_utf8(table.stdout).expect("UTF-8");
    assert!(table.contains("ok       g4 products"), "{table}");
}

#[test]
fn a_model_over_a_bad_line_writes_what_the_processor_writes() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    let (gguf, model) = (path("tiny.gguf"), path("tiny.weft"));
    std::fs::write(&gguf, tiny::gguf()).expect("written");
    json(&["pack", &gguf, "-o", &model, "--tile-rows", "512", "--json"]);
    let run = |device: &[&str]| {
        let mut line = vec![
            "run",
            &model,
            "--prompt",
            "It",
            "-n",
            "2",
            "--ignore-stop",
            "--json",
        ];
        line.extend(device);
        json(&line)
    };
    let cpu = run(&["--device", "cpu"]);
    let board = Board::new(&[
        "--damage",
        "1%",
        "--drop",
        "1%",
        "--duplicate",
        "1%",
        "--delay",
        "1%",
    ]);
    let serial = run(&["--device", &board.device]);
    assert_eq!(serial["tokens"], cpu["tokens"]);
    assert_eq!(serial["logits_hash"], cpu["logits_hash"]);
    assert!(
        serial["link"]["retries"].as_u64().is_some_and(|n| n > 0),
        "{:#}",
        serial["link"]
    );
    let ended = board.end();
    for (direction, fault) in [("to_board", "dropped"), ("from_board", "damaged")] {
        assert!(
            ended[direction][fault].as_u64().is_some_and(|n| n > 0),
            "{ended:#}"
        );
    }
}

#[test]
fn lines_without_a_board_end_in_one_message() {
    let refused = |device: &str, code: i32, says: &str| {
        let output = weft(&["selftest", "--device", device, "--timeout", "1"]);
        let err = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{err}");
        assert!(err.contains(says) && !err.contains("panicked"), "{err}");
    };
    refused(
        "serial:/dev/no-such-port",
        4,
        "cannot open /dev/no-such-port",
    );
    refused("serial:/dev/ttyS0@x", 2, "not a rate");
    let board = Board::new(&[]);
    let device = board.device.clone();
    board.end();
    // The terminal went with the board.
    let output = weft(&["selftest", "--device", &device, "--timeout", "1"]);
    assert!(matches!(output.status.code(), Some(4 | 5)), "{output:?}");
}
