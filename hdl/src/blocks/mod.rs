//! The blocks of the core, one folder each.

pub mod activations;
pub mod bank;
pub mod code_words;
pub mod counters;
pub mod drain;
pub mod fifo;
pub mod holder;
pub mod intake;
pub mod lane;
pub mod memory;
pub mod multiplier;
pub mod parser;
pub mod quad;
pub mod queue;
pub mod ram;
pub mod ranks;
pub mod relay;
pub mod rounds;
pub mod scale_writer;
pub mod scanner;
pub mod wiring;
