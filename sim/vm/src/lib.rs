//! A throw-away Linux machine with a Weft card and an NVMe drive plugged in: a real kernel, its VFIO and its IOMMU, on
//! a host that has neither a card nor KVM nor root.
//!
//! [`Packages::ensure`] fetches QEMU, a kernel and busybox from Debian into a folder of its own and touches nothing
//! else of the machine; [`Guest`] packs an initial file system around one program and one script; [`Machine::run`]
//! boots it, passes on what the script prints, and ends with the script's exit code.
//!
//! The card is whoever listens on a vfio-user socket. QEMU shows it to the guest behind a PCIe root port of its own, so
//! that it has an IOMMU group of its own.

#![cfg(target_os = "linux")]

mod cpio;
mod error;
mod guest;
mod kernel;
mod machine;
mod packages;

pub use error::{Error, Result};
pub use guest::Guest;
pub use machine::{Machine, Outcome};
pub use packages::{Packages, Root};
