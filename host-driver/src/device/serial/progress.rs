//! How long a session waits before it gives up.

use std::time::{Duration, Instant};

/// How long ago anything was heard, and anything moved.
pub(super) struct Progress {
    limit: Duration,
    heard: Instant,
    moved: Instant,
}

impl Progress {
    pub(super) fn new(limit: Duration) -> Self {
        let now = Instant::now();
        Self {
            limit,
            heard: now,
            moved: now,
        }
    }

    pub(super) fn alive(&mut self) {
        self.heard = Instant::now();
    }

    pub(super) fn moved(&mut self) {
        self.moved = Instant::now();
    }

    pub(super) fn silent(&self) -> Option<Duration> {
        Some(self.heard.elapsed()).filter(|&t| t > self.limit)
    }

    pub(super) fn stuck(&self) -> Option<Duration> {
        Some(self.moved.elapsed()).filter(|&t| t > self.limit)
    }
}
