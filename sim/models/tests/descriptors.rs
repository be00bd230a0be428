//! Ten thousand random descriptors: commands of every kind and results, at every offset around 4 KiB edges, over a link
//! that reorders, splits and hesitates. What the core answers is compared with its twin, and guard bytes stay.

mod common;
#[path = "../../../hdl/tests/common/stream.rs"]
#[allow(
    dead_code,
    unreachable_pub,
    reason = "shared with the core's own tests"
)]
mod stream;

use common::driver::{DATA_BYTES, Driver, HIGH, LOW};
use common::program;
use weft_hdl::Twin;
use weft_models::RootConfig;
use weft_protocol::pcie::CardRegister;
use weft_protocol::pcie::ring::{MAX_INLINE, NOTIFY, Outcome, Record, Slot, SlotKind};

/// Descriptors of both rings together.
const DESCRIPTORS: usize = 10_000;
/// Each descriptor has an area of its own, a 4 KiB edge in its middle.
const AREA: u64 = 8192;
/// Areas of one ring: half of each memory.
const AREAS: u64 = DATA_BYTES as u64 / AREA;
const GUARD: u8 = 0xa5;
const GUARDS: u64 = 64;

/// Where area `n` of a ring begins.
fn area(n: usize, results: bool) -> u64 {
    let n = n as u64 % AREAS;
    let base = if n.is_multiple_of(2) { LOW } else { HIGH };
    let half = if results { DATA_BYTES as u64 / 2 } else { 0 };
    base + half + n / 2 * AREA
}

/// An address for `bytes` bytes in area `n`: they begin, end or lie at, before or behind the edge.
fn place(random: &mut stream::Random, n: usize, results: bool, bytes: usize) -> u64 {
    let edge = area(n, results) + AREA / 2;
    let shift = 8 * random.below(9) as u64;
    match random.below(4) {
        0 => edge + shift,
        1 => edge - bytes as u64 - shift,
        2 => edge - shift,
        _ => edge - 8 * random.below(bytes / 8 + 1) as u64,
    }
}

struct Run {
    driver: Driver,
    random: stream::Random,
    bytes: Vec<u8>,
    sent: usize,
    commands: usize,
    commands_done: usize,
    buffers: Vec<(u64, u32)>,
    window: u64,
    answers: Vec<Vec<u8>>,
    results: usize,
}

impl Run {
    /// One more command, of a random kind and length.
    fn command(&mut self) {
        let most = [8, 64, 256, 520, 1600][self.random.below(5)];
        let left = self.bytes.len() - self.sent;
        let length = (8 + 8 * self.random.below(most / 8)).min(left);
        let piece = &self.bytes[self.sent..self.sent + length];
        self.sent += length;
        let mut slot = Slot {
            address: 0,
            length: length as u32,
            kind: SlotKind::Host as u8,
            flags: NOTIFY,
            cookie: self.commands as u16,
        };
        match self.random.below(4) {
            0 if length <= MAX_INLINE as usize => {
                slot.kind = SlotKind::Inline as u8;
                self.driver.command(slot, piece);
            }
            1 => {
                let window = 1 << program().config().log2_window;
                if self.window + length as u64 > window {
                    self.window = 0;
                }
                slot.kind = SlotKind::Window as u8;
                slot.address = self.window;
                self.driver.system.root.host_write(2, self.window, piece);
                self.window += length as u64;
                self.driver.command(slot, &[]);
            }
            _ => {
                slot.address = place(&mut self.random, self.commands, false, length);
                let whole = length + 2 * GUARDS as usize;
                let memory = &mut self.driver.system.memory;
                let around = memory.slice_mut(slot.address - GUARDS, whole).unwrap();
                around.fill(GUARD);
                around[GUARDS as usize..][..length].copy_from_slice(piece);
                self.driver.command(slot, &[]);
            }
        }
        self.commands += 1;
    }

    /// One more result buffer, often exactly as long as its answer.
    fn buffer(&mut self) {
        let n = self.buffers.len();
        let answer = self.answers.get(n).map_or(64, Vec::len);
        let length = match self.random.below(4) {
            0 => 8 + 8 * self.random.below(answer / 8),
            1 => answer + 8 * self.random.below(20),
            _ => answer,
        };
        let address = place(&mut self.random, n, true, length);
        let whole = length + 2 * GUARDS as usize;
        let memory = &mut self.driver.system.memory;
        memory
            .slice_mut(address - GUARDS, whole)
            .unwrap()
            .fill(GUARD);
        self.driver.buffer(address, length as u32, n as u16);
        self.buffers.push((address, length as u32));
    }

    fn check(&mut self, record: Record) {
        if !record.result {
            assert_eq!(record.outcome, Outcome::Done as u8, "{record:?}");
            assert_eq!(record.cookie, self.commands_done as u16);
            self.commands_done += 1;
            return;
        }
        let n = self.results;
        let (answer, (address, length)) = (&self.answers[n], self.buffers[n]);
        let stored = answer.len().min(length as usize);
        let short = stored < answer.len();
        let outcome = if short { Outcome::Short } else { Outcome::Done };
        assert_eq!((record.outcome, record.cookie), (outcome as u8, n as u16));
        assert_eq!(
            (record.bytes as usize, &record.header[..]),
            (stored, &answer[..8])
        );
        let whole = length as usize + 2 * GUARDS as usize;
        let memory = &mut self.driver.system.memory;
        let around = memory.slice_mut(address - GUARDS, whole).unwrap();
        let (front, rest) = around.split_at(GUARDS as usize);
        assert_eq!(rest[..stored], answer[..stored], "answer {n}");
        let guards = front.iter().chain(&rest[stored..]);
        assert!(
            guards.copied().all(|b| b == GUARD),
            "guard bytes around answer {n}"
        );
        self.results += 1;
    }
}

/// The twin's answers, one packet each.
fn answers(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut twin = Twin::new(program().config().core);
    twin.push(bytes);
    let words = twin.responses();
    let (mut packets, mut at) = (Vec::new(), 0);
    while at < words.len() {
        let header = words[at];
        let sums = if header & 0xff == 0x83 {
            (64 * (header >> 16)) << ((header >> 8) & 7)
        } else {
            0
        };
        let end = at + 2 + sums as usize;
        packets.push(
            words[at..end]
                .iter()
                .flat_map(|w| w.to_le_bytes())
                .collect(),
        );
        at = end;
    }
    packets
}

fn run(seed: u64, config: RootConfig, descriptors: usize) {
    let mut random = stream::Random(seed);
    let core = program().config().core;
    let mut bytes = Vec::new();
    // About 280 bytes a command on average; results come on top.
    while bytes.len() < 250 * descriptors {
        bytes.extend(stream::session(&mut random, &core, 4));
        for register in [2, 3, 6] {
            weft_protocol::packet::Request::Read { register }.encode(&mut bytes);
        }
    }
    let mut run = Run {
        driver: Driver::new(config, 7),
        answers: answers(&bytes),
        random,
        bytes,
        sent: 0,
        commands: 0,
        commands_done: 0,
        buffers: Vec::new(),
        window: 0,
        results: 0,
    };
    let mut rounds = 0;
    while run.results < run.answers.len() || run.commands_done < run.commands {
        // Slots are reused when they were taken, areas when their record was seen.
        let head = run.driver.system.register(CardRegister::CommandHead) as u16;
        let mut free = 128 - usize::from(run.driver.command_tail.wrapping_sub(head));
        while free > 40 && run.sent < run.bytes.len() && run.commands - run.commands_done < 60 {
            let before = run.driver.command_tail;
            run.command();
            free -= usize::from(run.driver.command_tail.wrapping_sub(before));
        }
        while run.buffers.len() < run.answers.len() && run.buffers.len() - run.results < 60 {
            run.buffer();
        }
        run.driver.ring();
        run.driver.system.run(400);
        run.driver.poll();
        while let Some(record) = run.driver.records.pop_front() {
            run.check(record);
        }
        rounds += 1;
        let progress = (
            run.commands_done,
            run.commands,
            run.results,
            run.answers.len(),
        );
        assert!(rounds < 20_000, "{progress:?} done");
    }
    assert!(
        run.commands + run.results >= descriptors,
        "{} {}",
        run.commands,
        run.results
    );
    let status = run.driver.status();
    assert!(status.idle() && !status.halted(), "{status:?}");
    assert_eq!(run.driver.system.register(CardRegister::OutstandingTags), 0);
    assert_eq!(run.driver.system.memory.lost_writes, 0);
    run.driver.system.check();
}

#[test]
fn ten_thousand_descriptors_at_every_edge() {
    let hard = RootConfig {
        max_payload: 128,
        max_read: 128,
        completion: 128,
        latency: 30..300,
        split: true,
        reorder: true,
        hesitate: 6,
        credits: [(4, 40), (3, 3)],
        ..RootConfig::default()
    };
    run(11, hard.clone(), DESCRIPTORS / 2);
    let large = RootConfig {
        max_payload: 512,
        max_read: 512,
        completion: 512,
        credits: [(4, 80), (3, 3)],
        seed: 2,
        ..hard.clone()
    };
    run(12, large, DESCRIPTORS / 4);
    let quick = RootConfig {
        max_payload: 256,
        max_read: 256,
        ..RootConfig::default()
    };
    run(13, quick, DESCRIPTORS / 4);
}
