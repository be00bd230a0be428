//! A line that damages, drops, repeats and delays frames.

use serde::Serialize;
use weft_protocol::serial::{Deframer, FILLER, FromBoard, Header, Received, ToBoard};

/// Shares of the frames, 0 to 1 each.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct FaultRates {
    /// A few bits are flipped.
    pub damage: f64,
    /// The frame vanishes.
    pub drop: f64,
    /// The frame comes twice.
    pub duplicate: f64,
    /// The frame comes after one to three of its successors.
    pub delay: f64,
}

impl FaultRates {
    /// Nothing is done to any frame.
    #[must_use]
    pub fn none(&self) -> bool {
        self.damage + self.drop + self.duplicate + self.delay == 0.0
    }
}

/// What was done to how many frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FaultCounts {
    /// Frames seen.
    pub frames: u64,
    /// Of them damaged.
    pub damaged: u64,
    /// Dropped.
    pub dropped: u64,
    /// Sent twice.
    pub duplicated: u64,
    /// Delayed.
    pub delayed: u64,
}

/// Both directions of a line with faults.
pub struct Faults {
    to_board: Direction<ToBoard>,
    from_board: Direction<FromBoard>,
}

impl Faults {
    /// Faults at these rates; the same seed does the same to the same frames.
    #[must_use]
    pub fn new(rates: FaultRates, seed: u64) -> Self {
        Self {
            to_board: Direction::new(rates, seed),
            from_board: Direction::new(rates, !seed),
        }
    }

    /// Bytes from the host, as they reach the board.
    pub fn to_board(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        self.to_board.pass(bytes, out, ToBoard::encode);
    }

    /// Bytes from the board, as they reach the host.
    pub fn from_board(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        self.from_board.pass(bytes, out, FromBoard::encode);
    }

    /// What was done to frames to the board, and to frames from it.
    #[must_use]
    pub fn counts(&self) -> [FaultCounts; 2] {
        [self.to_board.counts, self.from_board.counts]
    }
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.bits() % n as u64) as usize
    }

    fn chance(&mut self, p: f64) -> bool {
        ((self.bits() >> 11) as f64) < p * (1u64 << 53) as f64
    }
}

struct Direction<H> {
    rates: FaultRates,
    random: Random,
    frames: Deframer<H>,
    /// Delayed frames, each with the number of frames that pass before it.
    held: Vec<(u64, Vec<u8>)>,
    counts: FaultCounts,
}

impl<H: Header> Direction<H> {
    fn new(rates: FaultRates, seed: u64) -> Self {
        Self {
            rates,
            random: Random(seed),
            frames: Deframer::default(),
            held: Vec::new(),
            counts: FaultCounts::default(),
        }
    }

    fn pass(&mut self, bytes: &[u8], out: &mut Vec<u8>, encode: fn(&H, &[u8], &mut Vec<u8>)) {
        if self.rates.none() {
            out.extend_from_slice(bytes);
            return;
        }
        self.frames.push(bytes);
        loop {
            let frame = self.frames.next_frame();
            // What lies between frames is filling, or was damaged before it came here.
            let between = self.frames.take_skipped() as usize;
            out.resize(out.len() + between, FILLER);
            match frame {
                None => return,
                Some(Err(_)) => {}
                Some(Ok(frame)) => self.frame(&frame, out, encode),
            }
        }
    }

    fn frame(
        &mut self,
        frame: &Received<H>,
        out: &mut Vec<u8>,
        encode: fn(&H, &[u8], &mut Vec<u8>),
    ) {
        let mut bytes = Vec::new();
        encode(&frame.header, &frame.payload, &mut bytes);
        self.counts.frames += 1;
        // Those whose time has come follow this frame.
        let mut due = Vec::new();
        self.held.retain_mut(|(left, frame)| {
            *left -= 1;
            if *left == 0 {
                due.append(frame);
            }
            *left > 0
        });
        if self.random.chance(self.rates.damage) {
            self.counts.damaged += 1;
            for _ in 0..=self.random.below(4) {
                let at = self.random.below(bytes.len());
                bytes[at] ^= 1 << self.random.below(8);
            }
        }
        if self.random.chance(self.rates.drop) {
            self.counts.dropped += 1;
        } else if self.random.chance(self.rates.delay) {
            self.counts.delayed += 1;
            self.held.push((1 + self.random.below(3) as u64, bytes));
        } else if self.random.chance(self.rates.duplicate) {
            self.counts.duplicated += 1;
            out.extend_from_slice(&bytes);
            out.extend_from_slice(&bytes);
        } else {
            out.extend_from_slice(&bytes);
        }
        out.append(&mut due);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_does_what_it_counts() {
        let rates = FaultRates {
            damage: 0.1,
            drop: 0.1,
            duplicate: 0.1,
            delay: 0.1,
        };
        let mut faults = Faults::new(rates, 3);
        let mut line = Vec::new();
        for tag in 0..1000u16 {
            let mut bytes = Vec::new();
            let header = ToBoard {
                position: tag,
                ..ToBoard::default()
            };
            header.encode(&[], &mut bytes);
            faults.to_board(&bytes, &mut line);
        }
        let mut deframer = Deframer::<ToBoard>::default();
        deframer.push(&line);
        let mut good = 0;
        while let Some(frame) = deframer.next_frame() {
            good += u64::from(frame.is_ok());
        }
        let [counts, back] = faults.counts();
        assert_eq!(counts.frames, 1000);
        assert_eq!(back, FaultCounts::default());
        for n in [
            counts.damaged,
            counts.dropped,
            counts.duplicated,
            counts.delayed,
        ] {
            assert!((50..200).contains(&n), "{counts:?}");
        }
        let whole = 1000 - counts.damaged - counts.dropped + counts.duplicated;
        // Frames may meet two faults, and a flipped bit may be flipped back.
        assert!(good.abs_diff(whole) < 60, "{good} of {whole}");
    }

    #[test]
    fn a_faultless_line_passes_every_byte() {
        let mut faults = Faults::new(FaultRates::default(), 0);
        let mut out = Vec::new();
        faults.from_board(&[1, 2, 3], &mut out);
        assert_eq!(out, [1, 2, 3]);
    }
}
