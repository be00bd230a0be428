//! The blocks of the core, one folder each.

pub mod activations;
pub mod bank;
pub mod counters;
pub mod drain;
pub mod fifo;
pub mod lane;
pub mod multiplier;
pub mod parser;
pub mod ram;
pub mod rounds;
pub mod scale_writer;
pub mod scanner;
pub mod wiring;
