//! The core's own counters: registers that only grow, reported as what a run added to them.

use super::Counters;
use weft_protocol::registers::Register;

/// What is read behind every run.
pub(super) const COUNTERS: [Register; 6] = [
    Register::Cycles,
    Register::Beats,
    Register::Starved,
    Register::Stalled,
    Register::Rounds,
    Register::Hazards,
];

/// Their values at the last look.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counted([u32; COUNTERS.len()]);

impl Counted {
    /// The core was reset: all are zero.
    pub(super) fn restart(&mut self) {
        *self = Self::default();
    }

    /// What was added since the last look, now that they are `now`.
    pub(super) fn since(&mut self, now: &[u32]) -> Counters {
        let mut since = [0; COUNTERS.len()];
        for ((delta, last), now) in since.iter_mut().zip(&mut self.0).zip(now) {
            *delta = u64::from(now.wrapping_sub(*last));
            *last = *now;
        }
        let [cycles, beats, starved, stalled, rounds, hazards] = since;
        Counters {
            cycles,
            beats,
            starved,
            stalled,
            rounds,
            hazards,
        }
    }
}
