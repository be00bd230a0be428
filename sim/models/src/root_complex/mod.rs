//! A root complex with one card below it, cycle by cycle: it answers the card's reads out of a [`Bus`], carries its
//! writes there, sends the host's requests to the card's BARs, and models the rate, the delay and the credits of the
//! link between them.

mod answers;
mod config;
mod faults;
mod host;

pub use config::RootConfig;
pub use faults::{Fault, Faults, Injection};
pub use host::{HostError, Ticket};

use crate::checker::{Checker, Limits, Rule};
use crate::link::{DLLP, FRAMING, Lane};
use crate::random::Random;
use crate::tlp::Tlp;
use crate::{Bus, BusError};
use answers::Answering;
use host::Host;
use std::collections::VecDeque;
use std::ops::Range;

/// Bus, device and function of the root complex.
pub const ROOT: u16 = 0;
/// Bus, device and function of the card.
pub const DEVICE: u16 = 0x0100;
/// Where BAR0 is.
pub const BAR0: u64 = 0xfe80_0000;
/// Where BAR2 is.
pub const BAR2: u64 = 0x40_0000_0000;
/// Writes to these addresses are interrupts: the one of vector `v` goes to the start plus `4 v`.
pub const INTERRUPTS: Range<u64> = 0xfee0_0000..0xfee0_1000;

/// Bytes of data that the card's transmit buffer holds before it stops taking beats.
const TRANSMIT_BUFFER: usize = 2048;
/// Beats that wait for the card before the link is held back.
const RECEIVE_BUFFER: usize = 256;

/// Eight bytes of a packet between the link and the card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Beat {
    /// The bytes, the first one in the low bits.
    pub data: u64,
    /// Last beat of the packet.
    pub last: bool,
    /// The high half counts.
    pub keep: bool,
    /// The packet's data are poisoned.
    pub poison: bool,
    /// BAR0 (bit 0) or BAR2 (bit 1) has the address.
    pub bar: u8,
}

/// Levels that the card sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowed {
    /// A beat is taken.
    pub ready: bool,
    /// Credits for posted requests.
    pub posted: bool,
    /// Credits for reads.
    pub read: bool,
}

/// The root complex.
#[derive(Debug)]
pub struct RootComplex {
    config: RootConfig,
    /// What goes wrong.
    pub faults: Faults,
    /// What the card does wrong.
    pub checker: Checker,
    random: Random,
    cycle: u64,
    window: u64,
    down: Lane,
    up: Lane,
    /// Beats that the card has not taken yet.
    to_card: VecDeque<Beat>,
    /// Packets on the link to the card and when they arrive.
    falling: VecDeque<(u64, Tlp, bool)>,
    /// Bytes of the packet that the card is sending.
    partial: Vec<u8>,
    /// Packets on the link from the card and when they arrive.
    rising: VecDeque<(u64, Tlp)>,
    /// Reads that arrived and that the bus cannot answer yet, oldest first.
    waiting: VecDeque<Tlp>,
    /// Used credits and when they return, posted and non-posted.
    used: [VecDeque<(u64, usize)>; 2],
    host: Host,
    answering: Answering,
    hesitating: bool,
    held: bool,
    sent: u64,
    /// Interrupts that arrived, in order: vector and data.
    interrupts: VecDeque<(u16, u32)>,
    data_to_card: u64,
    data_from_card: u64,
}

impl RootComplex {
    /// A root complex above a card whose window has `window` bytes.
    #[must_use]
    pub fn new(config: RootConfig, window: u64) -> Self {
        Self {
            faults: Faults::default(),
            checker: Checker::new(limits(&config)),
            random: Random(config.seed),
            cycle: 0,
            window,
            down: Lane::new(config.link),
            up: Lane::new(config.link),
            to_card: VecDeque::new(),
            falling: VecDeque::new(),
            partial: Vec::new(),
            rising: VecDeque::new(),
            waiting: VecDeque::new(),
            used: [VecDeque::new(), VecDeque::new()],
            host: Host::default(),
            answering: Answering::default(),
            hesitating: false,
            held: false,
            sent: 0,
            interrupts: VecDeque::new(),
            data_to_card: 0,
            data_from_card: 0,
            config,
        }
    }

    /// How it behaves.
    #[must_use]
    pub fn config(&self) -> &RootConfig {
        &self.config
    }

    /// Changes how it behaves.
    pub fn configure(&mut self, change: impl FnOnce(&mut RootConfig)) {
        change(&mut self.config);
        self.checker.configure(limits(&self.config));
    }

    /// Cycles so far.
    #[must_use]
    pub fn cycle(&self) -> u64 {
        self.cycle
    }

    /// Bytes of data in completions to the card and in writes of the card so far, as they arrived.
    #[must_use]
    pub fn data_moved(&self) -> (u64, u64) {
        (self.data_to_card, self.data_from_card)
    }

    /// The oldest interrupt that nobody has looked at: vector and data.
    pub fn take_interrupt(&mut self) -> Option<(u16, u32)> {
        self.interrupts.pop_front()
    }

    /// Nothing is on the link or waits for it.
    #[must_use]
    pub fn quiet(&self) -> bool {
        self.to_card.is_empty()
            && self.falling.is_empty()
            && self.rising.is_empty()
            && self.waiting.is_empty()
            && self.partial.is_empty()
            && self.host.quiet()
            && self.answering.quiet()
    }

    /// Gives the card no credits for requests while `held`: beyond what it has begun, it sends completions only.
    pub fn hold(&mut self, held: bool) {
        self.held = held;
    }

    /// Packets that came from the card and are no completions.
    #[must_use]
    pub fn sent_by_card(&self) -> u64 {
        self.sent
    }

    /// Everything that is for the card has been taken by it.
    #[must_use]
    pub fn delivered(&self) -> bool {
        self.to_card.is_empty() && self.falling.is_empty() && self.host.quiet()
    }

    /// Nothing of the card is on its way here.
    #[must_use]
    pub fn received(&self) -> bool {
        self.rising.is_empty() && self.partial.is_empty()
    }

    /// The beat that the card is offered in this cycle. `reads_ok` is its answer whether requests that want an answer
    /// may come.
    pub fn offer(&mut self, reads_ok: bool) -> Option<Beat> {
        self.start_packets(reads_ok);
        while let Some((arrival, _, _)) = self.falling.front()
            && *arrival <= self.cycle
            && let Some((_, tlp, poison)) = self.falling.pop_front()
        {
            self.deliver(&tlp, poison);
        }
        if self.hesitating {
            None
        } else {
            self.to_card.front().copied()
        }
    }

    /// The card took the beat.
    pub fn taken(&mut self) {
        self.to_card.pop_front();
    }

    /// What the card may send in this cycle.
    pub fn allowed(&mut self) -> Allowed {
        let cycle = self.cycle;
        for used in &mut self.used {
            while used.front().is_some_and(|(back, _)| *back <= cycle) {
                used.pop_front();
            }
        }
        // The card decides up to one packet ahead of what is counted here, so there must be room for two.
        let payload = self.config.max_payload.min(512) / 16;
        let free = |class: usize, units: usize| {
            let (headers, data) = self.config.credits[class];
            let used: usize = self.used[class].iter().map(|(_, units)| units).sum();
            self.used[class].len() + 2 <= headers && used + 2 * units <= data
        };
        let waiting: usize = self
            .rising
            .iter()
            .map(|(_, t)| t.header_bytes() + t.data.len())
            .sum();
        Allowed {
            ready: waiting + self.partial.len() < TRANSMIT_BUFFER && !self.hesitating,
            posted: free(0, payload) && !self.held,
            read: free(1, 0) && !self.held,
        }
    }

    /// The card sent a beat.
    pub fn push(&mut self, data: u64, last: bool, keep: bool) {
        let bytes = data.to_le_bytes();
        self.partial
            .extend_from_slice(if keep { &bytes } else { &bytes[..4] });
        if !keep && !last {
            self.checker
                .report(Rule::Stream, "half a beat inside a packet");
        }
        if !last {
            return;
        }
        let bytes = std::mem::take(&mut self.partial);
        let Some(tlp) = self.checker.sent(&bytes) else {
            return;
        };
        let arrival = self.up.send(self.cycle, bytes.len() + FRAMING);
        // Its acknowledgement, and its credits unless it is a completion, go the other way.
        let control = if tlp.is_completion() { DLLP } else { 2 * DLLP };
        self.down.send(self.cycle, control);
        if !tlp.is_completion() {
            self.sent += 1;
            let class = usize::from(tlp.is_read());
            let back = arrival + self.config.credit_delay;
            self.used[class].push_back((back, tlp.data.len().div_ceil(16)));
            let (headers, data) = self.config.credits[class];
            let used: usize = self.used[class].iter().map(|(_, units)| units).sum();
            if self.used[class].len() > headers || used > data {
                let detail = format!(
                    "{} headers and {used} units are under way",
                    self.used[class].len()
                );
                self.checker.report(Rule::Credits, detail);
            }
        }
        self.rising.push_back((arrival, tlp));
    }

    /// Ends the cycle: what arrived is carried out on `bus`.
    pub fn tick(&mut self, bus: &mut dyn Bus) {
        while let Some((arrival, _)) = self.rising.front()
            && *arrival <= self.cycle
            && let Some((_, tlp)) = self.rising.pop_front()
        {
            self.arrived(&tlp, bus);
        }
        while let Some(read) = self.waiting.front()
            && bus.ready(read.address(), 4 * read.dwords())
            && let Some(read) = self.waiting.pop_front()
        {
            self.answer_read(&read, bus);
        }
        self.cycle += 1;
        self.hesitating = self.random.once_in(self.config.hesitate);
    }

    /// A packet of the card arrived.
    fn arrived(&mut self, tlp: &Tlp, bus: &mut dyn Bus) {
        if tlp.is_completion() {
            self.host.completed(tlp);
        } else if tlp.is_read() {
            self.waiting.push_back(tlp.clone());
        } else if INTERRUPTS.contains(&tlp.address()) && tlp.data.len() == 4 {
            let vector = ((tlp.address() - INTERRUPTS.start) / 4) as u16;
            let data = u32::from_le_bytes([tlp.data[0], tlp.data[1], tlp.data[2], tlp.data[3]]);
            if self.faults.lost_interrupts > 0 {
                self.faults.lost_interrupts -= 1;
            } else {
                self.interrupts.push_back((vector, data));
                bus.interrupt(vector);
            }
        } else {
            self.data_from_card += tlp.data.len() as u64;
            bus.write(tlp.address(), &tlp.data);
        }
    }

    fn answer_read(&mut self, read: &Tlp, bus: &mut dyn Bus) {
        let mut data = vec![0; 4 * read.dwords()];
        let result = bus.read(read.address(), &mut data).map(|()| data);
        let fault = self.faults.take(read.address());
        let (config, random) = (&self.config, &mut self.random);
        self.answering
            .begin(config, random, self.cycle, read, result, fault);
    }

    /// Puts packets onto the link to the card while it is free.
    fn start_packets(&mut self, reads_ok: bool) {
        while self.down.free(self.cycle) && self.to_card.len() < RECEIVE_BUFFER {
            let next = self.host.next(reads_ok).map(|tlp| (tlp, false));
            let next = next.or_else(|| {
                self.answering
                    .next(self.cycle, self.config.reorder, &mut self.random)
            });
            let Some((tlp, poison)) = next else { return };
            let bytes = tlp.header_bytes() + tlp.data.len() + FRAMING;
            let arrival = self.down.send(self.cycle, bytes);
            let control = if tlp.is_completion() { DLLP } else { 2 * DLLP };
            self.up.send(self.cycle, control);
            self.falling.push_back((arrival, tlp, poison));
        }
    }

    /// A packet arrived at the card: its beats wait to be taken.
    fn deliver(&mut self, tlp: &Tlp, poison: bool) {
        self.checker.received(tlp);
        if tlp.is_completion() {
            self.data_to_card += tlp.data.len() as u64;
        }
        let memory = tlp.is_read() || tlp.is_write();
        let bar = if memory {
            self.bar_of(tlp.address())
        } else {
            0
        };
        let bytes = tlp.to_bytes();
        let beats = bytes.chunks(8).count();
        for (i, chunk) in bytes.chunks(8).enumerate() {
            let mut data = [0; 8];
            data[..chunk.len()].copy_from_slice(chunk);
            self.to_card.push_back(Beat {
                data: u64::from_le_bytes(data),
                last: i + 1 == beats,
                keep: chunk.len() == 8,
                poison: poison || tlp.poisoned(),
                bar,
            });
        }
    }

    fn bar_of(&self, address: u64) -> u8 {
        let bar0 = (BAR0..BAR0 + weft_protocol::pcie::BAR0_BYTES as u64).contains(&address);
        let bar2 = (BAR2..BAR2 + self.window).contains(&address);
        u8::from(bar0) | u8::from(bar2) << 1
    }
}

fn limits(config: &RootConfig) -> Limits {
    Limits {
        device: DEVICE,
        bus_master: config.bus_master,
        max_payload: config.max_payload,
        max_read: config.max_read,
    }
}

/// The status that a failed read is answered with.
fn status_of(error: BusError) -> Fault {
    match error {
        BusError::Unsupported => Fault::Unsupported,
        BusError::Abort => Fault::Abort,
    }
}
