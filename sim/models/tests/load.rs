//! Stop, reset, a full completion ring, and interrupts, while products are under way.

mod common;
#[path = "../../../hdl/tests/common/stream.rs"]
#[allow(
    dead_code,
    unreachable_pub,
    reason = "shared with the core's own tests"
)]
mod stream;

use common::driver::{Driver, HIGH, LOW, RESULTS};
use common::program;
use weft_hdl::Twin;
use weft_models::RootConfig;
use weft_models::root_complex::{Fault, Injection};
use weft_protocol::pcie::ring::{NOTIFY, Record, Slot, SlotKind};
use weft_protocol::pcie::{CardRegister, Control, MSIX_PENDING};

/// A stream in host memory, cut into slots of 1,000 bytes, and what the twin answers to it.
struct Load {
    driver: Driver,
    slots: Vec<(u64, u32)>,
    next: usize,
    answers: Vec<u8>,
    packets: usize,
    records: Vec<Record>,
}

fn load(seed: u64, config: RootConfig) -> Load {
    let core = program().config().core;
    let bytes = stream::session(&mut stream::Random(seed), &core, 16);
    let mut twin = Twin::new(core);
    twin.push(&bytes);
    let words = twin.responses();
    let mut packets = 0;
    let mut at = 0;
    while at < words.len() {
        let sums = if words[at] & 0xff == 0x83 {
            (64 * (words[at] >> 16)) << ((words[at] >> 8) & 7)
        } else {
            0
        };
        at += 2 + sums as usize;
        packets += 1;
    }
    let mut driver = Driver::new(config, 9);
    driver
        .system
        .memory
        .slice_mut(HIGH, bytes.len())
        .unwrap()
        .copy_from_slice(&bytes);
    let slots = (0..bytes.len())
        .step_by(1000)
        .map(|at| (HIGH + at as u64, (bytes.len() - at).min(1000) as u32));
    Load {
        driver,
        slots: slots.collect(),
        next: 0,
        answers: words.iter().flat_map(|w| w.to_le_bytes()).collect(),
        packets,
        records: Vec::new(),
    }
}

impl Load {
    /// Queues every slot that is left, and buffers for every answer.
    fn queue(&mut self) {
        for (i, &(address, length)) in self.slots.iter().enumerate().skip(self.next) {
            let slot = Slot {
                address,
                length,
                kind: SlotKind::Host as u8,
                flags: NOTIFY,
                cookie: i as u16,
            };
            self.driver.command(slot, &[]);
        }
        let stored = self.records.iter().filter(|r| r.result).count();
        for _ in stored..self.packets {
            let n = self.driver.result_tail;
            self.driver.buffer(LOW + 8192 * u64::from(n), 8192, n);
        }
        self.driver.ring();
    }

    fn collect(&mut self) {
        self.driver.poll();
        self.records.extend(self.driver.records.drain(..));
    }

    /// Waits until all answers are there and compares them.
    fn finish(&mut self) {
        for _ in 0..4000 {
            self.driver.system.run(100);
            self.collect();
            if self.records.len() == self.slots.len() + self.packets {
                break;
            }
        }
        assert_eq!(self.records.len(), self.slots.len() + self.packets);
        assert!(self.records.iter().all(|r| r.outcome == 0));
        let mut found = Vec::new();
        for record in self.records.iter().filter(|r| r.result) {
            let address = LOW + 8192 * u64::from(record.cookie);
            let memory = &mut self.driver.system.memory;
            found.extend_from_slice(memory.slice_mut(address, record.bytes as usize).unwrap());
        }
        assert_eq!(found, self.answers);
        self.driver.system.check();
    }
}

fn config() -> RootConfig {
    RootConfig {
        latency: 50..500,
        split: true,
        reorder: true,
        ..RootConfig::default()
    }
}

#[test]
fn a_stop_under_load_ends_and_goes_on_where_it_was() {
    for (seed, after) in [(1, 900), (2, 1500), (3, 2100), (4, 3300)] {
        let mut l = load(seed, config());
        l.queue();
        l.driver.system.run(after);
        for _ in 0..3 {
            l.driver.system.set(CardRegister::Control, 0);
            let mut patience = 2000;
            while !l.driver.status().idle() {
                l.driver.system.run(20);
                patience -= 1;
                assert!(patience > 0, "the stop does not end");
            }
            l.collect();
            let head = l.driver.system.register(CardRegister::CommandHead);
            let done = l.records.iter().filter(|r| !r.result).count();
            assert_eq!(head as usize, done, "what was taken is done, nothing else");
            let reads = l.driver.system.register(CardRegister::ReadRequests);
            l.driver.system.run(3000);
            assert_eq!(l.driver.system.register(CardRegister::ReadRequests), reads);
            assert_eq!(l.driver.system.register(CardRegister::OutstandingTags), 0);
            l.driver.system.set(CardRegister::Control, Control::RUN);
            l.driver.system.run(700);
        }
        l.finish();
    }
}

#[test]
fn a_reset_under_load_never_wedges_and_leaves_nothing_behind() {
    let mut l = load(5, config());
    for round in 0..25 {
        l.driver
            .system
            .memory
            .slice_mut(LOW, 1 << 18)
            .unwrap()
            .fill(0);
        l.records.clear();
        l.queue();
        l.driver.system.run(200 + 97 * round);
        l.driver.reset();
        assert_eq!(l.driver.system.register(CardRegister::OutstandingTags), 0);
        let status = l.driver.status();
        assert!(status.idle() && !status.halted());
    }
    l.records.clear();
    l.queue();
    l.finish();
}

#[test]
fn a_reset_under_load_with_answers_that_never_come() {
    let mut l = load(6, config());
    l.driver.system.set(CardRegister::Timeout, 4000);
    for round in 0..6 {
        l.driver.system.root.faults.inject(Injection {
            addresses: HIGH..HIGH + (1 << 20),
            skip: 2 + round,
            fault: Fault::Never,
        });
        l.records.clear();
        l.queue();
        l.driver.system.run(600 + 300 * round as u64);
        l.driver.reset();
        (0..32).for_each(|tag| l.driver.system.root.checker.forget(tag));
    }
    l.records.clear();
    l.queue();
    l.finish();
}

#[test]
fn a_function_reset_forgets_every_setting() {
    let mut l = load(7, config());
    l.queue();
    l.driver.system.run(1500);
    l.driver.system.endpoint.function_reset(true);
    l.driver.system.run(3);
    l.driver.system.endpoint.function_reset(false);
    l.driver.system.run(40_000);
    for (register, value) in [
        (CardRegister::Control, 0),
        (CardRegister::CommandBase, 0),
        (CardRegister::CommandTail, 0),
        (CardRegister::CompletionTail, 0),
        (CardRegister::Timeout, 6_250_000),
        (CardRegister::Status, 1),
    ] {
        assert_eq!(
            l.driver.system.register(register),
            value,
            "{}",
            register.name()
        );
    }
    assert_eq!(l.driver.system.read(0, 0x200c, 4), Ok(vec![1, 0, 0, 0]));
    l.driver.restart();
    l.queue();
    l.finish();
}

#[test]
fn a_full_completion_ring_holds_the_card_back_and_loses_nothing() {
    let mut l = load(8, config());
    // Four records fit; nobody takes any for a while.
    l.driver.system.set(CardRegister::CompletionLog2, 2);
    l.queue();
    l.driver.system.run(60_000);
    assert_eq!(l.driver.system.register(CardRegister::CompletionTail), 4);
    let (commands, log2) = (l.driver.command_tail, l.driver.log2);
    assert!(usize::from(commands) > 4 && l.slots.len() > 4);
    l.driver.log2 = 2;
    let total = l.slots.len() + l.packets;
    for _ in 0..4000 {
        l.driver.system.run(100);
        l.collect();
        if l.records.len() == total {
            break;
        }
    }
    l.driver.log2 = log2;
    l.finish();
}

#[test]
fn results_wait_for_buffers() {
    let mut l = load(9, config());
    let packets = std::mem::replace(&mut l.packets, 0);
    l.queue();
    l.driver.system.run(30_000);
    l.collect();
    assert!(l.records.iter().all(|r| !r.result));
    assert_eq!(l.driver.system.register(CardRegister::ResultHead), 0);
    assert!(!l.driver.status().halted());
    (l.packets, l.next) = (packets, l.slots.len());
    l.queue();
    l.finish();
    let first = l
        .driver
        .system
        .memory
        .slice_mut(RESULTS, 16)
        .unwrap()
        .to_vec();
    assert_eq!(first[..8], LOW.to_le_bytes());
}

#[test]
fn interrupts_are_gathered_masked_and_pending() {
    let mut l = load(10, config());
    l.driver.system.set(CardRegister::InterruptCount, 8);
    l.driver.system.set(CardRegister::InterruptDelay, 5000);
    l.queue();
    l.finish();
    l.driver.system.run(6000);
    let records = l.records.len();
    let sent = l.driver.system.memory.interrupts.len();
    assert!(
        sent >= records / 8 && sent <= records / 8 + 4,
        "{sent} for {records} records"
    );

    l.driver.system.memory.interrupts.clear();
    l.driver.system.root.configure(|c| c.msix_mask = true);
    l.driver.reset();
    l.driver.system.set(CardRegister::InterruptCount, 1);
    l.records.clear();
    l.queue();
    l.finish();
    l.driver.system.run(500);
    assert_eq!(l.driver.system.memory.interrupts.len(), 0);
    assert_eq!(
        l.driver.system.read(0, MSIX_PENDING as u64, 4),
        Ok(vec![1, 0, 0, 0])
    );
    l.driver.system.root.configure(|c| c.msix_mask = false);
    l.driver.system.run(500);
    assert_eq!(
        l.driver.system.memory.interrupts,
        [0],
        "all of them are one"
    );
    assert_eq!(
        l.driver.system.read(0, MSIX_PENDING as u64, 4),
        Ok(vec![0; 4])
    );
}
