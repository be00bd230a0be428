//! The rings: descriptors of every kind, offset and length against what they should move, and products against the
//! core's twin.

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
use weft_models::{Random, RootConfig};
use weft_protocol::packet::{Opcode, Request};
use weft_protocol::pcie::CardRegister;
use weft_protocol::pcie::ring::{MAX_INLINE, NOTIFY, Outcome, Record, Slot, SlotKind};

fn slot(kind: SlotKind, address: u64, length: usize, cookie: u16) -> Slot {
    Slot {
        address,
        length: length as u32,
        kind: kind as u8,
        flags: NOTIFY,
        cookie,
    }
}

fn encoded(requests: &[Request<'_>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    requests.iter().for_each(|r| r.encode(&mut bytes));
    bytes
}

/// The outcome of a record of this ring, checked against its cookie and bytes.
fn done(record: Record, result: bool, cookie: u16, bytes: usize) {
    let wanted = Record {
        bytes: bytes as u32,
        cookie,
        outcome: Outcome::Done as u8,
        result,
        ..record
    };
    assert_eq!(record, wanted);
}

#[test]
fn an_inline_request_is_answered_into_a_buffer() {
    let mut d = Driver::new(RootConfig::default(), 4);
    let read = Request::Read { register: 2 };
    d.buffer(LOW + 64, 64, 9);
    d.command(slot(SlotKind::Inline, 0, 8, 5), &encoded(&[read]));
    d.ring();
    done(d.record(), false, 5, 8);
    let record = d.record();
    done(record, true, 9, 8);
    assert_eq!(record.header[0], Opcode::Value as u8);
    let hash = weft_protocol::registers::MAP_HASH.to_le_bytes();
    assert_eq!(record.header[4..], hash);
    let stored = d.system.memory.slice_mut(LOW + 64, 16).unwrap();
    assert_eq!(
        (&stored[..8], &stored[8..]),
        (&record.header[..], &[0; 8][..])
    );
    assert_eq!(d.system.register(CardRegister::Interrupts), 2);
    assert_eq!(d.system.memory.interrupts, [0, 0]);
    d.system.check();
}

/// Sends a random session of the core through the rings, cut into slots at random, and compares every answer with the
/// twin's.
fn products(seed: u64, config: RootConfig, log2: u32) {
    let core = program().config().core;
    let mut random = stream::Random(seed);
    let bytes = stream::session(&mut random, &core, 12);
    let mut twin = Twin::new(core);
    twin.push(&bytes);
    let answers: Vec<u8> = twin
        .responses()
        .iter()
        .flat_map(|w| w.to_le_bytes())
        .collect();

    let mut d = Driver::new(config, log2);
    let mut random = Random(seed);
    // Every piece of the stream lies somewhere else.
    let (mut at, mut place) = (0, [0_u64; 2]);
    let mut window = 0_u64;
    let mut expected = 0;
    let mut stored = 0;
    let mut results = Vec::new();
    let slots = 1_usize << log2;
    let mut notified = 0_u16;
    let mut seen = 0_u16;
    let mut posted = 0_u64;
    while at < bytes.len() || seen < notified {
        let free = slots
            - usize::from(
                d.command_tail
                    .wrapping_sub(d.system.register(CardRegister::CommandHead) as u16),
            );
        if at < bytes.len() && free > 1 + MAX_INLINE as usize / 16 {
            let most = [64, 600, 3000][random.below(3) as usize];
            let length = (8 + 8 * random.below(most / 8) as usize).min(bytes.len() - at);
            let piece = &bytes[at..at + length];
            at += length;
            let cookie = notified;
            notified = notified.wrapping_add(1);
            match random.below(4) {
                0 if length <= MAX_INLINE as usize => {
                    d.command(slot(SlotKind::Inline, 0, length, cookie), piece)
                }
                1 if window + (length as u64) < 1 << 16 => {
                    d.system.root.host_write(2, window, piece);
                    d.command(slot(SlotKind::Window, window, length, cookie), &[]);
                    window += length as u64;
                }
                _ => {
                    let which = random.below(2) as usize;
                    let address = [LOW, HIGH][which] + place[which];
                    d.system
                        .memory
                        .slice_mut(address, length)
                        .unwrap()
                        .copy_from_slice(piece);
                    d.command(slot(SlotKind::Host, address, length, cookie), &[]);
                    place[which] += (length as u64 + 8 * random.below(80)) & !7;
                    assert!(place[which] < DATA_BYTES as u64 / 2);
                }
            }
        }
        while posted < 8 + results.len() as u64 {
            // Answers go to the upper half, guard bytes between them.
            let address = [LOW, HIGH][(posted % 2) as usize]
                + (DATA_BYTES as u64) / 2
                + 8192 * (posted % 60)
                + 8 * (posted % 9);
            d.buffer(address, 8000, posted as u16);
            posted += 1;
        }
        d.ring();
        d.system.run(200);
        d.poll();
        while let Some(record) = d.records.pop_front() {
            assert_eq!(record.outcome, Outcome::Done as u8, "{record:?}");
            if record.result {
                results.push(record);
                let n = u64::from(record.cookie);
                assert_eq!(n, results.len() as u64 - 1);
                let address = [LOW, HIGH][(n % 2) as usize]
                    + (DATA_BYTES as u64) / 2
                    + 8192 * (n % 60)
                    + 8 * (n % 9);
                let bytes = record.bytes as usize;
                let data = d.system.memory.slice_mut(address, bytes + 64).unwrap();
                assert_eq!(data[..bytes], answers[stored..stored + bytes]);
                assert_eq!(data[..8], record.header);
                assert!(
                    data[bytes..].iter().all(|&b| b == 0),
                    "guard bytes behind answer {n}"
                );
                data.fill(0);
                stored += bytes;
            } else {
                assert_eq!(record.cookie, seen);
                seen = seen.wrapping_add(1);
            }
        }
        expected += 1;
        assert!(expected < 100_000, "{seen} of {notified} slots done");
    }
    d.system.until("the last answers", |s| s.root.quiet());
    for _ in 0..200 {
        d.system.run(100);
        d.poll();
        while let Some(record) = d.records.pop_front() {
            assert!(record.result);
            let n = u64::from(record.cookie);
            let address = [LOW, HIGH][(n % 2) as usize]
                + (DATA_BYTES as u64) / 2
                + 8192 * (n % 60)
                + 8 * (n % 9);
            let bytes = record.bytes as usize;
            let data = d.system.memory.slice_mut(address, bytes).unwrap();
            assert_eq!(data[..bytes], answers[stored..stored + bytes]);
            stored += bytes;
        }
        if stored == answers.len() {
            break;
        }
    }
    assert_eq!(stored, answers.len());
    assert!(d.status().idle() && !d.status().halted());
    assert_eq!(d.system.register(CardRegister::OutstandingTags), 0);
    d.system.check();
}

#[test]
fn products_through_the_rings_are_the_twins() {
    products(1, RootConfig::default(), 8);
    let config = RootConfig {
        max_payload: 128,
        max_read: 128,
        completion: 64,
        latency: 40..400,
        split: true,
        reorder: true,
        hesitate: 4,
        credits: [(3, 30), (2, 2)],
        ..RootConfig::default()
    };
    products(2, config, 6);
    let config = RootConfig {
        max_payload: 512,
        completion: 512,
        latency: 100..900,
        split: true,
        reorder: true,
        ..RootConfig::default()
    };
    products(3, config, 7);
}
