//! Named limits that keep hostile or mistaken input from exhausting time, stack or memory.
//!
//! Every limit is reported by name when it is hit, so that a legitimate design that outgrows one can be
//! recognised and the limit raised here, in one place.

/// Largest source text accepted, in bytes.
pub const MAX_SOURCE_BYTES: usize = 256 << 20;
/// Deepest nesting of expressions and statements.
pub const MAX_NESTING: usize = 1_000;
/// Deepest instance hierarchy.
pub const MAX_HIERARCHY: usize = 128;
/// Largest number of instances after flattening.
pub const MAX_INSTANCES: usize = 1 << 20;
/// Widest vector or expression, in bits.
pub const MAX_WIDTH: u32 = 1 << 16;
/// Largest total of bits over all memories.
pub const MAX_MEMORY_BITS: u64 = 1 << 33;
/// Largest number of iterations of all loops of one process.
pub const MAX_LOOP_ITERATIONS: usize = 1 << 20;
/// Largest number of IR nodes of a design.
pub const MAX_NODES: usize = 1 << 24;
/// Largest number of bits over all constants that a design's text or folding creates.
pub const MAX_TOTAL_NODE_BITS: u64 = 1 << 32;
/// Stack of the thread that runs the front end, in bytes; sized for [`MAX_NESTING`].
pub const FRONT_END_STACK: usize = 64 << 20;
