//! Bit for bit what Verilator computes, on every output in every cycle, under random stimulus.

mod common;

use std::path::PathBuf;

use common::Rng;
use common::generate;
use common::verilator::{available, compare, random_stimulus};

const RANDOM_MODULES: u64 = 200;
const CYCLES: u64 = 50;

fn scratch(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name)
}

#[test]
fn random_modules() {
    if !available() {
        return;
    }
    let cases: Vec<_> = (0..RANDOM_MODULES)
        .map(|seed| generate::module(&format!("random{seed}"), seed))
        .collect();
    let mut rng = Rng::new(1);
    let failures = compare(&scratch("verilator_random"), &cases, |_, design| {
        random_stimulus(&mut rng, design, CYCLES)
    });
    assert!(
        failures.is_empty(),
        "{} of {RANDOM_MODULES} differ:\n{}",
        failures.len(),
        failures.join("\n")
    );
}
