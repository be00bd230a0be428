//! The simulated card behind the seam that a system sees: BARs, a bus, and whether there is something to do.

mod common;

use common::driver::{COMMANDS, HIGH, LOW, RECORDS, RESULTS, ranges};
use common::program;
use weft_models::{Activity, Card, HostMemory, Random, RootConfig, RtlCard};
use weft_protocol::packet::Request;
use weft_protocol::pcie::ring::{NOTIFY, Record, Slot, SlotKind};
use weft_protocol::pcie::{CardRegister, Control, MSIX_TABLE};
use weft_protocol::registers;

fn card() -> (RtlCard, HostMemory) {
    let card = RtlCard::new(program(), RootConfig::default()).expect("the pins of a card");
    (card, HostMemory::new(&ranges()))
}

fn set(card: &mut RtlCard, register: CardRegister, value: u32) {
    card.bar_write(0, register.offset(), &value.to_le_bytes());
}

fn get(card: &mut RtlCard, register: CardRegister) -> u32 {
    let mut data = [0; 4];
    card.bar_read(0, register.offset(), &mut data);
    u32::from_le_bytes(data)
}

fn until_idle(card: &mut RtlCard, memory: &mut HostMemory) {
    for _ in 0..1000 {
        if card.advance(memory) == Activity::Idle {
            return;
        }
    }
    panic!("the card does not come to rest");
}

/// Asks the core for its map hash through the rings.
fn works(card: &mut RtlCard, memory: &mut HostMemory) {
    use CardRegister as R;
    for (base, log2, at) in [
        (R::CommandBase, R::CommandLog2, COMMANDS),
        (R::ResultBase, R::ResultLog2, RESULTS),
        (R::CompletionBase, R::CompletionLog2, RECORDS),
    ] {
        set(card, base, at as u32);
        set(card, log2, 4);
    }
    let mut request = Vec::new();
    Request::Read { register: 2 }.encode(&mut request);
    memory.slice_mut(HIGH, 8).unwrap().copy_from_slice(&request);
    let mut slot = Slot {
        address: HIGH,
        length: 8,
        kind: SlotKind::Host as u8,
        flags: NOTIFY,
        cookie: 3,
    };
    memory
        .slice_mut(COMMANDS, 16)
        .unwrap()
        .copy_from_slice(&slot.to_bytes());
    (slot.address, slot.length, slot.flags, slot.cookie) = (LOW, 64, 0, 4);
    memory
        .slice_mut(RESULTS, 16)
        .unwrap()
        .copy_from_slice(&slot.to_bytes());
    memory.slice_mut(RECORDS, 32).unwrap().fill(0);
    memory.interrupts.clear();
    set(card, R::Control, Control::RUN);
    set(card, R::ResultTail, 1);
    set(card, R::CommandTail, 1);
    until_idle(card, memory);
    let bytes = memory.slice_mut(RECORDS, 32).unwrap();
    let record = |at: usize| Record::from_bytes(std::array::from_fn(|i| bytes[at + i]));
    let mut cookies = [record(0), record(16)].map(|r| (r.cookie, r.outcome, r.phase));
    cookies.sort_unstable();
    assert_eq!(cookies, [(3, 0, true), (4, 0, true)]);
    assert_eq!(memory.interrupts, [0, 0]);
    let answer = memory.slice_mut(LOW + 4, 4).unwrap();
    assert_eq!(answer, registers::MAP_HASH.to_le_bytes());
}

#[test]
fn it_does_what_a_card_does_and_comes_to_rest() {
    let (mut card, mut memory) = card();
    assert_eq!(
        [0, 1, 2].map(|bar| card.bar_bytes(bar)),
        [16 << 10, 0, 64 << 10]
    );
    assert_eq!(get(&mut card, CardRegister::Magic), registers::MAGIC);
    until_idle(&mut card, &mut memory);
    works(&mut card, &mut memory);
    set(&mut card, CardRegister::Control, Control::RESET);
    until_idle(&mut card, &mut memory);
    assert_eq!(get(&mut card, CardRegister::Control), 0);
    works(&mut card, &mut memory);
    assert_eq!(card.root().checker.violations(), []);
}

#[test]
fn what_a_register_says_was_written_is_written() {
    let (mut card, mut memory) = card();
    works(&mut card, &mut memory);
    // A lap of further records, looked at after every slice: the counter never runs ahead of memory.
    let mut slots = memory.slice_mut(COMMANDS, 16).unwrap().to_vec();
    slots[13] = NOTIFY;
    for i in 1..16 {
        let place = memory.slice_mut(COMMANDS + 16 * i, 16).unwrap();
        place.copy_from_slice(&slots);
        let mut buffer = [0; 16];
        buffer[..8].copy_from_slice(&(LOW + 64 * i).to_le_bytes());
        buffer[8] = 64;
        memory
            .slice_mut(RESULTS + 16 * i, 16)
            .unwrap()
            .copy_from_slice(&buffer);
    }
    set(&mut card, CardRegister::CompletionHead, 2);
    set(&mut card, CardRegister::ResultTail, 7);
    set(&mut card, CardRegister::CommandTail, 7);
    for _ in 0..20 {
        card.advance(&mut memory);
        let tail = u64::from(get(&mut card, CardRegister::CompletionTail));
        for i in 0..tail {
            let bytes = memory.slice_mut(RECORDS + 16 * i, 16).unwrap();
            assert_eq!(bytes[7] & 1, 1, "record {i} of {tail}");
        }
    }
    assert_eq!(get(&mut card, CardRegister::CompletionTail), 14);
}

#[test]
fn a_function_reset_is_as_after_power_up() {
    let (mut card, mut memory) = card();
    works(&mut card, &mut memory);
    card.reset();
    assert_eq!(get(&mut card, CardRegister::CommandBase), 0);
    works(&mut card, &mut memory);
    assert_eq!(card.root().checker.violations(), []);
}

#[test]
fn the_window_and_the_message_table_are_memory() {
    let (mut card, _) = card();
    let mut random = Random(5);
    let data = random.bytes(3000);
    card.bar_write(2, 1027, &data);
    let mut found = vec![0; 3000];
    card.bar_read(2, 1027, &mut found);
    assert_eq!(found, data);
    let mut entry = [0; 16];
    card.bar_read(0, MSIX_TABLE as u64, &mut entry);
    assert_eq!(entry[12], 1, "masked after power-up");
    card.bar_write(0, MSIX_TABLE as u64, &[7; 16]);
    card.bar_read(0, MSIX_TABLE as u64, &mut entry);
    assert_eq!(entry, [7; 16]);
}

#[test]
fn a_card_that_is_not_bus_master_starts_nothing() {
    let (mut card, mut memory) = card();
    card.configure(false, 128, 128);
    set(&mut card, CardRegister::CommandBase, COMMANDS as u32);
    set(&mut card, CardRegister::CommandLog2, 4);
    set(&mut card, CardRegister::Control, Control::RUN);
    set(&mut card, CardRegister::CommandTail, 1);
    for _ in 0..5 {
        card.advance(&mut memory);
    }
    assert_eq!(get(&mut card, CardRegister::ReadRequests), 0);
    assert_eq!(card.root().sent_by_card(), 0);
}
