//! Named limits that keep hostile or mistaken input from exhausting time, stack or memory.
//!
//! Every limit is reported by name when it is hit, so that a legitimate design that outgrows one can be
//! recognised and the limit raised here, in one place.

/// Largest source text accepted, in bytes.
pub const MAX_SOURCE_BYTES: usize = 64 << 20;
/// Largest number of tokens of a text; the syntax tree takes about a hundred bytes for each.
pub const MAX_TOKENS: usize = 1 << 23;
/// Deepest nesting of statements, and greatest height of an expression.
pub const MAX_NESTING: usize = 1_000;
/// Deepest instance hierarchy.
pub const MAX_HIERARCHY: usize = 128;
/// Deepest nesting of calls of functions.
pub const MAX_CALLS: usize = 32;
/// Largest number of instances after flattening.
pub const MAX_INSTANCES: usize = 1 << 20;
/// Widest vector or expression, in bits.
pub const MAX_WIDTH: u32 = 1 << 16;
/// Largest total of bits over all memories, every word rounded up to 64 of them. Keeps the state block below the
/// 2 GiB that native code can address in it.
pub const MAX_MEMORY_BITS: u64 = 1 << 30;
/// Largest number of iterations of all loops of one process.
pub const MAX_LOOP_ITERATIONS: usize = 1 << 20;
/// Most work that elaborating, resolving or rebuilding a design may take, each for itself, in units of about a
/// nanosecond: what statements, nodes, constants and their folding cost is charged as it is done. This is what bounds
/// loops in loops, powers and quotients of wide constants, and instances of instances.
pub const MAX_WORK: u64 = 1 << 32;
/// Largest number of IR nodes of a design.
pub const MAX_NODES: usize = 1 << 21;
/// Largest number of bits held by a design's literals, nodes, operand lists, signals and names.
pub const MAX_TOTAL_NODE_BITS: u64 = 1 << 31;
/// Largest estimated number of instructions of one native function.
pub const MAX_CODE: u64 = 1 << 21;
/// Stack of the thread that runs the front end, in bytes; sized for [`MAX_NESTING`].
pub const FRONT_END_STACK: usize = 64 << 20;
