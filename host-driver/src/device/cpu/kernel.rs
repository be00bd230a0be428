//! What a kernel does: 128 rows of a group to 8-bit weights, then those times the activations of a token.

use weft_protocol::MAX_COLUMNS;
use weft_protocol::layout::Kind;

/// Rows expanded together; the last block of a tile may have 64.
pub(super) const BLOCK: usize = 128;
/// Bundles multiplied together by one step of a kernel.
pub(super) const QUAD: usize = 4;
/// Quads of the longest group.
pub(super) const QUADS: usize = MAX_COLUMNS / QUAD;

/// Sums of one block for one token, in the kernel's order of lanes.
pub(super) type Acc = [i32; BLOCK];

/// Implementations for different instruction sets. A value of the type proves that its instructions exist.
pub(super) trait Kernel: Copy {
    /// Expanded weights of a block.
    type Scratch: Default;

    /// What the expansion adds to every weight, so that the sums have this many times the sum of the activations
    /// too much.
    const BIAS: i32;

    /// Expands rows `first..first + rows` (64 or 128) of dense `g4` bundles. `scales` is the whole group's.
    fn expand_g4(
        self,
        scales: &[u8],
        bundles: &[&[u8]],
        first: usize,
        rows: usize,
        scratch: &mut Self::Scratch,
    );

    /// Expands rows `first..first + rows` (64 or 128) of dense `i8` bundles.
    fn expand_i8(self, bundles: &[&[u8]], first: usize, rows: usize, scratch: &mut Self::Scratch);

    /// Adds the expanded weights times `x` to `acc`; `x` has four activations a word, the first in its low byte.
    fn multiply(self, scratch: &Self::Scratch, x: &[u32], acc: &mut Acc);

    /// Asks the memory for `bytes`, which will be wanted soon.
    fn fetch(self, _bytes: &[u8]) {}

    /// The row within the block whose sum is in `lane`, after expanding bundles of `kind`.
    fn row_of(kind: Kind, lane: usize) -> usize;
}
