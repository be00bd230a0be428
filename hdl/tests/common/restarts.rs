//! The reset pin in the middle of things.

use super::bench::Gaps;
use super::simulated::Simulated;
use super::stream::{Random, hostile, read_fresh, session};
use weft_hdl::{CoreConfig, Twin};

/// A stream that is cut off by the reset pin, and what must come of the one behind it.
pub struct Restart {
    pub before: Vec<u8>,
    pub cycles: u64,
    pub after: Vec<u8>,
    pub gaps: Gaps,
    pub expected: Vec<u32>,
}

impl Restart {
    /// What the core answers to the stream behind a reset of `held` clocks.
    pub fn answers(&self, core: &Simulated, held: u64) -> Vec<u32> {
        core.run_after_reset(&self.before, self.cycles, held, &self.after, self.gaps)
    }
}

/// `count` of them, at random moments.
pub fn restarts(config: CoreConfig, seed: u64, count: usize) -> Vec<Restart> {
    let mut random = Random(seed);
    let case = |i: usize| {
        let before = match i % 2 {
            0 => session(&mut random, &config, 3),
            _ => hostile(&mut random, &config),
        };
        let cycles = 600 + random.bits() % (before.len() as u64);
        let mut after = Vec::new();
        read_fresh(&mut after);
        after.extend(session(&mut random, &config, 1));
        let gaps = Gaps {
            input: [0, 60][i % 2],
            output: [0, 200][i / 2 % 2],
            seed: i as u64,
        };
        let mut twin = Twin::new(config);
        twin.push(&after);
        Restart {
            before,
            cycles,
            after,
            gaps,
            expected: twin.responses(),
        }
    };
    (0..count).map(case).collect()
}
