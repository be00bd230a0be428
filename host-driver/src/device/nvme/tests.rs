//! The driver against a controller that is played by a thread: the same registers and queues, in shared memory.

use super::wire::{COMMAND_BYTES, COMPLETION_BYTES, ENABLE, READY, register};
use super::{Drive, NvmeError};
use crate::device::pcie::DmaBuffer;
use crate::device::random::Random;
use std::fs::File;
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use weft_vfio_user::SharedMemory;

const REGISTER_BYTES: usize = 8192;
const DISK_BYTES: usize = (3 << 20) + 512;
const WINDOW_BYTES: usize = 1 << 20;
const QUEUES_AT: u64 = 1 << 32;
const WINDOW_AT: u64 = 2 << 32;
/// Queues of 64 entries, ready within half a second.
const CAPABILITIES: u64 = 63 | 1 << 24;

/// What the controller is like.
struct Nature {
    disk: Vec<u8>,
    /// As in the namespace's format: bytes of metadata, log2 of a sector's.
    format: [u8; 4],
    /// Status of the next read, if not zero.
    status: AtomicU16,
    /// It takes commands and answers none.
    mute: AtomicBool,
    stop: AtomicBool,
}

/// A controller, and what it reaches.
struct Controller {
    nature: Arc<Nature>,
    registers: SharedMemory,
    queues: Arc<SharedMemory>,
    window: Arc<SharedMemory>,
}

/// One pair of queues as the controller sees it.
#[derive(Clone, Copy, Default)]
struct Pair {
    commands: u64,
    completions: u64,
    entries: u32,
    head: u32,
    tail: u32,
    laps: u32,
}

impl Controller {
    fn memory(&self, address: u64) -> (&SharedMemory, usize) {
        match address.checked_sub(WINDOW_AT) {
            Some(at) => (&self.window, at as usize),
            None => (&self.queues, (address - QUEUES_AT) as usize),
        }
    }

    fn read(&self, address: u64, bytes: usize) -> Vec<u8> {
        let mut data = vec![0; bytes];
        let (memory, at) = self.memory(address);
        memory.read(at, &mut data);
        data
    }

    fn write(&self, address: u64, data: &[u8]) {
        let (memory, at) = self.memory(address);
        memory.write(at, data);
    }

    fn wide(&self, at: usize) -> u64 {
        let half = |at| u64::from(self.registers.read_register(at));
        half(at) | half(at + 4) << 32
    }

    fn serve(&self) {
        let mut pairs = [Pair::default(); 2];
        while !self.nature.stop.load(Ordering::Relaxed) {
            let enabled = self.registers.read_register(register::CONFIGURATION) == ENABLE;
            let ready = self.registers.read_register(register::STATUS) & READY != 0;
            if enabled && !ready {
                let sizes = self.registers.read_register(register::ADMIN_QUEUE_SIZES);
                pairs[0] = Pair {
                    commands: self.wide(register::ADMIN_SUBMISSION),
                    completions: self.wide(register::ADMIN_COMPLETION),
                    entries: 1 + (sizes & 0xfff),
                    ..Pair::default()
                };
            }
            if enabled != ready {
                for queue in 0..4 {
                    let doorbell = register::DOORBELLS + 4 * queue;
                    self.registers.write_register(doorbell, 0);
                }
                self.registers
                    .write_register(register::STATUS, enabled.into());
            }
            for queue in (0..2).filter(|_| enabled) {
                self.take(queue, &mut pairs);
            }
            std::thread::yield_now();
        }
    }

    /// Carries out what the doorbell of `queue` tells of.
    fn take(&self, queue: usize, pairs: &mut [Pair; 2]) {
        let doorbell = register::DOORBELLS + 8 * queue;
        while pairs[queue].head != self.registers.read_register(doorbell) {
            if self.nature.mute.load(Ordering::Relaxed) {
                return;
            }
            let at = pairs[queue].commands + u64::from(pairs[queue].head) * COMMAND_BYTES as u64;
            let command = self.read(at, COMMAND_BYTES);
            let status = self.execute(queue, &command, pairs);
            let pair = &mut pairs[queue];
            pair.head = (pair.head + 1) % pair.entries;
            let phase = u16::from(pair.laps.is_multiple_of(2));
            let mut entry = [0; COMPLETION_BYTES];
            entry[12..14].copy_from_slice(&command[2..4]);
            entry[14..].copy_from_slice(&(status << 1 | phase).to_le_bytes());
            let to = pair.completions + u64::from(pair.tail) * COMPLETION_BYTES as u64;
            // The half with the phase last.
            self.write(to, &entry[..8]);
            self.write(to + 8, &entry[8..]);
            pair.tail = (pair.tail + 1) % pair.entries;
            pair.laps += u32::from(pair.tail == 0);
        }
    }

    fn execute(&self, queue: usize, command: &[u8], pairs: &mut [Pair; 2]) -> u16 {
        let word = |i: usize| u32::from_le_bytes(std::array::from_fn(|k| command[4 * i + k]));
        let wide = |i: usize| u64::from(word(i)) | u64::from(word(i + 1)) << 32;
        let pages = [wide(6), wide(8)];
        match (queue, command[0]) {
            (0, 0x06) => {
                let mut page = vec![0; 4096];
                if word(10) == 1 {
                    page[24..64].fill(b' ');
                    page[24..30].copy_from_slice(b"played");
                    page[77] = 4; // 64 KiB a command
                } else {
                    let sectors = self.nature.disk.len() as u64 >> self.nature.format[2];
                    page[..8].copy_from_slice(&sectors.to_le_bytes());
                    page[128..132].copy_from_slice(&self.nature.format);
                }
                self.write(pages[0], &page);
                0
            }
            (0, opcode @ (0x05 | 0x01)) if word(10) & 0xffff == 1 => {
                let pair = &mut pairs[1];
                match opcode {
                    0x05 => {
                        *pair = Pair {
                            completions: pages[0],
                            ..*pair
                        }
                    }
                    _ => {
                        *pair = Pair {
                            commands: pages[0],
                            ..*pair
                        }
                    }
                }
                pair.entries = 1 + (word(10) >> 16);
                0
            }
            (1, 0x02) => {
                let failed = self.nature.status.swap(0, Ordering::Relaxed);
                let first = (wide(10) << self.nature.format[2]) as usize;
                let bytes = (1 + (word(12) as usize & 0xffff)) << self.nature.format[2];
                let Some(data) = self.nature.disk.get(first..first + bytes) else {
                    return 0x80; // out of range
                };
                if bytes > 64 << 10 || failed != 0 {
                    return failed.max(2); // invalid field
                }
                let parts: Vec<_> = data.chunks(4096).collect();
                for (i, part) in parts.iter().enumerate() {
                    let to = match i {
                        0 => pages[0],
                        1 if parts.len() == 2 => pages[1],
                        _ => {
                            let entry = self.read(pages[1] + 8 * (i as u64 - 1), 8);
                            u64::from_le_bytes(std::array::from_fn(|k| entry[k]))
                        }
                    };
                    self.write(to, part);
                }
                0
            }
            _ => 1, // invalid opcode
        }
    }
}

/// A played drive.
struct Played {
    nature: Arc<Nature>,
    window: Arc<SharedMemory>,
    thread: Option<std::thread::JoinHandle<()>>,
    parts: Mutex<Option<(SharedMemory, DmaBuffer)>>,
}

impl Played {
    fn new(format: [u8; 4], capabilities: u64) -> Self {
        let mut random = Random::new(5);
        let nature = Arc::new(Nature {
            disk: (0..DISK_BYTES).map(|_| random.byte()).collect(),
            format,
            status: AtomicU16::new(0),
            mute: AtomicBool::new(false),
            stop: AtomicBool::new(false),
        });
        let shared =
            |bytes| -> (SharedMemory, File) { SharedMemory::memfd("nvme", bytes).expect("memory") };
        let (registers, file) = shared(REGISTER_BYTES);
        registers.write_register(register::CAPABILITIES, capabilities as u32);
        registers.write_register(register::CAPABILITIES + 4, (capabilities >> 32) as u32);
        let ours = SharedMemory::of_file(&file, REGISTER_BYTES).expect("mapped");
        let (queues, window) = (shared(Drive::MEMORY_BYTES).0, shared(WINDOW_BYTES).0);
        let (queues, window) = (Arc::new(queues), Arc::new(window));
        let memory = DmaBuffer {
            memory: Arc::clone(&queues),
            address: QUEUES_AT,
        };
        let controller = Controller {
            nature: Arc::clone(&nature),
            registers,
            queues,
            window: Arc::clone(&window),
        };
        Self {
            nature,
            window,
            thread: Some(std::thread::spawn(move || controller.serve())),
            parts: Mutex::new(Some((ours, memory))),
        }
    }

    fn start(&self) -> Result<Drive, NvmeError> {
        let parts = self.parts.lock().expect("not poisoned").take();
        let (registers, memory) = parts.expect("started once");
        Drive::start(registers, memory)
    }

    fn seen(&self, at: usize, bytes: usize) -> Vec<u8> {
        let mut data = vec![0; bytes];
        self.window.read(at, &mut data);
        data
    }
}

impl Drop for Played {
    fn drop(&mut self) {
        self.nature.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

const SECTORS_OF_512: [u8; 4] = [0, 0, 9, 0];

fn next(drive: &mut Drive) -> Result<u64, NvmeError> {
    loop {
        if let Some(id) = drive.finished()? {
            return Ok(id);
        }
        drive.wait()?;
    }
}

#[test]
fn reads_of_every_length_arrive_where_they_should() {
    let played = Played::new(SECTORS_OF_512, CAPABILITIES);
    let mut drive = played.start().expect("starts");
    assert_eq!(
        (drive.model(), drive.bytes()),
        ("played", DISK_BYTES as u64)
    );
    assert_eq!(
        drive.first_bytes(100).expect("reads"),
        played.nature.disk[..100]
    );
    let mut random = Random::new(3);
    for round in 0..40 {
        // Several under way, side by side in the window.
        let mut asked = Vec::new();
        let mut at = 0;
        while at < WINDOW_BYTES && asked.len() < drive.room() {
            let most = (WINDOW_BYTES - at) / 4096;
            let bytes = 4096 * (1 + random.bits() as usize % most.min(100));
            let offset = 4096 * (random.bits() as usize % (DISK_BYTES / 4096));
            drive.read(
                asked.len() as u64,
                offset as u64,
                bytes,
                WINDOW_AT + at as u64,
            );
            asked.push((offset, bytes, at));
            at += bytes;
        }
        let mut ids: Vec<_> = (0..asked.len())
            .map(|_| next(&mut drive).expect("arrives"))
            .collect();
        ids.sort_unstable();
        assert!(
            ids.into_iter().eq(0..asked.len() as u64),
            "each arrives once"
        );
        for (offset, bytes, at) in asked {
            let end = (offset + bytes).min(DISK_BYTES);
            let there = &played.nature.disk[offset..end];
            assert!(
                played.seen(at, there.len()) == there,
                "round {round}, {offset}"
            );
        }
    }
    drive.read(7, DISK_BYTES as u64 + 4096 - 512, 4096, WINDOW_AT);
    assert_eq!(next(&mut drive).expect("nothing to read"), 7);
    assert_eq!(drive.under_way(), 0);
}

#[test]
fn a_read_that_fails_is_reported_and_the_next_one_works() {
    let played = Played::new(SECTORS_OF_512, CAPABILITIES);
    let mut drive = played.start().expect("starts");
    played.nature.status.store(0x281, Ordering::Relaxed);
    drive.read(1, 8192, 4096, WINDOW_AT);
    let error = next(&mut drive).expect_err("a media error");
    assert!(
        matches!(error, NvmeError::Command { status: 0x281, .. }),
        "{error}"
    );
    drive.drain();
    drive.read(2, 8192, 200 << 10, WINDOW_AT);
    assert_eq!(next(&mut drive).expect("arrives"), 2);
    drive.read(3, 0, 512 << 10, WINDOW_AT);
    drive.drain();
    assert_eq!(
        (drive.under_way(), drive.finished().expect("nothing")),
        (0, None)
    );
}

#[test]
fn a_drive_that_goes_silent_is_reported_and_switched_off() {
    let played = Played::new(SECTORS_OF_512, CAPABILITIES);
    let mut drive = played.start().expect("starts");
    drive.set_patience(Duration::from_millis(50));
    played.nature.mute.store(true, Ordering::Relaxed);
    drive.read(1, 0, 4096, WINDOW_AT);
    let error = next(&mut drive).expect_err("silence");
    assert!(matches!(error, NvmeError::Timeout { .. }), "{error}");
    drive.drain();
    assert_eq!(drive.under_way(), 0);
}

#[test]
fn drives_that_cannot_be_used_are_refused() {
    for (format, capabilities, says) in [
        ([0, 0, 16, 0], CAPABILITIES, "sectors of 2^16"),
        ([8, 0, 9, 0], CAPABILITIES, "8 of metadata"),
        (SECTORS_OF_512, 15 | 1 << 24, "queues of 16"),
        (SECTORS_OF_512, CAPABILITIES | 1 << 48, "pages of 8192"),
        (SECTORS_OF_512, CAPABILITIES | 15 << 32, "doorbells 131072"),
    ] {
        let refused = Played::new(format, capabilities).start();
        let text = refused.expect_err("refused").to_string();
        assert!(text.contains(says), "{text}");
    }
    let gone = Played::new(SECTORS_OF_512, u64::MAX).start();
    assert!(matches!(gone, Err(NvmeError::Lost { .. })));
}
