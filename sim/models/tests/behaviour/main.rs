//! The behavioural card against the contract of `weft_protocol::pcie`.

mod bench;

use bench::{BUFFERS, Bench, COMPLETION, DATA, HOST, packets, read};
use weft_hdl::Twin;
use weft_models::Card;
use weft_protocol::packet::{Header, Opcode, Request};
use weft_protocol::pcie::ring::{NOTIFY, Outcome, Record, Slot, SlotKind};
use weft_protocol::pcie::{
    CardRegister as R, Control, MAP_HASH, MSIX_TABLE, Shape, VECTOR_COMPLETION, VECTOR_FAULT,
    VERSION,
};
use weft_protocol::registers::{self, Register};

#[test]
fn the_card_describes_itself() {
    let mut b = Bench::new();
    assert_eq!(b.get(R::Magic), registers::MAGIC);
    assert_eq!(b.get(R::Version), VERSION);
    assert_eq!(b.get(R::StreamHash), registers::MAP_HASH);
    assert_eq!(b.get(R::CardHash), MAP_HASH);
    let shape = Shape::from_register(b.get(R::Shape));
    assert_eq!(
        (
            shape.banks,
            shape.batch,
            shape.stream_bytes,
            shape.log2_depth
        ),
        (4, 1, 4, 9)
    );
    assert_eq!(b.get(R::Capabilities) & 0xff, 16);
    assert_eq!(b.get(R::Timeout), 6_250_000);
    b.set(R::Magic, 1);
    assert_eq!(b.get(R::Magic), registers::MAGIC, "read only");
    let mut both = [0; 8];
    b.card.bar_read(0, 0, &mut both);
    assert_eq!(both[4..], VERSION.to_le_bytes());
    b.card
        .bar_write(0, R::Timeout.offset(), &[7, 0, 0, 0, 9, 0, 0, 0]);
    assert_eq!((b.get(R::Timeout), b.get(R::InterruptCount)), (7, 9));
    b.card.bar_write(0, R::Scratch.offset(), &[1, 2]);
    assert_eq!((b.get(R::Scratch), b.get(R::UnsupportedRequests)), (0, 1));
    let mut beyond = [9; 4];
    b.card.bar_read(0, 0x800, &mut beyond);
    assert_eq!(beyond, [0; 4]);
    b.card.bar_read(0, MSIX_TABLE as u64 + 28, &mut beyond);
    assert_eq!(beyond, [1, 0, 0, 0], "vectors are masked after a reset");
}

#[test]
fn packets_from_all_three_kinds_of_slot_are_joined() {
    let mut b = Bench::new();
    let stream = packets(&[
        read(Register::Banks),
        read(Register::Batch),
        read(Register::Depth),
        Request::Reset,
    ]);
    // Cut in the middle of packets: 8 inline, 8 from the window, 16 from memory across a page.
    b.inline(&stream[..8], 0, 1);
    b.card.bar_write(2, 0x40, &stream[8..16]);
    b.command(Slot {
        address: 0x40,
        length: 8,
        kind: SlotKind::Window as u8,
        flags: NOTIFY,
        cookie: 2,
    });
    let across = DATA + 4096 - 8;
    b.store(across, &stream[16..]);
    b.command(Slot {
        address: across,
        length: 16,
        kind: SlotKind::Host as u8,
        flags: NOTIFY,
        cookie: 3,
    });
    for i in 0..4 {
        b.buffer(BUFFERS + 64 * i, 8, 100 + i as u16);
    }
    b.work();
    let records = b.records();
    let seen: Vec<(u16, bool, u32)> = records
        .iter()
        .map(|r| (r.cookie, r.result, r.bytes))
        .collect();
    for (cookie, result, bytes) in [
        (2, false, 8),
        (3, false, 16),
        (100, true, 8),
        (103, true, 8),
    ] {
        assert!(
            seen.contains(&(cookie, result, bytes)),
            "{cookie}: {seen:?}"
        );
    }
    assert_eq!(seen.len(), 6, "a slot without the flag makes no record");
    assert!(records.iter().all(|r| r.outcome == Outcome::Done as u8));
    let answers: Vec<&Record> = records.iter().filter(|r| r.result).collect();
    let mut twin = Twin::new(*b.card.core());
    twin.push(&stream);
    let words = twin.responses();
    for (i, (record, words)) in answers.iter().zip(words.chunks(2)).enumerate() {
        let bytes: Vec<u8> = words.iter().flat_map(|w| w.to_le_bytes()).collect();
        assert_eq!(record.header[..], bytes[..], "answer {i}");
        let at = (BUFFERS - HOST) as usize + 64 * i;
        assert_eq!(b.host.memory[at..at + 8], bytes[..], "stored {i}");
    }
    assert_eq!(b.get(R::CommandHead), u32::from(b.command_tail));
    assert_eq!(b.get(R::ResultHead), 4);
    assert!(b.status().idle() && !b.status().halted());
}

#[test]
fn what_cannot_be_carried_out_halts_with_its_reason() {
    let good = Slot {
        address: DATA,
        length: 64,
        kind: SlotKind::Host as u8,
        flags: 0,
        cookie: 77,
    };
    let window = SlotKind::Window as u8;
    for (slot, outcome) in [
        (Slot { length: 12, ..good }, Outcome::Shape),
        (
            Slot {
                address: DATA + 4,
                ..good
            },
            Outcome::Shape,
        ),
        (Slot { length: 0, ..good }, Outcome::Shape),
        (Slot { kind: 9, ..good }, Outcome::Kind),
        (
            Slot {
                kind: window,
                address: (1 << 16) - 8,
                ..good
            },
            Outcome::Window,
        ),
        (
            Slot {
                address: 0x1000,
                ..good
            },
            Outcome::Unsupported,
        ),
        (
            Slot {
                address: DATA + 4096,
                ..good
            },
            Outcome::Abort,
        ),
    ] {
        let mut b = Bench::new();
        b.host.aborts = Some(DATA + 4096);
        b.command(slot);
        b.inline(&[0; 8], NOTIFY, 78);
        b.work();
        let records = b.records();
        assert_eq!(records.len(), 1, "{outcome:?}: nothing after a fault");
        assert_eq!((records[0].outcome, records[0].cookie), (outcome as u8, 77));
        let status = b.status();
        assert!(status.halted() && status.idle());
        assert_eq!((status.fault(), status.cookie()), (outcome as u8, 77));
        assert_eq!(b.host.interrupts, [VECTOR_COMPLETION, VECTOR_FAULT]);
        // Only a reset helps; bases and settings stay.
        b.set(R::Control, Control::RUN);
        b.work();
        assert!(b.status().halted() && b.records().is_empty());
        b.set(R::Control, Control::RESET);
        assert_eq!(b.get(R::Control), 0);
        assert_eq!((b.get(R::CommandHead), b.get(R::CompletionTail)), (0, 0));
        b.host.memory[(COMPLETION - HOST) as usize..][..1024].fill(0);
        (b.command_tail, b.result_tail, b.completion_head) = (0, 0, 0);
        b.set(R::Control, Control::RUN);
        b.inline(&[0; 8], NOTIFY, 79);
        b.work();
        assert_eq!(b.records()[0].cookie, 79);
    }
}

#[test]
fn an_answer_that_is_too_long_is_cut_and_does_not_halt() {
    let mut b = Bench::new();
    let stream = packets(&[
        Request::Tile {
            rows: 64,
            log2_batch: 0,
        },
        Request::Drain { tag: 5 },
        read(Register::Magic),
    ]);
    b.inline(&stream, NOTIFY, 1);
    b.store(BUFFERS, &[0xaa; 64]);
    b.buffer(BUFFERS, 16, 10);
    b.buffer(BUFFERS + 64, 8, 11);
    b.work();
    let records = b.records();
    let results: Vec<&Record> = records.iter().filter(|r| r.result).collect();
    assert_eq!(
        (results[0].outcome, results[0].bytes),
        (Outcome::Short as u8, 16)
    );
    assert_eq!(
        Header::from_bytes(results[0].header).op,
        Opcode::Result as u8
    );
    assert_eq!(
        (results[1].outcome, results[1].bytes),
        (Outcome::Done as u8, 8)
    );
    let at = (BUFFERS - HOST) as usize;
    assert_eq!(
        b.host.memory[at + 16..at + 64],
        [0xaa; 48],
        "what does not fit is dropped"
    );
    assert!(!b.status().halted());
}

#[test]
fn a_full_completion_ring_and_missing_buffers_make_the_card_wait() {
    let mut b = Bench::with_rings(2);
    for cookie in 0..6 {
        b.command(Slot {
            address: DATA,
            length: 8,
            kind: SlotKind::Host as u8,
            flags: NOTIFY,
            cookie,
        });
        if cookie == 3 {
            b.work();
        }
    }
    b.work();
    assert_eq!(b.get(R::CompletionTail), 4, "no room for a fifth");
    let first: Vec<u16> = b.records().iter().map(|r| r.cookie).collect();
    assert_eq!(first, [0, 1, 2, 3]);
    b.work();
    let rest: Vec<u16> = b.records().iter().map(|r| r.cookie).collect();
    assert_eq!(rest, [4, 5]);

    let mut b = Bench::new();
    b.inline(&packets(&[read(Register::Magic)]), 0, 1);
    b.inline(&packets(&[read(Register::Banks)]), NOTIFY, 2);
    b.work();
    assert!(b.records().is_empty(), "no buffer, no answer");
    b.buffer(BUFFERS, 8, 3);
    b.buffer(BUFFERS + 8, 8, 4);
    b.work();
    assert_eq!(b.records().len(), 3);
}

#[test]
fn interrupts_are_gathered_by_count_and_delay() {
    let mut b = Bench::new();
    b.set(R::InterruptCount, 3);
    b.set(R::InterruptDelay, 1_000_000);
    for cookie in 0..6 {
        b.inline(&[0; 8], NOTIFY, cookie);
    }
    b.work();
    assert_eq!(
        b.host.interrupts, [VECTOR_COMPLETION; 2],
        "three records each"
    );
    b.inline(&[0; 8], NOTIFY, 6);
    b.work();
    assert_eq!(b.host.interrupts.len(), 3, "a single one after the delay");
    assert_eq!(b.get(R::Interrupts), 3);
    b.set(R::InterruptCount, 0);
    for cookie in 7..9 {
        b.inline(&[0; 8], NOTIFY, cookie);
    }
    b.work();
    assert_eq!(b.host.interrupts.len(), 5, "each");
}

#[test]
fn a_stopped_card_and_one_that_is_not_bus_master_take_nothing() {
    let mut b = Bench::new();
    b.set(R::Control, 0);
    b.inline(&[0; 8], NOTIFY, 1);
    b.work();
    assert_eq!((b.get(R::CommandHead), b.records().len()), (0, 0));
    b.card.configure(false, 128, 512);
    b.set(R::Control, Control::RUN);
    b.work();
    assert_eq!((b.get(R::CommandHead), b.records().len()), (0, 0));
    b.card.configure(true, 128, 512);
    b.work();
    assert_eq!(b.records().len(), 1);
    b.set(R::Scratch, 5);
    b.card.reset();
    assert_eq!((b.get(R::Scratch), b.get(R::CommandLog2)), (0, 2));
    assert_eq!(b.get(R::ReadRequests), 0, "as after power-on");
}
