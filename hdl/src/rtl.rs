//! The one place that names rust-hdl, so that nothing else depends on it.

pub use rust_hdl::prelude::*;

/// Widest row address inside a bank, in bits: 1,024 accumulators a lane.
pub const ADDRESS: usize = 10;
