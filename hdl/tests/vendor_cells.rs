//! Our models of vendors' cells do what the vendors' guides say: benches with numbers worked out from these.

mod common;

use common::bench::verilator;
use common::netlist::models;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

/// Builds a bench with a family's models under Verilator and runs it.
fn check(family: &str, bench: &str) {
    if !verilator() {
        return;
    }
    let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
        .join("vendor_cells")
        .join(family);
    fs::create_dir_all(&dir).expect("scratch folder");
    let models: String = models(family).into_iter().map(|(_, text)| text).collect();
    fs::write(dir.join("bench.v"), format!("{bench}{models}")).expect("bench");
    let built = Command::new("verilator")
        .args([
            "--binary",
            "--timing",
            "-Wno-fatal",
            "-Wno-lint",
            "-Wno-MULTIDRIVEN",
        ])
        .args(["--top-module", "bench", "-Mdir", "build", "bench.v"])
        .current_dir(&dir)
        .output()
        .expect("verilator runs");
    assert!(
        built.status.success(),
        "verilator refused the bench:\n{}",
        String::from_utf8_lossy(&built.stderr)
    );
    let run = Command::new(dir.join("build/Vbench"))
        .output()
        .expect("the bench runs");
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(said.contains("all as documented"), "{said}");
}

#[test]
fn ecp5() {
    check("ecp5", include_str!("vendor_cells/ecp5.v"));
}

#[test]
fn gowin() {
    check("gowin", include_str!("vendor_cells/gowin.v"));
}
