//! The driver: open, start, stop, and bring back after a failure. How it runs requests is in `run`.

use super::answers::Answers;
use super::identity::identify;
use super::load::Loads;
use super::options::{COMMAND_LOG2, COMPLETION_LOG2, RESULT_LOG2, answer_bytes, ring_bytes};
use super::ring::{Completions, Filled};
use super::source::{self, Source};
use super::transport::Transport;
use super::vfio::Peer;
use super::{ALL_ONES, CardError, LinkStats, Options};
use crate::container::Weft;
use crate::device::CoreInfo;
use crate::device::counted::Counted;
use crate::stream::Method;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use weft_protocol::pcie::ring::SLOT_BYTES;
use weft_protocol::pcie::{CardRegister as R, Control};
use weft_protocol::registers;

/// How long a reset may take.
const RESET: Duration = Duration::from_secs(2);
/// A sleep between two looks.
pub(super) const NAP: Duration = Duration::from_micros(50);

/// A card and its memory.
pub struct PcieCard {
    pub(super) info: CoreInfo,
    // A drive is switched off before its memory goes with the transport.
    pub(super) source: Source,
    pub(super) transport: Box<dyn Transport>,
    pub(super) options: Options,
    pub(super) command: Filled,
    pub(super) result: Filled,
    pub(super) completions: Completions,
    pub(super) loads: Loads,
    pub(super) answers: Answers,
    pub(super) stats: LinkStats,
    pub(super) watch: Arc<Mutex<LinkStats>>,
    pub(super) counters: Counted,
}

impl std::fmt::Debug for PcieCard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PcieCard")
            .field("info", &self.info)
            .field("options", &self.options)
            .field("stats", &self.stats)
            .finish_non_exhaustive()
    }
}

impl PcieCard {
    /// Resets the card behind `transport`, checks that it is one of ours, and starts it.
    ///
    /// # Errors
    /// [`CardError`].
    pub fn open(mut transport: Box<dyn Transport>, options: Options) -> Result<Self, CardError> {
        transport.reset()?;
        let core = identify(&mut *transport)?;
        let command_bytes = SLOT_BYTES << COMMAND_LOG2;
        let result_bytes = SLOT_BYTES << RESULT_LOG2;
        let rings = transport.allocate(ring_bytes())?;
        let answers = transport.allocate(answer_bytes(&core))?;
        let ring = transport.allocate(options.ring_bytes.max(64 << 10))?;
        let name = transport.name();
        let mut card = Self {
            info: CoreInfo::of(&name, &core),
            transport,
            options,
            command: Filled::new(rings.clone(), 0, COMMAND_LOG2),
            result: Filled::new(rings.clone(), command_bytes, RESULT_LOG2),
            completions: Completions::new(rings, command_bytes + result_bytes, COMPLETION_LOG2),
            loads: Loads::new(ring),
            answers: Answers::new(answers),
            source: Source::default(),
            stats: LinkStats::default(),
            watch: Arc::default(),
            counters: Counted::default(),
        };
        card.start()?;
        Ok(card)
    }

    /// Reads the weights of `weft` from its file straight into the ring, past the page cache and without a copy by
    /// the processor, where the file system can do that. Weights of other models are copied, as before.
    ///
    /// # Errors
    /// [`CardError::Read`].
    pub fn stream_from(&mut self, weft: &Arc<Weft>) -> Result<(), CardError> {
        let reader = source::reader(weft, &self.loads.buffer().memory)
            .map_err(|e| CardError::Read(Box::new(e)))?;
        if let Some(reader) = reader {
            self.stats.read_method = Some(reader.method());
            self.source = Source::of_file(Arc::clone(weft), reader);
        }
        Ok(())
    }

    /// Lets a drive deliver the weights of `weft`, whose bytes it holds from its first one on, straight into the card's
    /// window: they touch no memory of the host. Weights of other models are written into the window by the processor.
    /// Experimental.
    ///
    /// # Errors
    /// [`CardError::Read`], above all when the drive holds something else.
    pub fn stream_from_peer(&mut self, weft: &Arc<Weft>, peer: Peer) -> Result<(), CardError> {
        let window = peer.window.address;
        let source = Source::of_drive(Arc::clone(weft), peer.drive, window);
        self.source = source.map_err(|e| CardError::Read(Box::new(e)))?;
        self.loads = Loads::in_window(peer.window);
        self.stats.read_method = Some(Method::Peer);
        Ok(())
    }

    /// What went over the link so far.
    #[must_use]
    pub fn link_stats(&self) -> LinkStats {
        self.stats
    }

    /// What went over the link, kept up to date for whoever holds this while the card runs elsewhere.
    #[must_use]
    pub fn watch(&self) -> Arc<Mutex<LinkStats>> {
        Arc::clone(&self.watch)
    }

    /// The way to the card, for tests that break it.
    pub fn transport(&mut self) -> &mut dyn Transport {
        &mut *self.transport
    }

    /// Writes bases and settings, and lets the card run. The card is stopped and its positions are zero.
    fn start(&mut self) -> Result<(), CardError> {
        self.command.restart();
        self.result.restart();
        self.completions.restart();
        self.loads.restart();
        self.answers.restart();
        self.counters.restart();
        let rings = [
            (
                R::CommandBase,
                R::CommandBaseHigh,
                R::CommandLog2,
                self.command.address(),
                self.command.log2(),
            ),
            (
                R::ResultBase,
                R::ResultBaseHigh,
                R::ResultLog2,
                self.result.address(),
                self.result.log2(),
            ),
            (
                R::CompletionBase,
                R::CompletionBaseHigh,
                R::CompletionLog2,
                self.completions.address(),
                self.completions.log2(),
            ),
        ];
        for (low, high, size, address, log2) in rings {
            self.transport.write(low, address as u32)?;
            self.transport.write(high, (address >> 32) as u32)?;
            self.transport.write(size, log2.into())?;
        }
        let t = &mut self.transport;
        t.write(R::InterruptCount, self.options.interrupt_count)?;
        t.write(R::InterruptDelay, self.options.interrupt_delay)?;
        t.write(R::Control, Control::RUN)
    }

    /// A register that cannot be all ones unless nothing answers.
    pub(super) fn register(&mut self, register: R) -> Result<u32, CardError> {
        match self.transport.read(register)? {
            ALL_ONES => Err(CardError::Lost),
            value => Ok(value),
        }
    }

    /// Stops the card; afterwards it touches no memory. A function-level reset where the card's own does not end.
    fn stop(&mut self) -> Result<(), CardError> {
        self.transport.write(R::Control, Control::RESET)?;
        let until = Instant::now() + RESET;
        while self.register(R::Control)? & Control::RESET != 0 {
            if Instant::now() >= until {
                self.transport.reset()?;
                let left = self.register(R::Control)?;
                return if left & Control::RESET == 0 {
                    Ok(())
                } else {
                    Err(CardError::Reset { waited: RESET })
                };
            }
            std::thread::sleep(NAP);
        }
        Ok(())
    }

    /// Waits until the card answers at all: while somebody else resets it, its registers read as anything.
    fn await_answer(&mut self) -> Result<(), CardError> {
        let until = Instant::now() + RESET;
        loop {
            match self.transport.read(R::Magic)? {
                registers::MAGIC => return Ok(()),
                _ if Instant::now() < until => std::thread::sleep(NAP),
                ALL_ONES => return Err(CardError::Lost),
                _ => return Err(CardError::Reset { waited: RESET }),
            }
        }
    }

    /// Brings card and driver back to the start after a failure.
    pub(super) fn recover(&mut self) -> Result<(), CardError> {
        self.source.drain();
        self.stats.resets += 1;
        self.await_answer()?;
        self.stop()?;
        self.start()
    }
}

impl Drop for PcieCard {
    fn drop(&mut self) {
        self.source.drain();
        // A card that cannot be stopped loses its memory next, when the transport goes.
        drop(self.stop());
    }
}
