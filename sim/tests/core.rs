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
use common::verilator::{Case, available, compare};
use stream::{Random, session};
use weft_hdl::{CoreConfig, Twin, generate_verilog};
use weft_sim::Design;

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

#[test]
fn outputs_are_those_of_verilator() {
    if !available() {
        return;
    }
    let config = config(2, 2);
    let verilog = generate_verilog(&config).unwrap();
    let case = Case {
        name: "weft_core".into(),
        verilog: verilog.clone(),
    };
    let program = Design::from_verilog(&verilog, "weft_core")
        .unwrap()
        .compile()
        .unwrap();
    let bytes = session(&mut Random(11), &config, 2);
    let mut harness = Harness::new(program, config.stream_bytes);
    harness.record();
    harness.run(&bytes, 40, 40, 200);
    let stimulus = harness.recorded();
    assert!(
        stimulus.len() > 1000,
        "the session is long enough to mean something"
    );
    let dir = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("verilator_core");
    let failures = compare(&dir, &[case], |_, _| stimulus.clone());
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
