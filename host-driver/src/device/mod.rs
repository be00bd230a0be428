//! Devices that execute the packet stream, behind one trait.
//!
//! A [`Device`] takes the requests of [`weft_protocol::packet`] and answers with the sums of its drains; whether
//! it is this machine's own processor ([`Cpu`]), a simulated core or a card on a link makes no difference to the
//! results, which are the same to the bit. [`product`] turns a site's activations into requests, and
//! [`PackedModel`] is a whole packed model on one device or two.

mod counted;
mod cpu;
mod error;
#[cfg(target_os = "linux")]
pub mod nvme;
mod packed;
#[cfg(target_os = "linux")]
pub mod pcie;
pub mod product;
pub mod random;
pub mod serial;
mod several;
mod shares;
pub mod sim;
mod stats;
mod stream;

pub use cpu::Cpu;
pub use error::DeviceError;
pub use packed::{PackedModel, ProductError, Work};
pub use several::{Several, SeveralError};
pub use stats::{Counters, RunStats};

use weft_protocol::packet::Request;

/// What a core says about itself: the self-description registers, and a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoreInfo {
    /// The device, for people.
    pub name: String,
    /// Rows computed in parallel.
    pub banks: usize,
    /// Most tokens of one tile.
    pub batch: usize,
    /// Bytes that the core accepts in one cycle.
    pub stream_bytes: usize,
    /// Accumulators a bank.
    pub depth: usize,
}

impl CoreInfo {
    /// A device called `name` with a core of this shape.
    #[must_use]
    pub fn of(name: &str, core: &weft_hdl::CoreConfig) -> Self {
        Self {
            name: name.into(),
            banks: core.banks,
            batch: core.batch,
            stream_bytes: core.stream_bytes,
            depth: core.depth,
        }
    }

    /// Most rows of one tile.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.banks * self.depth
    }

    /// Fewest cycles in which such a core takes `stream_bytes` bytes and multiplies `nonzeros` codes.
    #[must_use]
    pub fn bound_cycles(&self, stream_bytes: u64, nonzeros: u64) -> u64 {
        let link = stream_bytes.div_ceil(self.stream_bytes as u64);
        link.max(nonzeros.div_ceil(self.banks as u64))
    }
}

/// Something that executes requests.
pub trait Device {
    /// Its parameters; constant over its life.
    fn info(&self) -> &CoreInfo;

    /// Executes tiles, groups and drains in order. `out` is cleared and receives the sums of every drain in turn,
    /// each `rows << log2_batch` values, row-major with the tokens inside. Accumulators are clear before and
    /// after. A device behind a link may have any number of requests under way inside one call.
    ///
    /// # Errors
    /// A request that the core would refuse, a register or reset request (they are the device's own business), or
    /// whatever the device itself meets. `out` is then unspecified and the device ready for another run, unless
    /// the error says otherwise.
    fn run(
        &mut self,
        requests: &[Request<'_>],
        out: &mut Vec<i32>,
    ) -> Result<RunStats, DeviceError>;

    /// What its link counted so far, by name; empty without a link.
    fn link_counters(&self) -> Vec<(&'static str, u64)> {
        Vec::new()
    }
}

impl<D: Device + ?Sized> Device for Box<D> {
    fn info(&self) -> &CoreInfo {
        (**self).info()
    }

    fn run(
        &mut self,
        requests: &[Request<'_>],
        out: &mut Vec<i32>,
    ) -> Result<RunStats, DeviceError> {
        (**self).run(requests, out)
    }

    fn link_counters(&self) -> Vec<(&'static str, u64)> {
        (**self).link_counters()
    }
}

impl<D: Device + ?Sized> Device for &mut D {
    fn info(&self) -> &CoreInfo {
        (**self).info()
    }

    fn run(
        &mut self,
        requests: &[Request<'_>],
        out: &mut Vec<i32>,
    ) -> Result<RunStats, DeviceError> {
        (**self).run(requests, out)
    }

    fn link_counters(&self) -> Vec<(&'static str, u64)> {
        (**self).link_counters()
    }
}
