//! `weft sim`: one product through the simulated core.

use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Serialize;
use tempfile::NamedTempFile;
use weft_hdl::CoreConfig;
use weft_host::device::random::{RandomProduct, Shape};
use weft_host::device::sim::{Sim, SimCore, Watch};
use weft_host::device::{Cpu, Device};
use weft_protocol::layout::{Kind, rows_fit};

use super::verilog::parse_config;
use crate::exit::{self, OrExit, fail};
use crate::{output, ui};

/// Run parts of the work on the simulated core.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand)]
enum What {
    Spmm(Spmm),
}

/// Multiply one random sparse matrix; print cycles, their bound and the core's counters.
///
/// The sums are compared with the cpu device. `ratio` is (cycles - tile constant) / bound, where the bound is the
/// larger of stream bytes over beat width and codes over banks, and the tile constant is the result's words plus
/// the pipeline's fill and drain.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  weft sim spmm --rows 576 --cols 576 --density 0.5\n  weft sim spmm --rows 960 --cols 576 --bits 8 --batch 4 --config 8x16 --json\n  weft sim spmm --rows 64 --cols 32 --vcd product.vcd"
)]
struct Spmm {
    /// Outputs, a multiple of 64
    #[arg(long, default_value_t = 576)]
    rows: usize,
    /// Inputs
    #[arg(long, default_value_t = 576)]
    cols: usize,
    /// Share of the weights that survive, 0 to 1
    #[arg(long, default_value_t = 1.0)]
    density: f64,
    /// Tokens, a power of two
    #[arg(long, default_value_t = 1)]
    batch: usize,
    /// Bits a weight: 4 (g4) or 8 (i8)
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u8).range(4..=8))]
    bits: u8,
    /// Seed of the random weights, masks and activations
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Core configuration: banks x batch
    #[arg(long, value_name = "NAME", default_value = "8x1", value_parser = parse_config)]
    config: CoreConfig,
    /// Write every signal of every cycle to a VCD file
    #[arg(long, value_name = "FILE")]
    vcd: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Cycles of a tile beside its result words: the pipeline's fill and drain, and the result's header.
pub(crate) const TILE_LATENCY: u64 = 64;

#[derive(Serialize)]
struct Report {
    config: String,
    rows: usize,
    cols: usize,
    batch: usize,
    bits: u8,
    density: f64,
    masked: bool,
    stream_bytes: u64,
    nonzeros: u64,
    cycles: u64,
    bound_cycles: u64,
    tile_constant: u64,
    ratio: f64,
    beats: u64,
    starved: u64,
    stalled: u64,
    rounds: u64,
    hazards: u64,
    equal_to_cpu: bool,
    compile_seconds: f64,
    sim_cycles_per_second: f64,
}

/// Runs the verb.
pub(crate) fn run(args: Args) -> anyhow::Result<()> {
    match args.what {
        What::Spmm(spmm) => run_spmm(spmm),
    }
}

fn check(args: &Spmm) -> anyhow::Result<Shape> {
    let capacity = args.config.banks * args.config.depth;
    let kind = match args.bits {
        4 => Kind::G4,
        8 => Kind::I8,
        bits => {
            return Err(fail(
                exit::USAGE,
                format!("--bits {bits}: weights have 4 or 8 bits"),
            ));
        }
    };
    if !rows_fit(args.rows, capacity) {
        return Err(fail(
            exit::USAGE,
            format!(
                "--rows {}: core {} takes multiples of 64 up to {capacity}",
                args.rows, args.config
            ),
        ));
    }
    if args.cols == 0 || args.cols > 1 << 20 {
        return Err(fail(
            exit::USAGE,
            format!("--cols {}: one to {} are possible", args.cols, 1 << 20),
        ));
    }
    if !args.batch.is_power_of_two() || args.batch > args.config.batch {
        return Err(fail(
            exit::USAGE,
            format!(
                "--batch {}: core {} takes powers of two up to {}",
                args.batch, args.config, args.config.batch
            ),
        ));
    }
    if !(0.0..=1.0).contains(&args.density) {
        return Err(fail(
            exit::USAGE,
            format!("--density {}: a share lies between 0 and 1", args.density),
        ));
    }
    Ok(Shape {
        rows: args.rows,
        cols: args.cols,
        log2_batch: args.batch.trailing_zeros() as u8,
        density: args.density,
        kind,
        banks: args.config.banks,
    })
}

fn run_spmm(args: Spmm) -> anyhow::Result<()> {
    let shape = check(&args)?;
    let product = RandomProduct::new(shape, args.seed);
    let requests = product.requests();

    let start = Instant::now();
    let core = SimCore::new(&args.config)?;
    let watch = Arc::new(Watch::default());
    let mut sim = Sim::new(&core, watch.clone()).or_exit(exit::DEVICE)?;
    let compile_seconds = start.elapsed().as_secs_f64();
    let waves = match &args.vcd {
        Some(path) => Some((path, trace(&mut sim, path)?)),
        None => None,
    };

    let before = watch.cycles();
    let start = Instant::now();
    let mut sums = Vec::new();
    let stats = with_spinner(&watch, || sim.run(&requests, &mut sums)).or_exit(exit::DEVICE)?;
    let seconds = start.elapsed().as_secs_f64();
    if let Some((path, file)) = waves {
        sim.simulator().finish_trace().or_exit(exit::OUTPUT)?;
        output::persist(file, path)?;
    }

    let mut expected = Vec::new();
    let mut cpu = Cpu::new(sim.info().clone(), 0).or_exit(exit::DEVICE)?;
    cpu.run(&requests, &mut expected).or_exit(exit::DEVICE)?;

    let counters = stats.counters.unwrap_or_default();
    let tile_constant = stats.result_words + TILE_LATENCY * stats.tiles;
    let report = Report {
        config: args.config.to_string(),
        rows: args.rows,
        cols: args.cols,
        batch: args.batch,
        bits: args.bits,
        density: args.density,
        masked: product.masked(),
        stream_bytes: stats.stream_bytes,
        nonzeros: stats.nonzeros,
        cycles: counters.cycles,
        bound_cycles: stats.bound_cycles,
        tile_constant,
        ratio: counters.cycles.saturating_sub(tile_constant) as f64 / stats.bound_cycles as f64,
        beats: counters.beats,
        starved: counters.starved,
        stalled: counters.stalled,
        rounds: counters.rounds,
        hazards: counters.hazards,
        equal_to_cpu: sums == expected,
        compile_seconds,
        sim_cycles_per_second: (watch.cycles() - before) as f64 / seconds,
    };
    print(&report, args.json)?;
    if !report.equal_to_cpu {
        return Err(fail(
            exit::DEVICE,
            "the simulated core and the cpu device disagree: this is a bug, report the command line",
        ));
    }
    Ok(())
}

/// Starts writing waveforms into a file beside `path`.
fn trace(sim: &mut Sim, path: &Path) -> anyhow::Result<NamedTempFile> {
    let file = output::beside(path)?;
    let writer = BufWriter::new(file.reopen().or_exit(exit::OUTPUT)?);
    sim.simulator().trace(writer).or_exit(exit::OUTPUT)?;
    Ok(file)
}

fn with_spinner<T>(watch: &Watch, work: impl FnOnce() -> T + Send) -> T
where
    T: Send,
{
    let spinner = ui::spinner("simulating");
    std::thread::scope(|scope| {
        let worker = scope.spawn(work);
        while !worker.is_finished() {
            spinner.set_message(format!("simulating: {} cycles", watch.cycles()));
            std::thread::sleep(Duration::from_millis(20));
        }
        spinner.finish_and_clear();
        worker
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

fn print(r: &Report, json: bool) -> anyhow::Result<()> {
    if json {
        println!("{}", serde_json::to_string_pretty(r)?);
        return Ok(());
    }
    println!(
        "{} x {} at density {}, {}-bit weights{}, {} token(s), core {}",
        r.rows,
        r.cols,
        r.density,
        r.bits,
        if r.masked { " with masks" } else { "" },
        r.batch,
        r.config
    );
    println!(
        "stream    {} bytes in {} beats, {} codes",
        r.stream_bytes, r.beats, r.nonzeros
    );
    println!(
        "cycles    {} = {:.3} x bound {} + {} for the tile",
        r.cycles, r.ratio, r.bound_cycles, r.tile_constant
    );
    println!(
        "waits     {} starved, {} stalled, {} hazards; {} rounds",
        r.starved, r.stalled, r.hazards, r.rounds
    );
    println!(
        "sums      {}",
        if r.equal_to_cpu {
            "equal to the cpu device, bit for bit"
        } else {
            "DIFFER from the cpu device"
        }
    );
    println!(
        "simulated {:.2} Mcycles/s, core compiled in {:.2} s",
        r.sim_cycles_per_second / 1e6,
        r.compile_seconds
    );
    Ok(())
}
