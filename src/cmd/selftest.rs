//! `weft selftest`: does a device do what its twin says?

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Serialize;
use weft_hdl::{CoreConfig, Twin};
use weft_host::device::random::{Random, RandomProduct, Shape};
use weft_host::device::serial::Serial;
use weft_host::device::sim::{Sim, SimCore, Watch};
use weft_host::device::{CoreInfo, Cpu, Device, DeviceError};
use weft_protocol::layout::Kind;
use weft_protocol::packet::{ErrorCode, Request};
use weft_protocol::registers::{MAGIC, MAP_HASH, Register, VERSION};
use weft_protocol::serial::Counter;

use super::verilog::parse_config;
#[cfg(target_os = "linux")]
use crate::devices::DeviceArgs;
use crate::devices::{DeviceName, open_serial, seconds};
use crate::exit::{self, OrExit, fail};
use crate::ui::{Cancel, outln};

/// Test a device: registers, loop-back, random products against the twin, counters.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  weft selftest --device sim --config 8x2\n  weft selftest --device serial:/dev/ttyUSB0\n  weft selftest --device serial:/dev/pts/3 --json | jq '.checks[] | select(.passed | not)'"
)]
pub(crate) struct Args {
    /// cpu, sim, serial:PATH or serial:PATH@BAUD, pcie:ADDRESS or vfio-user:SOCKET
    #[arg(long, value_name = "DEVICE", value_parser = DeviceName::parse)]
    device: DeviceName,
    /// Core configuration of the sim device: banks x batch
    #[arg(long, value_name = "NAME", default_value = "8x1", value_parser = parse_config)]
    config: CoreConfig,
    /// Random products
    #[arg(long, value_name = "N", default_value_t = 16)]
    products: u64,
    /// Bytes of the loop-back
    #[arg(long, value_name = "N", default_value_t = 16_384)]
    loop_bytes: usize,
    /// Seed of everything random
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// With a board: longest silence, and longest time without progress, before an error
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    timeout: Duration,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Most bytes of a loop-back.
const MOST_LOOP_BYTES: usize = 64 << 20;

/// One thing tested.
#[derive(Serialize)]
struct Check {
    name: &'static str,
    passed: bool,
    detail: String,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Report {
    device: String,
    banks: usize,
    batch: usize,
    stream_bytes: usize,
    depth: usize,
    passed: bool,
    seconds: f64,
    checks: Vec<Check>,
    /// What this end of the link counted.
    link: BTreeMap<&'static str, u64>,
    /// What the board's end counted meanwhile.
    board_link: BTreeMap<&'static str, u64>,
}

/// A device, with what only its own kind can do.
enum Tested {
    Cpu(Cpu),
    Sim(Box<Sim>),
    Serial(Box<Serial>),
    /// Its registers are the driver's own business.
    #[cfg(target_os = "linux")]
    Card(Box<dyn Device>),
}

impl Args {
    #[cfg(target_os = "linux")]
    fn as_device(&self) -> DeviceArgs {
        DeviceArgs {
            device: self.device.clone(),
            poll: false,
            config: self.config,
            device_layers: None,
            timeout: self.timeout,
            threads: 0,
        }
    }
}

impl Tested {
    fn open(args: &Args, cancel: &Cancel) -> anyhow::Result<Self> {
        Ok(match &args.device {
            DeviceName::Cpu => {
                Self::Cpu(Cpu::new(CoreInfo::of("cpu", &args.config), 0).or_exit(exit::DEVICE)?)
            }
            DeviceName::Sim => {
                let core = SimCore::new(&args.config).or_exit(exit::DEVICE)?;
                let watch = Arc::new(Watch::new(cancel.flag().clone()));
                Self::Sim(Box::new(Sim::new(&core, watch).or_exit(exit::DEVICE)?))
            }
            DeviceName::Serial { path, baud } => {
                Self::Serial(Box::new(open_serial(path, *baud, args.timeout, cancel)?))
            }
            #[cfg(target_os = "linux")]
            _ => match args.as_device().open_card()? {
                Some(card) => Self::Card(Box::new(card)),
                None => return Err(fail(exit::USAGE, "no self-test for this device")),
            },
        })
    }

    fn device(&mut self) -> &mut dyn Device {
        match self {
            Self::Cpu(cpu) => cpu,
            Self::Sim(sim) => &mut **sim,
            Self::Serial(serial) => &mut **serial,
            #[cfg(target_os = "linux")]
            Self::Card(card) => &mut **card,
        }
    }

    /// Register values; `None` from a device without registers.
    fn registers(&mut self, registers: &[Register]) -> anyhow::Result<Option<Vec<u32>>> {
        Ok(match self {
            Self::Cpu(_) => None,
            #[cfg(target_os = "linux")]
            Self::Card(_) => None,
            Self::Sim(sim) => Some(sim.registers(registers).or_exit(exit::DEVICE)?),
            Self::Serial(serial) => Some(serial.registers(registers).or_exit(exit::DEVICE)?),
        })
    }
}

/// Runs the verb.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    if args.loop_bytes > MOST_LOOP_BYTES {
        return Err(fail(
            exit::USAGE,
            format!("--loop-bytes is at most {MOST_LOOP_BYTES}"),
        ));
    }
    let cancel = Cancel::install()?;
    let start = Instant::now();
    let mut tested = Tested::open(args, &cancel)?;
    let info = tested.device().info().clone();
    let outcome = check(args, &mut tested, &info);
    cancel.check()?;
    let checks = outcome?;
    let (link, board_link) = links(&mut tested)?;
    let report = Report {
        device: info.name,
        banks: info.banks,
        batch: info.batch,
        stream_bytes: info.stream_bytes,
        depth: info.depth,
        passed: checks.iter().all(|c| c.passed),
        seconds: start.elapsed().as_secs_f64(),
        checks,
        link,
        board_link,
    };
    if args.json {
        outln!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print(&report)?;
    }
    if report.passed {
        return Ok(());
    }
    let failed: Vec<_> = report.checks.iter().filter(|c| !c.passed).collect();
    let names: Vec<_> = failed.iter().map(|c| c.name).collect();
    Err(fail(
        exit::DEVICE,
        format!("{} failed: {}", report.device, names.join(", ")),
    ))
}

fn print(report: &Report) -> anyhow::Result<()> {
    outln!(
        "{}: {} banks, {} tokens, {} bytes a beat, {} accumulators a lane",
        report.device,
        report.banks,
        report.batch,
        report.stream_bytes,
        report.depth
    );
    for check in &report.checks {
        let verdict = if check.passed { "ok" } else { "FAILED" };
        outln!("{verdict:8} {:12} {}", check.name, check.detail);
    }
    for (end, counts) in [("host", &report.link), ("board", &report.board_link)] {
        if !counts.is_empty() {
            let counts: Vec<_> = counts.iter().map(|(n, v)| format!("{v} {n}")).collect();
            outln!("{end:8} {}", counts.join(", "));
        }
    }
    outln!("took {:.1} s", report.seconds);
    Ok(())
}

fn check(args: &Args, tested: &mut Tested, info: &CoreInfo) -> anyhow::Result<Vec<Check>> {
    let mut checks = Vec::new();
    checks.extend(identity(tested, info)?);
    checks.extend(loop_back(args, tested)?);
    let before = tested.registers(&COUNTED)?;
    let expected = products(args, tested, info, &mut checks)?;
    if let (Some(before), Some(after)) = (before, tested.registers(&COUNTED)?) {
        let moved: Vec<u64> = after
            .iter()
            .zip(&before)
            .map(|(a, b)| u64::from(a.wrapping_sub(*b)))
            .collect();
        checks.push(Check {
            name: "counters",
            passed: moved == expected,
            detail: format!(
                "{} tiles, {} columns, {} codes; the twin counts {}, {}, {}",
                moved[0], moved[1], moved[2], expected[0], expected[1], expected[2]
            ),
        });
    }
    checks.push(refusal(tested)?);
    Ok(checks)
}

/// Counters whose values the requests alone decide.
const COUNTED: [Register; 3] = [Register::Tiles, Register::Columns, Register::Nonzeros];

fn identity(tested: &mut Tested, info: &CoreInfo) -> anyhow::Result<Option<Check>> {
    let wanted = [
        (Register::Magic, MAGIC),
        (Register::Version, VERSION),
        (Register::MapHash, MAP_HASH),
        (Register::Banks, info.banks as u32),
        (Register::Batch, info.batch as u32),
        (Register::StreamBytes, info.stream_bytes as u32),
        (Register::Depth, info.depth as u32),
    ];
    let Some(found) = tested.registers(&wanted.map(|(r, _)| r))? else {
        return Ok(None);
    };
    let wrong: Vec<_> = wanted
        .iter()
        .zip(&found)
        .filter(|((_, wanted), found)| wanted != *found)
        .map(|((r, wanted), found)| format!("{} is {found:#x}, not {wanted:#x}", r.name()))
        .collect();
    let board = match tested {
        Tested::Serial(serial) => {
            let id = serial.identity();
            format!(
                ", board {:#010x}, {} clocks a bit, buffers of {} and {} bytes",
                id.board,
                id.clocks_per_bit,
                8 * u32::from(id.request_units),
                8 * u32::from(id.answer_units)
            )
        }
        _ => String::new(),
    };
    Ok(Some(Check {
        name: "registers",
        passed: wrong.is_empty(),
        detail: if wrong.is_empty() {
            format!("version {VERSION}, map hash {MAP_HASH:#010x}{board}")
        } else {
            wrong.join(", ")
        },
    }))
}

fn loop_back(args: &Args, tested: &mut Tested) -> anyhow::Result<Option<Check>> {
    let Tested::Serial(serial) = tested else {
        return Ok(None);
    };
    let mut random = Random::new(!args.seed);
    let bytes: Vec<u8> = (0..args.loop_bytes.next_multiple_of(8))
        .map(|_| random.byte())
        .collect();
    let start = Instant::now();
    let result = serial.loop_back(&bytes);
    let seconds = start.elapsed().as_secs_f64();
    Ok(Some(Check {
        name: "loop-back",
        passed: result.is_ok(),
        detail: match result {
            Ok(()) => format!(
                "{} bytes there and back in {seconds:.2} s, {:.1} kB/s each way",
                bytes.len(),
                bytes.len() as f64 / seconds / 1e3
            ),
            Err(e) => e.to_string(),
        },
    }))
}

/// Random products of both payload kinds, dense and masked; what the twin counted.
fn products(
    args: &Args,
    tested: &mut Tested,
    info: &CoreInfo,
    checks: &mut Vec<Check>,
) -> anyhow::Result<Vec<u64>> {
    let mut counted = [0; 3];
    for (name, kind) in [("g4 products", Kind::G4), ("i8 products", Kind::I8)] {
        let mut wrong = 0;
        let (mut sums, mut bytes) = (0, 0);
        let start = Instant::now();
        for n in 0..args.products {
            let shape = Shape {
                rows: info.rows().min(64 * (1 + n as usize % 4)),
                cols: 8 + 40 * (n as usize % 3),
                log2_batch: (n % (1 + u64::from(info.batch.ilog2()))) as u8,
                density: [1.0, 0.5, 0.1][n as usize % 3],
                kind,
                banks: info.banks,
            };
            let product = RandomProduct::new(shape, args.seed.wrapping_add(n << 8));
            let requests = product.requests();
            let (expected, counts) = by_twin(info, &requests);
            let mut out = Vec::new();
            let stats = tested
                .device()
                .run(&requests, &mut out)
                .or_exit(exit::DEVICE)?;
            wrong += u64::from(out != expected);
            sums += out.len();
            bytes += stats.stream_bytes;
            for (sum, n) in counted.iter_mut().zip(counts) {
                *sum += n;
            }
        }
        let verdict = match wrong {
            0 => "all sums are the twin's".to_owned(),
            n => format!("{n} differ from the twin's"),
        };
        checks.push(Check {
            name,
            passed: wrong == 0,
            detail: format!(
                "{} products, {sums} sums, {bytes} bytes in {:.2} s: {verdict}",
                args.products,
                start.elapsed().as_secs_f64()
            ),
        });
    }
    Ok(counted.to_vec())
}

/// Sums of the twin, and its counts of tiles, columns and codes.
fn by_twin(info: &CoreInfo, requests: &[Request<'_>]) -> (Vec<i32>, [u64; 3]) {
    let mut wire = Vec::new();
    for request in requests {
        request.encode(&mut wire);
    }
    let mut twin = Twin::new(CoreConfig {
        banks: info.banks,
        batch: info.batch,
        stream_bytes: info.stream_bytes,
        depth: info.depth,
    });
    twin.push(&wire);
    // One tile: a header of two words, then sums.
    let sums = twin.responses()[2..].iter().map(|&w| w as i32).collect();
    let counts = twin.counts();
    let counts = [counts.tiles, counts.columns, counts.nonzeros].map(u64::from);
    (sums, counts)
}

/// A request that every core refuses, and a product after it.
fn refusal(tested: &mut Tested) -> anyhow::Result<Check> {
    let bad = [
        Request::Tile {
            rows: 1 << 20,
            log2_batch: 0,
        },
        Request::Drain { tag: 0 },
    ];
    let result = tested.device().run(&bad, &mut Vec::new());
    let refused = match &result {
        Err(DeviceError::Refused { index: 0, code, .. }) => Some(*code),
        _ => None,
    };
    let good = [
        Request::Tile {
            rows: 64,
            log2_batch: 0,
        },
        Request::Drain { tag: 0 },
    ];
    let mut out = Vec::new();
    let after = tested.device().run(&good, &mut out);
    let passed = refused == Some(ErrorCode::Rows) && after.is_ok() && out == [0; 64];
    Ok(Check {
        name: "refusal",
        passed,
        detail: match (passed, result, after) {
            (true, ..) => "a tile with too many rows is refused, and the next run works".into(),
            (_, Ok(_), _) => "a tile with too many rows was not refused".into(),
            (_, _, Err(e)) => format!("after a refusal: {e}"),
            (_, Err(e), _) => e.to_string(),
        },
    })
}

type Counts = BTreeMap<&'static str, u64>;

/// What both ends of the link counted.
fn links(tested: &mut Tested) -> anyhow::Result<(Counts, Counts)> {
    let mut board = Counts::new();
    if let Tested::Serial(serial) = tested {
        let now = serial.identify().or_exit(exit::DEVICE)?.counters;
        let then = serial.identity().counters;
        for counter in Counter::ALL {
            let at = counter as usize;
            board.insert(counter.name(), now[at].wrapping_sub(then[at]).into());
        }
    }
    let host = tested.device().link_counters().into_iter().collect();
    Ok((host, board))
}
