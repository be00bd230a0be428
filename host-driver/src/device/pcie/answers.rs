//! Buffers for the card's answers, and what came in them.

use super::plan::{Answer, Plan};
use super::ring::{Circle, Filled};
use super::transport::DmaBuffer;
use super::{CardError, LinkStats};
use std::collections::VecDeque;
use weft_protocol::packet::{Header, Opcode};
use weft_protocol::pcie::ring::{Record, Slot};
use weft_protocol::{ALIGN, wrap_accumulator};

/// Answers that a run still has to get.
#[derive(Debug)]
pub(super) struct Answers {
    buffer: DmaBuffer,
    circle: Circle,
    /// Answers of the plan that have a buffer.
    posted: usize,
    /// Those whose record has not come: where the buffer is, and the answer.
    owed: VecDeque<(usize, Answer)>,
}

/// What an answer was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Came {
    /// Sums, which were appended.
    Sums,
    /// A register's value.
    Value(u32),
    /// The core refused a request; the header of its error packet.
    Refused(Header),
}

impl Answers {
    /// With all of `buffer` for packets.
    pub(super) fn new(buffer: DmaBuffer) -> Self {
        let circle = Circle::new(buffer.memory.len());
        Self {
            buffer,
            circle,
            posted: 0,
            owed: VecDeque::new(),
        }
    }

    pub(super) fn restart(&mut self) {
        self.circle.restart();
        self.posted = 0;
        self.owed.clear();
    }

    /// Answers that were asked for and have not come.
    pub(super) fn owed(&self) -> usize {
        self.owed.len()
    }

    pub(super) fn done(&self, plan: &Plan<'_>) -> bool {
        self.posted == plan.answers.len() && self.owed.is_empty()
    }

    /// Gives the card a buffer for the next answer. False when there is no room, or no answer left.
    pub(super) fn post(&mut self, plan: &Plan<'_>, ring: &mut Filled) -> bool {
        let Some(&answer) = plan.answers.get(self.posted) else {
            return false;
        };
        if ring.room() == 0 {
            return false;
        }
        let Some(at) = self.circle.take(answer.bytes, ALIGN) else {
            return false;
        };
        let slot = Slot {
            address: self.buffer.address + at as u64,
            length: answer.bytes as u32,
            kind: 0,
            flags: 0,
            cookie: self.posted as u16,
        };
        ring.push(&slot.to_bytes());
        self.posted += 1;
        self.owed.push_back((at, answer));
        true
    }

    /// Takes the answer that `record` announces; sums go to the end of `out`.
    pub(super) fn take(
        &mut self,
        record: &Record,
        ring: &mut Filled,
        out: &mut Vec<i32>,
        stats: &mut LinkStats,
    ) -> Result<Came, CardError> {
        let first = self.posted - self.owed.len();
        let header = Header::from_bytes(record.header);
        let wrong = |wanted: String| CardError::Answer {
            found: format!(
                "{header:?} in {} bytes for buffer {}",
                record.bytes, record.cookie
            ),
            wanted,
        };
        let Some((at, answer)) = self.owed.pop_front() else {
            return Err(wrong("nothing".into()));
        };
        ring.taken(1);
        self.circle.give_back();
        if record.cookie != first as u16 {
            return Err(wrong(format!("one for buffer {}", first as u16)));
        }
        stats.results += 1;
        stats.result_bytes += u64::from(record.bytes);
        if header.op == Opcode::Error as u8 {
            return Ok(Came::Refused(header));
        }
        let wanted = answer.header;
        if wanted.op == Opcode::Value as u8 {
            let same = (header.op, header.arg16) == (wanted.op, wanted.arg16);
            return if same {
                Ok(Came::Value(header.arg32))
            } else {
                Err(wrong(format!("{wanted:?}")))
            };
        }
        if header != wanted || record.bytes as usize != answer.bytes {
            return Err(wrong(format!("{wanted:?} in {} bytes", answer.bytes)));
        }
        let mut bytes = vec![0; answer.bytes - ALIGN];
        self.buffer.memory.read(at + ALIGN, &mut bytes);
        out.extend(bytes.chunks_exact(4).map(|w| {
            let word = i32::from_le_bytes([w[0], w[1], w[2], w[3]]);
            wrap_accumulator(word)
        }));
        Ok(Came::Sums)
    }
}
