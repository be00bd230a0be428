//! How long nothing has happened, and what was seen meanwhile.

use std::time::{Duration, Instant};

/// The driver's patience in one run.
pub(super) struct Idle {
    since: Instant,
    next_look: Instant,
    pub timeout: Duration,
    /// Looks at the ring in vain.
    pub looks: u32,
    /// Waits that no interrupt ended.
    pub silent: u32,
    halted: bool,
}

/// Time between two looks at the status register.
const LOOK: Duration = Duration::from_millis(100);

impl Idle {
    pub(super) fn new(timeout: Duration) -> Self {
        let now = Instant::now();
        Self {
            since: now,
            next_look: now + LOOK,
            timeout,
            looks: 0,
            silent: 0,
            halted: false,
        }
    }

    pub(super) fn reset(&mut self) {
        if self.looks > 0 || self.silent > 0 || self.halted {
            *self = Self::new(self.timeout);
        } else {
            self.since = Instant::now();
        }
    }

    /// Whether the last wait ended without an interrupt.
    pub(super) fn unanswered(&self) -> bool {
        self.silent > 0
    }

    pub(super) fn due_for_a_look(&mut self) -> bool {
        let now = Instant::now();
        let due = now >= self.next_look;
        if due {
            self.next_look = now + LOOK;
        }
        due
    }

    pub(super) fn over(&self) -> bool {
        self.since.elapsed() >= self.timeout
    }

    /// Notes that the card was seen halted; true if it was before.
    pub(super) fn halted_before(&mut self) -> bool {
        std::mem::replace(&mut self.halted, true)
    }
}
