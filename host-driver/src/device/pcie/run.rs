//! One run: what goes to the card, what comes back, and when to try again.

use super::answers::Came;
use super::card::{NAP, PcieCard};
use super::idle::Idle;
use super::plan::Plan;
use super::{CardError, Completion};
use crate::device::counted::COUNTERS;
use crate::device::stream::refused;
use crate::device::{CoreInfo, Device, DeviceError, RunStats};
use std::sync::PoisonError;
use std::time::Duration;
use weft_protocol::packet::{ErrorCode, Header, Request};
use weft_protocol::pcie::ring::{NOTIFY, Outcome, Record, Slot, SlotKind};
use weft_protocol::pcie::{CardRegister as R, Control, Status};
use weft_protocol::registers::Register;

/// A wait for an interrupt is cut into pieces of this, so that a lost one costs no more.
const LOST_INTERRUPT: Duration = Duration::from_millis(20);
/// Looks at the completion ring before a poll begins to sleep.
const SPINS: u32 = 2_000;
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
    /// Values of the core's registers.
    ///
    /// # Errors
    /// [`DeviceError::Link`].
    pub fn registers(&mut self, registers: &[Register]) -> Result<Vec<u32>, DeviceError> {
        self.values(&[], registers, &mut Vec::new())
    }

    /// Lets the card read eight bytes right behind the memory that it was given, and says how that ended.
    /// [`Outcome::Unsupported`] is what an IOMMU answers; after [`Outcome::Done`] nothing stands between the card and
    /// the system's memory. The card is reset afterwards and can be used again.
    ///
    /// # Errors
    /// [`DeviceError::Link`] when it does not end, or the card does not come back.
    pub fn reach_beyond(&mut self) -> Result<Outcome, DeviceError> {
        let beyond = self.loads.buffer();
        let address = beyond.address + beyond.memory.len() as u64;
        let outcome = self.fetch(address).map_err(|e| self.link(e))?;
        self.recover().map_err(|e| self.link(e))?;
        Ok(outcome)
    }

    /// Describes eight bytes at `address` to an idle card; how the card ended that.
    fn fetch(&mut self, address: u64) -> Result<Outcome, CardError> {
        let slot = Slot {
            address,
            length: 8,
            kind: SlotKind::Host as u8,
            flags: NOTIFY,
            cookie: 0,
        };
        self.command.push(&slot.to_bytes());
        let tail = self.command.tail.into();
        self.transport.write(R::CommandTail, tail)?;
        let mut idle = Idle::new(self.options.timeout);
        loop {
            let Some(record) = self.completions.next() else {
                self.wait(&mut idle)?;
                continue;
            };
            return Outcome::from_code(record.outcome).ok_or_else(|| CardError::Answer {
                found: format!("outcome {}", record.outcome),
                wanted: "one of the contract's".into(),
            });
        }
    }

    /// Carries `plan` out; appends the sums to `out` and gives the values of its registers.
    fn attempt(&mut self, plan: &Plan<'_>, out: &mut Vec<i32>) -> Result<Vec<u32>, Failure> {
        out.clear();
        self.loads.restart();
        self.answers.restart();
        let mut values = Vec::new();
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
                values.extend(self.take(&record, out)?);
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
            if self.register(R::Control)? & Control::RUN == 0 {
                let status = status.0;
                return Err(CardError::Interfered { status });
            }
        }
        Ok(())
    }

    fn link(&self, source: CardError) -> DeviceError {
        DeviceError::Link {
            device: self.info.name.clone(),
            source: Box::new(source),
        }
    }
    fn try_run(
        &mut self,
        requests: &[Request<'_>],
        out: &mut Vec<i32>,
    ) -> Result<RunStats, DeviceError> {
        let values = self.values(requests, &COUNTERS, out)?;
        let mut stats = RunStats::of(requests, &self.info);
        let counted = self.counters.since(&values);
        // A card without a clock behind its registers counts no cycles.
        stats.counters = Some(counted).filter(|c| c.cycles > 0);
        self.source.rest();
        Ok(stats)
    }

    /// Runs `requests`, tries again what may pass, and gives the values of `registers` afterwards.
    fn values(
        &mut self,
        requests: &[Request<'_>],
        registers: &[Register],
        out: &mut Vec<i32>,
    ) -> Result<Vec<u32>, DeviceError> {
        let plan = Plan::new(requests, &self.info, registers)?;
        let mut tries = 0;
        loop {
            let failure = match self.attempt(&plan, out) {
                Ok(values) => return Ok(values),
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
