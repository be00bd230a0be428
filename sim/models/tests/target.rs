//! Requests to the card: registers, window, odd requests, broken ones.

mod common;

use common::System;
use weft_models::Random;
use weft_models::root_complex::{BAR0, HostError, RootConfig};
use weft_models::tlp::Tlp;
use weft_protocol::pcie::tlp::{EP, FMT, IO, TC, THREE, THREE_DATA, TYPE, UNSUPPORTED};
use weft_protocol::pcie::{
    BAR0_BYTES, Capabilities, CardRegister, MAP_HASH, MSIX_PENDING, MSIX_TABLE, Shape, VERSION,
};
use weft_protocol::registers;

fn system() -> System {
    System::new(RootConfig::default(), &[])
}

#[test]
fn every_register_answers_as_the_map_says() {
    use CardRegister as R;
    let mut s = system();
    let shape = Shape {
        banks: 2,
        batch: 1,
        stream_bytes: 4,
        log2_depth: 6,
    };
    let capabilities = Capabilities {
        log2_window: 16,
        tags: 30,
    };
    let widths = |r| match r {
        R::CommandLog2 | R::ResultLog2 | R::CompletionLog2 => Some(0xf),
        R::CommandTail | R::ResultTail | R::CompletionHead => Some(0xffff),
        R::Scratch | R::Timeout | R::InterruptCount | R::InterruptDelay => Some(u32::MAX),
        R::CommandBase | R::CommandBaseHigh | R::ResultBase | R::ResultBaseHigh => Some(u32::MAX),
        R::CompletionBase | R::CompletionBaseHigh => Some(u32::MAX),
        _ => None,
    };
    let mut random = Random(3);
    for &r in R::ALL {
        let first = match r {
            R::Magic => registers::MAGIC,
            R::Version => VERSION,
            R::StreamHash => registers::MAP_HASH,
            R::CardHash => MAP_HASH,
            R::Shape => shape.to_register(),
            R::Capabilities => capabilities.to_register(),
            R::Status => 1,
            R::Timeout => 6_250_000,
            _ => 0,
        };
        assert_eq!(s.register(r), first, "{}", r.name());
        if r == R::ResultTail {
            continue; // a doorbell that would be answered
        }
        let written = random.bits() as u32 & !0x3;
        s.set(r, written);
        let kept = widths(r).map_or(first, |mask| written & mask);
        assert_eq!(s.register(r), kept, "{}", r.name());
    }
    s.check();
}

#[test]
fn what_is_no_register_reads_as_zero_and_takes_no_writes() {
    let mut s = system();
    let listed: Vec<u64> = CardRegister::ALL.iter().map(|r| r.offset()).collect();
    for offset in (0..BAR0_BYTES as u64).step_by(4) {
        let table = MSIX_TABLE as u64..MSIX_TABLE as u64 + 32;
        if listed.contains(&offset) || table.contains(&offset) {
            continue;
        }
        s.root.host_write(0, offset, &[0xff; 4]);
    }
    let mut offset = 0;
    while offset < BAR0_BYTES {
        let data = s.read(0, offset as u64, 512).unwrap();
        for (i, dword) in data.chunks(4).enumerate() {
            let at = (offset + 4 * i) as u64;
            let table = (MSIX_TABLE..MSIX_TABLE + 32).contains(&(at as usize));
            assert!(
                listed.contains(&at) || table || dword == [0; 4],
                "{at:#x}: {dword:?}"
            );
        }
        offset += 512;
    }
    s.check();
}

#[test]
fn byte_enables_select_bytes_and_two_neighbours_go_at_once() {
    let mut s = system();
    let scratch = CardRegister::Scratch.offset();
    s.set(CardRegister::Scratch, 0x4433_2211);
    s.root.host_write(0, scratch + 1, &[0xaa, 0xbb]);
    assert_eq!(s.register(CardRegister::Scratch), 0x44bb_aa11);
    assert_eq!(s.read(0, scratch + 3, 1), Ok(vec![0x44]));
    let base = CardRegister::CommandBase.offset();
    s.root.host_write(0, base, &[1, 2, 3, 4, 5, 6, 7, 8]);
    assert_eq!(s.read(0, base, 8), Ok(vec![1, 2, 3, 4, 5, 6, 7, 8]));
    assert_eq!(s.read(0, base + 2, 4), Ok(vec![3, 4, 5, 6]));
    // The message table: a vector is masked after power-up.
    let table = MSIX_TABLE as u64;
    assert_eq!(s.read(0, table + 12, 4), Ok(vec![1, 0, 0, 0]));
    s.root.host_write(0, table + 16, &[0x11; 16]);
    let entry = s.read(0, table + 16, 16).unwrap();
    assert_eq!(
        (&entry[..12], &entry[12..]),
        (&[0x11; 12][..], &[1, 0, 0, 0][..])
    );
    assert_eq!(s.read(0, MSIX_PENDING as u64, 8), Ok(vec![0; 8]));
    s.check();
}

#[test]
fn the_window_keeps_random_writes_of_any_offset_and_length() {
    for (max_payload, hesitate) in [(128, 0), (256, 3), (512, 5)] {
        let mut s = System::new(
            RootConfig {
                max_payload,
                completion: max_payload,
                hesitate,
                ..RootConfig::default()
            },
            &[],
        );
        let mut random = Random(max_payload as u64);
        let mut expected = vec![0_u8; 16 << 10];
        let bytes = random.bytes(expected.len());
        s.root.host_write(2, 0, &bytes);
        expected.copy_from_slice(&bytes);
        for _ in 0..150 {
            let bytes = 1 + random.below(600) as usize;
            let offset = random.below((expected.len() - bytes) as u64) as usize;
            let data = random.bytes(bytes);
            s.root.host_write(2, offset as u64, &data);
            expected[offset..offset + bytes].copy_from_slice(&data);
            let bytes = 1 + random.below(4096) as usize;
            let mut offset = random.below((expected.len() - bytes) as u64) as usize;
            if offset / 4096 != (offset + bytes - 1) / 4096 {
                offset &= !4095;
            }
            let found = s.read(2, offset as u64, bytes).unwrap();
            assert_eq!(
                found,
                expected[offset..offset + bytes],
                "{bytes} bytes at {offset:#x}"
            );
        }
        assert_eq!(
            s.read(2, 64, 0),
            Ok(vec![]),
            "a read of no bytes is answered"
        );
        s.check();
    }
}

#[test]
fn several_reads_at_once_are_answered_in_order_and_never_overrun_the_card() {
    let mut s = system();
    let data = Random(9).bytes(4096);
    s.root.host_write(2, 0, &data);
    let tickets: Vec<_> = (0..100)
        .map(|i| (i, s.root.host_read(2, 40 * i, 40)))
        .collect();
    for (i, ticket) in tickets {
        let mut found = None;
        s.until("a read", |s| {
            found = s.root.answer(ticket);
            found.is_some()
        });
        let at = 40 * i as usize;
        assert_eq!(found, Some(Ok(data[at..at + 40].to_vec())));
    }
    s.check();
}

#[test]
fn what_the_card_does_not_support_is_answered_or_dropped_and_counted() {
    let mut s = system();
    let unsupported = Err(HostError::Status(UNSUPPORTED));
    let mut ask = |tlp: Tlp| {
        let ticket = s.root.host_ask(tlp);
        let mut answer = None;
        s.until("an answer", |s| {
            answer = s.root.answer(ticket);
            answer.is_some()
        });
        answer.unwrap()
    };
    assert_eq!(ask(Tlp::read(0, 0, 0x1234_5678, 4)), unsupported);
    assert_eq!(ask(Tlp::read(0, 0, 0x99_1234_5678, 64)), unsupported);
    let mut port = Tlp::read(0, 0, 0x300, 4);
    port.set(TYPE, IO);
    assert_eq!(ask(port.clone()), unsupported);
    port.set(FMT, THREE_DATA);
    port.data = vec![0; 4];
    assert_eq!(ask(port), unsupported);
    let mut locked = Tlp::read(0, 0, BAR0, 4);
    locked.set(TYPE, 1);
    assert_eq!(ask(locked), unsupported);
    let mut class = Tlp::read(0, 0, BAR0, 4);
    class.set(TC, 5);
    assert_eq!(ask(class), Ok(registers::MAGIC.to_le_bytes().to_vec()));

    // Posted requests: dropped and counted, messages not even that.
    s.root.send(Tlp::write(0, 0x1234_5678, &[1; 64]));
    let mut message = Tlp::read(0, 0, 0, 4);
    message.set(TYPE, 0x14);
    message.set(FMT, THREE | 1);
    s.root.send(message);
    assert_eq!(s.register(CardRegister::UnsupportedRequests), 6);

    // Poisoned data change nothing.
    s.set(CardRegister::Scratch, 77);
    let scratch = BAR0 + CardRegister::Scratch.offset();
    let mut poisoned = Tlp::write(0, scratch, &[1, 2, 3, 4]);
    poisoned.set(EP, 1);
    s.root.send(poisoned);
    assert_eq!(s.register(CardRegister::Scratch), 77);
    assert_eq!(s.register(CardRegister::PoisonedWrites), 1);
    s.check();
}

#[test]
fn a_completion_that_nobody_asked_for_is_dropped_and_counted() {
    let mut s = system();
    let mut asked = Tlp::read(weft_models::root_complex::DEVICE, 4, 0x1000, 64);
    for tag in [4, 200] {
        asked.set(weft_protocol::pcie::tlp::TAG, tag);
        let part = weft_models::tlp::Part {
            address: 0x1000,
            data: &[5; 64],
        };
        s.root.send(Tlp::completion(0, &asked, 0, 64, part));
    }
    assert_eq!(s.register(CardRegister::Magic), registers::MAGIC);
    assert_eq!(s.register(CardRegister::UnexpectedCompletions), 2);
    s.check();
}
