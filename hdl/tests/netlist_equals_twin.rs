//! What synthesis makes of the core answers what the twin answers, to the bit, for one part of each family.
//!
//! The streams are those that hold the core's Verilog against the twin, and so the simulator too. What is simulated
//! here is yosys's netlist with models of the vendor's cells, under Verilator.
//!
//! Needs Verilator and a yosys that serves the family (`weft tools install`). The small core runs by default, larger
//! ones with `cargo test --release -p weft-hdl --test netlist_equals_twin -- --include-ignored`.

mod common;

use common::bench::{Bench, Gaps, verilator};
use common::netlist::synthesised;
use common::stream::{Random, hostile, session};
use weft_hdl::{CoreConfig, Twin};

/// Runs `rounds` random sessions, and as many hostile ones, through the netlist of a core and through its twin.
fn check(board: &str, core: &str, rounds: u64) {
    if !verilator() {
        return;
    }
    let config = CoreConfig::named(core).expect("a named core");
    let Some(netlist) = synthesised(&config, board) else {
        return;
    };
    let bench = Bench::of_text(&config, &netlist);
    let mut random = Random(rounds + config.banks as u64);
    let mut words = 0;
    for i in 0..rounds {
        for bytes in [
            session(&mut random, &config, 3),
            hostile(&mut random, &config),
        ] {
            let mut twin = Twin::new(config);
            twin.push(&bytes);
            let expected = twin.responses();
            let gaps = Gaps {
                input: [0, 60][i as usize % 2],
                output: [0, 200][i as usize % 2],
                seed: i,
            };
            let (got, _) = bench.run(&bytes, gaps);
            let first = expected.iter().zip(&got).position(|(a, b)| a != b);
            assert!(
                first.is_none() && expected.len() == got.len(),
                "{board} {core}, {gaps:?}: {} words expected, {} came, the first difference is at {first:?}",
                expected.len(),
                got.len(),
            );
            words += got.len();
        }
    }
    assert!(words > 100 * rounds as usize, "the streams ask for nothing");
}

#[test]
fn ecp5() {
    check("ulx3s-25f", "1x1", 4);
}

#[test]
fn ice40() {
    check("icebreaker", "1x1", 4);
}

#[test]
fn gowin() {
    check("tang-nano-9k", "1x1", 4);
}

#[test]
fn gatemate() {
    check("gatemate-a1-evb", "1x1", 4);
}

#[test]
#[ignore = "long: run with --include-ignored"]
fn ecp5_8x2() {
    check("ulx3s-25f", "8x2", 12);
}

#[test]
#[ignore = "long: run with --include-ignored"]
fn gowin_8x2() {
    check("tang-nano-20k", "8x2", 12);
}
