//! The link between a card and its root complex: how long packets take, and what rate of data that leaves.
//!
//! Gen2 x1 carries 5 GT/s in 8b/10b code: 500 MB/s, four bytes in each cycle of the card's 125 MHz. Of these
//!
//! | what | bytes | section of the base specification |
//! |---|---|---|
//! | framing, sequence number and LCRC of a packet | 1 + 2 + 4 + 1 = 8 | 4.2.2, 3.5.2 |
//! | header | 12 or 16 | 2.2.1 |
//! | acknowledgement of a packet of the other direction | 8 | 3.4 |
//! | its credits given back (not for completions, whose credits are infinite) | 8 | 2.6.1 |
//! | a skip ordered set every 1,180 symbols | 4 | 4.2.7 |
//!
//! are not data. Every packet is acknowledged and credited by itself here; real links may merge some of that.

/// Bytes around a packet.
pub const FRAMING: usize = 8;
/// Bytes of a data-link packet.
pub const DLLP: usize = 8;
/// Symbols between two skip ordered sets.
pub const SKIP_INTERVAL: u64 = 1180;
/// Symbols of a skip ordered set.
pub const SKIP: u64 = 4;
/// Bytes that Gen2 x1 carries in a cycle of 125 MHz.
pub const GEN2_X1: u64 = 4;

/// One direction of a link, in units of one byte's time.
#[derive(Clone, Debug)]
pub struct Lane {
    bytes_per_cycle: u64,
    busy_until: u64,
    next_skip: u64,
}

impl Lane {
    /// An idle direction that carries so many bytes a cycle.
    #[must_use]
    pub const fn new(bytes_per_cycle: u64) -> Self {
        Self {
            bytes_per_cycle,
            busy_until: 0,
            next_skip: SKIP_INTERVAL,
        }
    }

    /// Sends `bytes` from `cycle` on, behind what is being sent; the cycle in which the last one arrives.
    pub fn send(&mut self, cycle: u64, bytes: usize) -> u64 {
        self.busy_until = self.busy_until.max(cycle * self.bytes_per_cycle) + bytes as u64;
        while self.next_skip <= self.busy_until {
            self.busy_until += SKIP;
            self.next_skip += SKIP_INTERVAL + SKIP;
        }
        self.busy_until.div_ceil(self.bytes_per_cycle)
    }

    /// Whether a packet that is given in this cycle starts in it.
    #[must_use]
    pub const fn free(&self, cycle: u64) -> bool {
        self.busy_until < (cycle + 1) * self.bytes_per_cycle
    }
}

/// Data bytes a cycle that a direction can carry when `data` bytes come with `overhead` bytes.
fn rate(data: usize, overhead: usize) -> f64 {
    let skips = (SKIP_INTERVAL + SKIP) as f64 / SKIP_INTERVAL as f64;
    GEN2_X1 as f64 * data as f64 / ((data + overhead) as f64 * skips)
}

/// What Gen2 x1 allows for reads: data bytes a cycle of 125 MHz, requests of `request` bytes being answered in
/// completions of `payload` bytes. The answers' direction also carries, for each request, its acknowledgement and its
/// credits.
#[must_use]
pub fn read_ceiling(payload: usize, request: usize) -> f64 {
    let completions = request.div_ceil(payload);
    rate(request, completions * (FRAMING + 12) + 2 * DLLP)
}

/// What Gen2 x1 allows for writes of `payload` bytes each: data bytes a cycle of 125 MHz. `long` headers have four
/// doublewords, for addresses above 4 GiB.
#[must_use]
pub fn write_ceiling(payload: usize, long: bool) -> f64 {
    rate(payload, FRAMING + if long { 16 } else { 12 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lane_carries_its_rate_less_the_skips() {
        let mut lane = Lane::new(GEN2_X1);
        let mut cycle = 0;
        for _ in 0..10_000 {
            cycle = lane.send(0, 100);
        }
        let expected = 1_000_000.0 * (1180.0 + 4.0) / 1180.0 / 4.0;
        assert!((cycle as f64 / expected - 1.0).abs() < 1e-3, "{cycle}");
        assert_eq!(lane.send(cycle + 100, 8), cycle + 102);
    }

    #[test]
    fn ceilings_are_the_sums_of_the_table() {
        assert!(
            (read_ceiling(64, 512) - 4.0 * 512.0 / (512.0 + 160.0 + 16.0) / 1.00339).abs() < 1e-4
        );
        assert!((write_ceiling(512, true) - 4.0 * 512.0 / 536.0 / 1.00339).abs() < 1e-4);
    }
}
