//! The product of one tile, and what it cost against the bound of stream and multipliers.

use super::stream::{Random, Shape, group};
use weft_hdl::CoreConfig;
use weft_protocol::GROUP;
use weft_protocol::layout::Kind;
use weft_protocol::packet::Request;
use weft_protocol::registers::Register;

const WANTED: [Register; 6] = [
    Register::Cycles,
    Register::Nonzeros,
    Register::Rounds,
    Register::Hazards,
    Register::Starved,
    Register::Stalled,
];

/// Cycles a tile that the bound does not cover, beside one a drained word: headers, pipeline, settling.
const TILE_CYCLES: u64 = 48;

/// One tile's product.
pub struct Product {
    pub rows: usize,
    pub columns: usize,
    pub kind: Kind,
    pub density: Option<f64>,
    pub log2_batch: u8,
}

/// What the core's counters say of a product.
pub struct Measured {
    pub cycles: u64,
    pub bound: f64,
    pub nonzeros: u32,
    pub rounds: u32,
    pub hazards: u32,
    pub starved: u32,
    pub stalled: u32,
}

impl Measured {
    /// Cycles beyond the constant of a tile, as a share of the bound.
    pub fn ratio(&self, p: &Product) -> f64 {
        let constant = TILE_CYCLES + ((p.rows as u64) << p.log2_batch);
        (self.cycles.saturating_sub(constant)) as f64 / self.bound
    }
}

/// The stream of a product: its tile, its groups, a drain and reads of the counters; and where the reads begin.
fn stream(config: &CoreConfig, p: &Product) -> (Vec<u8>, usize) {
    let mut random = Random(p.rows as u64 * 7 + p.columns as u64);
    let mut bytes = Vec::new();
    Request::Tile {
        rows: p.rows,
        log2_batch: p.log2_batch,
    }
    .encode(&mut bytes);
    let mut left = p.columns;
    while left > 0 {
        let shape = Shape {
            kind: p.kind,
            columns: left.min(GROUP),
            density: p.density,
            keep_scales: false,
        };
        group(&mut random, &mut bytes, config, p.rows, p.log2_batch, shape);
        left -= shape.columns;
    }
    Request::Drain { tag: 0 }.encode(&mut bytes);
    let streamed = bytes.len();
    for register in WANTED {
        let register = register as u16;
        Request::Read { register }.encode(&mut bytes);
    }
    (bytes, streamed)
}

/// Sends a product through a core that takes a beat whenever it can, and reads its counters; `None` if the number of
/// words that come back is wrong.
pub fn measure(
    config: &CoreConfig,
    p: &Product,
    run: impl Fn(&[u8]) -> Vec<u32>,
) -> Option<Measured> {
    let (bytes, streamed) = stream(config, p);
    let words = run(&bytes);
    if words.len() != 2 + (p.rows << p.log2_batch) + 2 * WANTED.len() {
        return None;
    }
    let values: Vec<u32> = words[words.len() - 2 * WANTED.len()..]
        .chunks(2)
        .map(|w| w[1])
        .collect();
    let stream = streamed as f64 / config.stream_bytes as f64;
    let work = f64::from(values[1]) / config.banks as f64;
    Some(Measured {
        cycles: u64::from(values[0]),
        bound: stream.max(work),
        nonzeros: values[1],
        rounds: values[2],
        hazards: values[3],
        starved: values[4],
        stalled: values[5],
    })
}
