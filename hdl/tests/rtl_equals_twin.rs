//! The core answers what its twin answers, to the bit: under the project's own simulator, and under Verilator.

mod common;

use common::bench::{Bench, Gaps, verilator};
use common::checks::checks;
use common::simulated::Simulated;
use weft_hdl::CoreConfig;

/// Sends bytes through a core with gaps and returns its answer and the cycles it took.
type Run<'a> = &'a dyn Fn(&[u8], Gaps) -> (Vec<u32>, u64);

/// Runs a stream through a core, and fails where it differs from what the twin said.
fn compare(run: Run<'_>, bytes: &[u8], gaps: Gaps, expected: &[u32]) {
    let (got, _) = run(bytes, gaps);
    let first = expected.iter().zip(&got).position(|(a, b)| a != b);
    assert!(
        first.is_none() && expected.len() == got.len(),
        "{gaps:?}: {} words expected, {} came; first difference at {first:?}: {:x?} and {:x?}",
        expected.len(),
        got.len(),
        first.map(|i| &expected[i..(i + 8).min(expected.len())]),
        first.map(|i| &got[i..(i + 8).min(got.len())]),
    );
}

/// Runs `rounds` random streams of each sort through a core and its twin.
fn check(config: CoreConfig, rounds: u64, run: Run<'_>) {
    for check in checks(config, rounds) {
        compare(run, &check.bytes, check.gaps, &check.expected);
    }
}

/// Under the project's simulator.
fn simulated(config: CoreConfig, rounds: u64) {
    let core = Simulated::new(&config);
    check(config, rounds, &|bytes, gaps| core.run(bytes, gaps));
}

/// Under Verilator, if it is there.
fn verilated(config: CoreConfig, rounds: u64) {
    if verilator() {
        let bench = Bench::new(&config);
        check(config, rounds, &|bytes, gaps| bench.run(bytes, gaps));
    }
}

macro_rules! cores {
    ($($(#[$attribute:meta])* $test:ident: $banks:literal x $batch:literal, $bytes:literal bytes, depth $depth:literal;)*) => {$(
        mod $test {
            use super::*;
            const CONFIG: CoreConfig = CoreConfig {
                banks: $banks, batch: $batch, stream_bytes: $bytes, depth: $depth
            };

            #[test]
            fn simulated() {
                super::simulated(CONFIG, 6);
            }

            #[test]
            $(#[$attribute])*
            fn verilated() {
                super::verilated(CONFIG, 12);
            }
        }
    )*};
}

cores! {
    #[ignore = "long: run with --include-ignored"]
    core_1x1: 1 x 1, 4 bytes, depth 512;
    #[ignore = "long: run with --include-ignored"]
    core_2x1: 2 x 1, 4 bytes, depth 512;
    #[ignore = "long: run with --include-ignored"]
    core_4x1: 4 x 1, 4 bytes, depth 512;
    core_8x1: 8 x 1, 4 bytes, depth 512;
    core_8x2_shallow: 8 x 2, 4 bytes, depth 64;
    #[ignore = "long: run with --include-ignored"]
    core_8x16: 8 x 16, 4 bytes, depth 512;
    #[ignore = "long: run with --include-ignored"]
    core_16x1: 16 x 1, 8 bytes, depth 512;
    #[ignore = "long: run with --include-ignored"]
    core_16x4: 16 x 4, 8 bytes, depth 512;
    #[ignore = "long: run with --include-ignored"]
    core_1x16_wide_shallow: 1 x 16, 8 bytes, depth 64;
    #[ignore = "long: run with --include-ignored"]
    core_2x4_wide: 2 x 4, 8 bytes, depth 128;
    #[ignore = "long: run with --include-ignored"]
    core_4x8_wide: 4 x 8, 8 bytes, depth 256;
    #[ignore = "long: run with --include-ignored"]
    core_8x2_wide_deep: 8 x 2, 8 bytes, depth 1024;
    #[ignore = "long: run with --include-ignored"]
    core_16x2_wide_shallow: 16 x 2, 8 bytes, depth 64;
    #[ignore = "long: run with --include-ignored"]
    core_4x2_deep: 4 x 2, 4 bytes, depth 1024;
}
