//! The performance contract: cycles of a product against the bound of stream and multipliers.
//!
//! `cargo test --release -p weft-hdl --test performance -- --nocapture` prints the table of the datasheet.

mod common;

use common::bench::{Bench, Gaps, verilator};
use common::product::{Measured, Product, measure};
use weft_hdl::CoreConfig;
use weft_protocol::layout::Kind;

/// Measures every kind and density and prints a line each; fails above `limit`.
fn contract(name: &str, shapes: &[(usize, usize)], batches: &[u8], limit: f64) {
    if !verilator() {
        return;
    }
    let config = CoreConfig::named(name).unwrap();
    let bench = Bench::new(&config);
    let run = |bytes: &[u8]| bench.run(bytes, Gaps::NONE).0;
    let mut missed = Vec::new();
    for &(rows, columns) in shapes {
        for &log2_batch in batches {
            for kind in [Kind::G4, Kind::I8] {
                for density in [None, Some(0.1), Some(0.25), Some(0.5), Some(1.0)] {
                    let p = Product {
                        rows,
                        columns,
                        kind,
                        density,
                        log2_batch,
                    };
                    let line = line(name, &p, &measure(&config, &p, run).expect("an answer"));
                    println!("{}", line.0);
                    if line.1 > limit {
                        missed.push(line.0);
                    }
                }
            }
        }
    }
    assert!(
        missed.is_empty(),
        "above {limit} times the bound:\n{}",
        missed.join("\n")
    );
}

fn line(name: &str, p: &Product, m: &Measured) -> (String, f64) {
    let ratio = m.ratio(p);
    let density = p.density.map_or("dense".into(), |d| format!("{d:.2}"));
    let text = format!(
        "{name:4} {:4}x{:<4} {:?} {density:5} batch {:2}: {:7} cycles, bound {:7.0}, ratio {ratio:.4}; \
         {} nonzeros in {} rounds, {} hazards, {} starved, {} stalled",
        p.rows,
        p.columns,
        p.kind,
        1 << p.log2_batch,
        m.cycles,
        m.bound,
        m.nonzeros,
        m.rounds,
        m.hazards,
        m.starved,
        m.stalled
    );
    (text, ratio)
}

#[test]
fn eight_banks_meet_the_bound() {
    contract("8x1", &[(576, 576), (1536, 192)], &[0], 1.05);
}

#[test]
fn eight_banks_meet_the_bound_with_every_lane() {
    contract("8x2", &[(576, 192)], &[0, 1], 1.05);
}

#[test]
#[ignore = "long: run with --include-ignored"]
fn eight_banks_meet_the_bound_on_large_tiles() {
    let shapes = [(960, 576), (1536, 576), (3072, 576), (576, 1536)];
    contract("8x1", &shapes, &[0], 1.05);
}

#[test]
#[ignore = "long: run with --include-ignored"]
fn sixteen_lanes_meet_the_bound() {
    contract("8x16", &[(576, 576), (3072, 192)], &[0, 4], 1.05);
}

#[test]
#[ignore = "long: run with --include-ignored"]
fn sixteen_banks_meet_the_bound() {
    contract("16x1", &[(576, 576), (1536, 576), (3072, 576)], &[0], 1.05);
}

/// Cores that the multipliers limit miss the bound where masks leave banks uneven; the datasheet says by how much.
#[test]
#[ignore = "long: run with --include-ignored"]
fn few_banks_miss_the_bound_by_what_is_stated() {
    contract("4x1", &[(576, 576), (1536, 576)], &[0], 1.25);
    contract("2x1", &[(576, 576)], &[0], 1.25);
    contract("1x1", &[(512, 576)], &[0], 1.30);
}
