//! The simulated card gives the sums of the processor, to the bit, and stays near its bound.

mod synthetic;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use weft_hdl::CoreConfig;
use weft_host::container::{Weft, host_tensors};
use weft_host::device::random::{RandomProduct, Shape};
use weft_host::device::sim::{Sim, SimCore, Watch};
use weft_host::device::{Cpu, Device, DeviceError, PackedModel, RunStats};
use weft_host::model::generate::{Generated, Options, generate};
use weft_host::model::{Model, Sampling, Session};
use weft_host::pack::{self, Method, Prune, Weights, pack_into};
use weft_protocol::layout::Kind;
use weft_protocol::packet::{ErrorCode, Request};

fn card(name: &str) -> Sim {
    let core = SimCore::new(&CoreConfig::named(name).expect("a named core")).expect("compiles");
    Sim::new(&core, Arc::new(Watch::default())).expect("answers")
}

fn both(sim: &mut Sim, requests: &[Request<'_>]) -> RunStats {
    let mut cpu = Cpu::new(sim.info().clone(), 2).expect("threads");
    let (mut ours, mut wanted) = (Vec::new(), Vec::new());
    let stats = sim.run(requests, &mut ours).expect("runs");
    cpu.run(requests, &mut wanted).expect("runs");
    assert!(ours == wanted, "the card's sums are the processor's");
    stats
}

#[test]
fn random_products_are_exact_on_every_shape_of_core() {
    for name in ["1x1", "4x1", "8x2", "16x1"] {
        let mut sim = card(name);
        let (banks, batch) = (sim.info().banks, sim.info().batch);
        for (seed, (density, kind)) in [
            (1.0, Kind::G4),
            (0.4, Kind::G4),
            (1.0, Kind::I8),
            (0.2, Kind::I8),
        ]
        .into_iter()
        .enumerate()
        {
            for log2_batch in 0..=batch.trailing_zeros() as u8 {
                let shape = Shape {
                    rows: 192,
                    cols: 70,
                    log2_batch,
                    density,
                    kind,
                    banks,
                };
                both(&mut sim, &RandomProduct::new(shape, seed as u64).requests());
            }
        }
    }
}

/// Cycles of a tile beside its result words: the pipeline's fill and drain, and the result's header.
const TILE_LATENCY: u64 = 64;

#[test]
fn cycles_stay_within_five_hundredths_of_the_bound() {
    let mut sim = card("8x1");
    for (rows, cols) in [(576, 128), (960, 96), (3072, 32)] {
        for density in [0.1, 0.25, 0.5, 1.0] {
            for kind in [Kind::G4, Kind::I8] {
                let shape = Shape {
                    rows,
                    cols,
                    log2_batch: 0,
                    density,
                    kind,
                    banks: 8,
                };
                let stats = both(&mut sim, &RandomProduct::new(shape, 3).requests());
                let cycles = stats.counters.expect("a card counts").cycles;
                let allowed =
                    stats.bound_cycles as f64 * 1.05 + (stats.result_words + TILE_LATENCY) as f64;
                assert!(
                    cycles as f64 <= allowed,
                    "{rows}x{cols} {kind:?} at {density}: {cycles} cycles, {allowed} allowed"
                );
                assert!(cycles >= stats.bound_cycles, "the bound is one");
            }
        }
    }
}

#[test]
fn a_refused_run_leaves_the_card_ready() {
    let mut sim = card("4x1");
    let too_tall = [
        Request::Tile {
            rows: 4096,
            log2_batch: 0,
        },
        Request::Drain { tag: 1 },
    ];
    match sim.run(&too_tall, &mut Vec::new()) {
        Err(DeviceError::Refused {
            index: 0,
            code: ErrorCode::Rows,
            ..
        }) => {}
        other => panic!("4096 rows do not fit 4 banks of 512: {other:?}"),
    }
    let shape = Shape {
        rows: 64,
        cols: 40,
        log2_batch: 0,
        density: 1.0,
        kind: Kind::G4,
        banks: 4,
    };
    both(&mut sim, &RandomProduct::new(shape, 5).requests());
    assert!(matches!(
        sim.run(&[Request::Reset], &mut Vec::new()),
        Err(DeviceError::NotAProduct { index: 0 })
    ));
}

#[test]
fn a_cancelled_run_ends_and_the_card_lives() {
    let core = SimCore::new(&CoreConfig::named("1x1").expect("a named core")).expect("compiles");
    let cancel = Arc::new(AtomicBool::new(false));
    let mut sim = Sim::new(&core, Arc::new(Watch::new(cancel.clone()))).expect("answers");
    let shape = Shape {
        rows: 512,
        cols: 96,
        log2_batch: 0,
        density: 1.0,
        kind: Kind::I8,
        banks: 1,
    };
    let product = RandomProduct::new(shape, 6);
    cancel.store(true, std::sync::atomic::Ordering::Relaxed);
    assert!(sim.run(&product.requests(), &mut Vec::new()).is_err());
    cancel.store(false, std::sync::atomic::Ordering::Relaxed);
    both(&mut sim, &product.requests());
}

fn write(weft: &Arc<Weft>, device: Box<dyn Device>) -> Generated {
    let host = host_tensors(weft).expect("host tensors");
    let model = Arc::new(Model::new(weft.meta().model.clone(), host).expect("fits"));
    let mut session = Session::new(model, 32);
    let batch = device.info().batch;
    let mut products = PackedModel::new(weft.clone(), device).expect("fits");
    let options = Options {
        max_tokens: 6,
        batch,
        sampling: Sampling::GREEDY,
        ignore_stop: true,
    };
    let prompt = [3, 1, 4, 1, 5, 9, 2];
    generate(
        &mut session,
        &mut products,
        &prompt,
        &options,
        &AtomicBool::new(false),
        |_| (),
    )
    .expect("writes")
}

#[test]
fn a_whole_model_writes_the_same_tokens_and_logits() {
    let (gguf, config) = synthetic::open(2);
    let pruned = Prune {
        method: Method::Magnitude,
        density: 0.5,
    };
    for (weights, prune, core) in [
        (Weights::G4, None, "8x4"),
        (Weights::G4, Some(pruned), "8x1"),
        (Weights::I8, Some(pruned), "8x2"),
    ] {
        let options = pack::Options {
            weights,
            prune,
            tile_rows: 512,
            ..pack::Options::default()
        };
        let sink = std::io::Cursor::new(Vec::new());
        let input = synthetic::input(&gguf, &config);
        let (sink, _) = pack_into(&input, &options, None, sink, &mut |_| ()).expect("packs");
        let weft = Arc::new(Weft::from_bytes(sink.into_inner()).expect("opens"));
        let cpu = write(
            &weft,
            Box::new(Cpu::new(Cpu::default_core(), 2).expect("threads")),
        );
        assert_eq!(
            write(&weft, Box::new(card(core))),
            cpu,
            "{weights:?} {prune:?} on {core}"
        );
    }
}
