//! Start-up time and cycles per second of a Verilog file under random input:
//! `cargo run --release -p weft-sim --example speed -- FILE.v TOP [CYCLES]`.

use std::time::Instant;

use weft_sim::{Design, Simulator};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().collect();
    let [_, file, top, rest @ ..] = args.as_slice() else {
        return Err("usage: speed FILE.v TOP [CYCLES]".into());
    };
    let cycles: u64 = rest.first().map_or(Ok(1_000_000), |c| c.parse())?;
    let text = std::fs::read_to_string(file)?;
    let start = Instant::now();
    let design = Design::from_verilog_named(file, &text, top)?;
    let elaborated = start.elapsed();
    let program = design.compile()?;
    let ready = start.elapsed();
    let (nodes, registers, memories) = program.size();
    println!("elaborated in {elaborated:.1?}, ready in {ready:.1?}");
    println!(
        "{nodes} nodes, {registers} registers, {memories} memories, {} bytes of state",
        program.state_bytes()
    );
    let mut sim = Simulator::new(program);
    let names: Vec<&str> = design.inputs().map(|(n, _)| n).collect();
    let inputs: Vec<_> = names.iter().filter_map(|n| sim.input(n).ok()).collect();
    for (what, random) in [("idle", false), ("random input", true)] {
        let mut state = 0x9e37_79b9_7f4a_7c15u64;
        let start = Instant::now();
        for _ in 0..cycles {
            if random {
                for input in &inputs {
                    state ^= state << 13;
                    state ^= state >> 7;
                    state ^= state << 17;
                    sim.poke(*input, state);
                }
            }
            sim.cycle();
        }
        let rate = cycles as f64 / start.elapsed().as_secs_f64();
        println!("{what}: {rate:.0} cycles/s");
    }
    Ok(())
}
