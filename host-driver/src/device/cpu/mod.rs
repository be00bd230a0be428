//! The processor of this machine as a device: the bit-exact twin of a core, and what people without a board use.
//!
//! A run is cut into pieces of consecutive groups, one a thread, each with its own sums, which are added at the
//! end; so every thread reads one stretch of memory and no thread waits for another. Within a piece, 128 rows of a
//! group at a time are expanded to 8-bit weights (once for all tokens) and multiplied, by the widest
//! [`kernel`] that the processor has.

mod avx2;
mod avx512;
mod kernel;
mod masked;
mod piece;
mod portable;
#[allow(unsafe_code)]
mod team;
mod work;

use super::{CoreInfo, Device, DeviceError, RunStats};
use piece::Piece;
use std::sync::{Mutex, MutexGuard, PoisonError};
use team::Team;
use weft_protocol::packet::Request;
use weft_protocol::wrap_accumulator;
use work::{Item, Sums, Work};

/// The processor's kernel in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    Avx512(avx512::Avx512),
    Avx2(avx2::Avx2),
    Portable,
}

/// This machine's processor as a device.
#[derive(Debug)]
pub struct Cpu {
    core: CoreInfo,
    level: Level,
    team: Team,
    /// One a member of the team.
    pieces: Vec<Mutex<Piece>>,
}

impl Cpu {
    /// A device that stands in for a core like `core`, with `threads` threads (0 takes one a processor).
    ///
    /// # Errors
    /// When the operating system refuses the threads.
    pub fn new(core: CoreInfo, threads: usize) -> Result<Self, DeviceError> {
        let level = match (avx512::Avx512::detect(), avx2::Avx2::detect()) {
            (Some(k), _) => Level::Avx512(k),
            (None, Some(k)) => Level::Avx2(k),
            (None, None) => Level::Portable,
        };
        let available = || std::thread::available_parallelism().map_or(1, usize::from);
        let threads = if threads == 0 { available() } else { threads };
        let team = Team::new(threads).map_err(|source| DeviceError::Link {
            device: core.name.clone(),
            source: source.into(),
        })?;
        Ok(Self {
            core,
            level,
            team,
            pieces: (0..threads).map(|_| Mutex::default()).collect(),
        })
    }

    /// The shape that a device has when nobody asks for another, that of the core `8x16`: 8 banks, 16 tokens,
    /// 4 bytes a cycle, 4096 rows.
    #[must_use]
    pub fn default_core() -> CoreInfo {
        CoreInfo {
            name: "cpu".into(),
            banks: 8,
            batch: 16,
            stream_bytes: 4,
            depth: 512,
        }
    }

    /// Uses only what every processor has; for comparison.
    #[must_use]
    pub fn portable(mut self) -> Self {
        self.level = Level::Portable;
        self
    }

    /// Uses at most 256-bit vectors, when the processor has them; for comparison.
    #[must_use]
    pub fn narrow(mut self) -> Self {
        self.level = avx2::Avx2::detect().map_or(Level::Portable, Level::Avx2);
        self
    }

    /// Threads that compute.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.team.members()
    }

    /// The instruction set in use, for people.
    #[must_use]
    pub fn instruction_set(&self) -> &'static str {
        match self.level {
            Level::Avx512(_) => "avx512 vnni",
            Level::Avx2(_) => "avx2",
            Level::Portable => "portable",
        }
    }
}

/// A member's own sums; whatever a panic left in them is overwritten by the next run.
fn lock(piece: &Mutex<Piece>) -> MutexGuard<'_, Piece> {
    piece.lock().unwrap_or_else(PoisonError::into_inner)
}

fn compute(piece: &mut Piece, level: Level, items: &[Item<'_>], sums: &[Sums], banks: usize) {
    match level {
        Level::Avx512(k) => piece.run(k, items, sums, banks),
        Level::Avx2(k) => piece.run(k, items, sums, banks),
        Level::Portable => piece.run(portable::Portable, items, sums, banks),
    }
}

impl Device for Cpu {
    fn info(&self) -> &CoreInfo {
        &self.core
    }

    fn run(
        &mut self,
        requests: &[Request<'_>],
        out: &mut Vec<i32>,
    ) -> Result<RunStats, DeviceError> {
        let work = Work::of(requests, &self.core)?;
        let cuts = work.pieces(self.pieces.len());
        let (level, banks, sums) = (self.level, self.core.banks, &work.sums);
        let pieces = &self.pieces;
        self.team.run(&|member| {
            if let Some(items) = cuts.get(member) {
                compute(&mut lock(&pieces[member]), level, items, sums, banks);
            }
        });
        out.clear();
        out.resize(work.words, 0);
        for piece in &self.pieces[..cuts.len()] {
            lock(piece).add_to(out, sums);
        }
        for v in out.iter_mut() {
            *v = wrap_accumulator(*v);
        }
        Ok(RunStats::of(requests, &self.core))
    }
}
