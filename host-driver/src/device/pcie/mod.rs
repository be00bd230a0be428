//! A card on PCI Express, or one that looks like it.
//!
//! [`PcieCard`] is the driver; how it reaches the card is a [`Transport`]: [`Vfio`] through the kernel, for a card in
//! a slot, or [`Socket`] over vfio-user, for a card that another process serves. Everything above that seam is the same
//! code, so what runs on a developer's machine without hardware is what drives the hardware.
//!
//! | file | what |
//! |---|---|
//! | `plan` | a run as small bytes, data, and answers to expect |
//! | `load` | data on their way: read or copied into the DMA-mapped ring, then described in slots |
//! | `answers` | buffers for results, and what came in them |
//! | `ring` | the three rings of [`weft_protocol::pcie::ring`] from the host's side |
//! | `card` | open, start, stop, reset; `identity` has what it accepts, `options` its sizes |
//! | `run` | one run, and when to try it again; `idle` has its time-outs |
//! | `transport`, `socket`, `vfio` | the ways to a card; `function` is a device through VFIO, `address` where to find it |

mod address;
mod answers;
mod card;
mod error;
mod function;
mod identity;
mod idle;
mod load;
mod options;
#[allow(unsafe_code)]
mod pin;
mod plan;
mod ring;
mod run;
mod socket;
mod source;
mod transport;
mod vfio;

pub use address::{Protection, examine, parse_address};
pub use card::PcieCard;
pub use error::CardError;
pub use options::{Completion, Options};
pub use socket::Socket;
pub use transport::{DmaBuffer, Transport};
pub use vfio::{Peer, Vfio};

use serde::Serialize;

/// What a register reads as when nothing answers.
const ALL_ONES: u32 = u32::MAX;

/// What went over the link since the card was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LinkStats {
    /// Bytes that the card fetched out of the ring.
    pub host_bytes: u64,
    /// Bytes that the card took out of its own window.
    pub window_bytes: u64,
    /// Bytes that lay in the command ring itself.
    pub inline_bytes: u64,
    /// Of the ring's bytes, those copied there by the processor.
    pub copied_bytes: u64,
    /// Bytes read from the model's file into the ring, or from a drive into the window, whole pages.
    pub read_bytes: u64,
    /// How they are read; nothing while no file is streamed.
    pub read_method: Option<crate::stream::Method>,
    /// Command slots.
    pub slots: u64,
    /// Answers.
    pub results: u64,
    /// Bytes of answers.
    pub result_bytes: u64,
    /// Waits that an interrupt ended.
    pub interrupts: u64,
    /// Records found after a wait that no interrupt ended: an interrupt was lost, or late.
    pub rescued: u64,
    /// Resets after a fault.
    pub resets: u64,
    /// Runs that were tried again.
    pub retries: u64,
}
