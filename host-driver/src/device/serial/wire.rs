//! Whole frames over a port: what is damaged is counted and dropped.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use weft_protocol::serial::{Deframer, FILLER, FromBoard, MAX_FRAME, Received, ToBoard};

use super::port::Port;
use super::{LineStats, SerialError};

/// A port, and the frames that travel over it.
pub(super) struct Wire<P> {
    pub(super) port: P,
    /// The port's name, for errors.
    pub(super) path: String,
    pub(super) stats: LineStats,
    cancel: Arc<AtomicBool>,
    frames: Deframer<FromBoard>,
}

impl<P: Port> Wire<P> {
    pub(super) fn new(port: P, path: String, cancel: Arc<AtomicBool>) -> Self {
        Self {
            port,
            path,
            stats: LineStats::default(),
            cancel,
            frames: Deframer::default(),
        }
    }

    /// Sends a frame.
    pub(super) fn frame(&mut self, header: &ToBoard, payload: &[u8]) -> Result<(), SerialError> {
        let mut bytes = Vec::with_capacity(MAX_FRAME);
        header.encode(payload, &mut bytes);
        self.stats.frames_sent += 1;
        self.send(&bytes)
    }

    /// Ends whatever the board took for the beginning of a frame.
    pub(super) fn filler(&mut self) -> Result<(), SerialError> {
        self.send(&[FILLER; MAX_FRAME])
    }

    fn send(&mut self, bytes: &[u8]) -> Result<(), SerialError> {
        self.stats.bytes_sent += bytes.len() as u64;
        self.port.send(bytes).map_err(|e| gone(&self.path, e))
    }

    /// The next undamaged frame, if one comes before `until`.
    pub(super) fn receive(
        &mut self,
        until: Instant,
    ) -> Result<Option<Received<FromBoard>>, SerialError> {
        loop {
            while let Some(frame) = self.frames.next_frame() {
                match frame {
                    Ok(frame) => {
                        self.stats.frames_received += 1;
                        return Ok(Some(frame));
                    }
                    Err(_) => self.stats.damaged += 1,
                }
            }
            self.check_cancel()?;
            let wait = until.saturating_duration_since(Instant::now());
            if wait.is_zero() {
                return Ok(None);
            }
            let mut buffer = [0; 4096];
            let n = self
                .port
                .receive(&mut buffer, wait)
                .map_err(|e| gone(&self.path, e))?;
            self.stats.bytes_received += n as u64;
            self.frames.push(&buffer[..n]);
        }
    }

    pub(super) fn check_cancel(&self) -> Result<(), SerialError> {
        match self.cancel.load(Ordering::Relaxed) {
            true => Err(SerialError::Cancelled),
            false => Ok(()),
        }
    }
}

fn gone(path: &str, source: std::io::Error) -> SerialError {
    SerialError::Line {
        path: path.into(),
        source,
    }
}
