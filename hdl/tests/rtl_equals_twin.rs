//! The core under Verilator answers what its twin answers, to the bit.

mod common;

use common::bench::{Bench, Gaps, verilator};
use common::stream::{Random, corrupted, hostile, session};
use weft_hdl::{CoreConfig, Twin};
use weft_protocol::packet::Request;
use weft_protocol::registers::Register;

/// Registers that do not depend on timing.
const STABLE: [Register; 13] = [
    Register::Magic,
    Register::Version,
    Register::MapHash,
    Register::Banks,
    Register::Batch,
    Register::StreamBytes,
    Register::Depth,
    Register::Beats,
    Register::Nonzeros,
    Register::Columns,
    Register::Tiles,
    Register::Errors,
    Register::Rounds,
];

fn read_all(out: &mut Vec<u8>) {
    for register in STABLE {
        let register = register as u16;
        Request::Read { register }.encode(out);
    }
}

fn compare(bench: &Bench, config: &CoreConfig, bytes: &[u8], gaps: Gaps) {
    let mut twin = Twin::new(*config);
    twin.push(bytes);
    let expected = twin.responses();
    let (got, _) = bench.run(bytes, gaps);
    let first = expected.iter().zip(&got).position(|(a, b)| a != b);
    assert!(
        first.is_none() && expected.len() == got.len(),
        "{config:?} {gaps:?}: {} words expected, {} came; first difference at {first:?}: {:x?} and {:x?}",
        expected.len(),
        got.len(),
        first.map(|i| &expected[i..(i + 8).min(expected.len())]),
        first.map(|i| &got[i..(i + 8).min(got.len())]),
    );
}

/// Runs `rounds` random streams of each sort through a core and its twin.
fn check(config: CoreConfig, rounds: u64) {
    if !verilator() {
        return;
    }
    let bench = Bench::new(&config);
    let seed = (config.banks * 1000 + config.batch * 10 + config.depth) as u64;
    let mut random = Random(seed);
    for i in 0..rounds {
        let mut streams = [
            session(&mut random, &config, 4),
            hostile(&mut random, &config),
            corrupted(&mut random, &config),
        ];
        for bytes in &mut streams {
            read_all(bytes);
            let gap = [0, 0, 60, 200];
            let gaps = Gaps {
                input: gap[random.below(4)],
                output: gap[random.below(4)],
                seed: seed * 1000 + i,
            };
            compare(&bench, &config, bytes, gaps);
        }
    }
}

macro_rules! cores {
    ($($(#[$attribute:meta])* $test:ident: $banks:literal x $batch:literal, $bytes:literal bytes, depth $depth:literal, $rounds:literal rounds;)*) => {$(
        #[test]
        $(#[$attribute])*
        fn $test() {
            let config = CoreConfig { banks: $banks, batch: $batch, stream_bytes: $bytes, depth: $depth };
            check(config, $rounds);
        }
    )*};
}

cores! {
    core_1x1: 1 x 1, 4 bytes, depth 512, 8 rounds;
    core_8x1: 8 x 1, 4 bytes, depth 512, 20 rounds;
    core_8x2_shallow: 8 x 2, 4 bytes, depth 64, 20 rounds;
    core_16x4: 16 x 4, 8 bytes, depth 512, 10 rounds;
    #[ignore = "long: run with --include-ignored"]
    core_2x1: 2 x 1, 4 bytes, depth 512, 20 rounds;
    #[ignore = "long: run with --include-ignored"]
    core_4x1: 4 x 1, 4 bytes, depth 512, 20 rounds;
    #[ignore = "long: run with --include-ignored"]
    core_8x16: 8 x 16, 4 bytes, depth 512, 20 rounds;
    #[ignore = "long: run with --include-ignored"]
    core_16x1: 16 x 1, 8 bytes, depth 512, 20 rounds;
    #[ignore = "long: run with --include-ignored"]
    core_1x16_wide_shallow: 1 x 16, 8 bytes, depth 64, 20 rounds;
    #[ignore = "long: run with --include-ignored"]
    core_2x4_wide: 2 x 4, 8 bytes, depth 128, 20 rounds;
    #[ignore = "long: run with --include-ignored"]
    core_4x8_wide: 4 x 8, 8 bytes, depth 256, 20 rounds;
    #[ignore = "long: run with --include-ignored"]
    core_8x2_wide_deep: 8 x 2, 8 bytes, depth 1024, 20 rounds;
    #[ignore = "long: run with --include-ignored"]
    core_16x2_wide_shallow: 16 x 2, 8 bytes, depth 64, 40 rounds;
    #[ignore = "long: run with --include-ignored"]
    core_4x2_deep: 4 x 2, 4 bytes, depth 1024, 20 rounds;
}
