//! One thread's share of a run.

use super::kernel::{Acc, BLOCK, Kernel, QUAD};
use super::masked;
use super::work::{Item, Sums};
use weft_protocol::layout::Kind;

/// Buffers of one thread, kept between runs, and the results of the last one.
#[derive(Debug, Default)]
pub(super) struct Piece {
    /// Which sums, and where they begin in `words`.
    spans: Vec<(usize, usize)>,
    words: Vec<i32>,
    /// Sums under way: blocks of rows, tokens inside.
    acc: Vec<Acc>,
    /// Sum of the activations of each token since `acc` was cleared.
    total: Vec<i32>,
    /// Activations of a group, four columns a word, token after token.
    x: Vec<u32>,
    /// Columns of a masked group, expanded.
    columns: Vec<u8>,
    survivors: masked::Survivors,
}

/// The kind whose order of lanes the sums of an item have.
fn order(item: &Item<'_>) -> Kind {
    if item.masked { Kind::I8 } else { item.kind }
}

impl Piece {
    /// Computes the sums of `items`.
    pub(super) fn run<K: Kernel>(
        &mut self,
        kernel: K,
        items: &[Item<'_>],
        sums: &[Sums],
        banks: usize,
    ) {
        let mut scratch = K::Scratch::default();
        self.spans.clear();
        self.words.clear();
        let mut at = 0;
        for same in items.chunk_by(|a, b| a.sums == b.sums) {
            let shape = &sums[same[0].sums];
            self.spans.push((same[0].sums, self.words.len()));
            self.words.resize(self.words.len() + shape.words(), 0);
            for like in same.chunk_by(|a, b| order(a) == order(b)) {
                let tokens = 1 << shape.log2_batch;
                self.acc.clear();
                self.acc
                    .resize(shape.rows.div_ceil(BLOCK) * tokens, [0; BLOCK]);
                self.total.clear();
                self.total.resize(tokens, 0);
                for item in like {
                    at += 1;
                    let next = items.get(at).filter(|n| !n.masked).copied();
                    self.group(kernel, item, next, shape, banks, &mut scratch);
                }
                self.settle::<K>(order(&like[0]), shape.rows, tokens);
            }
        }
    }

    /// Adds one group to the sums under way, and fetches the `next`.
    fn group<K: Kernel>(
        &mut self,
        kernel: K,
        item: &Item<'_>,
        next: Option<Item<'_>>,
        shape: &Sums,
        banks: usize,
        scratch: &mut K::Scratch,
    ) {
        let (rows, tokens) = (shape.rows, 1 << shape.log2_batch);
        let quads = item.bundles.len().div_ceil(QUAD);
        self.pack_activations(item, tokens, quads);
        let mut columns = std::mem::take(&mut self.columns);
        let expanded: Vec<&[u8]>;
        let bundles = if item.masked {
            columns.resize(rows * item.bundles.len(), 0);
            for (column, bundle) in columns.chunks_exact_mut(rows).zip(item.bundles) {
                masked::expand(
                    item.kind,
                    item.scales,
                    bundle,
                    banks,
                    &mut self.survivors,
                    column,
                );
            }
            expanded = columns
                .chunks_exact(rows)
                .take(item.bundles.len())
                .collect();
            &expanded[..]
        } else {
            item.bundles
        };
        let blocks = rows.div_ceil(BLOCK);
        for (block, acc) in self.acc.chunks_exact_mut(tokens).enumerate() {
            let first = block * BLOCK;
            let n = BLOCK.min(rows - first);
            if let Some(next) = &next {
                // A share of it beside each block, in the order in which it lies in memory.
                let share = |n: usize| block * n / blocks..(block + 1) * n / blocks;
                kernel.fetch(&next.scales[share(next.scales.len())]);
                let bundles = &next.bundles[share(next.bundles.len())];
                bundles.iter().for_each(|b| kernel.fetch(b));
            }
            match order(item) {
                Kind::G4 => kernel.expand_g4(item.scales, bundles, first, n, scratch),
                Kind::I8 => kernel.expand_i8(bundles, first, n, scratch),
            }
            for (acc, x) in acc.iter_mut().zip(self.x.chunks_exact(quads)) {
                kernel.multiply(scratch, x, acc);
            }
        }
        self.columns = columns;
    }

    fn pack_activations(&mut self, item: &Item<'_>, tokens: usize, quads: usize) {
        self.x.clear();
        self.x.resize(quads * tokens, 0);
        for (c, of_column) in item.activations.chunks_exact(tokens).enumerate() {
            for (t, &x) in of_column.iter().enumerate() {
                self.x[t * quads + c / QUAD] |= u32::from(x as u8) << (8 * (c % QUAD));
                self.total[t] = self.total[t].wrapping_add(i32::from(x));
            }
        }
    }

    /// Moves the sums under way to the last span of the results, in row order.
    fn settle<K: Kernel>(&mut self, kind: Kind, rows: usize, tokens: usize) {
        let start = self.spans.last().map_or(0, |s| s.1);
        let lanes: [u8; BLOCK] = {
            let mut lanes = [0; BLOCK];
            (0..BLOCK).for_each(|lane| lanes[K::row_of(kind, lane)] = lane as u8);
            lanes
        };
        let excess: Vec<i32> = self.total.iter().map(|t| t.wrapping_mul(K::BIAS)).collect();
        let blocks = self.acc.chunks_exact(tokens);
        let out = &mut self.words[start..start + rows * tokens];
        for (acc, out) in blocks.zip(out.chunks_mut(BLOCK * tokens)) {
            for (row, &lane) in out.chunks_exact_mut(tokens).zip(&lanes) {
                for ((v, acc), excess) in row.iter_mut().zip(acc).zip(&excess) {
                    *v = v.wrapping_add(acc[usize::from(lane)].wrapping_sub(*excess));
                }
            }
        }
    }

    /// Adds the results of the last run to `out`, the words of the whole run.
    pub(super) fn add_to(&self, out: &mut [i32], sums: &[Sums]) {
        for &(which, start) in &self.spans {
            let shape = &sums[which];
            let words = &self.words[start..start + shape.words()];
            for (o, w) in out[shape.first..].iter_mut().zip(words) {
                *o = o.wrapping_add(*w);
            }
        }
    }
}
