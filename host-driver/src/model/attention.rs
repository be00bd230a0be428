//! Grouped-query attention over a cache of keys and values.

use super::{
    Matrix, ModelConfig,
    kernels::{self, BLOCK},
    rope::Rotations,
};
use rayon::prelude::*;

/// Multiplications below which threads cost more than they bring: waking one takes some 10 us.
const PARALLEL_FROM: usize = 2_000_000;

/// Keys and values of one key head of one layer: a run of positions, so that attention reads memory
/// in order and the cache grows with the text.
#[derive(Debug, Default, Clone)]
struct Head {
    /// Blocks of [`BLOCK`] positions, component by component: scores of a whole block are then
    /// sums of vectors, without a horizontal step.
    keys: Vec<f32>,
    /// A row a position.
    values: Vec<f32>,
}

impl Head {
    fn push(&mut self, position: usize, key: &[f32], value: &[f32]) {
        let lane = position % BLOCK;
        if lane == 0 {
            self.keys.resize(self.keys.len() + BLOCK * key.len(), 0.0);
        }
        let block = self.keys.len() - BLOCK * key.len();
        for (column, k) in self.keys[block..].chunks_exact_mut(BLOCK).zip(key) {
            column[lane] = *k;
        }
        self.values.extend_from_slice(value);
    }
}

/// Keys and values of all layers, in `f32`.
#[derive(Debug)]
pub(super) struct Cache {
    heads: Vec<Head>,
    kv_heads: usize,
    dim: usize,
}

impl Cache {
    pub(super) fn new(config: &ModelConfig) -> Self {
        Self {
            heads: vec![Head::default(); config.layers * config.kv_heads],
            kv_heads: config.kv_heads,
            dim: config.head_dim,
        }
    }

    /// Forgets the positions from `positions` on.
    pub(super) fn truncate(&mut self, positions: usize) {
        for h in &mut self.heads {
            h.keys
                .truncate(positions.next_multiple_of(BLOCK) * self.dim);
            h.values.truncate(positions * self.dim);
        }
    }
}

/// Rotates the queries and keys of `qkv` (tokens x fused outputs), appends keys and values to the
/// cache of `layer`, and writes each token's attention over all positions up to its own.
///
/// `first` is the position of the first token; the cache holds exactly the positions before it.
pub(super) fn attention(
    config: &ModelConfig,
    rotations: &Rotations,
    cache: &mut Cache,
    layer: usize,
    first: usize,
    qkv: &mut Matrix,
    out: &mut Matrix,
) {
    let dim = config.head_dim;
    let (q_width, kv_width) = (config.heads * dim, config.kv_heads * dim);
    let heads = &mut cache.heads[layer * cache.kv_heads..][..cache.kv_heads];
    for i in 0..qkv.rows() {
        let row = qkv.row_mut(i);
        let (rotated, values) = row.split_at_mut(q_width + kv_width);
        for head in rotated.chunks_exact_mut(dim) {
            rotations.rotate(i, head);
        }
        let keys = rotated[q_width..].chunks_exact(dim);
        for ((head, k), v) in heads.iter_mut().zip(keys).zip(values.chunks_exact(dim)) {
            head.push(first + i, k, v);
        }
    }
    let group = config.heads / config.kv_heads * dim;
    let work = qkv.rows() * q_width * (first + qkv.rows());
    let qkv = &*qkv;
    let one = |scores: &mut Vec<f32>, task: usize, out: &mut [f32]| {
        let (i, g) = (task / config.kv_heads, task % config.kv_heads);
        let seen = first + i + 1;
        let q = &qkv.row(i)[g * group..(g + 1) * group];
        let head = &heads[g];
        kernels::attend(q, &head.keys, &head.values, dim, seen, scores, out);
    };
    // A task is one token and one key head; its output is contiguous.
    let tasks = out.data_mut();
    if work < PARALLEL_FROM {
        let mut scores = Vec::new();
        for (task, out) in tasks.chunks_exact_mut(group).enumerate() {
            one(&mut scores, task, out);
        }
    } else {
        tasks
            .par_chunks_exact_mut(group)
            .enumerate()
            .for_each_init(Vec::new, |scores, (task, out)| one(scores, task, out));
    }
}
