//! Mutants of `mutation.rs` that survive because nothing can tell them from the core: proven by machine.
//!
//! A mutant that `mutation/explained.txt` calls `proven` changes one module in a way that its outputs never show, whatever
//! its inputs do from the start on. yosys joins the module and its mutant to a miter (memories as registers that start
//! at zero), yosys-abc merges what is equal by induction (`scorr`) and proves the rest by property-directed
//! reachability (`pdr`). The arguments of the other survivors speak of what the whole core never sends to a module;
//! they are not proven.
//!
//! Needs yosys and yosys-abc on the PATH.

mod common;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::modules::modules;
use common::mutants::{Mutant, mutants};
use weft_hdl::{CoreConfig, generate_verilog};

/// The core of `mutation.rs`.
const CONFIG: CoreConfig = CoreConfig {
    banks: 8,
    batch: 2,
    stream_bytes: 4,
    depth: 64,
};

/// Seconds that a proof may take.
const LIMIT: u32 = 300;

fn available() -> bool {
    let found = ["yosys", "yosys-abc"].iter().all(|tool| {
        let version = Command::new(tool).arg("-h").output();
        version.is_ok()
    });
    if !found {
        eprintln!(
            "SKIPPED: yosys or yosys-abc is not on the PATH, so no mutant was proven equivalent"
        );
    }
    found
}

/// The survivors that are called proven.
fn survivors(verilog: &str) -> Vec<Mutant> {
    let explained = include_str!("mutation/explained.txt");
    let proven = |m: &Mutant| {
        let key = format!("{} | {} | {} | proven", m.module, m.original, m.mutated);
        explained.lines().any(|l| l.starts_with(&key))
    };
    mutants(verilog, 1, 200)
        .into_iter()
        .filter(proven)
        .collect()
}

/// A module around `name` with the ports that the core itself gives it, so that a mutant's ports may be narrower.
fn wrapper(verilog: &str, name: &str) -> String {
    let all = modules(verilog);
    let module = all
        .iter()
        .find(|m| m.name == name)
        .expect("the mutated module");
    let (mut ports, mut connections) = (Vec::new(), Vec::new());
    for line in verilog[module.range.clone()].lines().map(str::trim) {
        let Some(port) = line.strip_suffix(';').filter(|l| {
            l.starts_with("input wire")
                || l.starts_with("output reg")
                || l.starts_with("output wire")
        }) else {
            continue;
        };
        let port = port.replace("output reg", "output wire");
        let last = port.split_whitespace().last().expect("a name").to_string();
        connections.push(format!(".{last}({last})"));
        ports.push(port);
    }
    assert!(ports.len() > 1, "{name} has ports");
    format!(
        "\nmodule wrapper({});\n{name} inner({});\nendmodule\n",
        ports.join(", "),
        connections.join(", ")
    )
}

/// Runs a tool with a script; its output.
fn run(dir: &Path, program: &str, args: &[&str]) -> String {
    let output = Command::new("timeout")
        .arg(LIMIT.to_string())
        .arg(program)
        .args(args)
        .current_dir(dir)
        .output()
        .expect("the tool runs");
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text += &String::from_utf8_lossy(&output.stderr);
    text
}

/// Whether the mutated module is the module; an error where neither a proof nor a difference was found.
fn same(verilog: &str, mutant: &Mutant, dir: &Path) -> Result<bool, String> {
    let _ = fs::remove_dir_all(dir);
    fs::create_dir_all(dir).expect("scratch folder");
    let wrapper = wrapper(verilog, &mutant.name);
    fs::write(dir.join("gold.v"), format!("{verilog}{wrapper}")).expect("text");
    fs::write(
        dir.join("gate.v"),
        format!("{}{wrapper}", mutant.apply(verilog)),
    )
    .expect("text");
    let mut script = String::new();
    for side in ["gold", "gate"] {
        let _ = writeln!(
            script,
            "read_verilog {side}.v\nhierarchy -top wrapper\nproc -noopt\nflatten\nopt_clean\nrename wrapper {side}\n\
             design -stash {side}"
        );
    }
    script += "design -copy-from gold -as gold gold\ndesign -copy-from gate -as gate gate\n\
               miter -equiv -make_assert -flatten gold gate miter\nhierarchy -top miter\nflatten\nopt\nmemory\n\
               async2sync\ndffunmap\nopt -full\ntechmap\nopt -fast\nsetundef -zero -undriven -init\ndffunmap\n\
               abc -g AND\nopt_clean\nwrite_aiger -zinit miter.aig\n";
    fs::write(dir.join("miter.ys"), script).expect("script");
    let said = run(dir, "yosys", &["-q", "miter.ys"]);
    if !dir.join("miter.aig").exists() {
        return Err(format!("yosys made no miter: {said}"));
    }
    let proof = "read_aiger miter.aig; fold; scorr; pdr; print_status";
    let said = run(dir, "yosys-abc", &["-c", proof]);
    if said.contains("Property proved") || said.contains("Status = 1") {
        Ok(true)
    } else if said.contains("was asserted in frame") {
        Ok(false)
    } else {
        Err(said.lines().rev().take(6).collect::<Vec<_>>().join(" / "))
    }
}

fn prove() {
    if !available() {
        return;
    }
    let verilog = generate_verilog(&CONFIG).expect("a configuration that can be built");
    let all = survivors(&verilog);
    assert!(!all.is_empty(), "nothing to prove");
    let scratch = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("equivalence");
    let mut failures = Vec::new();
    for mutant in &all {
        let what = format!(
            "{} | {} | {}",
            mutant.module, mutant.original, mutant.mutated
        );
        match same(&verilog, mutant, &scratch.join(mutant.line.to_string())) {
            Ok(true) => println!("proven: {what}"),
            Ok(false) => failures.push(format!("{what}: the outputs differ")),
            Err(why) => failures.push(format!("{what}: {why}")),
        }
    }
    assert!(failures.is_empty(), "not proven:\n{}", failures.join("\n"));
    println!("{} mutants proven equivalent", all.len());
}

#[test]
fn every_mutant_that_is_called_proven_is() {
    prove();
}

/// A change that shows is not proven equivalent, so the proofs mean something.
#[test]
fn a_bug_is_not_proven() {
    if !available() {
        return;
    }
    let verilog = generate_verilog(&CONFIG).expect("a configuration that can be built");
    let innocent: Vec<String> = survivors(&verilog).into_iter().map(|m| m.mutated).collect();
    let scratch = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("equivalence_bug");
    let shows = |m: &Mutant| same(&verilog, m, &scratch) == Ok(false);
    let all = mutants(&verilog, 1, 200);
    let mut others = all
        .iter()
        .filter(|m| m.module == "drain" && !innocent.contains(&m.mutated));
    assert!(
        others.any(shows),
        "every mutant of the drain is called the drain"
    );
}
