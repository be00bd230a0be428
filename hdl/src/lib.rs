//! The accelerator core, described in Rust with rust-hdl, and its bit-exact software twin.
//!
//! Start at [`core`]: [`core::CoreConfig`] names a core, [`core::generate_verilog`] writes it,
//! [`core::twin::Twin`] computes what it answers. `src/core/README.md` is the datasheet. [`link`] carries the
//! stream over a serial line, and [`board`] is the one top level of every board.

pub mod blocks;
pub mod board;
pub mod core;
pub mod link;
pub mod pcie;
pub mod primitives;
pub mod rtl;

pub use crate::core::twin::Twin;
pub use crate::core::{CoreConfig, Error, generate_verilog, generate_verilog_for};
pub use crate::pcie::artix7::generate_artix7;
pub use crate::pcie::{CardConfig, generate_card};
pub use crate::primitives::Family;
