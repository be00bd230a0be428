//! vfio-user: PCI devices over a Unix socket. What the virtual card's server and the driver's client share.
//!
//! Reading order: [`wire`] (what the messages are), [`socket`] (how they travel, descriptors included), [`memory`]
//! (bytes that two sides see at once), [`client`] (the side that QEMU plays).
//!
//! Version 0.0 of the protocol as QEMU 10.1 and later speak it. Linux only: it stands on eventfd and memfd.

#![cfg(target_os = "linux")]

pub mod client;
mod event;
#[allow(unsafe_code)]
pub mod memory;
pub mod socket;
pub mod wire;

pub use client::{Client, ClientError};
pub use event::EventFd;
pub use memory::SharedMemory;
pub use socket::{Message, Receiver, SocketError};
