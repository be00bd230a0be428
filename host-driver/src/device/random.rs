//! Random products, for self-tests, cycle counts and benches: the same seed gives the same requests everywhere.

use weft_protocol::GROUP;
use weft_protocol::layout::Kind;
use weft_protocol::packet::{Group, Request, masked_bundle};

/// What a random product looks like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shape {
    /// Outputs, a multiple of 64.
    pub rows: usize,
    /// Inputs.
    pub cols: usize,
    /// Log2 of the tokens.
    pub log2_batch: u8,
    /// Share of the weights that survive, 0 to 1.
    pub density: f64,
    /// What a weight is.
    pub kind: Kind,
    /// Banks for which masked bundles are laid out.
    pub banks: usize,
}

/// A product with random weights, masks and activations.
#[derive(Clone, Debug)]
pub struct RandomProduct {
    shape: Shape,
    masked: bool,
    activations: Vec<i8>,
    scales: Vec<Vec<u8>>,
    bundles: Vec<Vec<u8>>,
}

/// SplitMix64 (Steele, Lea and Flood, 2014): small, and the same on every machine.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// A generator from a seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A random byte.
    pub fn byte(&mut self) -> u8 {
        self.bits() as u8
    }

    /// True with probability `p`.
    pub fn chance(&mut self, p: f64) -> bool {
        ((self.bits() >> 11) as f64) < p * (1u64 << 53) as f64
    }
}

impl RandomProduct {
    /// A product of this shape. Columns without a survivor stay in it, with an empty mask; bundles carry masks
    /// when that makes the expected product smaller than dense bundles.
    #[must_use]
    pub fn new(shape: Shape, seed: u64) -> Self {
        let mut random = Random::new(seed);
        let survivors = (shape.rows as f64 * shape.density) as usize;
        let masked =
            shape.kind.masked_bytes(shape.rows, survivors) < shape.kind.dense_bytes(shape.rows);
        let activations = (0..shape.cols << shape.log2_batch)
            .map(|_| (random.byte() as i8).max(-127))
            .collect();
        let groups = shape.cols.div_ceil(GROUP);
        let scale_bytes = shape.kind.scale_bytes(shape.rows);
        let scales = (0..groups)
            .map(|_| (0..scale_bytes).map(|_| random.byte()).collect())
            .collect();
        let bundles = (0..shape.cols)
            .map(|_| {
                let codes: Vec<u8> = (0..shape.rows).map(|_| random.byte()).collect();
                if masked {
                    let mut mask = vec![0; shape.rows / 8];
                    for r in 0..shape.rows {
                        mask[r / 8] |= u8::from(random.chance(shape.density)) << (r % 8);
                    }
                    masked_bundle(shape.kind, &mask, &codes, shape.banks)
                } else {
                    let mut dense = codes;
                    dense.truncate(shape.kind.dense_bytes(shape.rows));
                    dense
                }
            })
            .collect();
        Self {
            shape,
            masked,
            activations,
            scales,
            bundles,
        }
    }

    /// Whether its bundles carry masks.
    #[must_use]
    pub fn masked(&self) -> bool {
        self.masked
    }

    /// One tile: its header, its groups and a drain.
    #[must_use]
    pub fn requests(&self) -> Vec<Request<'_>> {
        let Shape {
            rows,
            log2_batch,
            kind,
            ..
        } = self.shape;
        let mut requests = vec![Request::Tile { rows, log2_batch }];
        let columns = self
            .activations
            .chunks(GROUP << log2_batch)
            .zip(self.bundles.chunks(GROUP));
        for ((activations, bundles), scales) in columns.zip(&self.scales) {
            requests.push(Request::Group(Group {
                kind,
                masked: self.masked,
                activations,
                scales: (kind == Kind::G4).then_some(scales.as_slice()),
                bundles: bundles.iter().map(Vec::as_slice).collect(),
            }));
        }
        requests.push(Request::Drain { tag: 0 });
        requests
    }
}
