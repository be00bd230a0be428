//! What the host's end of a line counted.

use serde::Serialize;

/// What the host's end of a line counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LineStats {
    /// Frames sent.
    pub frames_sent: u64,
    /// Undamaged frames received.
    pub frames_received: u64,
    /// Bytes sent.
    pub bytes_sent: u64,
    /// Bytes received.
    pub bytes_received: u64,
    /// Frames received damaged.
    pub damaged: u64,
    /// Frames of answers received twice.
    pub duplicates: u64,
    /// Times that sending went back to what the board had.
    pub retries: u64,
    /// Times that answers were asked for again.
    pub resends: u64,
    /// Waits in which no answer came.
    pub timeouts: u64,
    /// Frames of other sessions.
    pub stale: u64,
    /// Sessions opened.
    pub sessions: u64,
}

impl LineStats {
    /// Names and values, for tables.
    #[must_use]
    pub fn entries(&self) -> [(&'static str, u64); 11] {
        [
            ("frames sent", self.frames_sent),
            ("frames received", self.frames_received),
            ("bytes sent", self.bytes_sent),
            ("bytes received", self.bytes_received),
            ("damaged frames", self.damaged),
            ("duplicate frames", self.duplicates),
            ("retries", self.retries),
            ("resends", self.resends),
            ("time-outs", self.timeouts),
            ("stale frames", self.stale),
            ("sessions", self.sessions),
        ]
    }
}
