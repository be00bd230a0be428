//! How a root complex behaves.

use crate::link::GEN2_X1;
use std::ops::Range;

/// How a root complex behaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RootConfig {
    /// Maximum payload in bytes: 128, 256 or 512.
    pub max_payload: usize,
    /// Maximum read request in bytes: 128, 256, 512 or more.
    pub max_read: usize,
    /// Bus master enable.
    pub bus_master: bool,
    /// MSI-X enable.
    pub msix_enable: bool,
    /// MSI-X function mask.
    pub msix_mask: bool,
    /// Cycles from a read's last byte to its answer's first.
    pub latency: Range<u64>,
    /// Answers are cut at multiples of this, at most the maximum payload; a multiple of the read completion boundary,
    /// 64.
    pub completion: usize,
    /// Answers are also cut at random multiples of 64.
    pub split: bool,
    /// Answers of different reads come in any order and interleaved.
    pub reorder: bool,
    /// Once in so many cycles the card is offered no beat, and none is taken from it. 0 means never.
    pub hesitate: u64,
    /// Headers and data units of 16 bytes that the card may have under way: posted, non-posted. A packet is allowed
    /// while there is room for two of the maximum payload.
    pub credits: [(usize, usize); 2],
    /// Cycles from a packet's arrival to its credits' return.
    pub credit_delay: u64,
    /// Bytes that the link carries in a cycle, each way.
    pub link: u64,
    /// Seed of every random choice.
    pub seed: u64,
}

impl Default for RootConfig {
    /// A quick root complex on Gen2 x1 that does nothing unexpected.
    fn default() -> Self {
        Self {
            max_payload: 256,
            max_read: 512,
            bus_master: true,
            msix_enable: true,
            msix_mask: false,
            latency: 60..61,
            completion: 256,
            split: false,
            reorder: false,
            hesitate: 0,
            credits: [(32, 256), (16, 16)],
            credit_delay: 20,
            link: GEN2_X1,
            seed: 1,
        }
    }
}
