//! The host's side of a product: activations to 8-bit columns, columns to requests, sums to outputs.
//!
//! [`Activations`] quantises the inputs of a site, [`Plan`] lays the requests of its tiles out, and
//! [`Plan::finish`] turns the device's sums into outputs. Nothing here depends on how many tokens share a run:
//! each token has its own scale, so prefill in batches and decoding one by one give the same numbers.

mod activations;
mod plan;

pub use activations::{Activations, Outliers};
pub use plan::Plan;
