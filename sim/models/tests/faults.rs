//! What goes wrong: each fault is reported as what it is, nothing wrong reaches the core, and a reset mends it.

mod common;

use common::System;
use common::driver::{Driver, HIGH, LOW, ranges};
use weft_models::RootConfig;
use weft_models::root_complex::{Fault, Injection};
use weft_protocol::packet::{Opcode, Request};
use weft_protocol::pcie::ring::{NOTIFY, Outcome, Record, Slot, SlotKind};
use weft_protocol::pcie::{CardRegister, VECTOR_COMPLETION, VECTOR_FAULT};
use weft_protocol::registers::MAP_HASH;

/// Cycles after which a test's card counts a read as lost.
const TIMEOUT: u64 = 3000;

fn host(address: u64, length: u32, cookie: u16) -> Slot {
    Slot {
        address,
        length,
        kind: SlotKind::Host as u8,
        flags: NOTIFY,
        cookie,
    }
}

fn driver() -> Driver {
    let mut d = Driver::new(RootConfig::default(), 5);
    d.system.set(CardRegister::Timeout, TIMEOUT as u32);
    d
}

/// Asks the core for its map hash, the request lying in host memory, and checks the answer.
fn works(d: &mut Driver) {
    let mut request = Vec::new();
    Request::Read { register: 2 }.encode(&mut request);
    d.system
        .memory
        .slice_mut(HIGH + 0x100, 8)
        .unwrap()
        .copy_from_slice(&request);
    d.buffer(LOW + 0x800, 64, 77);
    d.command(host(HIGH + 0x100, 8, 78), &[]);
    d.ring();
    let mut records = [d.record(), d.record()];
    records.sort_by_key(|r| r.result);
    assert_eq!(records.map(|r| (r.outcome, r.cookie)), [(0, 78), (0, 77)]);
    assert_eq!(records[1].header[4..], MAP_HASH.to_le_bytes());
}

/// One slot of 1,024 bytes whose second read goes wrong; then a reset.
fn fault(fault: Fault) -> (Record, Driver) {
    let mut d = driver();
    works(&mut d);
    d.system.memory.interrupts.clear();
    d.system.root.faults.inject(Injection {
        addresses: LOW..LOW + 1024,
        skip: 1,
        fault,
    });
    d.command(host(LOW, 1024, 0x1234), &[]);
    d.command(host(LOW, 8, 0x1235), &[]);
    d.ring();
    let record = d.record();
    (record, d)
}

/// The card halted with this outcome, told so by both interrupts, and works after a reset.
fn halted(record: Record, mut d: Driver, outcome: Outcome) {
    assert_eq!(
        (record.outcome, record.cookie, record.bytes),
        (outcome as u8, 0x1234, 512)
    );
    d.system.run(200);
    let status = d.status();
    assert!(status.halted(), "{status:?}");
    assert_eq!((status.fault(), status.cookie()), (outcome as u8, 0x1234));
    assert!(d.system.memory.interrupts.contains(&VECTOR_FAULT));
    assert!(d.system.memory.interrupts.contains(&VECTOR_COMPLETION));
    assert_eq!(d.poll(), 0, "nothing more is done");
    assert_eq!(d.system.root.faults.waiting(), 0);
    d.reset();
    assert!(!d.status().halted());
    // Whoever never answered does not owe it any more.
    (0..32).for_each(|tag| d.system.root.checker.forget(tag));
    works(&mut d);
    assert_eq!(d.system.register(CardRegister::OutstandingTags), 0);
    d.system.check();
}

#[test]
fn a_read_that_nobody_supports() {
    let (record, mut d) = fault(Fault::Unsupported);
    assert_eq!(d.system.register(CardRegister::FailedCompletions), 1);
    halted(record, d, Outcome::Unsupported);
}

#[test]
fn a_read_that_is_aborted() {
    let (record, d) = fault(Fault::Abort);
    halted(record, d, Outcome::Abort);
}

#[test]
fn poisoned_data() {
    let (record, mut d) = fault(Fault::Poison);
    assert!(d.system.register(CardRegister::FailedCompletions) > 0);
    halted(record, d, Outcome::Poisoned);
}

#[test]
fn answers_that_pci_express_does_not_allow() {
    for wrong in [Fault::Retry, Fault::ShortCount, Fault::LowerAddress] {
        let (record, d) = fault(wrong);
        halted(record, d, Outcome::Malformed);
    }
}

#[test]
fn a_read_that_is_never_answered() {
    let (record, mut d) = fault(Fault::Never);
    assert_eq!(d.system.register(CardRegister::LostCompletions), 1);
    assert_eq!(d.system.register(CardRegister::OutstandingTags), 1);
    halted(record, d, Outcome::Lost);
}

#[test]
fn an_answer_that_goes_to_someone_else() {
    let (record, mut d) = fault(Fault::Misdirected);
    assert!(d.system.register(CardRegister::UnexpectedCompletions) > 0);
    halted(record, d, Outcome::Lost);
}

#[test]
fn an_answer_that_comes_too_late_is_waited_for_by_the_reset() {
    let (record, d) = fault(Fault::Late(TIMEOUT + 1500));
    halted(record, d, Outcome::Lost);
    // A second time, so late that nobody waits for it any more.
    let (record, mut d) = fault(Fault::Late(8 * TIMEOUT));
    assert_eq!(record.outcome, Outcome::Lost as u8);
    d.system
        .set(CardRegister::Control, weft_protocol::pcie::Control::RESET);
    d.system.run(10 * TIMEOUT);
    assert_eq!(d.system.register(CardRegister::Control), 0);
    assert!(d.system.register(CardRegister::UnexpectedCompletions) > 0);
    d.restart();
    works(&mut d);
    d.system.check();
}

#[test]
fn an_answer_that_is_late_but_in_time_and_one_that_comes_twice() {
    let mut d = driver();
    let addresses = HIGH..HIGH + 0x1000;
    for fault in [Fault::Late(TIMEOUT - 1000), Fault::Duplicate] {
        d.system.root.faults.inject(Injection {
            addresses: addresses.clone(),
            skip: 0,
            fault,
        });
        works(&mut d);
    }
    assert_eq!(d.system.register(CardRegister::UnexpectedCompletions), 1);
    assert!(!d.status().halted());
    d.system.check();
}

#[test]
fn rings_that_cannot_be_read() {
    for (base, tail) in [
        (CardRegister::CommandBase, CardRegister::CommandTail),
        (CardRegister::ResultBase, CardRegister::ResultTail),
    ] {
        let mut d = driver();
        d.system.set(base, 0x7000_0000);
        d.system.set(tail, 1);
        d.system
            .until("a halt", |s| s.memory.interrupts.contains(&VECTOR_FAULT));
        let status = d.status();
        assert_eq!(
            (status.halted(), status.fault(), status.cookie()),
            (true, 4, 0)
        );
        assert_eq!(d.poll(), 0, "no slot was read, so none failed");
        d.reset();
        works(&mut d);
        d.system.check();
    }
}

#[test]
fn slots_that_are_refused() {
    let good = host(LOW, 64, 0x1234);
    let cases = [
        (Slot { kind: 3, ..good }, Outcome::Kind),
        (Slot { length: 0, ..good }, Outcome::Shape),
        (Slot { length: 12, ..good }, Outcome::Shape),
        (
            Slot {
                length: (1 << 24) + 8,
                ..good
            },
            Outcome::Shape,
        ),
        (
            Slot {
                address: LOW + 4,
                ..good
            },
            Outcome::Shape,
        ),
        (
            Slot {
                kind: 1,
                length: 520,
                ..good
            },
            Outcome::Shape,
        ),
        (
            Slot {
                kind: 2,
                address: 1 << 16,
                ..good
            },
            Outcome::Window,
        ),
        (
            Slot {
                kind: 2,
                address: (1 << 16) - 56,
                ..good
            },
            Outcome::Window,
        ),
        (
            Slot {
                kind: 2,
                address: u64::MAX - 7,
                ..good
            },
            Outcome::Window,
        ),
    ];
    let mut d = driver();
    for (slot, outcome) in cases {
        assert_eq!(slot.check(1 << 16), Err(outcome));
        works(&mut d);
        d.command(slot, &[]);
        d.ring();
        let record = d.record();
        assert_eq!(
            (record.outcome, record.cookie, record.bytes),
            (outcome as u8, 0x1234, 0)
        );
        d.system.run(100);
        assert_eq!(
            (d.status().halted(), d.status().fault()),
            (true, outcome as u8)
        );
        d.reset();
    }
    // The very last bytes of the window are fine.
    d.system.root.host_write(2, (1 << 16) - 64, &[0; 64]);
    let last = Slot {
        kind: 2,
        address: (1 << 16) - 64,
        ..good
    };
    d.command(last, &[]);
    d.ring();
    assert_eq!(d.record().outcome, 0);
    works(&mut d);
    d.system.check();
}

#[test]
fn result_slots_that_are_no_buffers() {
    for (address, length, outcome) in [
        (LOW + 4, 64, Outcome::Shape),
        (LOW, 0, Outcome::Shape),
        (LOW, 20, Outcome::Shape),
    ] {
        let mut d = driver();
        d.buffer(address, length, 0x4321);
        let mut request = Vec::new();
        Request::Read { register: 2 }.encode(&mut request);
        let slot = Slot {
            kind: SlotKind::Inline as u8,
            flags: 0,
            ..host(0, 8, 0)
        };
        d.command(slot, &request);
        d.ring();
        let record = d.record();
        assert_eq!(
            (record.outcome, record.cookie, record.result),
            (outcome as u8, 0x4321, true)
        );
        assert_eq!((record.bytes, record.header[0]), (0, Opcode::Value as u8));
        assert!(d.status().halted());
        d.reset();
        works(&mut d);
        d.system.check();
    }
}

#[test]
fn lost_interrupts_leave_the_records() {
    let mut d = driver();
    d.system.root.faults.lost_interrupts = 2;
    works(&mut d);
    assert_eq!(d.system.memory.interrupts.len(), 0);
    assert_eq!(d.system.register(CardRegister::Interrupts), 2);
    works(&mut d);
    d.system.run(200);
    assert_eq!(d.system.memory.interrupts.len(), 2);
    d.system.check();
}

#[test]
fn a_card_that_may_not_be_bus_master_waits() {
    let config = RootConfig {
        bus_master: false,
        ..RootConfig::default()
    };
    let mut d = Driver::over(System::new(config, &ranges()), 5);
    d.buffer(LOW, 64, 1);
    let mut request = Vec::new();
    Request::Read { register: 2 }.encode(&mut request);
    d.command(
        Slot {
            kind: 1,
            ..host(0, 8, 2)
        },
        &request,
    );
    d.ring();
    d.system.run(5000);
    assert_eq!(d.system.register(CardRegister::ReadRequests), 0);
    assert!(!d.status().halted());
    d.system.root.configure(|c| c.bus_master = true);
    let found = [d.record(), d.record()];
    assert!(found.iter().all(|r| r.outcome == 0));
    d.system.check();
}
