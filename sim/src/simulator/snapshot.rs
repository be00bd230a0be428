//! Saving and restoring everything that a simulator holds.

use super::Simulator;
use crate::error::{Error, Result};
use crate::jit::native::State;

/// The state of a simulator at one moment: registers, memories, inputs, outputs and the cycle count. It fits every
/// simulator of the same design compiled with the same options.
#[derive(Debug, Clone)]
pub struct Snapshot {
    fingerprint: u64,
    cycles: u64,
    state: State,
}

impl Snapshot {
    /// Cycles that had passed when it was taken.
    pub fn cycles(&self) -> u64 {
        self.cycles
    }
}

impl Simulator {
    /// Takes a snapshot.
    pub fn save(&self) -> Snapshot {
        Snapshot {
            fingerprint: self.program.fingerprint(),
            cycles: self.cycles,
            state: self.state.clone(),
        }
    }

    /// Goes back, or forth, to a snapshot. Fails where it is one of another design or of other options, and changes
    /// nothing then.
    pub fn restore(&mut self, snapshot: &Snapshot) -> Result<()> {
        if snapshot.fingerprint != self.program.fingerprint() {
            return Err(Error::Access {
                name: "snapshot".into(),
                message: "it was taken of another design or of one compiled with other probes; compile the same \
                          source with the same options"
                    .into(),
            });
        }
        self.state.clone_from(&snapshot.state);
        self.cycles = snapshot.cycles;
        self.state_replaced();
        Ok(())
    }
}
