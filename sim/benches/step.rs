//! Start-up and stepping of the accelerator core: `cargo bench -p weft-sim`.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use weft_hdl::{CoreConfig, generate_verilog};
use weft_sim::{Design, Simulator};

const CYCLES: u64 = 1000;

fn core(c: &mut Criterion) {
    for name in ["1x1", "8x1"] {
        let config = CoreConfig::named(name).expect("a configuration of the core");
        let verilog = generate_verilog(&config).expect("a configuration that can be built");
        let design =
            Design::from_verilog(&verilog, "weft_core").expect("the core is in the subset");
        let mut group = c.benchmark_group(name);
        group.sample_size(10);
        group.bench_function("elaborate", |b| {
            b.iter(|| Design::from_verilog(black_box(&verilog), "weft_core"))
        });
        group.bench_function("compile", |b| b.iter(|| design.compile()));
        group.throughput(Throughput::Elements(CYCLES));
        let mut sim = Simulator::new(design.compile().expect("the core compiles"));
        let (valid, data) = (
            sim.input("in_valid").expect("a port"),
            sim.input("in_data").expect("a port"),
        );
        let mut word = 1u64;
        group.bench_function("step", |b| {
            b.iter(|| {
                for _ in 0..CYCLES {
                    word = word.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    sim.poke(valid, word >> 63);
                    sim.poke(data, word >> 20);
                    sim.cycle();
                }
            });
        });
        group.finish();
    }
}

criterion_group!(benches, core);
criterion_main!(benches);
