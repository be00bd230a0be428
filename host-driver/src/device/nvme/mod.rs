//! An NVMe drive driven from user space, so that it delivers into another device's memory.
//!
//! A drive writes what it reads wherever a command points to. The kernel's driver points into system memory; this one
//! points at a card's window, so that weights cross the bus once and the host's memory never. It does one thing:
//! reads, of the first namespace, one queue, no interrupts.
//!
//! Experimental: it has run against QEMU's drive only.

mod controller;
mod drive;
mod error;
mod queue;
#[cfg(test)]
mod tests;
mod wire;

pub use drive::Drive;
pub use error::NvmeError;
