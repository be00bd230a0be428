//! The processor as a device against the speed of its memory.
//!
//! Each product is that of one large site, larger than any cache; `read` sums the same bytes as 64-bit words, which
//! is what the memory allows. Throughput is in weights, and for `read` in the weights that the bytes hold.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use std::time::Duration;
use weft_host::device::{Cpu, Device};
use weft_protocol::GROUP;
use weft_protocol::layout::Kind;
use weft_protocol::packet::{Group, Request};

const ROWS: usize = 4096;
const GROUPS: usize = 48;
const TILES: usize = 16;

/// Weights of all tiles.
const WEIGHTS: usize = ROWS * GROUPS * GROUP * TILES;

/// Tiles one behind the other, as in a file.
fn payload(kind: Kind) -> Vec<u8> {
    let group = kind.scale_bytes(ROWS) + GROUP * kind.dense_bytes(ROWS);
    let mut state = 1u64;
    let words = (0..TILES * GROUPS * group / 8).flat_map(|_| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        state.to_le_bytes()
    });
    words.collect()
}

fn requests<'a>(kind: Kind, payload: &'a [u8], x: &'a [i8], log2_batch: u8) -> Vec<Request<'a>> {
    let scales = kind.scale_bytes(ROWS);
    let mut groups = payload.chunks_exact(scales + GROUP * kind.dense_bytes(ROWS));
    let mut out = Vec::new();
    for _ in 0..TILES {
        out.push(Request::Tile {
            rows: ROWS,
            log2_batch,
        });
        out.extend(groups.by_ref().take(GROUPS).map(|bytes| {
            let (scales, bundles) = bytes.split_at(scales);
            Request::Group(Group {
                kind,
                masked: false,
                activations: &x[..GROUP << log2_batch],
                scales: (kind == Kind::G4).then_some(scales),
                bundles: bundles.chunks_exact(kind.dense_bytes(ROWS)).collect(),
            })
        }));
        out.push(Request::Drain { tag: 0 });
    }
    out
}

fn sum(bytes: &[u8]) -> u64 {
    let words = bytes.chunks_exact(8);
    words.fold(0u64, |sum, w| {
        let word = u64::from_le_bytes([w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7]]);
        sum.wrapping_add(word)
    })
}

fn products(c: &mut Criterion) {
    let x: Vec<i8> = (0..GROUP as i32 * 16)
        .map(|i| (i * 37 % 251 - 125) as i8)
        .collect();
    for (name, kind) in [("g4", Kind::G4), ("i8", Kind::I8)] {
        let payload = payload(kind);
        let mut group = c.benchmark_group(name);
        group.sample_size(10);
        group.warm_up_time(Duration::from_millis(500));
        group.measurement_time(Duration::from_secs(3));
        for threads in [1, 2] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            let pool = pool.expect("threads");
            group.throughput(Throughput::Elements(WEIGHTS as u64));
            group.bench_function(
                BenchmarkId::new("read", format!("{threads} threads")),
                |b| {
                    b.iter(|| {
                        pool.scope(|s| {
                            for part in payload.chunks(payload.len().div_ceil(threads)) {
                                s.spawn(move |_| {
                                    black_box(sum(part));
                                });
                            }
                        });
                    });
                },
            );
            let mut cpu = Cpu::new(Cpu::default_core(), threads).expect("threads");
            for log2_batch in [0u8, 4] {
                let requests = requests(kind, &payload, &x, log2_batch);
                let tokens = 1 << log2_batch;
                group.throughput(Throughput::Elements((WEIGHTS * tokens) as u64));
                let name = format!("{threads} threads, {tokens} tokens");
                group.bench_function(BenchmarkId::new("product", name), |b| {
                    let mut sums = Vec::new();
                    b.iter(|| {
                        cpu.run(black_box(&requests), &mut sums)
                            .expect("a valid run")
                    });
                });
            }
        }
        group.finish();
    }
}

criterion_group!(benches, products);
criterion_main!(benches);
