//! The accelerator core itself: its answers in native code against its software twin and, cycle by cycle on all
//! outputs, against Verilator.

mod common;
#[path = "../../hdl/tests/common/stream.rs"]
#[allow(
    dead_code,
    unreachable_pub,
    reason = "shared with the core's own tests"
)]
mod stream;

use common::core_harness::Harness;
use common::data_inputs;
use common::verilator::{Case, available, compare, compare_with};
use stream::{Random, session};
use weft_hdl::{CoreConfig, Twin, generate_verilog};
use weft_sim::{Bits, Design, Simulator};

fn config(banks: usize, batch: usize) -> CoreConfig {
    CoreConfig {
        banks,
        batch,
        depth: 64,
        ..CoreConfig::named("8x1").unwrap()
    }
}

#[test]
fn answers_are_those_of_the_twin() {
    for (banks, batch) in [(1, 1), (4, 2), (8, 16)] {
        let config = config(banks, batch);
        let design =
            Design::from_verilog(&generate_verilog(&config).unwrap(), "weft_core").unwrap();
        let program = design.compile().unwrap();
        let mut random = Random(7);
        for run in 0..3 {
            let bytes = session(&mut random, &config, 3);
            let mut twin = Twin::new(config);
            twin.push(&bytes);
            let mut harness = Harness::new(program.clone(), config.stream_bytes);
            let words = harness.run(&bytes, 60 * run, 40 * run, 2000);
            assert_eq!(words, twin.responses(), "{banks}x{batch}, run {run}");
        }
    }
}

/// Compares a session on a core, cycle by cycle on all outputs, with Verilator; `vectors` says whether its lanes are
/// computed as vectors.
fn beside_verilator(banks: usize, batch: usize, vectors: bool) {
    if !available() {
        return;
    }
    let config = config(banks, batch);
    let verilog = generate_verilog(&config).unwrap();
    let case = Case {
        name: "weft_core".into(),
        verilog: verilog.clone(),
        files: Vec::new(),
    };
    let program = Design::from_verilog(&verilog, "weft_core")
        .unwrap()
        .compile()
        .unwrap();
    assert_eq!(program.vectors() > 0, vectors);
    let bytes = session(&mut Random(11), &config, 2);
    let mut harness = Harness::new(program, config.stream_bytes);
    harness.record();
    harness.run(&bytes, 40, 40, 200);
    let stimulus = harness.recorded();
    assert!(
        stimulus.len() > 1000,
        "the session is long enough to mean something"
    );
    let dir =
        std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("verilator_core_{config}"));
    let stimulus = |_: usize, _: &Design| stimulus.clone();
    let failures = if vectors {
        // The interpreter takes minutes for so large a core.
        compare_with(&dir, &[case], stimulus, native)
    } else {
        compare(&dir, &[case], stimulus)
    };
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// The outputs of native code without probes.
fn native(_: &str, design: &Design, inputs: &[Vec<Bits>]) -> Vec<Vec<Bits>> {
    let mut sim = Simulator::new(design.compile().unwrap());
    let ports: Vec<_> = data_inputs(design)
        .iter()
        .map(|(n, width)| (sim.input(n).unwrap(), *width))
        .collect();
    let outputs: Vec<_> = design
        .outputs()
        .map(|(n, _)| sim.output(n).unwrap())
        .collect();
    let mut rows = Vec::new();
    for row in inputs {
        assert_eq!(row.len(), ports.len());
        for ((port, width), value) in ports.iter().zip(row) {
            assert_eq!(value.width(), *width);
            sim.poke_wide(*port, value.limbs());
        }
        sim.cycle();
        rows.push(outputs.iter().map(|o| sim.peek_bits(*o)).collect());
    }
    rows
}

#[test]
fn outputs_are_those_of_verilator() {
    beside_verilator(2, 2, false);
}

#[test]
fn outputs_of_vectors_are_those_of_verilator() {
    beside_verilator(8, 16, true);
}
