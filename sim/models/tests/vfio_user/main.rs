//! The server against the protocol: what it answers, what it refuses, and that nothing a client sends ends it.
#![cfg(target_os = "linux")]

mod hostile;
mod served;

use served::{COMMAND, SOON, Served, errno_of, get, set};
use std::sync::Arc;
use weft_protocol::packet::Request;
use weft_protocol::pcie::ring::{NOTIFY, Record, Slot, SlotKind};
use weft_protocol::pcie::{CardRegister as R, Control};
use weft_protocol::registers::{MAGIC, Register};
use weft_vfio_user::wire::{errno, region};
use weft_vfio_user::{Client, EventFd, SharedMemory};

#[test]
fn regions_have_sizes_bounds_and_an_enable_bit() {
    let served = Served::new();
    let mut client = served.client();
    let sizes: Vec<u64> = (0..9)
        .map(|r| client.region_bytes(r).expect("size"))
        .collect();
    assert_eq!(sizes, [16 << 10, 0, 1 << 16, 0, 0, 0, 0, 4096, 0]);
    assert_eq!(errno_of(client.region_bytes(9)), errno::INVALID);
    assert_eq!(get(&mut client, R::Magic), u32::MAX, "memory is not on");
    client.write(region::CONFIG, COMMAND, &[6, 0]).expect("on");
    assert_eq!(get(&mut client, R::Magic), MAGIC);
    for (r, offset, n) in [
        (0, 16 << 10, 4),
        (2, (1 << 16) - 4, 8),
        (7, 4095, 2),
        (5, 0, 1),
    ] {
        let mut data = vec![0; n];
        assert_eq!(errno_of(client.read(r, offset, &mut data)), errno::INVALID);
        assert_eq!(errno_of(client.write(r, offset, &data)), errno::INVALID);
    }
    assert_eq!(
        errno_of(client.read(2, u64::MAX, &mut [0; 4])),
        errno::INVALID
    );
    // The window, across pages and in one message.
    let bytes: Vec<u8> = (0..20_000).map(|i| (i / 7) as u8).collect();
    client.write(2, 4090, &bytes).expect("written");
    let mut seen = vec![0; bytes.len()];
    client.read(2, 4090, &mut seen).expect("read");
    assert!(seen == bytes);
}

#[test]
fn resets_by_message_and_by_configuration_space_clear_the_card() {
    let served = Served::new();
    let mut client = served.enabled();
    for by_message in [true, false] {
        set(&mut client, R::Scratch, 7);
        if by_message {
            client.reset().expect("reset");
        } else {
            let control = 0x60 + 8;
            client
                .write(region::CONFIG, control, &[0, 0x80])
                .expect("written");
        }
        let mut on = [9; 2];
        client.read(region::CONFIG, COMMAND, &mut on).expect("read");
        assert_eq!(on, [0; 2], "as after power-on");
        client.write(region::CONFIG, COMMAND, &[6, 0]).expect("on");
        assert_eq!(get(&mut client, R::Scratch), 0);
    }
    drop(client);
    // The next client finds nothing of this one.
    assert_eq!(get(&mut served.client(), R::Magic), u32::MAX);
}

#[test]
fn maps_are_refused_where_they_overlap_and_unmapped_by_any_range() {
    let served = Served::new();
    let mut client = served.enabled();
    let (memory, file) = SharedMemory::memfd("test", 1 << 16).expect("memory");
    let memory = Arc::new(memory);
    let base = 0x10_0000;
    client.map(base, &memory, Some(&file)).expect("mapped");
    client
        .map(base, &memory, Some(&file))
        .expect("the same again");
    let overlap = client.map(base + 4096, &memory, Some(&file));
    assert_eq!(errno_of(overlap), errno::EXIST);
    let over_the_end = client.map(u64::MAX - 4095, &memory, Some(&file));
    assert_eq!(errno_of(over_the_end), errno::INVALID);
    file.set_len(1 << 12).expect("shortened");
    let short = client.map(base << 4, &memory, Some(&file));
    assert_eq!(
        errno_of(short),
        errno::INVALID,
        "the file is shorter than the map"
    );
    file.set_len(1 << 16).expect("as before");
    client
        .unmap(base << 8, 4096)
        .expect("nothing there is fine");
    client.unmap(0, u64::MAX).expect("everything");
    client
        .map(base + 4096, &memory, Some(&file))
        .expect("free again");
    drop(client);
    let statistics = served.stop();
    assert_eq!(statistics.maps, 3);
    assert_eq!(statistics.unmaps, 2, "a map made twice is one");
}

/// One inline slot that reads a register, and a buffer for its answer, all in `memory` at `base`.
fn ask(client: &mut Client, memory: &SharedMemory, base: u64) {
    let mut packet = Vec::new();
    let register = Register::Magic as u16;
    Request::Read { register }.encode(&mut packet);
    let command = Slot {
        address: 0,
        length: 8,
        kind: SlotKind::Inline as u8,
        flags: NOTIFY,
        cookie: 1,
    };
    let result = Slot {
        address: base + 0x4000,
        length: 8,
        kind: 0,
        flags: 0,
        cookie: 2,
    };
    memory.write(0, &command.to_bytes());
    memory.write(16, &packet);
    memory.write(0x1000, &result.to_bytes());
    for (low, offset) in [
        (R::CommandBase, 0),
        (R::ResultBase, 0x1000),
        (R::CompletionBase, 0x2000),
    ] {
        set(client, low, (base + offset) as u32);
    }
    set(client, R::Control, Control::RUN);
    set(client, R::ResultTail, 1);
    set(client, R::CommandTail, 2);
}

#[test]
fn the_card_works_through_mapped_memory_and_through_messages() {
    for by_messages in [false, true] {
        let served = Served::new();
        let mut client = served.enabled();
        let event = EventFd::new().expect("an eventfd");
        client.set_interrupts(&[&event, &event]).expect("set");
        let (memory, file) = SharedMemory::memfd("test", 1 << 16).expect("memory");
        let memory = Arc::new(memory);
        let base = 0x20_0000;
        let file = (!by_messages).then_some(&file);
        client.map(base, &memory, file).expect("mapped");
        ask(&mut client, &memory, base);
        let mut records = Vec::new();
        while records.len() < 2 {
            assert!(client.wait(&event, SOON).expect("open"), "an interrupt");
            records = (0..2)
                .map(|i| {
                    let mut bytes = [0; 16];
                    memory.read(0x2000 + 16 * i, &mut bytes);
                    Record::from_bytes(bytes)
                })
                .filter(|r| r.phase)
                .collect();
        }
        assert!(records.iter().any(|r| r.result && r.cookie == 2));
        let answer = memory.load(0x4000);
        assert_eq!((answer >> 32) as u32, MAGIC, "the bytes were there first");
        let statistics = served.stop();
        assert_eq!(statistics.messages > 0, by_messages);
        assert_eq!((statistics.blocked, statistics.unheard_interrupts), (0, 0));
    }
}

#[test]
fn a_card_that_is_not_bus_master_or_has_no_map_reaches_nothing() {
    let served = Served::new();
    let mut client = served.client();
    client
        .write(region::CONFIG, COMMAND, &[2, 0])
        .expect("memory on, bus master off");
    let (memory, file) = SharedMemory::memfd("test", 1 << 16).expect("memory");
    let memory = Arc::new(memory);
    client.map(0x20_0000, &memory, Some(&file)).expect("mapped");
    ask(&mut client, &memory, 0x20_0000);
    assert_eq!(get(&mut client, R::CommandHead), 0, "nothing is taken");
    client.unmap(0x20_0000, 1 << 16).expect("unmapped");
    client.write(region::CONFIG, COMMAND, &[6, 0]).expect("on");
    while get(&mut client, R::Status) & 2 == 0 {}
    drop(client);
    let statistics = served.stop();
    // The slot could not be read, and the record of that could not be written.
    assert_eq!(statistics.blocked, 2);
    assert_eq!(statistics.unheard_interrupts, 2);
}
