//! The command line as a person meets it: exit codes, messages, and files that appear whole or not at all.

use std::path::Path;
use std::process::{Command, Output};

fn weft(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_weft"))
        .args(args)
        .output()
        .expect("the binary starts")
}

/// Checks the exit code and that standard error holds `says`, in one `weft:` message without a panic.
#[track_caller]
fn refused(args: &[&str], code: i32, says: &str) {
    let output = weft(args);
    let err = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{args:?}: {err}");
    assert!(
        err.contains(says),
        "{args:?} should say {says:?}, said: {err}"
    );
    assert!(!err.contains("panicked"), "{args:?}: {err}");
    assert!(
        output.stdout.is_empty(),
        "{args:?} printed a result beside its error"
    );
}

#[test]
fn help_lists_every_verb_and_the_exit_codes() {
    let help = String::from_utf8(weft(&["--help"]).stdout).expect("UTF-8");
    for verb in [
        "demo",
        "get",
        "pack",
        "info",
        "run",
        "eval",
        "sim",
        "verilog",
        "doctor",
        "completions",
    ] {
        assert!(
            help.contains(&format!("\n  {verb} ")),
            "{verb} is missing in:\n{help}"
        );
        let own = String::from_utf8(weft(&[verb, "--help"]).stdout).expect("UTF-8");
        assert!(own.contains("Usage:"), "{verb} has no help");
    }
    assert!(help.contains("Exit codes: 0 done"));
}

#[test]
fn completions_name_the_verbs() {
    for shell in ["bash", "zsh", "fish"] {
        let script = String::from_utf8(weft(&["completions", shell]).stdout).expect("UTF-8");
        assert!(script.contains("verilog"), "{shell}");
    }
}

#[test]
fn doctor_speaks_json() {
    let output = weft(&["doctor", "--json"]);
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert!(
        found
            .as_array()
            .is_some_and(|all| all.iter().any(|f| f["what"] == "verilator"))
    );
}

#[test]
fn wrong_usage_is_code_2() {
    refused(&["get", "no-such-model"], 2, "smollm2-135m");
    refused(&["get", "hf:only-one-word"], 2, "hf:OWNER/REPO/FILE.gguf");
    refused(&["verilog", "--config", "3x3"], 2, "8x16");
    refused(&["sim", "spmm", "--rows", "100"], 2, "multiples of 64");
    refused(&["sim", "spmm", "--batch", "3"], 2, "powers of two");
    refused(&["sim", "spmm", "--density", "1.5"], 2, "between 0 and 1");
    refused(&["sim", "spmm", "--bits", "5"], 2, "4 or 8");
    refused(
        &["pack", "m.gguf", "-o", "m.weft", "--skip", "2"],
        2,
        "0 to 0.95",
    );
    refused(
        &["pack", "m.gguf", "-o", "m.weft", "--density", "0.5"],
        2,
        "--prune",
    );
}

#[test]
fn missing_files_are_code_4() {
    refused(&["info", "no-such-file"], 4, "no-such-file");
    refused(
        &["run", "no-such-file.weft", "--prompt", "x"],
        4,
        "no-such-file.weft",
    );
    refused(
        &["pack", "no-such-file.gguf", "-o", "x.weft"],
        4,
        "no-such-file.gguf",
    );
    assert!(!Path::new("x.weft").exists());
}

#[test]
fn damaged_files_are_code_3() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("m.weft");
    for bytes in [&b""[..], b"GGUF", b"not a model at all", &[0; 5000]] {
        std::fs::write(&path, bytes).expect("written");
        let name = path.to_str().expect("UTF-8");
        refused(&["info", name], 3, "m.weft");
        refused(&["run", name, "--prompt", "x"], 3, "m.weft");
    }
}

#[test]
fn what_cannot_be_written_is_code_6() {
    refused(
        &["verilog", "-o", "/no/such/folder/core.v"],
        6,
        "/no/such/folder",
    );
    #[cfg(target_os = "linux")]
    refused(&["verilog", "-o", "/proc/core.v"], 6, "/proc");
}

#[test]
fn verilog_is_the_same_every_time() {
    let one = weft(&["verilog", "--config", "4x1"]);
    assert!(one.status.success());
    assert!(one.stdout == weft(&["verilog", "--config", "4x1"]).stdout);
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("core.v");
    assert!(
        weft(&[
            "verilog",
            "--config",
            "4x1",
            "-o",
            path.to_str().expect("UTF-8")
        ])
        .status
        .success()
    );
    assert!(std::fs::read(&path).expect("read") == one.stdout);
    assert_eq!(
        std::fs::read_dir(dir.path()).expect("a folder").count(),
        1,
        "nothing is left beside it"
    );
}

#[test]
fn one_product_on_the_simulated_core_is_exact_and_near_its_bound() {
    for args in [
        ["--bits", "4", "--density", "1.0"],
        ["--bits", "4", "--density", "0.5"],
        ["--bits", "8", "--density", "0.25"],
        ["--bits", "8", "--density", "0.1"],
    ] {
        let mut line = vec!["sim", "spmm", "--rows", "576", "--cols", "96", "--json"];
        line.extend(args);
        let output = weft(&line);
        assert!(
            output.status.success(),
            "{line:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!(report["equal_to_cpu"], true, "{line:?}");
        assert!(
            report["ratio"]
                .as_f64()
                .is_some_and(|r| r > 0.5 && r <= 1.05),
            "{line:?}: {report}"
        );
    }
}
