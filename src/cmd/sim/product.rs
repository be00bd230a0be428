//! `weft sim spmm` and `weft sim site`: one product through the simulated core.

use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use serde::Serialize;
use tempfile::NamedTempFile;
use weft_hdl::core::TOP;
use weft_hdl::{CoreConfig, generate_verilog};
use weft_host::container::{SiteKey, Weft};
use weft_host::device::product::{Activations, Outliers, Plan};
use weft_host::device::random::{Random, RandomProduct, Shape};
use weft_host::device::sim::{Sim, SimCore, Watch};
use weft_host::device::{Cpu, Device, RunStats};
use weft_host::model::{Matrix, Site};
use weft_protocol::layout::{Kind, rows_fit};
use weft_protocol::packet::Request;
use weft_sim::Design;

use crate::cmd::verilog::parse_config;
use crate::exit::{self, OrExit, fail};
use crate::ui::outln;
use crate::{output, ui};

/// Run one product of a packed model, real weights and masks, on random activations; print cycles and their bound.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  weft sim site model.weft --layer 3 --site ffn_down\n  weft sim site pruned.weft --site attn_in --config 8x16 --batch 16 --json"
)]
pub(super) struct SiteArgs {
    /// The packed model
    model: PathBuf,
    /// Layer
    #[arg(long, value_name = "L", default_value_t = 0)]
    layer: usize,
    /// Which product
    #[arg(long, default_value = "attn_in", value_parser = parse_site)]
    site: Site,
    #[command(flatten)]
    common: Common,
}

fn parse_site(name: &str) -> Result<Site, String> {
    let [a, b, c, d] = Site::LAYER;
    let all = [a, b, c, d, Site::Head];
    all.into_iter()
        .find(|site| site.to_string() == name)
        .ok_or_else(|| format!("the sites are {}", all.map(|s| s.to_string()).join(", ")))
}

/// Options of every product.
#[derive(clap::Args)]
struct Common {
    /// Tokens, a power of two
    #[arg(long, default_value_t = 1)]
    batch: usize,
    /// Seed of everything random
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Core configuration: banks x batch
    #[arg(long, value_name = "NAME", default_value = "8x1", value_parser = parse_config)]
    config: CoreConfig,
    /// Write every signal of every cycle to a VCD file
    #[arg(long, value_name = "FILE")]
    vcd: Option<PathBuf>,
    /// Compare every register and output of every cycle with the interpreter; slow
    #[arg(long)]
    crosscheck: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
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
pub(super) struct Spmm {
    /// Outputs, a multiple of 64
    #[arg(long, default_value_t = 576)]
    rows: usize,
    /// Inputs
    #[arg(long, default_value_t = 576)]
    cols: usize,
    /// Share of the weights that survive, 0 to 1
    #[arg(long, default_value_t = 1.0)]
    density: f64,
    /// Bits a weight: 4 (g4) or 8 (i8)
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u8).range(4..=8))]
    bits: u8,
    #[command(flatten)]
    common: Common,
}

/// Cycles of a tile beside its result words: the pipeline's fill and drain, and the result's header.
const TILE_LATENCY: u64 = 64;

#[derive(Serialize)]
struct Report {
    config: String,
    #[serde(flatten)]
    product: Product,
    batch: usize,
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
    #[serde(skip_serializing_if = "Option::is_none")]
    crosschecked_cycles: Option<u64>,
    compile_seconds: f64,
    sim_cycles_per_second: f64,
}

/// What is multiplied.
#[derive(Serialize)]
struct Product {
    name: String,
    rows: usize,
    cols: usize,
    /// Share of the weights that survive.
    density: f64,
    masked: bool,
}

fn check_batch(common: &Common) -> anyhow::Result<u8> {
    let Common { batch, config, .. } = common;
    if batch.is_power_of_two() && *batch <= config.batch {
        return Ok(batch.trailing_zeros() as u8);
    }
    let most = config.batch;
    Err(fail(
        exit::USAGE,
        format!("--batch {batch}: core {config} takes powers of two up to {most}"),
    ))
}

fn check(args: &Spmm) -> anyhow::Result<Shape> {
    let config = args.common.config;
    let wrong = |what: String| Err(fail(exit::USAGE, what));
    let kind = match args.bits {
        4 => Kind::G4,
        8 => Kind::I8,
        bits => return wrong(format!("--bits {bits}: weights have 4 or 8 bits")),
    };
    if !rows_fit(args.rows, config.rows()) {
        return wrong(format!(
            "--rows {}: core {config} takes multiples of 64 up to {}",
            args.rows,
            config.rows()
        ));
    }
    if args.cols == 0 || args.cols > 1 << 20 {
        return wrong(format!(
            "--cols {}: one to {} are possible",
            args.cols,
            1 << 20
        ));
    }
    if !(0.0..=1.0).contains(&args.density) {
        return wrong(format!(
            "--density {}: a share lies between 0 and 1",
            args.density
        ));
    }
    Ok(Shape {
        rows: args.rows,
        cols: args.cols,
        log2_batch: check_batch(&args.common)?,
        density: args.density,
        kind,
        banks: config.banks,
    })
}

pub(super) fn run_spmm(args: Spmm) -> anyhow::Result<()> {
    let random = RandomProduct::new(check(&args)?, args.common.seed);
    let product = Product {
        name: format!("random {}-bit weights", args.bits),
        rows: args.rows,
        cols: args.cols,
        density: args.density,
        masked: random.masked(),
    };
    simulate(&args.common, product, &random.requests())
}

pub(super) fn run_site(args: SiteArgs) -> anyhow::Result<()> {
    check_batch(&args.common)?;
    let weft = Weft::open(&args.model)
        .with_context(|| format!("cannot use {}", args.model.display()))
        .or_exit(exit::INPUT)?;
    let layer = if args.site == Site::Head {
        0
    } else {
        args.layer
    };
    let key = SiteKey {
        layer,
        site: args.site,
    };
    let site = weft.site(key).or_exit(exit::USAGE)?;
    let mut random = Random::new(args.common.seed);
    let values = (0..args.common.batch * site.cols).map(|_| f32::from(random.byte() as i8));
    let x = Matrix::from_vec(args.common.batch, site.cols, values.collect());
    let activations = Activations::quantise(&x, 0..x.rows(), site.threshold, 0, Outliers::NONE);
    let plan = Plan::new(&weft, site, &activations).or_exit(exit::INPUT)?;
    let tiles = || site.matrices.iter().flat_map(|m| &m.tiles);
    let rows = tiles().map(|t| t.padded_rows()).sum();
    let codes = RunStats::of(plan.requests(), &Cpu::default_core()).nonzeros;
    let product = Product {
        name: format!("{key} of {}", args.model.display()),
        rows,
        cols: site.cols,
        density: codes as f64 / (rows * activations.bundles()) as f64,
        masked: tiles().any(|t| t.groups.iter().any(|g| !g.masked.is_empty())),
    };
    simulate(&args.common, product, plan.requests())
}

fn simulate(args: &Common, product: Product, requests: &[Request<'_>]) -> anyhow::Result<()> {
    let start = Instant::now();
    let core = SimCore::new(&args.config)?;
    let watch = Arc::new(Watch::default());
    let mut sim = Sim::new(&core, watch.clone()).or_exit(exit::DEVICE)?;
    let compile_seconds = start.elapsed().as_secs_f64();
    let waves = match &args.vcd {
        Some(path) => Some((path, trace(&mut sim, path)?)),
        None => None,
    };

    if args.crosscheck {
        let verilog = generate_verilog(&args.config)?;
        let design = Design::from_verilog(&verilog, TOP)?;
        sim.simulator().start_crosscheck(&design)?;
    }

    let before = watch.cycles();
    let start = Instant::now();
    let mut sums = Vec::new();
    let stats = with_spinner(&watch, || sim.run(requests, &mut sums)).or_exit(exit::DEVICE)?;
    let seconds = start.elapsed().as_secs_f64();
    if let Some((path, file)) = waves {
        sim.simulator().finish_trace().or_exit(exit::OUTPUT)?;
        output::persist(file, path)?;
    }

    let crosschecked_cycles = sim.simulator().finish_crosscheck().or_exit(exit::DEVICE)?;

    let mut expected = Vec::new();
    let mut cpu = Cpu::new(sim.info().clone(), 0).or_exit(exit::DEVICE)?;
    cpu.run(requests, &mut expected).or_exit(exit::DEVICE)?;

    let counters = stats.counters.unwrap_or_default();
    let tile_constant = stats.result_words + TILE_LATENCY * stats.tiles;
    let report = Report {
        config: args.config.to_string(),
        product,
        batch: args.batch,
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
        crosschecked_cycles: args.crosscheck.then_some(crosschecked_cycles),
        compile_seconds,
        sim_cycles_per_second: (watch.cycles() - before) as f64 / seconds,
    };
    print(&report, args.json)?;
    if report.equal_to_cpu {
        return Ok(());
    }
    Err(fail(
        exit::DEVICE,
        "the simulated core and the cpu device disagree: this is a bug, report the command line",
    ))
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
        outln!("{}", serde_json::to_string_pretty(r)?);
        return Ok(());
    }
    let Product {
        name,
        rows,
        cols,
        density,
        masked,
    } = &r.product;
    outln!(
        "{name}: {rows} x {cols} at density {density:.3}{}, {} token(s), core {}",
        if *masked { " with masks" } else { "" },
        r.batch,
        r.config
    );
    outln!(
        "stream    {} bytes in {} beats, {} codes",
        r.stream_bytes,
        r.beats,
        r.nonzeros
    );
    outln!(
        "cycles    {} = {:.3} x bound {} + {} for the tile",
        r.cycles,
        r.ratio,
        r.bound_cycles,
        r.tile_constant
    );
    outln!(
        "waits     {} starved, {} stalled, {} hazards; {} rounds",
        r.starved,
        r.stalled,
        r.hazards,
        r.rounds
    );
    outln!(
        "sums      {}",
        if r.equal_to_cpu {
            "equal to the cpu device, bit for bit"
        } else {
            "DIFFER from the cpu device"
        }
    );
    if let Some(cycles) = r.crosschecked_cycles {
        outln!("checked   {cycles} cycles equal to the interpreter");
    }
    outln!(
        "simulated {:.2} Mcycles/s, core compiled in {:.2} s",
        r.sim_cycles_per_second / 1e6,
        r.compile_seconds
    );
    Ok(())
}
