//! The far end of a line in software: bytes to levels and back, a clock at a time.

use std::collections::VecDeque;

/// Drives a line with bytes, one level a clock.
#[derive(Clone, Debug)]
pub struct LineSender {
    clocks_per_bit: u32,
    queue: VecDeque<u8>,
    /// Bits still to be driven, the next one in bit 0, above them a one.
    bits: u16,
    clocks: u32,
}

impl LineSender {
    /// A sender at `clocks_per_bit`, idle.
    #[must_use]
    pub fn new(clocks_per_bit: u32) -> Self {
        Self {
            clocks_per_bit,
            queue: VecDeque::new(),
            bits: 1,
            clocks: 0,
        }
    }

    /// Queues bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.queue.extend(bytes);
    }

    /// Bytes not yet begun.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.queue.len()
    }

    /// Nothing is queued or under way.
    #[must_use]
    pub fn idle(&self) -> bool {
        self.queue.is_empty() && self.bits == 1
    }

    /// The level of the next clock; high when idle.
    pub fn level(&mut self) -> bool {
        if self.bits == 1 {
            let Some(byte) = self.queue.pop_front() else {
                return true;
            };
            self.bits = 0b110_0000_0000 | u16::from(byte) << 1;
            self.clocks = self.clocks_per_bit;
        }
        let level = self.bits & 1 == 1;
        self.clocks -= 1;
        if self.clocks == 0 {
            self.bits >>= 1;
            self.clocks = self.clocks_per_bit;
        }
        level
    }
}

/// Reads bytes off a line, one level a clock.
#[derive(Clone, Debug)]
pub struct LineReceiver {
    clocks_per_bit: u32,
    /// Clocks since the start bit began; `None` between bytes.
    since: Option<u32>,
    byte: u8,
    broken: u64,
}

impl LineReceiver {
    /// A receiver at `clocks_per_bit`.
    #[must_use]
    pub fn new(clocks_per_bit: u32) -> Self {
        Self {
            clocks_per_bit,
            since: None,
            byte: 0,
            broken: 0,
        }
    }

    /// Between two bytes.
    #[must_use]
    pub fn idle(&self) -> bool {
        self.since.is_none()
    }

    /// Bytes without a stop bit so far.
    #[must_use]
    pub fn broken(&self) -> u64 {
        self.broken
    }

    /// Takes the level of a clock; a byte when its stop bit is sampled.
    pub fn take(&mut self, level: bool) -> Option<u8> {
        let since = match self.since {
            None if level => return None,
            None => 0,
            Some(since) => since + 1,
        };
        self.since = Some(since);
        if since % self.clocks_per_bit != self.clocks_per_bit / 2 {
            return None;
        }
        match since / self.clocks_per_bit {
            0 if level => self.since = None, // a glitch
            0 => {}
            1..=8 => self.byte = self.byte >> 1 | u8::from(level) << 7,
            _ => {
                self.since = None;
                if level {
                    return Some(self.byte);
                }
                self.broken += 1;
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receiver_reads_what_a_sender_sends() {
        for clocks in [4, 5, 33] {
            let mut sender = LineSender::new(clocks);
            let mut receiver = LineReceiver::new(clocks);
            let bytes: Vec<u8> = (0..=255).collect();
            sender.push(&bytes);
            let mut got = Vec::new();
            while !sender.idle() {
                got.extend(receiver.take(sender.level()));
            }
            assert_eq!(got, bytes);
            assert_eq!(receiver.broken(), 0);
        }
    }
}
