//! How the time from text to schedule grows with the design: `cargo bench -p weft-sim --bench scale`. The figure to
//! look at is cells a second: it stays the same where every step is linear.

use std::fmt::Write as _;
use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use weft_sim::{Design, Options};

/// Registers in a leaf of the hierarchy.
const LEAF: usize = 16;

/// One module of `cells` registers: each under an enable of its own within one that all share, next to each other in a
/// ring, and a memory of four words for every sixteen of them.
fn flat(cells: usize) -> String {
    let mut text = String::from(
        "module t(input wire clock, input wire go, input wire [15:0] a, output wire [15:0] y);\n",
    );
    for i in 0..cells {
        let _ = writeln!(text, "reg [15:0] r{i}; wire [15:0] w{i};");
        let _ = writeln!(text, "assign w{i} = r{i} + (r{} ^ a);", (i + 1) % cells);
    }
    text += "always @(posedge clock) if (go) begin\n";
    for i in 0..cells {
        let _ = writeln!(
            text,
            "if (a[{}]) r{i} <= w{i}; else r{i} <= r{i} - {i};",
            i % 16
        );
    }
    text += "end\n";
    let mut all = String::from("r0");
    for i in 0..cells / 16 {
        let _ = writeln!(
            text,
            "reg [15:0] m{i} [0:3];\nwire [15:0] q{i} = m{i}[a[3:2]];"
        );
        let _ = writeln!(
            text,
            "always @(posedge clock) if (r{i}[0]) m{i}[a[1:0]] <= r{i};"
        );
        let _ = writeln!(text, "wire [15:0] x{i};\nassign x{i} = {all} ^ q{i};");
        all = format!("x{i}");
    }
    let _ = writeln!(text, "assign y = {all};\nendmodule");
    text
}

/// A tree of modules whose leaves have [`LEAF`] registers each, under a chain of a hundred modules.
fn deep(cells: usize) -> String {
    let mut text =
        String::from("module m0(input wire clock, input wire [15:0] a, output wire [15:0] y);\n");
    for i in 0..LEAF {
        let _ = writeln!(text, "reg [15:0] r{i};");
        let from = if i == 0 {
            "a".into()
        } else {
            format!("r{}", i - 1)
        };
        let _ = writeln!(
            text,
            "always @(posedge clock) if (a[{i}]) r{i} <= {from} + {i};"
        );
    }
    let _ = writeln!(text, "assign y = r{};\nendmodule", LEAF - 1);
    let levels = (cells / LEAF).ilog2();
    for i in 1..=levels {
        let below = i - 1;
        let _ = writeln!(
            text,
            "module m{i}(input wire clock, input wire [15:0] a, output wire [15:0] y);\nwire [15:0] b, c;\n\
             m{below} p(clock, a, b); m{below} q(clock, b + 16'd{i}, c); assign y = b ^ c;\nendmodule"
        );
    }
    for i in levels + 1..levels + 100 {
        let below = i - 1;
        let _ = writeln!(
            text,
            "module m{i}(input wire clock, input wire [15:0] a, output wire [15:0] y);\nm{below} u(clock, a, y);\nendmodule"
        );
    }
    let _ = writeln!(
        text,
        "module t(input wire clock, input wire [15:0] a, output wire [15:0] y);\nm{} u(clock, a, y);\nendmodule",
        levels + 99
    );
    text
}

fn scale(c: &mut Criterion) {
    for (shape, text) in [("flat", flat as fn(usize) -> String), ("deep", deep)] {
        let mut group = c.benchmark_group(shape);
        group.sample_size(10);
        for cells in [1 << 13, 1 << 15, 1 << 17] {
            let verilog = text(cells);
            let design = Design::from_verilog(&verilog, "t").expect("the subset");
            group.throughput(Throughput::Elements(cells as u64));
            group.bench_function(BenchmarkId::new("front end", cells), |b| {
                b.iter(|| Design::from_verilog(black_box(&verilog), "t"));
            });
            group.bench_function(BenchmarkId::new("to the schedule", cells), |b| {
                b.iter(|| design.dump_after("schedule", &Options::default()));
            });
        }
        group.finish();
    }
}

criterion_group!(benches, scale);
criterion_main!(benches);
