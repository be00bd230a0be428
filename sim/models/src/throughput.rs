//! How much of a Gen2 x1 link a card uses: its register-transfer logic streams columns in, or sums out, at full speed
//! against a root complex that keeps to the link's rate; data bytes are counted where they arrive.
//!
//! Reads: slots of 64 KiB of dense 8-bit columns, a core that takes them as they come; the maximum read request is 512
//! bytes, and the root complex answers in completions of `payload` bytes. Writes: a drained tile after the other, 16 KiB
//! of sums each, the maximum payload being `payload`. Slots, records and doorbells cross the link too, and are not data.

use crate::link::{read_ceiling, write_ceiling};
use crate::{
    Bus, BusError, CardProgram, Endpoint, EndpointError, HostMemory, RootComplex, RootConfig,
};
use std::ops::Range;
use weft_protocol::layout::Kind;
use weft_protocol::packet::{Group, Request};
use weft_protocol::pcie::ring::{RECORD_BYTES, SLOT_BYTES, Slot, SlotKind};
use weft_protocol::pcie::{CardRegister, Control};
use weft_protocol::{MAX_COLUMNS, ROW_GRANULE};

/// Payloads that are measured, in bytes.
pub const PAYLOADS: [usize; 4] = [64, 128, 256, 512];
/// Cycles of 125 MHz in a microsecond.
pub const CYCLES_PER_MICROSECOND: u64 = 125;
/// Bytes that a read asks for.
pub const READ_REQUEST: usize = 512;

const COMMANDS: u64 = 0x1_0000;
const RESULTS: u64 = 0x10_0000;
const RECORDS: u64 = 0x20_0000;
const RING_LOG2: u32 = 12;
const DATA: u64 = 0x10_0000_0000;
const DATA_BYTES: usize = 4 << 20;
/// Bytes of a slot of columns.
const SLICE: usize = 64 << 10;

/// Which way data goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the host to the card.
    Read,
    /// From the card to the host.
    Write,
}

/// What is measured.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// Which way.
    pub direction: Direction,
    /// Bytes of data in a packet.
    pub payload: usize,
    /// Cycles from a read's arrival at the root complex to its answer, and from a write's to its credits' return.
    pub latency: u64,
}

/// What came out.
#[derive(Clone, Copy, Debug)]
pub struct Throughput {
    /// Data bytes a cycle of 125 MHz.
    pub payload_bytes_per_cycle: f64,
    /// What the link allows, packets and their overhead being what they are ([`crate::link`]).
    pub ceiling: f64,
    /// The one over the other.
    pub ratio: f64,
}

/// Why nothing came out.
#[derive(Debug, thiserror::Error)]
pub enum ThroughputError {
    /// The card cannot be simulated.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// The card broke a rule of PCI Express.
    #[error("the card broke a rule while it was measured: {0}")]
    Rule(String),
}

/// Host memory that counts what is not data.
struct Counting {
    memory: HostMemory,
    data: Range<u64>,
    other_read: u64,
    other_written: u64,
}

impl Bus for Counting {
    fn read(&mut self, address: u64, data: &mut [u8]) -> Result<(), BusError> {
        if !self.data.contains(&address) {
            self.other_read += data.len() as u64;
        }
        self.memory.read(address, data)
    }

    fn write(&mut self, address: u64, data: &[u8]) {
        if !self.data.contains(&address) {
            self.other_written += data.len() as u64;
        }
        self.memory.write(address, data);
    }

    fn interrupt(&mut self, vector: u16) {
        self.memory.interrupt(vector);
    }
}

/// Measures one case for `cycles` cycles, after the queues had time to fill.
///
/// # Errors
/// [`ThroughputError`] if the card cannot be simulated or breaks a rule.
pub fn measure(
    program: &CardProgram,
    case: Case,
    cycles: u64,
) -> Result<Throughput, ThroughputError> {
    let config = RootConfig {
        max_payload: if case.direction == Direction::Read {
            512
        } else {
            case.payload
        },
        max_read: READ_REQUEST,
        completion: case.payload,
        latency: case.latency..case.latency + 1,
        credits: [(64, 512), (32, 32)],
        credit_delay: case.latency,
        ..RootConfig::default()
    };
    let mut endpoint = Endpoint::new(program)?;
    let mut root = RootComplex::new(config, 1 << program.config().log2_window);
    let ring = SLOT_BYTES << RING_LOG2;
    let ranges = [
        (COMMANDS, ring),
        (RESULTS, ring),
        (RECORDS, ring),
        (DATA, DATA_BYTES),
    ];
    let mut bus = Counting {
        memory: HostMemory::new(&ranges),
        data: DATA..DATA + DATA_BYTES as u64,
        other_read: 0,
        other_written: 0,
    };
    let (commands, results) = fill(program, case.direction, &mut bus.memory);
    start(&mut root, commands, results);
    let mut run = |cycles: u64, root: &mut RootComplex, bus: &mut Counting| {
        for cycle in 0..cycles {
            endpoint.cycle(root, bus);
            if cycle % 4096 == 0 {
                let records = bus.other_written / RECORD_BYTES as u64;
                set(root, CardRegister::CompletionHead, records as u32 & 0xffff);
            }
        }
    };
    run(6000 + 8 * case.latency, &mut root, &mut bus);
    let before = (root.data_moved(), bus.other_read, bus.other_written);
    run(cycles, &mut root, &mut bus);
    let after = (root.data_moved(), bus.other_read, bus.other_written);
    if let Some(violation) = root.checker.violations().first() {
        return Err(ThroughputError::Rule(format!("{violation:?}")));
    }
    let (bytes, ceiling) = match case.direction {
        Direction::Read => {
            let bytes = (after.0.0 - before.0.0) - (after.1 - before.1);
            (bytes, read_ceiling(case.payload, READ_REQUEST))
        }
        Direction::Write => {
            let bytes = (after.0.1 - before.0.1) - (after.2 - before.2);
            (bytes, write_ceiling(case.payload, true))
        }
    };
    let rate = bytes as f64 / cycles as f64;
    Ok(Throughput {
        payload_bytes_per_cycle: rate,
        ceiling,
        ratio: rate / ceiling,
    })
}

fn set(root: &mut RootComplex, register: CardRegister, value: u32) {
    root.host_write(0, register.offset(), &value.to_le_bytes());
}

/// Lays data and rings out; the slots in the command ring and in the ring of results.
fn fill(program: &CardProgram, direction: Direction, memory: &mut HostMemory) -> (u32, u32) {
    let rows = program.config().core.rows() / ROW_GRANULE * ROW_GRANULE;
    let mut stream = Vec::new();
    let mut open = Vec::new();
    Request::Tile {
        rows,
        log2_batch: 0,
    }
    .encode(&mut open);
    let mut slots = Vec::new();
    let mut buffers = Vec::new();
    match direction {
        Direction::Read => {
            let column = vec![1; Kind::I8.dense_bytes(rows)];
            let group = Request::Group(Group {
                kind: Kind::I8,
                masked: false,
                activations: &[1; MAX_COLUMNS],
                scales: None,
                bundles: vec![&column; MAX_COLUMNS],
            });
            while stream.len() + group.bytes() <= DATA_BYTES {
                group.encode(&mut stream);
            }
            slots.extend(inline(&open));
            for _ in 0..8 {
                for (i, slice) in stream.chunks(SLICE).enumerate() {
                    let address = DATA + (i * SLICE) as u64;
                    slots.push(slot(SlotKind::Host, address, slice.len()));
                }
            }
        }
        Direction::Write => {
            slots.extend(inline(&open));
            let mut drains = Vec::new();
            for tag in 0..32 {
                Request::Drain { tag }.encode(&mut drains);
            }
            for _ in 0..32 {
                slots.extend(inline(&drains));
            }
            let bytes = 8 + 4 * rows;
            for i in 0..1024 {
                let address = DATA + (i % 64 * (DATA_BYTES / 64)) as u64;
                buffers.push(slot(SlotKind::Host, address, bytes));
            }
        }
    }
    let put = |memory: &mut HostMemory, at: u64, bytes: &[u8]| {
        if let Ok(place) = memory.slice_mut(at, bytes.len()) {
            place.copy_from_slice(bytes);
        }
    };
    put(memory, DATA, &stream);
    put(memory, COMMANDS, &slots.concat());
    put(memory, RESULTS, &buffers.concat());
    (slots.len() as u32, buffers.len() as u32)
}

fn slot(kind: SlotKind, address: u64, length: usize) -> [u8; SLOT_BYTES] {
    Slot {
        address,
        length: length as u32,
        kind: kind as u8,
        flags: 0,
        cookie: 0,
    }
    .to_bytes()
}

/// An inline slot and the slots that hold its bytes.
fn inline(bytes: &[u8]) -> Vec<[u8; SLOT_BYTES]> {
    let mut slots = vec![slot(SlotKind::Inline, 0, bytes.len())];
    slots.extend(bytes.chunks(SLOT_BYTES).map(|piece| {
        let mut slot = [0; SLOT_BYTES];
        slot[..piece.len()].copy_from_slice(piece);
        slot
    }));
    slots
}

fn start(root: &mut RootComplex, commands: u32, results: u32) {
    use CardRegister as R;
    for (base, log2, at) in [
        (R::CommandBase, R::CommandLog2, COMMANDS),
        (R::ResultBase, R::ResultLog2, RESULTS),
        (R::CompletionBase, R::CompletionLog2, RECORDS),
    ] {
        root.host_write(0, base.offset(), &at.to_le_bytes());
        set(root, log2, RING_LOG2);
    }
    set(root, R::InterruptCount, 64);
    set(root, R::InterruptDelay, u32::MAX);
    set(root, R::Control, Control::RUN);
    set(root, R::ResultTail, results);
    set(root, R::CommandTail, commands);
}
