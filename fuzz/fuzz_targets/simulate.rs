#![no_main]
//! `cargo +nightly fuzz run simulate`: Verilog that is accepted must compile, and run alike on both back ends.

use weft_sim::{Design, Error, Options, Probes, Random, Simulator};

/// Largest state that is run, in bytes; the interpreter takes some ten times as much.
const MAX_STATE: usize = 1 << 16;
/// Cycles of each design.
const CYCLES: u64 = 4;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let Ok(design) = Design::from_verilog(&text, "t") else {
        return;
    };
    // What the compiler sees depends on what is visible.
    let probes = match bytes.len() % 2 {
        0 => Probes::None,
        _ => Probes::All,
    };
    let program = match design.compile_with(&Options { probes }) {
        Ok(program) if program.state_bytes() <= MAX_STATE => program,
        Ok(_) | Err(Error::Limit { .. } | Error::Backend(_)) => return,
        Err(e) => panic!("elaborated, but not compiled: {e}"),
    };
    let clocks: Vec<String> = program.clocks().map(String::from).collect();
    let mut sim = Simulator::new(program);
    sim.start_crosscheck(&design).expect("the same design");
    let mut random = Random::new(1);
    for _ in 0..CYCLES {
        for (name, width) in design.inputs() {
            if clocks.iter().any(|c| c == name) {
                continue;
            }
            let value = random.edgy_bits(width);
            sim.poke_wide(sim.input(name).expect("an input"), value.limbs());
        }
        sim.cycle();
    }
    sim.finish_crosscheck().expect("both back ends agree");
});
