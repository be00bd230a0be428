//! What can go wrong on a device.

use weft_protocol::packet::ErrorCode;

/// Why a device did not execute a run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeviceError {
    /// A request that the core refuses.
    #[error(
        "{device} refused request {index} of a run: {code:?}; the packed model may be damaged, check it with `weft info --verify`"
    )]
    Refused {
        /// The device.
        device: String,
        /// Position of the request in the run.
        index: usize,
        /// The core's reason.
        code: ErrorCode,
    },
    /// A run may hold only tiles, groups and drains.
    #[error(
        "request {index} of a run is a register or reset request, which only the device itself may send"
    )]
    NotAProduct {
        /// Position of the request in the run.
        index: usize,
    },
    /// A group keeps the scales of a group that was never sent.
    #[error("request {index} of a run keeps scale words, and no earlier group of its tile had any")]
    NoScales {
        /// Position of the request in the run.
        index: usize,
    },
    /// Groups were sent and their sums never asked for.
    #[error("a run ends or opens a tile at request {index} with sums that were never drained")]
    Undrained {
        /// Position of the request in the run, or its length.
        index: usize,
    },
    /// The link or the simulation behind the device failed.
    #[error("{device} failed: {source}")]
    Link {
        /// The device.
        device: String,
        /// What happened.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}
