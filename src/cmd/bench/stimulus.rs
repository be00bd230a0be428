//! What the core's inputs are in every cycle: the packet stream of random products, as a link that never hesitates
//! offers it. It is recorded once, so that every simulator plays the same cycles.

use anyhow::Context;
use weft_hdl::CoreConfig;
use weft_host::device::random::{RandomProduct, Shape};
use weft_protocol::layout::Kind;
use weft_protocol::packet::Request;
use weft_sim::Simulator;

/// Bytes of a cycle in the file that the C++ player reads: flags, then the beat, both little-endian words.
pub(super) const CYCLE_BYTES: usize = 16;

/// Rows and inputs of a product: the sizes of a small model's attention, an input side that ends within a run.
const ROWS: usize = 576;
const COLUMNS: usize = 192;
/// Product kinds in turn: 4-bit dense, 4-bit masked, 8-bit dense.
const KINDS: [(Kind, f64); 3] = [(Kind::G4, 1.0), (Kind::G4, 0.5), (Kind::I8, 1.0)];

/// The inputs of one cycle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cycle {
    pub(super) valid: bool,
    pub(super) data: u64,
}

impl Cycle {
    fn to_bytes(self) -> [u8; CYCLE_BYTES] {
        let mut bytes = [0; CYCLE_BYTES];
        bytes[..8].copy_from_slice(&u64::from(self.valid).to_le_bytes());
        bytes[8..].copy_from_slice(&self.data.to_le_bytes());
        bytes
    }
}

/// The file that the C++ player reads.
pub(super) fn to_bytes(stimulus: &[Cycle]) -> Vec<u8> {
    stimulus.iter().flat_map(|c| c.to_bytes()).collect()
}

/// One product's bytes on the wire; every seed gives another one.
fn product(config: &CoreConfig, seed: u64) -> Vec<u8> {
    let (kind, density) = KINDS[seed as usize % KINDS.len()];
    let shape = Shape {
        rows: ROWS.min(config.rows() / 64 * 64),
        cols: COLUMNS,
        log2_batch: config.batch.ilog2() as u8,
        density,
        kind,
        banks: config.banks,
    };
    let mut bytes = Vec::new();
    let product = RandomProduct::new(shape, seed);
    for request in product.requests() {
        Request::encode(&request, &mut bytes);
    }
    bytes
}

/// Plays products into `sim` for `cycles` cycles, every input as early as the core takes it, and records them.
pub(super) fn record(
    sim: &mut Simulator,
    config: &CoreConfig,
    cycles: usize,
) -> anyhow::Result<Vec<Cycle>> {
    let (in_valid, in_data) = (sim.input("in_valid")?, sim.input("in_data")?);
    let (out_ready, in_ready) = (sim.input("out_ready")?, sim.output("in_ready")?);
    sim.poke(out_ready, 1);
    let mut recorded = Vec::with_capacity(cycles);
    for seed in 0.. {
        let bytes = product(config, seed);
        for beat in bytes.chunks(config.stream_bytes) {
            let mut word = [0; 8];
            word.get_mut(..beat.len())
                .context("a beat has at most eight bytes")?
                .copy_from_slice(beat);
            let cycle = Cycle {
                valid: true,
                data: u64::from_le_bytes(word),
            };
            sim.poke(in_valid, 1);
            sim.poke(in_data, cycle.data);
            loop {
                if recorded.len() == cycles {
                    return Ok(recorded);
                }
                sim.cycle();
                recorded.push(cycle);
                if sim.peek(in_ready) == 1 {
                    break;
                }
            }
        }
    }
    Ok(recorded)
}
