//! What a run cost.

use super::CoreInfo;
use weft_protocol::packet::Request;

/// Counted over one run, or summed over several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RunStats {
    /// Runs.
    pub runs: u64,
    /// Bytes sent to the core, headers included.
    pub stream_bytes: u64,
    /// Weight codes multiplied; each counts once, however many tokens it served.
    pub nonzeros: u64,
    /// Column bundles.
    pub columns: u64,
    /// Drains.
    pub tiles: u64,
    /// Words of the results, 32 bits each.
    pub result_words: u64,
    /// Fewest cycles that a core of this shape needs: the larger of bytes over width and codes over banks.
    pub bound_cycles: u64,
    /// What the core itself counted, from devices that have a clock.
    pub counters: Option<Counters>,
}

/// The counters of a core, as differences over the run; see [`weft_protocol::registers::Register`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Cycles with a tile open.
    pub cycles: u64,
    /// Input beats accepted.
    pub beats: u64,
    /// Cycles in which the core waited for a beat.
    pub starved: u64,
    /// Cycles in which a beat waited for the core.
    pub stalled: u64,
    /// Cycles in which at least one bank started a multiplication.
    pub rounds: u64,
    /// Cycles in which a round waited for an accumulator in flight.
    pub hazards: u64,
}

impl RunStats {
    /// What `requests` cost a core like `core`, without counters.
    #[must_use]
    pub fn of(requests: &[Request<'_>], core: &CoreInfo) -> Self {
        let mut s = Self {
            runs: 1,
            ..Self::default()
        };
        let (mut rows, mut words) = (0, 0);
        for request in requests {
            s.stream_bytes += request.bytes() as u64;
            match request {
                Request::Tile {
                    rows: r,
                    log2_batch,
                } => {
                    rows = *r;
                    words = (*r as u64) << *log2_batch;
                }
                Request::Group(g) => {
                    s.nonzeros += g.codes(rows) as u64;
                    s.columns += g.bundles.len() as u64;
                }
                Request::Drain { .. } => {
                    s.tiles += 1;
                    s.result_words += words;
                }
                Request::Read { .. } | Request::Reset => {}
            }
        }
        s.bound_cycles = core.bound_cycles(s.stream_bytes, s.nonzeros);
        s
    }

    /// Adds another run's.
    pub fn add(&mut self, other: &Self) {
        self.runs += other.runs;
        self.stream_bytes += other.stream_bytes;
        self.nonzeros += other.nonzeros;
        self.columns += other.columns;
        self.tiles += other.tiles;
        self.result_words += other.result_words;
        self.bound_cycles += other.bound_cycles;
        if let Some(more) = &other.counters {
            let sum = self.counters.get_or_insert_with(Counters::default);
            sum.cycles += more.cycles;
            sum.beats += more.beats;
            sum.starved += more.starved;
            sum.stalled += more.stalled;
            sum.rounds += more.rounds;
            sum.hazards += more.hazards;
        }
    }
}
