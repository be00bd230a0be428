//! A model's whole way through the command line: pack, info, run on both devices, eval, and every refusal.

mod tiny;

use std::path::Path;
use std::process::{Command, Output};

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
    assert!(
        output.status.success(),
        "{args:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).expect("JSON")
}

#[track_caller]
fn refused(args: &[&str], code: i32, says: &str) {
    let output = weft(args);
    let err = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{args:?}: {err}");
    assert!(
        err.contains(says) && !err.contains("panicked"),
        "{args:?} should say {says:?}, said: {err}"
    );
}

/// A folder with `tiny.gguf` and `tiny.weft`.
struct Files(TempDir);

impl Files {
    fn new(options: &[&str]) -> Self {
        let files = Self(tempfile::tempdir().expect("a folder"));
        std::fs::write(files.path("tiny.gguf"), tiny::gguf()).expect("written");
        std::fs::write(
            files.path("text.txt"),
            "It was the best of times, it was the worst of times. ".repeat(8),
        )
        .expect("written");
        let (gguf, weft_file, text) = (
            files.path("tiny.gguf"),
            files.path("tiny.weft"),
            files.path("text.txt"),
        );
        let mut line = vec![
            "pack",
            &gguf,
            "-o",
            &weft_file,
            "--tile-rows",
            "512",
            "--json",
        ];
        line.extend(options);
        if options.contains(&"--skip") || options.contains(&"wanda") {
            line.extend(["--calibrate", &text]);
        }
        json(&line);
        files
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().expect("UTF-8").to_owned()
    }

    fn run(&self, device: &[&str]) -> Value {
        let weft_file = self.path("tiny.weft");
        let mut line = vec![
            "run",
            &weft_file,
            "--prompt",
            "It was",
            "-n",
            "5",
            "--ignore-stop",
            "--json",
        ];
        line.extend(device);
        json(&line)
    }
}

#[test]
fn both_devices_write_the_same_tokens_and_logits() {
    for options in [
        &["--weights", "g4"][..],
        &["--weights", "i8"],
        &["--skip", "0.4"],
        &["--prune", "wanda", "--density", "0.5"],
    ] {
        let files = Files::new(options);
        let cpu = files.run(&[]);
        for device in [
            &["--device", "sim", "--config", "8x2"][..],
            &["--device", "sim", "--config", "8x1", "--sim-layers", "1..3"],
            &["--device", "sim", "--device", "sim", "--config", "8x2"],
        ] {
            let sim = files.run(device);
            assert_eq!(sim["tokens"], cpu["tokens"], "{options:?} {device:?}");
            assert_eq!(
                sim["logits_hash"], cpu["logits_hash"],
                "{options:?} {device:?}"
            );
            assert_eq!(sim["text"], cpu["text"]);
            assert!(
                sim["sim_cycles_per_second"]
                    .as_f64()
                    .is_some_and(|s| s > 0.0)
            );
        }
    }
}

#[test]
fn the_report_of_a_run_has_its_keys() {
    let files = Files::new(&[]);
    let report = files.run(&["--device", "sim", "--config", "8x1"]);
    for key in [
        "cycles_per_token",
        "bytes_per_token",
        "bits_per_weight",
        "seconds_per_token",
        "sim_cycles_per_second",
    ] {
        assert!(
            report[key].as_f64().is_some_and(|v| v > 0.0),
            "{key}: {report}"
        );
    }
    assert!(
        !cfg!(target_os = "linux")
            || report["peak_rss_bytes"]
                .as_u64()
                .is_some_and(|v| v > 1 << 20)
    );
    assert_eq!(report["cycles_are"], "counted");
    assert!(report["cycles_per_token"].as_f64() >= report["bound_cycles_per_token"].as_f64());
    assert_eq!(report["tokens"].as_array().map(Vec::len), Some(5));
    assert_eq!(report["logits_hash"].as_str().map(str::len), Some(16));
    assert_eq!(report["device"], "sim 8x1");
    let links = report["predicted_tokens_per_second"]
        .as_object()
        .expect("by link");
    assert!(links.len() >= 4 && links["pcie-gen2-x1"].as_f64() > links["serial-3m"].as_f64());
}

#[test]
fn cards_that_share_the_work_are_counted_together_and_refused_when_they_cannot() {
    let files = Files::new(&[]);
    let one = files.run(&["--device", "sim"]);
    let two = files.run(&["--device", "sim", "--device", "sim"]);
    assert_eq!(two["device"], "2 x sim 8x1");
    assert_eq!(two["logits_hash"], one["logits_hash"]);
    // Each card gives sums of its own, so together they need a little more.
    let cycles = |report: &Value| report["cycles_per_token"].as_f64().expect("cycles");
    assert!((1.0..1.5).contains(&(cycles(&two) / cycles(&one))));
    let weft_file = files.path("tiny.weft");
    let with = |devices: &[&str], code, says| {
        let mut line = vec!["run", &weft_file, "--prompt", "x"];
        line.extend(devices);
        refused(&line, code, says);
    };
    with(&["--device", "cpu", "--device", "sim"], 2, "name it alone");
}

#[test]
fn sampling_repeats_with_its_seed() {
    let files = Files::new(&[]);
    let with = |seed| {
        files.run(&[
            "--temperature",
            "1.5",
            "--top-k",
            "0",
            "--top-p",
            "1",
            "--seed",
            seed,
        ])["tokens"]
            .clone()
    };
    assert_eq!(with("1"), with("1"));
    assert_ne!(with("1"), with("2"));
}

#[test]
fn a_batch_of_tokens_gives_what_single_tokens_give() {
    let files = Files::new(&[]);
    let (weft_file, text) = (files.path("tiny.weft"), files.path("text.txt"));
    let eval = |device: &[&str]| {
        let mut line = vec![
            "eval", &weft_file, "--text", &text, "--window", "40", "--tokens", "80", "--json",
        ];
        line.extend(device);
        json(&line)
    };
    let cpu = eval(&[]);
    assert_eq!(cpu["tokens"], 78);
    assert!(
        cpu["perplexity"]
            .as_f64()
            .is_some_and(|p| p > 1.0 && p < 1e4)
    );
    assert_eq!(
        eval(&["--device", "sim", "--config", "8x4"])["perplexity"],
        cpu["perplexity"]
    );
}

#[test]
fn info_tells_the_model_and_verifies_it() {
    let files = Files::new(&[]);
    let info = json(&["info", &files.path("tiny.weft"), "--verify", "--json"]);
    assert_eq!(info["checksums"], "all hold");
    assert_eq!(info["model"]["layers"], 2);
    assert_eq!(
        json(&["info", &files.path("tiny.gguf"), "--json"])["tensors"]["Q4_1"],
        14
    );
    // A damaged weight is found, and named as what it is.
    let mut bytes = std::fs::read(files.path("tiny.weft")).expect("read");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(files.path("bad.weft"), bytes).expect("written");
    refused(
        &["info", &files.path("bad.weft"), "--verify"],
        3,
        "checksum",
    );
}

#[test]
fn prompts_that_cannot_be_are_refused() {
    let files = Files::new(&[]);
    let weft_file = files.path("tiny.weft");
    refused(&["run", &weft_file, "--prompt", ""], 2, "empty");
    refused(&["run", &weft_file], 2, "no prompt");
    let long = "x".repeat(tiny::CONTEXT);
    refused(
        &["run", &weft_file, "--prompt", &long, "-n", "1"],
        2,
        "context of 48",
    );
    refused(
        &["run", &weft_file, "--prompt-file", &files.path("none.txt")],
        4,
        "none.txt",
    );
    std::fs::write(files.path("latin1.txt"), b"caf\xe9").expect("written");
    refused(
        &[
            "run",
            &weft_file,
            "--prompt-file",
            &files.path("latin1.txt"),
        ],
        3,
        "not UTF-8",
    );
    refused(
        &["eval", &weft_file, "--text", &files.path("latin1.txt")],
        3,
        "not UTF-8",
    );
    refused(
        &[
            "run",
            &weft_file,
            "--prompt",
            "x",
            "--device-layers",
            "0..1",
        ],
        2,
        "goes with --device sim",
    );
    refused(
        &[
            "run",
            &weft_file,
            "--prompt",
            "x",
            "--device",
            "sim",
            "--device-layers",
            "2..9",
        ],
        2,
        "head is layer 2",
    );
}

#[test]
fn chat_uses_the_models_own_template() {
    let files = Files::new(&[]);
    let weft_file = files.path("tiny.weft");
    let chat = json(&[
        "run",
        &weft_file,
        "--chat",
        "--prompt",
        "Hi",
        "-n",
        "1",
        "--ignore-stop",
        "--json",
    ]);
    let plain = json(&[
        "run",
        &weft_file,
        "--prompt",
        "[user] Hi",
        "-n",
        "1",
        "--ignore-stop",
        "--json",
    ]);
    assert_eq!(chat["logits_hash"], plain["logits_hash"]);
}

#[test]
fn packing_leaves_whole_files_or_none() {
    let files = Files::new(&[]);
    let gguf = files.path("tiny.gguf");
    refused(
        &["pack", &gguf, "-o", "/no/such/folder/x.weft"],
        6,
        "/no/such/folder",
    );
    refused(
        &["pack", &gguf, "-o", &files.path("x.weft"), "--skip", "0.4"],
        2,
        "--calibrate",
    );
    // A scale that is not a number, in the last tensor's last block but one.
    let mut bytes = std::fs::read(&gguf).expect("read");
    let at = bytes.len() - 40;
    bytes[at..at + 2].copy_from_slice(&0x7e00u16.to_le_bytes());
    std::fs::write(files.path("nan.gguf"), bytes).expect("written");
    refused(
        &["pack", &files.path("nan.gguf"), "-o", &files.path("x.weft")],
        3,
        "blk.1.ffn_down.weight",
    );
    assert!(!Path::new(&files.path("x.weft")).exists());
    let left = std::fs::read_dir(files.0.path())
        .expect("a folder")
        .flatten();
    let names: Vec<_> = left
        .map(|e| e.file_name().into_string().expect("UTF-8"))
        .collect();
    assert!(
        names.iter().all(|n| !n.starts_with('.')),
        "something was left behind: {names:?}"
    );
}

#[test]
fn a_masked_model_needs_the_banks_it_was_packed_for() {
    let files = Files::new(&["--prune", "magnitude", "--density", "0.3"]);
    let weft_file = files.path("tiny.weft");
    refused(
        &[
            "run", &weft_file, "--prompt", "x", "--device", "sim", "--config", "4x1",
        ],
        5,
        "--banks 4",
    );
    let site = json(&[
        "sim", "site", &weft_file, "--layer", "1", "--site", "ffn_in", "--json",
    ]);
    assert_eq!(site["equal_to_cpu"], true);
    assert_eq!(site["masked"], true);
}
