//! Speed of the accelerator core on a stream of dense and masked groups:
//! `cargo run --release -p weft-sim --example core_speed -- [CONFIG] [DENSITY] [STIMULUS_FILE]`.
//! The optional file receives the stream's bytes, so that another simulator can be timed on it.

#[path = "../tests/common/mod.rs"]
mod common;
#[path = "../../hdl/tests/common/stream.rs"]
#[allow(
    dead_code,
    unreachable_pub,
    reason = "shared with the core's own tests"
)]
mod stream;

use std::time::Instant;

use common::core_harness::Harness;
use stream::{Random, Shape, group};
use weft_hdl::{CoreConfig, generate_verilog};
use weft_protocol::layout::Kind;
use weft_protocol::packet::Request;
use weft_sim::Design;

/// Processor seconds of this thread, which a busy machine disturbs less than the clock on the wall.
fn cpu_seconds() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(text.split(' ').next()?.parse::<f64>().ok()? / 1e9)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let config = CoreConfig::named(args.first().map_or("8x1", String::as_str))?;
    let density: f64 = args.get(1).map_or(Ok(1.0), |d| d.parse())?;
    let verilog = generate_verilog(&config)?;
    let start = (Instant::now(), cpu_seconds());
    let program = Design::from_verilog(&verilog, "weft_core")?.compile()?;
    let cpu = |from: Option<f64>| cpu_seconds().zip(from).map_or(f64::NAN, |(a, b)| a - b);
    println!(
        "start-up {:.3} s ({:.3} s on this thread)",
        start.0.elapsed().as_secs_f64(),
        cpu(start.1)
    );
    println!(
        "{:?} nodes, registers, memories; {} bytes of state",
        program.size(),
        program.state_bytes()
    );
    let log2_batch = config.batch.ilog2() as u8;
    let rows = config.rows().min(1024);
    let mut random = Random(3);
    let mut bytes = Vec::new();
    for tag in 0..args.get(3).map_or(Ok(40), |t| t.parse())? {
        Request::Tile { rows, log2_batch }.encode(&mut bytes);
        for kind in [Kind::G4, Kind::I8] {
            let masked = (density < 1.0).then_some(density);
            let shape = Shape {
                kind,
                columns: 32,
                density: masked,
                keep_scales: false,
            };
            group(&mut random, &mut bytes, &config, rows, log2_batch, shape);
        }
        Request::Drain { tag }.encode(&mut bytes);
    }
    if let Some(file) = args.get(2) {
        std::fs::write(file, &bytes)?;
    }
    for _ in 0..3 {
        let mut harness = Harness::new(program.clone(), config.stream_bytes);
        let (wall, from) = (Instant::now(), cpu_seconds());
        let words = harness.run(&bytes, 0, 0, 3000);
        let cycles = harness.sim.cycles() as f64;
        let (wall, cpu) = (wall.elapsed().as_secs_f64(), cpu(from));
        println!(
            "{cycles} cycles, {} words: {:.0} cycles/s by processor time, {:.0} by the wall",
            words.len(),
            cycles / cpu,
            cycles / wall
        );
    }
    Ok(())
}
