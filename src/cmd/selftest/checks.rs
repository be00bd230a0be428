//! What a device must do, and whether it did.

use std::time::Instant;

use serde::Serialize;
use weft_hdl::{CoreConfig, Twin};
use weft_host::device::random::{Random, RandomProduct, Shape};
use weft_host::device::{CoreInfo, DeviceError};
use weft_protocol::layout::Kind;
use weft_protocol::packet::{ErrorCode, Request};
#[cfg(target_os = "linux")]
use weft_protocol::pcie::ring::Outcome;
use weft_protocol::registers::{MAGIC, MAP_HASH, Register, VERSION};

use super::Args;
use super::tested::Tested;
use crate::exit::{self, OrExit};

/// One thing tested.
#[derive(Serialize)]
pub(super) struct Check {
    pub(super) name: &'static str,
    pub(super) passed: bool,
    pub(super) detail: String,
}

/// All checks, in order.
pub(super) fn check(
    args: &Args,
    tested: &mut Tested,
    info: &CoreInfo,
) -> anyhow::Result<Vec<Check>> {
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
    #[cfg(target_os = "linux")]
    checks.extend(protection(tested)?);
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

/// A tile with no columns, whose sums are zero.
fn zeros(tested: &mut Tested) -> Result<(), String> {
    let requests = [
        Request::Tile {
            rows: 64,
            log2_batch: 0,
        },
        Request::Drain { tag: 0 },
    ];
    let mut out = Vec::new();
    match tested.device().run(&requests, &mut out) {
        Ok(_) if out == [0; 64] => Ok(()),
        Ok(_) => Err("an empty tile has sums".into()),
        Err(e) => Err(e.to_string()),
    }
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
    let errors = |tested: &mut Tested| tested.registers(&[Register::Errors]);
    let before = errors(tested)?;
    let result = tested.device().run(&bad, &mut Vec::new());
    let refused = match &result {
        Err(DeviceError::Refused { index: 0, code, .. }) => Some(*code),
        _ => None,
    };
    let after = zeros(tested);
    let counted = match (before, errors(tested)?) {
        (Some(before), Some(after)) => after[0].wrapping_sub(before[0]),
        _ => 1,
    };
    // Images from before errors outlived a reset count none.
    let passed = refused == Some(ErrorCode::Rows) && after.is_ok() && counted <= 1;
    Ok(Check {
        name: "refusal",
        passed,
        detail: match (passed, result, after) {
            (true, ..) => format!(
                "a tile with too many rows is refused and {}, and the next run works",
                if counted == 1 {
                    "counted"
                } else {
                    "not counted"
                }
            ),
            (_, Ok(_), _) => "a tile with too many rows was not refused".into(),
            (_, _, Err(e)) => format!("after a refusal: {e}"),
            (_, Err(_), _) if counted > 1 => format!("it counts {counted} errors for one"),
            (_, Err(e), _) => e.to_string(),
        },
    })
}

/// Memory that the card was not given, and a product after it was refused.
#[cfg(target_os = "linux")]
fn protection(tested: &mut Tested) -> anyhow::Result<Option<Check>> {
    let Tested::Card(card) = tested else {
        return Ok(None);
    };
    let outcome = card.reach_beyond().or_exit(exit::DEVICE)?;
    let after = zeros(tested);
    Ok(Some(Check {
        name: "protection",
        passed: outcome == Outcome::Unsupported && after.is_ok(),
        detail: match (outcome, after) {
            (_, Err(e)) => format!("after a refused read: {e}"),
            (Outcome::Unsupported, _) => {
                "a read behind the card's memory is refused, and the next run works".into()
            }
            (Outcome::Done, _) => {
                "the card read memory that it was not given: no IOMMU keeps it to its own".into()
            }
            (other, _) => format!("a read behind the card's memory ended as {other:?}"),
        },
    }))
}
