//! What the counters of cycles must say, from the stream and the counters alone, without a model of the core's timing.

use super::bench::Gaps;
use super::stream::{Random, Shape, group};
use weft_hdl::CoreConfig;
use weft_protocol::layout::Kind;
use weft_protocol::packet::{Group, Request, masked_bundle};
use weft_protocol::registers::Register;

/// The counters of cycles, in the order in which they are read.
const TIMING: [Register; 4] = [
    Register::Cycles,
    Register::Starved,
    Register::Stalled,
    Register::Hazards,
];

/// Cycles a request may cost beside its beats: decoding, and the queues on the way.
const REQUEST: u32 = 16;

/// Cycles from the last operation to the stored sum, and from there to the answer, at most.
const DEPTH_OF_PIPES: u32 = 64;

/// Columns that wait for accumulators.
const WAITING: usize = 20;

/// One tile under the counters.
struct Tile {
    bytes: Vec<u8>,
    requests: u32,
    words: u32,
}

#[derive(Clone, Copy, Debug)]
struct Counted {
    cycles: u32,
    starved: u32,
    stalled: u32,
    hazards: u32,
}

fn tile(config: &CoreConfig, rows: usize, log2_batch: u8, shape: Shape, groups: usize) -> Tile {
    let mut bytes = Vec::new();
    Request::Tile { rows, log2_batch }.encode(&mut bytes);
    let mut random = Random(77);
    for _ in 0..groups {
        group(&mut random, &mut bytes, config, rows, log2_batch, shape);
    }
    Request::Drain { tag: 0 }.encode(&mut bytes);
    Tile {
        bytes,
        requests: groups as u32 + 2,
        words: (rows as u32) << log2_batch,
    }
}

/// One tile of columns that leave work behind, all in one bank, each before a column of its last row alone.
fn waiting(config: &CoreConfig) -> Tile {
    let rows = weft_protocol::ROW_GRANULE;
    let mut bytes = Vec::new();
    Request::Tile {
        rows,
        log2_batch: 0,
    }
    .encode(&mut bytes);
    let bundle = |wanted: &dyn Fn(usize) -> bool| {
        let mut mask = vec![0; rows / 8];
        for r in (0..rows).filter(|r| wanted(*r)) {
            mask[r / 8] |= 1 << (r % 8);
        }
        masked_bundle(Kind::I8, &mask, &vec![7; rows], config.banks)
    };
    let (work, single) = (
        bundle(&|r| r % config.banks == 0),
        bundle(&|r| r == rows - config.banks),
    );
    let columns = WAITING * 2;
    Request::Group(Group {
        kind: Kind::I8,
        masked: true,
        activations: &vec![3; columns],
        scales: None,
        bundles: (0..columns)
            .map(|c| if c % 2 == 0 { &work[..] } else { &single[..] })
            .collect(),
    })
    .encode(&mut bytes);
    Request::Drain { tag: 0 }.encode(&mut bytes);
    Tile {
        bytes,
        requests: 3,
        words: rows as u32,
    }
}

impl Tile {
    /// The counters after the tile, which must stand still when it is closed: they are read twice.
    fn count(&self, run: impl Fn(&[u8]) -> Vec<u32>) -> Option<Counted> {
        let mut bytes = self.bytes.clone();
        for _ in 0..2 {
            for register in TIMING {
                let register = register as u16;
                Request::Read { register }.encode(&mut bytes);
            }
            bytes.extend_from_slice(&[0; 64]);
        }
        let words = run(&bytes);
        let (_, tail) = words.split_at_checked(words.len().checked_sub(16)?)?;
        let (first, second) = tail.split_at(8);
        (first == second).then_some(Counted {
            cycles: first[1],
            starved: first[3],
            stalled: first[5],
            hazards: first[7],
        })
    }

    fn beats(&self, config: &CoreConfig) -> u32 {
        (self.bytes.len() / config.stream_bytes) as u32
    }
}

/// Whether the counters of cycles are consistent with what was sent, and how:
///
/// - every cycle with the tile open takes a beat, starves, stalls, or belongs to a request, a drain or a pipeline;
/// - a stream that never hesitates does not starve, one of few beats starves for what is left over;
/// - a row that the column before ended with waits for it, dense columns of many rows never wait.
pub fn counters_hold(config: &CoreConfig, run: impl Fn(&[u8], Gaps) -> Vec<u32>) -> bool {
    let plain = |density| Shape {
        kind: Kind::I8,
        columns: 24,
        density,
        keep_scales: false,
    };
    let rows = 8 * weft_protocol::ROW_GRANULE;
    let top = config.batch.ilog2() as u8;
    let tiles = [
        tile(config, rows, 0, plain(None), 2),
        tile(config, rows, top, plain(None), 1),
        tile(config, rows, 0, plain(Some(0.0)), 1),
        waiting(config),
    ];
    let gaps = [(0, 0), (0, 200), (240, 0)].map(|(input, output)| Gaps {
        input,
        output,
        seed: 9,
    });
    for (t, tile) in tiles.iter().enumerate() {
        for gap in gaps {
            let Some(c) = tile.count(|b| run(b, gap)) else {
                return false;
            };
            let beats = tile.beats(config);
            let header = weft_protocol::ALIGN as u32 / config.stream_bytes as u32;
            let own = tile.requests * REQUEST + DEPTH_OF_PIPES;
            let busy = beats - header + c.starved + c.stalled;
            let sum = busy <= c.cycles
                && if gap.input == 0 {
                    // The next request waits behind the drain, so that every cycle is one of the three.
                    c.cycles <= busy + REQUEST && c.starved <= REQUEST
                } else {
                    c.cycles <= busy + own + 2 * tile.words && c.stalled <= c.cycles / 2
                };
            // A word of the answer takes 256 / 56 cycles with the output's gaps.
            let waits = gap.output == 0 || c.stalled > 3 * tile.words;
            let lonely = t == 3 && gap.input == 0;
            let hazards = if lonely {
                (WAITING as u32..=REQUEST * WAITING as u32).contains(&c.hazards)
            } else {
                c.hazards == 0
            };
            if !sum || !waits || !hazards {
                return false;
            }
        }
    }
    true
}
