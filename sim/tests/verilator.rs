//! Bit for bit what Verilator computes, on every output in every cycle, under random stimulus.

mod common;

use std::ops::Range;
use std::path::PathBuf;

use common::Rng;
use common::generate;
use common::generate::clocks::several_clocks_module;
use common::generate::coverage::Coverage;
use common::several_clocks;
use common::stimulus::random_stimulus;
use common::verilator::{available, compare};

const CYCLES: u64 = 40;
/// Steps of modules of several clocks.
const STEPS: u64 = 60;
/// Modules in one Verilator build.
const CHUNK: u64 = 100;

fn scratch(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name)
}

/// Compares the modules of these seeds, and asserts that they cover the whole table.
fn modules(seeds: Range<u64>) {
    let mut coverage = Coverage::default();
    let mut cases: Vec<_> = seeds
        .clone()
        .map(|seed| generate::covered_module(&format!("random{seed}"), seed, &mut coverage))
        .collect();
    println!("{}", coverage.table());
    assert_eq!(coverage.missing(), Vec::<String>::new(), "not covered");
    if !available() {
        return;
    }
    let mut failures = Vec::new();
    let mut rng = Rng::new(seeds.start + 1);
    for chunk in seeds.clone().step_by(CHUNK as usize) {
        let rest = cases.split_off(cases.len().min(CHUNK as usize));
        let dir = scratch("verilator_random").join(chunk.to_string());
        failures.extend(compare(&dir, &cases, |_, design| {
            random_stimulus(&mut rng, design, CYCLES)
        }));
        cases = rest;
        let done = (chunk + CHUNK).min(seeds.end) - seeds.start;
        println!("{done} modules compared, {} differ", failures.len());
    }
    assert!(
        failures.is_empty(),
        "{} of {seeds:?} differ:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

#[test]
fn random_modules() {
    modules(0..200);
}

#[test]
#[ignore = "long: run with --include-ignored"]
fn more_random_modules() {
    modules(200..1400);
}

/// Modules of up to three clocks, in one build a chunk.
fn several_clocks(seeds: Range<u64>) {
    if !available() {
        return;
    }
    let mut rng = Rng::new(seeds.start + 77);
    let mut failures = Vec::new();
    for chunk in seeds.clone().step_by(CHUNK as usize) {
        let cases: Vec<_> = (chunk..seeds.end.min(chunk + CHUNK))
            .map(|seed| several_clocks_module(&format!("clocks{seed}"), seed))
            .collect();
        let dir = scratch("verilator_clocks").join(chunk.to_string());
        failures.extend(several_clocks::compare(&dir, &cases, STEPS, &mut rng));
    }
    assert!(
        failures.is_empty(),
        "{} of {seeds:?} differ:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

#[test]
fn random_modules_of_several_clocks() {
    several_clocks(0..100);
}

#[test]
#[ignore = "long: run with --include-ignored"]
fn more_random_modules_of_several_clocks() {
    several_clocks(100..300);
}
