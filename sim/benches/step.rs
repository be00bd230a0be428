//! Start-up, step by step, and stepping of the accelerator core: `cargo bench -p weft-sim`.

#[path = "../../hdl/tests/common/stream.rs"]
#[allow(
    dead_code,
    unreachable_pub,
    reason = "shared with the core's own tests"
)]
mod stream;

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use stream::{Random, session};
use weft_hdl::{CoreConfig, generate_verilog};
use weft_sim::{Design, Options, Simulator, passes};

const CYCLES: u64 = 1000;
const TOP: &str = "weft_core";

fn core(c: &mut Criterion) {
    for name in ["1x1", "8x1", "8x16"] {
        let config = CoreConfig::named(name).expect("a configuration of the core");
        let verilog = generate_verilog(&config).expect("a configuration that can be built");
        let design = Design::from_verilog(&verilog, TOP).expect("the core is in the subset");
        let mut group = c.benchmark_group(name);
        group.sample_size(10);
        group.bench_function("front end", |b| {
            b.iter(|| Design::from_verilog(black_box(&verilog), TOP))
        });
        // From here on each pass takes the text of what the one before left; reading it is part of the time.
        let mut before = "elaborate";
        for pass in ["resolve", "clock", "fold", "dead"] {
            let text = design
                .dump_after(before, &Options::default())
                .expect("a pass");
            group.bench_function(format!("pass {pass}"), |b| {
                b.iter(|| passes::apply(pass, black_box(&text)))
            });
            before = pass;
        }
        let text = design
            .dump_after(before, &Options::default())
            .expect("a pass");
        for pass in ["partition", "vectorise", "cases", "schedule", "lower"] {
            group.bench_function(format!("pass {pass}"), |b| {
                b.iter(|| passes::apply(pass, black_box(&text)))
            });
        }
        group.bench_function("compile", |b| b.iter(|| design.compile()));
        step(&mut group, &config, &design);
        group.finish();
    }
}

/// Steps on random legal packets, one beat a cycle whenever the core takes it.
fn step(
    group: &mut criterion::BenchmarkGroup<'_, criterion::measurement::WallTime>,
    config: &CoreConfig,
    design: &Design,
) {
    let bytes = session(&mut Random(1), config, 16);
    let mut beats = bytes
        .chunks_exact(config.stream_bytes)
        .map(|beat| beat.iter().rev().fold(0, |w, b| w << 8 | u64::from(*b)))
        .cycle();
    let mut sim = Simulator::new(design.compile().expect("the core compiles"));
    let input = |sim: &Simulator, name| sim.input(name).expect("a port");
    let (valid, data) = (input(&sim, "in_valid"), input(&sim, "in_data"));
    let taken = sim.output("in_ready").expect("a port");
    let out_ready = input(&sim, "out_ready");
    sim.poke(valid, 1);
    sim.poke(out_ready, 1);
    group.throughput(Throughput::Elements(CYCLES));
    group.bench_function("step", |b| {
        b.iter(|| {
            for _ in 0..CYCLES {
                sim.cycle();
                if sim.peek(taken) == 1 {
                    sim.poke(data, beats.next().unwrap_or(0));
                }
            }
        });
    });
}

criterion_group!(benches, core);
criterion_main!(benches);
