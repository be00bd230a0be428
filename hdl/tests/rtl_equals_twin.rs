//! The core under Verilator answers what its twin answers, to the bit.

mod common;

use common::bench::{Bench, Gaps, verilator};
use common::stream::{Random, session};
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

fn check(config: CoreConfig, seed: u64, rounds: u64) {
    if !verilator() {
        return;
    }
    let bench = Bench::new(&config);
    let mut random = Random(seed);
    for i in 0..rounds {
        let mut bytes = session(&mut random, &config, 4);
        read_all(&mut bytes);
        let gap = [0, 0, 60, 200];
        let gaps = Gaps {
            input: gap[random.below(4)],
            output: gap[random.below(4)],
            seed: seed * 1000 + i,
        };
        compare(&bench, &config, &bytes, gaps);
    }
}

fn named(name: &str) -> CoreConfig {
    CoreConfig::named(name).unwrap()
}

#[test]
fn core_8x1() {
    check(named("8x1"), 1, 20);
}
