//! The Verilog of every named configuration: deterministic, described in its header, accepted by the tools.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use weft_hdl::{CoreConfig, Error, generate_verilog};
use weft_protocol::registers::{MAP_HASH, VERSION};

/// Warnings of `verilator --lint-only -Wall` that rust-hdl's way of writing brings; see the datasheet.
const WAIVED: [&str; 5] = [
    "WIDTH",
    "UNUSEDSIGNAL",
    "UNUSEDPARAM",
    "UNOPTFLAT",
    "DECLFILENAME",
];

fn written(name: &str) -> (PathBuf, PathBuf) {
    let config = CoreConfig::named(name).unwrap();
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("verilog");
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join(format!("weft_core_{name}.v"));
    fs::write(&file, generate_verilog(&config).unwrap()).unwrap();
    (folder, file)
}

/// Runs a tool; `None`, loudly, if it is not installed.
fn tool(program: &str, arguments: &[String]) -> Option<(bool, String)> {
    match Command::new(program).args(arguments).output() {
        Ok(output) => {
            let text = [output.stdout, output.stderr].concat();
            let text = String::from_utf8_lossy(&text).into_owned();
            Some((output.status.success(), text))
        }
        Err(cause) => {
            eprintln!("SKIPPED: cannot run {program}: {cause}");
            None
        }
    }
}

#[test]
fn verilator_has_nothing_to_say_beyond_what_is_waived() {
    for name in ["1x1", "8x1", "8x2", "16x4"] {
        let (_, file) = written(name);
        let mut arguments: Vec<String> = ["--lint-only", "-Wall", "--top-module", "weft_core"]
            .map(String::from)
            .to_vec();
        arguments.extend(WAIVED.map(|w| format!("-Wno-{w}")));
        arguments.push(file.display().to_string());
        if let Some((accepted, text)) = tool("verilator", &arguments) {
            assert!(accepted && text.trim().is_empty(), "{name}:\n{text}");
        }
    }
}

#[test]
fn yosys_finds_every_driver_and_no_loop() {
    for name in ["1x1", "8x1", "16x1"] {
        let (_, file) = written(name);
        let script = format!(
            "read_verilog {}; hierarchy -check -top weft_core; proc; flatten; opt_clean; check -assert",
            file.display()
        );
        if let Some((accepted, text)) = tool("yosys", &["-q".into(), "-p".into(), script]) {
            assert!(accepted, "{name}:\n{text}");
            assert!(!text.contains("latch"), "{name} has a latch:\n{text}");
        }
    }
}

#[test]
fn text_is_deterministic_and_says_what_it_is() {
    for (name, config) in CoreConfig::NAMED {
        let text = generate_verilog(config).unwrap();
        assert_eq!(text, generate_verilog(config).unwrap(), "{name}");
        let head: Vec<_> = text.lines().take(2).collect();
        assert!(head[0].contains(name), "{}", head[0]);
        assert!(
            head[1].contains(&format!("version {VERSION}")),
            "{}",
            head[1]
        );
        assert!(
            head[1].contains(&format!("0x{MAP_HASH:08x}")),
            "{}",
            head[1]
        );
        assert!(text.contains("module weft_core("), "{name}");
    }
}

#[test]
fn a_core_that_cannot_be_built_is_refused_by_parameter() {
    let good = CoreConfig::named("8x1").unwrap();
    let cases = [
        (CoreConfig { banks: 3, ..good }, "banks"),
        (CoreConfig { banks: 16, ..good }, "banks"),
        (CoreConfig { batch: 0, ..good }, "batch"),
        (
            CoreConfig {
                stream_bytes: 16,
                ..good
            },
            "stream_bytes",
        ),
        (
            CoreConfig {
                depth: 2048,
                ..good
            },
            "depth",
        ),
        (CoreConfig { depth: 100, ..good }, "depth"),
    ];
    for (config, wrong) in cases {
        match generate_verilog(&config) {
            Err(Error::Parameter { parameter, .. }) => assert_eq!(parameter, wrong),
            other => panic!("{config:?}: {other:?}"),
        }
    }
    let unknown = CoreConfig::named("9x9").unwrap_err().to_string();
    assert!(
        unknown.contains("9x9") && unknown.contains("8x1"),
        "{unknown}"
    );
}
