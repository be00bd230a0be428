//! Shared by the tests of the core: random packet streams, and the core's Verilog under Verilator and under the
//! project's own simulator.
#![allow(dead_code, unreachable_pub)] // each test file uses its own part

pub mod bench;
pub mod checks;
pub mod line;
pub mod modules;
pub mod mutants;
pub mod netlist;
pub mod product;
pub mod restarts;
pub mod simulated;
pub mod stream;
pub mod timing;
