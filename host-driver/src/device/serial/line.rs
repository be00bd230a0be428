//! A session with a board: frames out within its credit, answers in without a hole, and again what was lost.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use weft_protocol::serial::{
    FILL_GRANULE, FromBoard, Identity, MAX_FILL, MAX_UNITS, Received, ToBoard, UNIT, ask, tell,
};

use super::port::Port;
use super::progress::Progress;
use super::window::{Hearing, IN_FLIGHT, Window};
use super::wire::Wire;
use super::{LineStats, SerialError};
use crate::device::stream::{Answers, Carrier};

/// Shortest wait for an answer before it is asked for again.
const RETRY: Duration = Duration::from_millis(250);

/// The host's end of a line.
pub(super) struct Line<P> {
    wire: Wire<P>,
    window: Window,
    timeout: Duration,
    /// What the board said when the session was opened.
    pub(super) identity: Identity,
    session: u8,
    /// Frames that know no session, since the last one that knew ours.
    strangers: u32,
}

impl<P: Port> Line<P> {
    pub(super) fn new(
        port: P,
        path: String,
        timeout: Duration,
        cancel: Arc<AtomicBool>,
        session: u8,
    ) -> Self {
        Self {
            wire: Wire::new(port, path, cancel),
            window: Window::default(),
            timeout,
            identity: Identity::default(),
            session,
            strangers: 0,
        }
    }

    pub(super) fn port(&mut self) -> &mut P {
        &mut self.wire.port
    }

    pub(super) fn stats(&self) -> LineStats {
        self.wire.stats
    }

    /// Opens a new session; with `flags` [`ask::LOOP`] one that never meets the core. `None` when nobody answers
    /// within `wait`.
    pub(super) fn hello(
        &mut self,
        flags: u8,
        wait: Duration,
    ) -> Result<Option<Identity>, SerialError> {
        let start = Instant::now();
        loop {
            // Session 0 is none.
            self.session = self.session.checked_add(1).unwrap_or(1);
            self.window.restart();
            self.strangers = 0;
            self.wire.filler()?;
            while start.elapsed() < wait {
                self.frame(ask::HELLO | flags, 0, &[])?;
                let until = Instant::now() + RETRY.min(wait);
                while let Some(frame) = self.wire.receive(until)? {
                    let header = frame.header;
                    if header.session != self.session || header.flags & tell::INFO == 0 {
                        continue;
                    }
                    let identity = self.identity_of(&frame)?;
                    if header.received != 0 {
                        // The session of somebody before us with the same number.
                        self.strangers = 1;
                        break;
                    }
                    self.identity = identity;
                    self.window.restart();
                    self.wire.stats.sessions += 1;
                    return Ok(Some(identity));
                }
                if std::mem::take(&mut self.strangers) > 0 {
                    break;
                }
                self.wire.stats.timeouts += 1;
            }
            if start.elapsed() >= wait {
                return Ok(None);
            }
        }
    }

    /// Asks for the identity with its counters.
    pub(super) fn identify(&mut self) -> Result<Identity, SerialError> {
        let start = Instant::now();
        while start.elapsed() < self.timeout {
            self.frame(ask::INFO, 0, &[])?;
            let until = Instant::now() + RETRY;
            while let Some(frame) = self.wire.receive(until)? {
                let ours = frame.header.session == self.session;
                if ours && frame.header.flags & tell::INFO != 0 {
                    self.window.answered = frame.header.tag;
                    return self.identity_of(&frame);
                }
            }
            self.wire.stats.timeouts += 1;
        }
        Err(self.silent(start.elapsed(), 0))
    }

    /// Feeds the core zeros until it has taken `units` of them.
    pub(super) fn fill(&mut self, units: usize) -> Result<(), SerialError> {
        let mut granules = units.div_ceil(FILL_GRANULE);
        while granules > 0 {
            let now = granules.min(MAX_FILL);
            self.window.end = self.window.received + (now * FILL_GRANULE) as u64;
            let mut progress = Progress::new(self.timeout);
            while self.window.taken < self.window.end {
                let (flags, units) = match self.window.received < self.window.end {
                    true => (ask::FILL, now as u8),
                    false => (0, 0),
                };
                self.window.next = self.window.received;
                self.frame(flags, units, &[])?;
                let before = self.window.taken;
                if self.listen(&mut progress, &mut |_| {})? && self.window.taken > before {
                    progress.moved();
                }
                self.check(&progress, 0)?;
            }
            granules -= now;
        }
        self.window.next = self.window.received;
        Ok(())
    }

    /// Sends all of `wire`, and hands every word of the answers to `take`, once and in order, until `state` says that
    /// they are complete, or refused; it also says how many words are missing.
    fn carry(
        &mut self,
        wire: &[u8],
        take: &mut dyn FnMut(u32),
        state: &dyn Fn() -> (bool, bool, usize),
    ) -> Result<(), SerialError> {
        let start = self.window.end;
        self.window.next = start;
        self.window.end = start + (wire.len() / UNIT) as u64;
        let mut progress = Progress::new(self.timeout);
        loop {
            let (complete, refused, missing) = state();
            if refused || (complete && self.window.received == self.window.end) {
                return Ok(());
            }
            self.send_within_credit(wire, start)?;
            if self.window.in_flight() == 0 {
                self.poll()?;
            }
            let before = self.window.reached();
            self.listen(&mut progress, take)?;
            if self.window.reached() != before {
                progress.moved();
            }
            if self.window.resend {
                self.poll()?;
            }
            self.check(&progress, missing)?;
        }
    }

    /// Sends frames while the board has room for them.
    fn send_within_credit(&mut self, wire: &[u8], start: u64) -> Result<(), SerialError> {
        while self.window.in_flight() < IN_FLIGHT {
            let Window {
                taken, next, end, ..
            } = self.window;
            let room = (taken + u64::from(self.identity.request_units)).saturating_sub(next);
            let units = room.min(end - next).min(MAX_UNITS as u64);
            // A short frame now costs more than the rest of it a moment later.
            if units == 0 || (units < MAX_UNITS as u64 && units < end - next) {
                break;
            }
            let at = (next - start) as usize * UNIT;
            let payload = &wire[at..at + units as usize * UNIT];
            self.frame(0, units as u8, payload)?;
            self.window.next += units;
        }
        Ok(())
    }

    /// A frame without payload: acknowledges answers and asks for what there is.
    fn poll(&mut self) -> Result<(), SerialError> {
        let flags = if self.window.resend { ask::RESEND } else { 0 };
        if self.window.resend {
            self.wire.stats.resends += 1;
            self.window.ask_again();
        }
        self.frame(flags, 0, &[])
    }

    /// Waits for a frame and takes it in; goes back after a silence. True if one came.
    fn listen(
        &mut self,
        progress: &mut Progress,
        take: &mut dyn FnMut(u32),
    ) -> Result<bool, SerialError> {
        let Some(frame) = self.wire.receive(Instant::now() + RETRY)? else {
            self.wire.stats.timeouts += 1;
            self.wire.filler()?;
            self.go_back();
            self.window.answered = self.window.tag;
            self.window.resend = true;
            return Ok(false);
        };
        let header = frame.header;
        if header.session != self.session {
            self.wire.stats.stale += 1;
            // No session: the board forgot ours. Frames from before it was opened may say so too, but not for long.
            self.strangers += u32::from(header.session == 0);
            if self.strangers > 3 {
                return Err(SerialError::Restarted {
                    path: self.wire.path.clone(),
                });
            }
            return Ok(true);
        }
        progress.alive();
        self.strangers = 0;
        if self.window.account(&header) {
            self.go_back();
        }
        if header.flags & tell::INFO == 0 {
            let units = frame.payload.len() / UNIT;
            match self.window.hear(&header, units) {
                Hearing::Next => {
                    for word in frame.payload.chunks_exact(4) {
                        take(u32::from_le_bytes([word[0], word[1], word[2], word[3]]));
                    }
                }
                Hearing::Known => self.wire.stats.duplicates += u64::from(units > 0),
                Hearing::Hole => {}
            }
        }
        Ok(true)
    }

    fn go_back(&mut self) {
        self.wire.stats.retries += u64::from(self.window.go_back());
    }

    fn identity_of(&self, frame: &Received<FromBoard>) -> Result<Identity, SerialError> {
        Identity::from_bytes(&frame.payload).map_err(|source| SerialError::Identity {
            path: self.wire.path.clone(),
            source,
        })
    }

    fn check(&self, progress: &Progress, missing: usize) -> Result<(), SerialError> {
        self.wire.check_cancel()?;
        if let Some(waited) = progress.silent() {
            return Err(self.silent(waited, missing));
        }
        if let Some(waited) = progress.stuck() {
            return Err(SerialError::Stuck {
                path: self.wire.path.clone(),
                waited,
                unsent: self.window.end - self.window.received,
                missing,
            });
        }
        Ok(())
    }

    fn silent(&self, waited: Duration, missing: usize) -> SerialError {
        SerialError::Silent {
            path: self.wire.path.clone(),
            waited,
            unsent: self.window.end - self.window.received,
            missing,
        }
    }

    fn frame(&mut self, flags: u8, units: u8, payload: &[u8]) -> Result<(), SerialError> {
        let window = &mut self.window;
        window.tag = window.tag.wrapping_add(1);
        let header = ToBoard {
            flags,
            units,
            session: self.session,
            tag: window.tag,
            position: window.next as u16,
            answers: window.heard as u16,
        };
        self.wire.frame(&header, payload)
    }

    /// Sends `bytes`, whole units, through a loop-back session and returns what came back.
    pub(super) fn echo(&mut self, bytes: &[u8]) -> Result<Vec<u8>, SerialError> {
        let back = std::cell::RefCell::new(Vec::with_capacity(bytes.len()));
        let wanted = bytes.len();
        self.carry(
            bytes,
            &mut |word| back.borrow_mut().extend(word.to_le_bytes()),
            &|| {
                let missing = wanted.saturating_sub(back.borrow().len());
                (missing == 0, false, missing / 4)
            },
        )?;
        Ok(back.into_inner())
    }
}

impl<P: Port> Carrier for Line<P> {
    type Error = SerialError;

    fn exchange(&mut self, wire: &[u8], answers: &mut Answers) -> Result<(), SerialError> {
        let answers = std::cell::RefCell::new(answers);
        self.carry(wire, &mut |word| answers.borrow_mut().push(word), &|| {
            let answers = answers.borrow();
            (answers.complete(), answers.refused(), answers.missing())
        })
    }

    fn recover(&mut self) -> Result<(), SerialError> {
        let wait = self.timeout;
        if self.hello(0, wait)?.is_none() {
            return Err(self.silent(wait, 0));
        }
        let id = self.identity;
        self.fill(weft_protocol::serial::fill_units(
            id.banks.into(),
            id.batch.into(),
            id.depth.into(),
        ))
    }

    fn unasked(op: u8) -> SerialError {
        SerialError::Answer { op }
    }
}
