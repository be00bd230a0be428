//! What goes wrong on purpose.

use std::ops::Range;

/// How the answer to one read goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Answered as an unsupported request.
    Unsupported,
    /// Answered with completer abort.
    Abort,
    /// Answered as a configuration request would be that is to be tried again; not allowed for memory.
    Retry,
    /// Answered with poisoned data.
    Poison,
    /// Never answered.
    Never,
    /// Answered so many cycles late.
    Late(u64),
    /// Answered twice.
    Duplicate,
    /// Answered with the data of the first part only, the byte count being that of all of them.
    ShortCount,
    /// Answered with a lower address that is 64 too high.
    LowerAddress,
    /// Answered with another requester's number; the right answer never comes.
    Misdirected,
}

/// One fault, for one read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Injection {
    /// Reads that begin at such an address count.
    pub addresses: Range<u64>,
    /// So many of them go right first.
    pub skip: usize,
    /// Then one goes wrong in this way.
    pub fault: Fault,
}

/// The faults that are still to happen.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    waiting: Vec<Injection>,
    /// Interrupts that are dropped before any is delivered.
    pub lost_interrupts: usize,
}

impl Faults {
    /// Adds one.
    pub fn inject(&mut self, injection: Injection) {
        self.waiting.push(injection);
    }

    /// Faults that have not happened.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// What happens to a read of `address`.
    pub(super) fn take(&mut self, address: u64) -> Option<Fault> {
        let at = self
            .waiting
            .iter()
            .position(|i| i.addresses.contains(&address))?;
        if self.waiting[at].skip > 0 {
            self.waiting[at].skip -= 1;
            return None;
        }
        Some(self.waiting.remove(at).fault)
    }
}
