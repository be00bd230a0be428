//! Random packet streams.

use weft_hdl::CoreConfig;
use weft_protocol::ROW_GRANULE;
use weft_protocol::layout::Kind;
use weft_protocol::packet::{Group, GroupFlags, Header, Opcode, Request, masked_bundle};
use weft_protocol::registers::Register;

/// A small deterministic generator (splitmix64).
#[derive(Clone, Debug)]
pub struct Random(pub u64);

impl Random {
    /// Next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`.
    pub fn below(&mut self, n: usize) -> usize {
        (self.bits() % n as u64) as usize
    }

    /// True with probability `p`.
    pub fn chance(&mut self, p: f64) -> bool {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64 <= p && p > 0.0
    }

    /// `n` random bytes.
    pub fn bytes(&mut self, n: usize) -> Vec<u8> {
        (0..n).map(|_| self.bits() as u8).collect()
    }
}

/// What a random group looks like.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// What a code is.
    pub kind: Kind,
    /// Columns.
    pub columns: usize,
    /// Share of rows that survive; `None` for dense bundles.
    pub density: Option<f64>,
    /// Send no scale words.
    pub keep_scales: bool,
}

/// Appends a random group of this shape for an open tile of `rows` rows.
pub fn group(
    random: &mut Random,
    out: &mut Vec<u8>,
    config: &CoreConfig,
    rows: usize,
    log2_batch: u8,
    shape: Shape,
) {
    let activations: Vec<i8> = random
        .bytes(shape.columns << log2_batch)
        .iter()
        .map(|&b| b as i8)
        .collect();
    let scales = random.bytes(shape.kind.scale_bytes(rows));
    let bundles: Vec<Vec<u8>> = (0..shape.columns)
        .map(|_| bundle(random, config, rows, shape))
        .collect();
    let request = Request::Group(Group {
        kind: shape.kind,
        masked: shape.density.is_some(),
        activations: &activations,
        scales: (shape.kind == Kind::G4 && !shape.keep_scales).then_some(&scales),
        bundles: bundles.iter().map(Vec::as_slice).collect(),
    });
    request.encode(out);
}

fn bundle(random: &mut Random, config: &CoreConfig, rows: usize, shape: Shape) -> Vec<u8> {
    let Some(density) = shape.density else {
        return random.bytes(shape.kind.dense_bytes(rows));
    };
    let mut mask = vec![0u8; rows / 8];
    for r in 0..rows {
        mask[r / 8] |= u8::from(random.chance(density)) << (r % 8);
    }
    let codes = random.bytes(rows);
    masked_bundle(shape.kind, &mask, &codes, config.banks)
}

/// A random legal session: tiles of random rows and tokens, groups of random kinds and masks, drains.
pub fn session(random: &mut Random, config: &CoreConfig, tiles: usize) -> Vec<u8> {
    let mut out = Vec::new();
    for tag in 0..tiles as u32 {
        let granules = config.rows() / ROW_GRANULE;
        let rows = ROW_GRANULE * (1 + random.below(granules.min(12)));
        let log2_batch = random.below(config.batch.ilog2() as usize + 1) as u8;
        Request::Tile { rows, log2_batch }.encode(&mut out);
        let mut scaled = false;
        for _ in 0..random.below(4) {
            let kind = if random.chance(0.6) {
                Kind::G4
            } else {
                Kind::I8
            };
            let keep_scales = kind == Kind::G4 && scaled && random.chance(0.4);
            scaled |= kind == Kind::G4;
            let density = [
                None,
                Some(0.0),
                Some(0.02),
                Some(0.1),
                Some(0.3),
                Some(0.5),
                Some(0.9),
                Some(1.0),
            ];
            let most = if random.chance(0.2) { 64 } else { 8 };
            let shape = Shape {
                kind,
                columns: 1 + random.below(most),
                density: density[random.below(density.len())],
                keep_scales,
            };
            group(random, &mut out, config, rows, log2_batch, shape);
            if random.chance(0.1) {
                Request::Drain { tag: !tag }.encode(&mut out);
            }
            if random.chance(0.1) {
                out.extend_from_slice(&[0; 8]);
            }
        }
        Request::Drain { tag }.encode(&mut out);
    }
    out
}

/// Sorts of requests that a core refuses; the last two are the same.
pub const REFUSALS: usize = 11;

/// Appends one request that a core refuses; most leave a tile open before it.
///
/// `sort` below [`REFUSALS`] says why.
pub fn refused(random: &mut Random, out: &mut Vec<u8>, config: &CoreConfig, sort: usize) {
    let rows = ROW_GRANULE
        * (1 + random
            .below(config.depth * config.banks / ROW_GRANULE)
            .min(3));
    let rows = rows.min(config.rows());
    let open = Request::Tile {
        rows,
        log2_batch: 0,
    };
    let raw = |op: Opcode, flags: u8, arg16: u16, arg32: u32| {
        Header::new(op, flags, arg16, arg32).to_bytes()
    };
    match sort {
        0 => out.extend_from_slice(&[0x77, 1, 2, 3, 4, 5, 6, 7]),
        1 => out.extend(raw(Opcode::Result, 0, 0, 0)),
        2 => out.extend(raw(Opcode::Tile, 0, 0, 0)),
        3 => {
            let granules = config.rows() / ROW_GRANULE + 1 + random.below(3);
            out.extend(raw(Opcode::Tile, 0, granules as u16, 0));
        }
        4 => {
            let log2_batch = config.batch.ilog2() as u8 + 1 + random.below(3) as u8 * 64;
            out.extend(raw(Opcode::Tile, log2_batch, 1, 0));
        }
        5 => out.extend(raw(Opcode::Read, 0, 7 + random.below(9) as u16, 0)),
        6 => out.extend(raw(Opcode::Reset, 0, 1, 1)),
        7 => {
            open.encode(out);
            let columns = if random.chance(0.5) { 0 } else { 65 };
            out.extend(raw(Opcode::Group, 0, columns, 9));
        }
        8 => {
            open.encode(out);
            out.extend(raw(Opcode::Group, GroupFlags::KEEP_SCALES, 1, 9));
        }
        _ => {
            open.encode(out);
            let shape = Shape {
                kind: if random.chance(0.5) {
                    Kind::G4
                } else {
                    Kind::I8
                },
                columns: 1 + random.below(3),
                density: [None, Some(0.0), Some(0.4)][random.below(3)],
                keep_scales: false,
            };
            let at = out.len() + 4;
            group(random, out, config, rows, 0, shape);
            let units = u32::from_le_bytes([out[at], out[at + 1], out[at + 2], out[at + 3]]);
            let wrong = match random.below(4) {
                0 => 0,
                1 => units + 1,
                2 => u32::MAX,
                _ => random.below(units as usize) as u32,
            };
            out[at..at + 4].copy_from_slice(&wrong.to_le_bytes());
        }
    }
}

/// A session with refusals, junk after them, and resets that end them; ends with a legal session.
pub fn hostile(random: &mut Random, config: &CoreConfig) -> Vec<u8> {
    let mut out = Vec::new();
    let first = random.below(REFUSALS);
    for sort in first..first + 6 {
        if random.chance(0.7) {
            out.extend(session(random, config, 1));
        }
        refused(random, &mut out, config, sort % REFUSALS);
        let junk = 8 * random.below(40);
        out.extend(random.bytes(junk));
        Request::Drain { tag: 5 }.encode(&mut out);
        Request::Reset.encode(&mut out);
        read_fresh(&mut out);
    }
    out.extend(session(random, config, 1));
    out
}

/// Appends reads of every register, for a place where no tile was opened since the start or a reset: the counters of
/// cycles are known there.
pub fn read_fresh(out: &mut Vec<u8>) {
    for register in Register::ALL {
        let register = *register as u16;
        Request::Read { register }.encode(out);
    }
}

/// Appends a group whose columns each have all their work in one bank, so that its queues are the ones that fill, or
/// a few of the rows that it ended with, which must wait for their sums.
fn one_bank_at_a_time(
    random: &mut Random,
    out: &mut Vec<u8>,
    config: &CoreConfig,
    rows: usize,
    log2_batch: u8,
) {
    let of_bank = rows / config.banks;
    let mut bundles = Vec::new();
    for bank in 0..config.banks {
        for part in 0..4 {
            let mut mask = vec![0; rows / 8];
            for k in 0..of_bank {
                let row = k * config.banks + bank;
                let wanted = match part {
                    0 | 2 => true,
                    1 => k + 1 == of_bank,
                    _ => k + 4 >= of_bank && random.chance(0.4),
                };
                mask[row / 8] |= u8::from(wanted) << (row % 8);
            }
            let codes = random.bytes(rows);
            bundles.push(masked_bundle(Kind::I8, &mask, &codes, config.banks));
        }
    }
    bundles.truncate(weft_protocol::MAX_COLUMNS);
    let activations = random.bytes(bundles.len() << log2_batch);
    let activations: Vec<i8> = activations.iter().map(|&b| b as i8).collect();
    Request::Group(Group {
        kind: Kind::I8,
        masked: true,
        activations: &activations,
        scales: None,
        bundles: bundles.iter().map(Vec::as_slice).collect(),
    })
    .encode(out);
}

/// Appends a group that leaves work behind, one dense column after it, and a group that begins with the row that the
/// column ended with: the only way for a sum to be wanted in the next cycle.
fn meeting(random: &mut Random, out: &mut Vec<u8>, config: &CoreConfig, rows: usize) {
    for (columns, wanted) in [
        (12, Some(0..rows)),
        (1, None),
        (1, Some(rows - config.banks..rows)),
    ] {
        let bundle = match &wanted {
            None => random.bytes(Kind::I8.dense_bytes(rows)),
            Some(range) => {
                let mut mask = vec![0; rows / 8];
                for row in range.clone().filter(|r| r % config.banks == 0) {
                    mask[row / 8] |= 1 << (row % 8);
                }
                masked_bundle(Kind::I8, &mask, &random.bytes(rows), config.banks)
            }
        };
        Request::Group(Group {
            kind: Kind::I8,
            masked: wanted.is_some(),
            activations: &vec![5; columns],
            scales: None,
            bundles: vec![bundle.as_slice(); columns],
        })
        .encode(out);
    }
}

/// Legal streams that random ones rarely hold: the largest tile and the smallest after each other, the largest group,
/// resets of a tile that was not drained, after which there is no tile and no scale, drains of nothing, filling.
pub fn edges(random: &mut Random, config: &CoreConfig) -> Vec<u8> {
    let mut out = Vec::new();
    let top = config.batch.ilog2() as u8;
    let shape = |kind, columns, density| Shape {
        kind,
        columns,
        density,
        keep_scales: false,
    };
    let sparse = Some(0.04);
    for (rows, log2_batch, groups) in [
        (
            config.rows(),
            top,
            vec![
                shape(Kind::G4, 2, sparse),
                shape(Kind::I8, 2, Some(0.5)),
                shape(Kind::G4, 1, None),
            ],
        ),
        (
            ROW_GRANULE,
            0,
            vec![shape(Kind::I8, 64, Some(0.03)), shape(Kind::G4, 64, None)],
        ),
        (ROW_GRANULE, top, vec![shape(Kind::G4, 64, sparse); 3]),
        (config.rows(), 0, vec![shape(Kind::I8, 1, None)]),
    ] {
        Request::Tile { rows, log2_batch }.encode(&mut out);
        for shape in groups {
            group(random, &mut out, config, rows, log2_batch, shape);
        }
        one_bank_at_a_time(random, &mut out, config, rows, log2_batch);
        if log2_batch == 0 {
            meeting(random, &mut out, config, rows);
        }
        if random.chance(0.7) {
            Request::Drain { tag: 6 }.encode(&mut out);
        } else {
            Request::Reset.encode(&mut out);
            read_fresh(&mut out);
            match random.below(3) {
                0 => Request::Drain { tag: 7 }.encode(&mut out),
                1 => group(random, &mut out, config, rows, 0, shape(Kind::I8, 1, None)),
                _ => {
                    let rows = config.rows();
                    Request::Tile { rows, log2_batch }.encode(&mut out);
                    Request::Drain { tag: 8 }.encode(&mut out);
                }
            }
            Request::Reset.encode(&mut out);
            read_fresh(&mut out);
        }
    }
    out
}

/// A legal session with a few bytes changed, then filling and a reset that may or may not be seen.
pub fn corrupted(random: &mut Random, config: &CoreConfig) -> Vec<u8> {
    let mut out = session(random, config, 2);
    for _ in 0..1 + random.below(4) {
        let at = random.below(out.len());
        out[at] ^= 1 << random.below(8);
    }
    let filling = 8 * random.below(3000);
    out.extend(vec![0; filling]);
    Request::Reset.encode(&mut out);
    out.extend(session(random, config, 1));
    out
}
