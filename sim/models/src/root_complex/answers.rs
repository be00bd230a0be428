//! Answers to the card's reads: when they come, how they are cut, and what goes wrong with them.

use super::faults::Fault;
use super::{DEVICE, ROOT, RootConfig, status_of};
use crate::BusError;
use crate::random::Random;
use crate::tlp::{Part, Tlp};
use std::collections::VecDeque;
use weft_protocol::pcie::tlp::{ABORT, ANSWERED, EP, LOWER_ADDRESS, RETRY, SUCCESS, UNSUPPORTED};

/// One read's answer.
#[derive(Debug)]
struct Answer {
    due: u64,
    parts: VecDeque<Tlp>,
}

/// Every answer that is still to be sent, oldest read first.
#[derive(Debug, Default)]
pub(super) struct Answering {
    answers: Vec<Answer>,
}

impl Answering {
    pub(super) fn quiet(&self) -> bool {
        self.answers.is_empty()
    }

    /// A read arrived and found `result`.
    pub(super) fn begin(
        &mut self,
        config: &RootConfig,
        random: &mut Random,
        cycle: u64,
        read: &Tlp,
        result: Result<Vec<u8>, BusError>,
        fault: Option<Fault>,
    ) {
        let spread = config.latency.end.saturating_sub(config.latency.start);
        let mut due = cycle + config.latency.start + random.below(spread);
        let (data, fault) = match result {
            Ok(data) => (data, fault),
            Err(error) => (Vec::new(), Some(status_of(error))),
        };
        let failed = |status| {
            let part = Part {
                address: read.address(),
                data: &[],
            };
            VecDeque::from([Tlp::completion(ROOT, read, status, 4 * read.dwords(), part)])
        };
        let parts = match fault {
            Some(Fault::Unsupported) => failed(UNSUPPORTED),
            Some(Fault::Abort) => failed(ABORT),
            Some(Fault::Retry) => failed(RETRY),
            Some(Fault::Never) => return,
            _ => {
                let mut parts = cut(config, random, read, &data);
                match fault {
                    Some(Fault::Late(cycles)) => due += cycles,
                    Some(Fault::Poison) => parts.iter_mut().for_each(|p| p.set(EP, 1)),
                    Some(Fault::Duplicate) => parts.extend(parts.clone()),
                    Some(Fault::ShortCount) => {
                        let half = 4 * read.dwords() / 2;
                        let part = Part {
                            address: read.address(),
                            data: &data[..half & !7],
                        };
                        parts =
                            VecDeque::from([Tlp::completion(ROOT, read, SUCCESS, half & !7, part)]);
                    }
                    Some(Fault::LowerAddress) => parts.iter_mut().for_each(|p| {
                        let lower = p.get(LOWER_ADDRESS);
                        p.set(LOWER_ADDRESS, lower ^ 64);
                    }),
                    Some(Fault::Misdirected) => parts
                        .iter_mut()
                        .for_each(|p| p.set(ANSWERED, u32::from(DEVICE) + 1)),
                    _ => {}
                }
                parts
            }
        };
        self.answers.push(Answer { due, parts });
    }

    /// The next packet for the card, if one is due.
    pub(super) fn next(
        &mut self,
        cycle: u64,
        reorder: bool,
        random: &mut Random,
    ) -> Option<(Tlp, bool)> {
        let at = if reorder {
            let due: Vec<usize> = (0..self.answers.len())
                .filter(|&i| self.answers[i].due <= cycle)
                .collect();
            *due.get(random.below(due.len() as u64) as usize)?
        } else {
            self.answers.iter().position(|a| a.due <= cycle)?
        };
        let tlp = self.answers[at].parts.pop_front();
        if self.answers[at].parts.is_empty() {
            self.answers.remove(at);
        }
        tlp.map(|tlp| (tlp, false))
    }
}

/// Cuts an answer at multiples of 64, at most `completion` and the maximum payload bytes each.
fn cut(config: &RootConfig, random: &mut Random, read: &Tlp, data: &[u8]) -> VecDeque<Tlp> {
    let most = config.completion.min(config.max_payload) as u64;
    let (mut address, end) = (read.address(), read.address() + data.len() as u64);
    let mut parts = VecDeque::new();
    while address < end {
        let mut next = (address / most + 1) * most;
        if config.split {
            let pieces = (next - address).div_ceil(64);
            next = (address / 64 + 1 + random.below(pieces)) * 64;
        }
        let next = next.min(end);
        let from = (address - read.address()) as usize;
        let part = Part {
            address,
            data: &data[from..from + (next - address) as usize],
        };
        let owed = (end - address) as usize;
        parts.push_back(Tlp::completion(ROOT, read, SUCCESS, owed, part));
        address = next;
    }
    parts
}
