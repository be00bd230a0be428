//! A core at the far end of a carrier: requests out as stream bytes, answers in as words.
//!
//! The simulated core's ports and a serial line differ in how they carry; what they carry is the same, and so is what
//! this module does with it: encode a run, read the counters behind it, take the sums out of the answers.

use weft_protocol::packet::{ErrorCode, Header, Opcode, Request};
use weft_protocol::registers::Register;
use weft_protocol::{ROW_GRANULE, wrap_accumulator};

use super::counted::{COUNTERS, Counted};
use super::{CoreInfo, DeviceError, RunStats};

/// Carries stream bytes to a core and its words back.
pub(super) trait Carrier {
    /// What can go wrong on the way.
    type Error: std::error::Error + Send + Sync + 'static;

    /// Sends all of `wire`, whole 8-byte units, and receives until `answers` is complete. A refusal may leave the
    /// rest of `wire` unsent.
    ///
    /// # Errors
    /// Whatever the way to the core meets; it is then in an unknown state.
    fn exchange(&mut self, wire: &[u8], answers: &mut Answers) -> Result<(), Self::Error>;

    /// Makes the core take the next unit for a header, or discard units until a reset, whatever went before.
    ///
    /// # Errors
    /// As [`Self::exchange`].
    fn recover(&mut self) -> Result<(), Self::Error>;

    /// An answer that nothing asked for, as this carrier's error.
    fn unasked(op: u8) -> Self::Error;
}

/// Words of answers, until as many came as were expected, or a refusal.
#[derive(Debug, Default)]
pub(super) struct Answers {
    words: Vec<u32>,
    expected: usize,
    packet_end: usize,
    refused: bool,
}

impl Answers {
    /// Forgets everything and waits for `expected` words.
    pub(super) fn expect(&mut self, expected: usize) {
        self.words.clear();
        (self.expected, self.packet_end, self.refused) = (expected, 0, false);
    }

    /// Takes the next word.
    pub(super) fn push(&mut self, word: u32) {
        if self.refused {
            return;
        }
        self.words.push(word);
        if self.words.len() == self.packet_end + 2 {
            match answer_words(self.words[self.packet_end]) {
                Some(n) => self.packet_end += 2 + n,
                None => self.refused = true,
            }
        }
    }

    /// The core refused a request: nothing more will come.
    pub(super) fn refused(&self) -> bool {
        self.refused
    }

    /// Nothing more will come.
    pub(super) fn complete(&self) -> bool {
        self.refused || self.words.len() >= self.expected
    }

    /// Words that should still come.
    pub(super) fn missing(&self) -> usize {
        self.expected.saturating_sub(self.words.len())
    }
}

/// Payload words behind an answer's header, of which `first` is the first word; `None` for a refusal.
fn answer_words(first: u32) -> Option<usize> {
    let header = Header::from_bytes(u64::from(first).to_le_bytes());
    match Opcode::from_code(header.op) {
        Some(Opcode::Error) => None,
        Some(Opcode::Result) => {
            // A damaged header must not ask for more than the largest tile has.
            let words = (usize::from(header.arg16) * ROW_GRANULE) << header.flags.min(4);
            Some(words)
        }
        _ => Some(0),
    }
}

/// Why a run was not executed.
enum Failure<E> {
    NotAProduct(usize),
    Refused(usize, ErrorCode),
    Carrier(E),
}

impl<E> From<E> for Failure<E> {
    fn from(error: E) -> Self {
        Self::Carrier(error)
    }
}

/// A core behind a carrier.
pub(super) struct StreamCore<C> {
    pub(super) carrier: C,
    pub(super) info: CoreInfo,
    counters: Counted,
    wire: Vec<u8>,
    answers: Answers,
}

impl<C: Carrier> StreamCore<C> {
    /// The core that `info` describes; [`Self::reset`] comes first.
    pub(super) fn new(carrier: C, info: CoreInfo) -> Self {
        Self {
            carrier,
            info,
            counters: Counted::default(),
            wire: Vec::new(),
            answers: Answers::default(),
        }
    }

    /// Clears accumulators, counters and a refusal.
    pub(super) fn reset(&mut self) -> Result<(), C::Error> {
        self.wire.clear();
        Request::Reset.encode(&mut self.wire);
        self.exchange(2)?;
        self.counters.restart();
        match self.answers.words.first() {
            Some(&first) if first as u8 == Opcode::ResetDone as u8 => Ok(()),
            other => Err(C::unasked(other.map_or(0, |&w| w as u8))),
        }
    }

    /// The values of registers.
    pub(super) fn read(&mut self, registers: &[Register]) -> Result<Vec<u32>, C::Error> {
        self.wire.clear();
        encode_reads(registers, &mut self.wire);
        self.exchange(2 * registers.len())?;
        values(&self.answers.words, registers.len()).map_err(C::unasked)
    }

    fn exchange(&mut self, expected: usize) -> Result<(), C::Error> {
        self.answers.expect(expected);
        self.carrier.exchange(&self.wire, &mut self.answers)
    }

    /// As [`super::Device::run`]. The core is ready for another run unless the error is one of its carrier's.
    pub(super) fn run(
        &mut self,
        requests: &[Request<'_>],
        out: &mut Vec<i32>,
    ) -> Result<RunStats, DeviceError> {
        let failure = match self.execute(requests, out) {
            Ok(stats) => return Ok(stats),
            Err(failure) => failure,
        };
        let device = self.info.name.clone();
        match failure {
            Failure::NotAProduct(index) => Err(DeviceError::NotAProduct { index }),
            // The core discards what it gets until a reset packet comes.
            Failure::Refused(index, code) => {
                match self.carrier.recover().and_then(|()| self.reset()) {
                    Ok(()) => Err(DeviceError::Refused {
                        device,
                        index,
                        code,
                    }),
                    Err(source) => Err(DeviceError::Link {
                        device,
                        source: Box::new(source),
                    }),
                }
            }
            Failure::Carrier(source) => Err(DeviceError::Link {
                device,
                source: Box::new(source),
            }),
        }
    }

    fn execute(
        &mut self,
        requests: &[Request<'_>],
        out: &mut Vec<i32>,
    ) -> Result<RunStats, Failure<C::Error>> {
        let mut stats = RunStats::of(requests, &self.info);
        self.wire.clear();
        for (index, request) in requests.iter().enumerate() {
            if matches!(request, Request::Read { .. } | Request::Reset) {
                return Err(Failure::NotAProduct(index));
            }
            request.encode(&mut self.wire);
        }
        encode_reads(&COUNTERS, &mut self.wire);
        let results = stats.result_words as usize + 2 * stats.tiles as usize;
        self.exchange(results + 2 * COUNTERS.len())?;
        out.clear();
        let words = &self.answers.words;
        let mut at = 0;
        while at < results || self.answers.refused && at < words.len() {
            let Some(&[first, second]) = words.get(at..at + 2) else {
                return Err(C::unasked(0).into());
            };
            let header =
                Header::from_bytes((u64::from(first) | u64::from(second) << 32).to_le_bytes());
            match Opcode::from_code(header.op) {
                Some(Opcode::Result) => {
                    let n = answer_words(first).unwrap_or(0);
                    let Some(sums) = words.get(at + 2..at + 2 + n) else {
                        return Err(C::unasked(header.op).into());
                    };
                    out.extend(sums.iter().map(|&w| wrap_accumulator(w as i32)));
                    at += 2 + n;
                }
                Some(Opcode::Error) => {
                    let index = refused(requests, header.arg32);
                    let code = ErrorCode::from_code(header.flags).unwrap_or(ErrorCode::Opcode);
                    return Err(Failure::Refused(index, code));
                }
                _ => return Err(C::unasked(header.op).into()),
            }
        }
        let now = values(&words[results.min(words.len())..], COUNTERS.len())
            .map_err(|op| Failure::Carrier(C::unasked(op)))?;
        stats.counters = Some(self.counters.since(&now));
        Ok(stats)
    }
}

fn encode_reads(registers: &[Register], wire: &mut Vec<u8>) {
    for &register in registers {
        let register = register as u16;
        Request::Read { register }.encode(wire);
    }
}

/// The values of `n` answers to reads; the opcode of what stands there instead.
fn values(words: &[u32], n: usize) -> Result<Vec<u32>, u8> {
    let answers: Vec<_> = words.chunks_exact(2).take(n).collect();
    let stray = answers
        .iter()
        .map(|a| a[0] as u8)
        .find(|&op| op != Opcode::Value as u8);
    match stray {
        Some(op) => Err(op),
        None if answers.len() < n => Err(0),
        None => Ok(answers.iter().map(|a| a[1]).collect()),
    }
}

/// Which request has `first` as the first word of its header.
pub(super) fn refused(requests: &[Request<'_>], first: u32) -> usize {
    let word = |r: &Request<'_>| u64::from_le_bytes(r.header().to_bytes()) as u32;
    requests
        .iter()
        .position(|r| word(r) == first)
        .unwrap_or(requests.len())
}
