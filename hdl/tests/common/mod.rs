//! Shared by the tests of the core: random packet streams, and the core's Verilog compiled by Verilator.
#![allow(dead_code, unreachable_pub)] // each test file uses its own part

pub mod bench;
pub mod stream;
