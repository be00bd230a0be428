//! A session with a board: frames out within its credit, answers in without a hole, and again what was lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde::Serialize;
use weft_protocol::serial::{
    Deframer, FILL_GRANULE, FILLER, FromBoard, Identity, MAX_FILL, MAX_FRAME, MAX_UNITS, Received,
    ToBoard, UNIT, ask, tell,
};

use super::SerialError;
use super::port::Port;
use crate::device::stream::{Answers, Carrier};

/// Shortest wait for an answer before it is asked for again.
const RETRY: Duration = Duration::from_millis(250);
/// Most frames without an answer, half of what tags can tell apart.
const IN_FLIGHT: u8 = 100;

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

/// The host's end of a line.
pub(super) struct Line<P> {
    port: P,
    path: String,
    timeout: Duration,
    cancel: Arc<AtomicBool>,
    pub(super) stats: LineStats,
    /// What the board said when the session was opened.
    pub(super) identity: Identity,
    frames: Deframer<FromBoard>,
    session: u8,
    /// Tag of the last frame sent.
    tag: u8,
    /// Tag of the last frame answered.
    answered: u8,
    /// First tag since sending went back, and since answers were asked for again.
    back: u8,
    again: u8,
    // Positions since the session began, units, in order.
    taken: u64,
    received: u64,
    next: u64,
    end: u64,
    heard: u64,
    /// The next poll asks for answers again.
    resend: bool,
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
            port,
            path,
            timeout,
            cancel,
            stats: LineStats::default(),
            identity: Identity::default(),
            frames: Deframer::default(),
            session,
            tag: 0,
            answered: 0,
            back: 0,
            again: 0,
            taken: 0,
            received: 0,
            next: 0,
            end: 0,
            heard: 0,
            resend: false,
            strangers: 0,
        }
    }

    pub(super) fn port(&mut self) -> &mut P {
        &mut self.port
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
            (self.taken, self.received, self.next, self.end, self.heard) = (0, 0, 0, 0, 0);
            self.resend = false;
            self.strangers = 0;
            self.filler()?;
            while start.elapsed() < wait {
                self.frame(ask::HELLO | flags, 0, &[])?;
                let until = Instant::now() + RETRY.min(wait);
                while let Some(frame) = self.frame_until(until)? {
                    let header = frame.header;
                    if header.session != self.session || header.flags & tell::INFO == 0 {
                        continue;
                    }
                    let identity = Identity::from_bytes(&frame.payload).map_err(|source| {
                        SerialError::Identity {
                            path: self.path.clone(),
                            source,
                        }
                    })?;
                    if header.received != 0 {
                        // The session of somebody before us with the same number.
                        self.strangers = 1;
                        break;
                    }
                    self.identity = identity;
                    self.answered = self.tag;
                    (self.back, self.again) = (self.tag, self.tag);
                    self.stats.sessions += 1;
                    return Ok(Some(identity));
                }
                if std::mem::take(&mut self.strangers) > 0 {
                    break;
                }
                self.stats.timeouts += 1;
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
            while let Some(frame) = self.frame_until(until)? {
                let ours = frame.header.session == self.session;
                if ours && frame.header.flags & tell::INFO != 0 {
                    self.answered = frame.header.tag;
                    return Identity::from_bytes(&frame.payload).map_err(|source| {
                        SerialError::Identity {
                            path: self.path.clone(),
                            source,
                        }
                    });
                }
            }
            self.stats.timeouts += 1;
        }
        Err(self.silent(start.elapsed(), 0))
    }

    /// Feeds the core zeros until it has taken `units` of them.
    pub(super) fn fill(&mut self, units: usize) -> Result<(), SerialError> {
        let mut granules = units.div_ceil(FILL_GRANULE);
        while granules > 0 {
            let now = granules.min(MAX_FILL);
            self.end = self.received + (now * FILL_GRANULE) as u64;
            let mut progress = Progress::new(self.timeout);
            while self.taken < self.end {
                let (flags, units) = match self.received < self.end {
                    true => (ask::FILL, now as u8),
                    false => (0, 0),
                };
                self.next = self.received;
                self.frame(flags, units, &[])?;
                let before = self.taken;
                if self.listen(&mut progress, &mut |_| {})? && self.taken > before {
                    progress.moved();
                }
                self.check(&progress, 0)?;
            }
            granules -= now;
        }
        self.next = self.received;
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
        let start = self.end;
        self.next = start;
        self.end = start + (wire.len() / UNIT) as u64;
        let mut progress = Progress::new(self.timeout);
        loop {
            let (complete, refused, missing) = state();
            if refused || (complete && self.received == self.end) {
                return Ok(());
            }
            self.send_within_credit(wire, start)?;
            if self.in_flight() == 0 {
                self.poll()?;
            }
            let before = (self.received, self.taken, self.heard);
            self.listen(&mut progress, take)?;
            if (self.received, self.taken, self.heard) != before {
                progress.moved();
            }
            if self.resend {
                self.poll()?;
            }
            self.check(&progress, missing)?;
        }
    }

    /// Sends frames while the board has room for them.
    fn send_within_credit(&mut self, wire: &[u8], start: u64) -> Result<(), SerialError> {
        while self.next < self.end && self.in_flight() < IN_FLIGHT {
            let room = (self.taken + u64::from(self.identity.request_units))
                .saturating_sub(self.next)
                .min(self.end - self.next);
            let units = room.min(MAX_UNITS as u64);
            // A short frame now costs more than the rest of it a moment later.
            if units == 0 || (units < MAX_UNITS as u64 && units < self.end - self.next) {
                break;
            }
            let at = (self.next - start) as usize * UNIT;
            let payload = &wire[at..at + units as usize * UNIT];
            self.frame(0, units as u8, payload)?;
            self.next += units;
        }
        Ok(())
    }

    /// Frames sent and not answered.
    fn in_flight(&self) -> u8 {
        self.tag.wrapping_sub(self.answered)
    }

    /// A frame without payload: acknowledges answers and asks for what there is.
    fn poll(&mut self) -> Result<(), SerialError> {
        let flags = if self.resend { ask::RESEND } else { 0 };
        if self.resend {
            self.resend = false;
            self.stats.resends += 1;
            self.again = self.tag.wrapping_add(1);
        }
        self.frame(flags, 0, &[])
    }

    /// Waits for a frame and takes it in; goes back after a silence. True if one came.
    fn listen(
        &mut self,
        progress: &mut Progress,
        take: &mut dyn FnMut(u32),
    ) -> Result<bool, SerialError> {
        let Some(frame) = self.frame_until(Instant::now() + RETRY)? else {
            self.stats.timeouts += 1;
            self.filler()?;
            self.go_back();
            self.answered = self.tag;
            self.resend = true;
            return Ok(false);
        };
        let header = frame.header;
        if header.session != self.session {
            self.stats.stale += 1;
            // No session: the board forgot ours. Frames from before it was opened may say so too, but not for long.
            self.strangers += u32::from(header.session == 0);
            if self.strangers > 3 {
                return Err(SerialError::Restarted {
                    path: self.path.clone(),
                });
            }
            return Ok(true);
        }
        progress.alive();
        self.strangers = 0;
        self.account(&header);
        if header.flags & tell::INFO == 0 {
            self.hear(&frame, take);
        }
        Ok(true)
    }

    /// Tags, positions and complaints of a frame.
    fn account(&mut self, header: &FromBoard) {
        if header.tag.wrapping_sub(self.answered) <= self.in_flight() {
            self.answered = header.tag;
        }
        // Positions only grow; an older frame that comes late says less.
        let grown = |old: u64, new: u16| {
            let by = new.wrapping_sub(old as u16);
            if by < 0x8000 {
                old + u64::from(by)
            } else {
                old
            }
        };
        let received = grown(self.received, header.received);
        if received <= self.end {
            self.received = received;
            self.next = self.next.max(received);
        }
        let taken = grown(self.taken, header.taken);
        if taken <= self.received {
            self.taken = taken;
        }
        let complaint = tell::BAD | tell::GAP | tell::FULL;
        let since = header.tag.wrapping_sub(self.back) as i8;
        // A damaged frame has no tag: the one before it speaks.
        let new = since >= 0 || (header.flags & tell::BAD != 0 && since >= -1);
        if header.flags & complaint != 0 && new && self.received < self.next {
            self.go_back();
        }
    }

    fn go_back(&mut self) {
        if self.next > self.received {
            self.stats.retries += 1;
        }
        self.next = self.received;
        self.back = self.tag.wrapping_add(1);
    }

    /// Answers: the next ones are handed on, those before are known, those after show a hole.
    fn hear(&mut self, frame: &Received<FromBoard>, take: &mut dyn FnMut(u32)) {
        let ahead = frame.header.position.wrapping_sub(self.heard as u16) as i16;
        let units = frame.payload.len() / UNIT;
        if ahead == 0 {
            for word in frame.payload.chunks_exact(4) {
                take(u32::from_le_bytes([word[0], word[1], word[2], word[3]]));
            }
            self.heard += units as u64;
        } else if ahead > 0 {
            // Frames sent before the last request for a resend say nothing new.
            self.resend |= frame.header.tag.wrapping_sub(self.again) as i8 >= 0;
        } else if units > 0 {
            self.stats.duplicates += 1;
        }
    }

    fn check(&self, progress: &Progress, missing: usize) -> Result<(), SerialError> {
        if self.cancel.load(Ordering::Relaxed) {
            return Err(SerialError::Cancelled);
        }
        if let Some(waited) = progress.silent() {
            return Err(self.silent(waited, missing));
        }
        if let Some(waited) = progress.stuck() {
            return Err(SerialError::Stuck {
                path: self.path.clone(),
                waited,
                unsent: self.end - self.received,
                missing,
            });
        }
        Ok(())
    }

    fn silent(&self, waited: Duration, missing: usize) -> SerialError {
        SerialError::Silent {
            path: self.path.clone(),
            waited,
            unsent: self.end - self.received,
            missing,
        }
    }

    fn frame(&mut self, flags: u8, units: u8, payload: &[u8]) -> Result<(), SerialError> {
        self.tag = self.tag.wrapping_add(1);
        let header = ToBoard {
            flags,
            units,
            session: self.session,
            tag: self.tag,
            position: self.next as u16,
            answers: self.heard as u16,
        };
        let mut bytes = Vec::with_capacity(MAX_FRAME);
        header.encode(payload, &mut bytes);
        self.stats.frames_sent += 1;
        self.send(&bytes)
    }

    /// Ends whatever the board took for the beginning of a frame.
    fn filler(&mut self) -> Result<(), SerialError> {
        self.send(&[FILLER; MAX_FRAME])
    }

    fn send(&mut self, bytes: &[u8]) -> Result<(), SerialError> {
        self.stats.bytes_sent += bytes.len() as u64;
        self.port.send(bytes).map_err(|e| gone(&self.path, e))
    }

    /// The next undamaged frame, if one comes in time.
    fn frame_until(&mut self, until: Instant) -> Result<Option<Received<FromBoard>>, SerialError> {
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
            if self.cancel.load(Ordering::Relaxed) {
                return Err(SerialError::Cancelled);
            }
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
}

fn gone(path: &str, source: std::io::Error) -> SerialError {
    SerialError::Line {
        path: path.into(),
        source,
    }
}

/// How long ago anything was heard, and anything moved.
struct Progress {
    limit: Duration,
    heard: Instant,
    moved: Instant,
}

impl Progress {
    fn new(limit: Duration) -> Self {
        let now = Instant::now();
        Self {
            limit,
            heard: now,
            moved: now,
        }
    }

    fn alive(&mut self) {
        self.heard = Instant::now();
    }

    fn moved(&mut self) {
        self.moved = Instant::now();
    }

    fn silent(&self) -> Option<Duration> {
        Some(self.heard.elapsed()).filter(|&t| t > self.limit)
    }

    fn stuck(&self) -> Option<Duration> {
        Some(self.moved.elapsed()).filter(|&t| t > self.limit)
    }
}

impl<P: Port> Line<P> {
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
