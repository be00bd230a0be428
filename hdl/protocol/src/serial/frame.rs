//! Frames as plain data: both directions, to bytes and back.

use super::{CRC_BYTES, FROM_BOARD_HEADER, MAX_UNITS, SYNC, TO_BOARD_HEADER, UNIT, ask, crc, tell};

/// Header of a frame from the host to the board.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ToBoard {
    /// [`super::ask`] bits.
    pub flags: u8,
    /// Units of payload, at most [`MAX_UNITS`]; of [`super::FILL_GRANULE`] zero units with [`super::ask::FILL`].
    pub units: u8,
    /// The session; 0 is none.
    pub session: u8,
    /// Comes back in the answer.
    pub tag: u8,
    /// Position of the payload in the session's requests, units.
    pub position: u16,
    /// Answers received without a hole, units.
    pub answers: u16,
}

/// Header of a frame from the board to the host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FromBoard {
    /// [`super::tell`] bits.
    pub flags: u8,
    /// Units of payload, at most [`MAX_UNITS`].
    pub units: u8,
    /// The open session; 0 is none.
    pub session: u8,
    /// Tag of the last undamaged frame.
    pub tag: u8,
    /// Position of the payload in the session's answers, units.
    pub position: u16,
    /// Requests received without a hole, units.
    pub received: u16,
    /// Requests passed on to the core, units.
    pub taken: u16,
}

/// Why bytes are not a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The check sum is wrong, or the length absurd.
    #[error("a frame of {bytes} bytes is damaged")]
    Damaged {
        /// Bytes that were given up.
        bytes: usize,
    },
}

impl ToBoard {
    /// Bytes of payload that follow the header on the line.
    #[must_use]
    pub const fn payload_bytes(&self) -> usize {
        if self.flags & ask::FILL != 0 {
            0
        } else {
            self.units as usize * UNIT
        }
    }

    /// Appends the whole frame to `out`. `payload` has [`Self::payload_bytes`] bytes.
    pub fn encode(&self, payload: &[u8], out: &mut Vec<u8>) {
        debug_assert_eq!(payload.len(), self.payload_bytes());
        let [p0, p1] = self.position.to_le_bytes();
        let [a0, a1] = self.answers.to_le_bytes();
        let fields = [
            self.flags,
            self.units,
            self.session,
            self.tag,
            p0,
            p1,
            a0,
            a1,
        ];
        seal(&fields, payload, out);
    }

    fn decode(b: &[u8]) -> Self {
        Self {
            flags: b[2],
            units: b[3],
            session: b[4],
            tag: b[5],
            position: u16::from_le_bytes([b[6], b[7]]),
            answers: u16::from_le_bytes([b[8], b[9]]),
        }
    }
}

impl FromBoard {
    /// Appends the whole frame to `out`. `payload` has `units` times [`UNIT`] bytes.
    pub fn encode(&self, payload: &[u8], out: &mut Vec<u8>) {
        debug_assert_eq!(payload.len(), usize::from(self.units) * UNIT);
        let [p0, p1] = self.position.to_le_bytes();
        let [r0, r1] = self.received.to_le_bytes();
        let [t0, t1] = self.taken.to_le_bytes();
        let fields = [
            self.flags,
            self.units,
            self.session,
            self.tag,
            p0,
            p1,
            r0,
            r1,
            t0,
            t1,
        ];
        seal(&fields, payload, out);
    }

    fn decode(b: &[u8]) -> Self {
        let u16_at = |i: usize| u16::from_le_bytes([b[i], b[i + 1]]);
        Self {
            flags: b[2],
            units: b[3],
            session: b[4],
            tag: b[5],
            position: u16_at(6),
            received: u16_at(8),
            taken: u16_at(10),
        }
    }
}

fn seal(fields: &[u8], payload: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&SYNC);
    let start = out.len();
    out.extend_from_slice(fields);
    out.extend_from_slice(payload);
    let sum = crc(&out[start..]);
    out.extend_from_slice(&sum.to_le_bytes());
}

/// A header with its payload, as a [`Deframer`] finds them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received<H> {
    /// The header.
    pub header: H,
    /// The payload.
    pub payload: Vec<u8>,
}

/// Direction of a frame, for the [`Deframer`].
pub trait Header: Copy {
    /// Bytes of the header, sync bytes included.
    const BYTES: usize;
    /// From that many bytes.
    fn decode(bytes: &[u8]) -> Self;
    /// Bytes of payload behind it, or `None` if no frame has such a header.
    fn payload(&self) -> Option<usize>;
}

impl Header for ToBoard {
    const BYTES: usize = TO_BOARD_HEADER;

    fn decode(bytes: &[u8]) -> Self {
        Self::decode(bytes)
    }

    fn payload(&self) -> Option<usize> {
        let fits = self.flags & tell::BOARD == 0
            && (self.flags & ask::FILL != 0 || usize::from(self.units) <= MAX_UNITS);
        fits.then(|| self.payload_bytes())
    }
}

impl Header for FromBoard {
    const BYTES: usize = FROM_BOARD_HEADER;

    fn decode(bytes: &[u8]) -> Self {
        Self::decode(bytes)
    }

    fn payload(&self) -> Option<usize> {
        let units = usize::from(self.units);
        (self.flags & tell::BOARD != 0 && units <= MAX_UNITS).then_some(units * UNIT)
    }
}

/// Finds frames in a stream of bytes, whatever lies between them.
///
/// It keeps the bytes of a frame that turned out damaged and looks for the next one inside them, so one damaged
/// frame never takes an undamaged one with it.
#[derive(Clone, Debug)]
pub struct Deframer<H> {
    bytes: Vec<u8>,
    skipped: u64,
    header: std::marker::PhantomData<H>,
}

impl<H> Default for Deframer<H> {
    fn default() -> Self {
        Self {
            bytes: Vec::new(),
            skipped: 0,
            header: std::marker::PhantomData,
        }
    }
}

impl<H: Header> Deframer<H> {
    /// Appends bytes from the line.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Forgets what came so far.
    pub fn clear(&mut self) {
        self.bytes.clear();
    }

    /// Bytes since the last call that belonged to no frame.
    pub fn take_skipped(&mut self) -> u64 {
        std::mem::take(&mut self.skipped)
    }

    /// The next frame; `None` until more bytes come.
    ///
    /// # Errors
    /// [`FrameError::Damaged`] for something that began like a frame and was none; the search goes on behind its
    /// first byte.
    pub fn next_frame(&mut self) -> Option<Result<Received<H>, FrameError>> {
        let start = find_sync(&self.bytes);
        self.drop_front(start);
        self.skipped += start as u64;
        if self.bytes.len() < H::BYTES {
            return None;
        }
        let header = H::decode(&self.bytes);
        let Some(payload) = header.payload() else {
            return Some(Err(self.damaged(H::BYTES)));
        };
        let end = H::BYTES + payload + CRC_BYTES;
        if self.bytes.len() < end {
            return None;
        }
        if crc(&self.bytes[SYNC.len()..end]) != 0 {
            return Some(Err(self.damaged(end)));
        }
        let payload = self.bytes[H::BYTES..end - CRC_BYTES].to_vec();
        self.drop_front(end);
        Some(Ok(Received { header, payload }))
    }

    fn damaged(&mut self, bytes: usize) -> FrameError {
        self.drop_front(1);
        self.skipped += 1;
        FrameError::Damaged { bytes }
    }

    fn drop_front(&mut self, n: usize) {
        self.bytes.drain(..n);
    }
}

/// Where a frame may begin; the end if nowhere. The last byte counts if the second sync byte may follow it.
fn find_sync(bytes: &[u8]) -> usize {
    let at = |i: usize| bytes[i] == SYNC[0] && bytes.get(i + 1).is_none_or(|&b| b == SYNC[1]);
    (0..bytes.len()).find(|&i| at(i)).unwrap_or(bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(tag: u8, payload: &[u8]) -> (FromBoard, Vec<u8>) {
        let header = FromBoard {
            flags: tell::BOARD,
            units: (payload.len() / UNIT) as u8,
            session: 7,
            tag,
            position: 0xabcd,
            received: 3,
            taken: 2,
        };
        let mut bytes = Vec::new();
        header.encode(payload, &mut bytes);
        (header, bytes)
    }

    #[test]
    fn frames_survive_noise_and_splitting() {
        let mut line = vec![0xff, 0xd7, 0xd7, 0x00];
        let mut sent = Vec::new();
        for tag in 0..20u8 {
            let payload: Vec<u8> = (0..usize::from(tag % 5) * UNIT)
                .map(|i| i as u8 ^ tag)
                .collect();
            let (header, bytes) = frame(tag, &payload);
            line.extend(bytes);
            line.extend(vec![0xd7; usize::from(tag % 3)]);
            sent.push(Received { header, payload });
        }
        for chunk in [1, 3, 17, line.len()] {
            let mut deframer = Deframer::<FromBoard>::default();
            let mut got = Vec::new();
            for bytes in line.chunks(chunk) {
                deframer.push(bytes);
                while let Some(frame) = deframer.next_frame() {
                    got.extend(frame.ok());
                }
            }
            assert_eq!(got, sent);
        }
    }

    #[test]
    fn every_flipped_bit_and_every_lost_byte_is_noticed_and_the_next_frame_found() {
        let (_, bytes) = frame(1, &[0x5a; 24]);
        let (next, tail) = frame(2, &[]);
        let check = |damaged: Vec<u8>| {
            let mut deframer = Deframer::<FromBoard>::default();
            deframer.push(&damaged);
            deframer.push(&tail);
            deframer.push(&[0xff; super::super::MAX_FRAME]);
            let mut good = Vec::new();
            while let Some(frame) = deframer.next_frame() {
                good.extend(frame.ok());
            }
            assert_eq!(good.len(), 1, "{damaged:x?}");
            assert_eq!(good[0].header, next);
        };
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            check(damaged);
        }
        for lost in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged.remove(lost);
            check(damaged);
        }
    }
}
