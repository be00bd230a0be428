//! The driver: start, run, and what to do when something goes wrong.

use super::answers::{Answers, Came};
use super::identity::identify;
use super::idle::Idle;
use super::load::Loads;
use super::options::{COMMAND_LOG2, COMPLETION_LOG2, RESULT_LOG2, answer_bytes, ring_bytes};
use super::plan::Plan;
use super::ring::{Completions, Filled};
use super::source::{self, Source};
use super::transport::Transport;
use super::{ALL_ONES, CardError, Completion, LinkStats, Options};
use crate::container::Weft;
use crate::device::stream::refused;
use crate::device::{CoreInfo, Counters, Device, DeviceError, RunStats};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use weft_protocol::packet::{ErrorCode, Header, Request};
use weft_protocol::pcie::ring::{Outcome, Record, SLOT_BYTES};
use weft_protocol::pcie::{CardRegister as R, Control, Status};
use weft_protocol::registers::Register;

/// How long a reset may take.
const RESET: Duration = Duration::from_secs(2);
/// A wait for an interrupt is cut into pieces of this, so that a lost one costs no more.
const LOST_INTERRUPT: Duration = Duration::from_millis(20);
/// Looks at the completion ring before a poll begins to sleep.
const SPINS: u32 = 2_000;
/// A sleep between two looks.
const NAP: Duration = Duration::from_micros(50);

/// A card and its memory.
pub struct PcieCard {
    info: CoreInfo,
    transport: Box<dyn Transport>,
    options: Options,
    command: Filled,
    result: Filled,
    completions: Completions,
    loads: Loads,
    answers: Answers,
    source: Source,
    stats: LinkStats,
    watch: Arc<Mutex<LinkStats>>,
    counters: [u32; COUNTERS.len()],
}

/// What the core counts for the driver.
const COUNTERS: [Register; 6] = [
    Register::Cycles,
    Register::Beats,
    Register::Starved,
    Register::Stalled,
    Register::Rounds,
    Register::Hazards,
];

impl std::fmt::Debug for PcieCard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PcieCard")
            .field("info", &self.info)
            .field("options", &self.options)
            .field("stats", &self.stats)
            .finish_non_exhaustive()
    }
}

enum Failure {
    Refused(Header),
    Card(CardError),
}

impl From<CardError> for Failure {
    fn from(error: CardError) -> Self {
        Self::Card(error)
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
            counters: [0; COUNTERS.len()],
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
        self.counters = [0; COUNTERS.len()];
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
    fn register(&mut self, register: R) -> Result<u32, CardError> {
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

    /// Brings card and driver back to the start after a failure.
    fn recover(&mut self) -> Result<(), CardError> {
        self.source.drain();
        self.stats.resets += 1;
        self.stop()?;
        self.start()
    }

    fn attempt(&mut self, plan: &Plan<'_>, out: &mut Vec<i32>) -> Result<[u32; 6], Failure> {
        out.clear();
        self.loads.restart();
        self.answers.restart();
        let mut values = [0; COUNTERS.len()];
        let mut got = 0;
        let mut idle = Idle::new(self.options.timeout);
        while !(self.loads.done(plan) && self.answers.done(plan)) {
            let mut moved = false;
            while self.answers.post(plan, &mut self.result) {
                moved = true;
            }
            if moved {
                let tail = self.result.tail.into();
                self.transport.write(R::ResultTail, tail)?;
            }
            if self
                .loads
                .prepare(plan, &mut self.source, &mut self.stats)?
            {
                moved = true;
            }
            moved |= self.loads.arrive(&mut self.source)?;
            let mut described = false;
            while self
                .loads
                .describe(plan, &mut self.command, &mut self.stats)
            {
                described = true;
            }
            if described {
                moved = true;
                let tail = self.command.tail.into();
                self.transport.write(R::CommandTail, tail)?;
            }
            let mut records = 0;
            while let Some(record) = self.completions.next() {
                records += 1;
                if let Some(value) = self.take(&record, out)? {
                    if let Some(v) = values.get_mut(got) {
                        *v = value;
                    }
                    got += 1;
                }
            }
            if records > 0 {
                let head = self.completions.head.into();
                self.transport.write(R::CompletionHead, head)?;
            }
            if moved || records > 0 {
                self.stats.rescued += u64::from(records > 0 && idle.unanswered());
                idle.reset();
            } else {
                self.wait(&mut idle)?;
            }
        }
        Ok(values)
    }

    /// Carries out what a completion record says; a register's value, if it was one.
    fn take(&mut self, record: &Record, out: &mut Vec<i32>) -> Result<Option<u32>, Failure> {
        let outcome = Outcome::from_code(record.outcome);
        if outcome != Some(Outcome::Done) && outcome != Some(Outcome::Short) {
            let ring = if record.result { "result" } else { "command" };
            let place = format!("{ring} slot {} after {} bytes", record.cookie, record.bytes);
            return Err(match outcome {
                Some(outcome) => CardError::Halted { place, outcome },
                None => CardError::Answer {
                    found: format!("outcome {} of {place}", record.outcome),
                    wanted: "one of the contract's".into(),
                },
            }
            .into());
        }
        if !record.result {
            self.loads.taken(record.cookie, &mut self.command)?;
            return Ok(None);
        }
        match self
            .answers
            .take(record, &mut self.result, out, &mut self.stats)?
        {
            Came::Sums => Ok(None),
            Came::Value(value) => Ok(Some(value)),
            Came::Refused(header) => Err(Failure::Refused(header)),
        }
    }

    /// Waits for something to happen.
    fn wait(&mut self, idle: &mut Idle) -> Result<(), CardError> {
        if self.source.under_way() > 0 && !self.loads.at_card() {
            return self.source.wait().map_err(|e| CardError::Read(Box::new(e)));
        }
        match self.options.completion {
            Completion::Polling => {
                self.transport.poll()?;
                idle.looks += 1;
                if idle.looks < SPINS {
                    std::hint::spin_loop();
                } else {
                    std::thread::sleep(NAP);
                }
            }
            Completion::Interrupts => {
                if self.transport.wait(LOST_INTERRUPT)? {
                    self.stats.interrupts += 1;
                    idle.silent = 0;
                } else {
                    idle.silent += 1;
                }
            }
        }
        if idle.due_for_a_look() {
            let status = self.register(R::Status)?;
            if idle.over() {
                return Err(CardError::Stuck {
                    waited: idle.timeout,
                    loads: self.loads.under_way(),
                    answers: self.answers.owed(),
                    status,
                });
            }
            let status = Status(status);
            // The record of the fault was written before the card halted, so the next look finds it, unless the
            // ring itself cannot be written.
            if status.halted() && idle.halted_before() {
                let outcome = Outcome::from_code(status.fault()).unwrap_or(Outcome::Malformed);
                let place = format!("slot {}, without a record", status.cookie());
                return Err(CardError::Halted { place, outcome });
            }
        }
        Ok(())
    }

    fn counted(&mut self, values: [u32; 6]) -> Option<Counters> {
        let mut since = [0; COUNTERS.len()];
        for ((delta, last), now) in since.iter_mut().zip(&mut self.counters).zip(values) {
            *delta = u64::from(now.wrapping_sub(*last));
            *last = now;
        }
        let [cycles, beats, starved, stalled, rounds, hazards] = since;
        // A card without a clock behind its registers counts no cycles.
        (cycles > 0).then_some(Counters {
            cycles,
            beats,
            starved,
            stalled,
            rounds,
            hazards,
        })
    }

    fn link(&self, source: CardError) -> DeviceError {
        DeviceError::Link {
            device: self.info.name.clone(),
            source: Box::new(source),
        }
    }
}

impl Device for PcieCard {
    fn info(&self) -> &CoreInfo {
        &self.info
    }

    fn run(
        &mut self,
        requests: &[Request<'_>],
        out: &mut Vec<i32>,
    ) -> Result<RunStats, DeviceError> {
        let result = self.try_run(requests, out);
        *self.watch.lock().unwrap_or_else(PoisonError::into_inner) = self.stats;
        result
    }
}

impl PcieCard {
    fn try_run(
        &mut self,
        requests: &[Request<'_>],
        out: &mut Vec<i32>,
    ) -> Result<RunStats, DeviceError> {
        let plan = Plan::new(requests, &self.info, &COUNTERS)?;
        let mut tries = 0;
        loop {
            let failure = match self.attempt(&plan, out) {
                Ok(values) => {
                    let mut stats = RunStats::of(requests, &self.info);
                    stats.counters = self.counted(values);
                    self.source.rest();
                    return Ok(stats);
                }
                Err(failure) => failure,
            };
            let error = match failure {
                Failure::Refused(header) => {
                    let index = refused(requests, header.arg32);
                    DeviceError::Refused {
                        device: self.info.name.clone(),
                        index,
                        code: ErrorCode::from_code(header.flags).unwrap_or(ErrorCode::Opcode),
                    }
                }
                Failure::Card(error) if error.gone() => {
                    self.source.drain();
                    return Err(self.link(error));
                }
                Failure::Card(error) => {
                    if error.passing() && tries < self.options.retries {
                        tries += 1;
                        self.stats.retries += 1;
                        self.recover().map_err(|e| self.link(e))?;
                        continue;
                    }
                    self.link(error)
                }
            };
            // Ready for another run, or the failure to become so is what matters more.
            return Err(match self.recover() {
                Ok(()) => error,
                Err(worse) => self.link(worse),
            });
        }
    }
}

impl Drop for PcieCard {
    fn drop(&mut self) {
        self.source.drain();
        // A card that cannot be stopped loses its memory next, when the transport goes.
        drop(self.stop());
    }
}
