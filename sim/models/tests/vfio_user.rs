//! The server against the protocol: what it answers, what it refuses, and that nothing a client sends ends it.
#![cfg(target_os = "linux")]

use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;
use tempfile::TempDir;
use weft_hdl::CoreConfig;
use weft_models::vfio_user::{Server, Statistics};
use weft_models::{BehaviouralCard, Random};
use weft_protocol::packet::Request;
use weft_protocol::pcie::ring::{NOTIFY, Record, Slot, SlotKind};
use weft_protocol::pcie::{CardRegister as R, Control};
use weft_protocol::registers::{MAGIC, Register};
use weft_vfio_user::socket::{Receiver, send};
use weft_vfio_user::wire::{self, command, dma, errno, irq, region};
use weft_vfio_user::{Client, ClientError, EventFd, SharedMemory};

const WINDOW_LOG2: u8 = 16;
const SOON: Duration = Duration::from_secs(5);
const COMMAND: u64 = 4;

struct Served {
    folder: TempDir,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<Statistics>>,
}

impl Served {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let server = Server::bind(&folder.path().join("card.sock")).expect("listens");
        let stop = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let core = CoreConfig::named("4x1").expect("named");
            let mut card = BehaviouralCard::new(core, WINDOW_LOG2);
            server.serve(&mut card, &seen, &mut |_| ()).expect("serves")
        });
        Self {
            folder,
            stop,
            thread: Some(thread),
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("card.sock")
    }

    fn client(&self) -> Client {
        Client::connect(&self.path(), SOON).expect("connects")
    }

    /// A client whose card answers and may start requests.
    fn enabled(&self) -> Client {
        let mut client = self.client();
        client.write(region::CONFIG, COMMAND, &[6, 0]).expect("on");
        client
    }

    fn stop(mut self) -> Statistics {
        self.stop.store(true, Ordering::Relaxed);
        let thread = self.thread.take().expect("once");
        thread.join().expect("the server does not panic")
    }
}

fn get(client: &mut Client, register: R) -> u32 {
    let mut data = [0; 4];
    client.read(0, register.offset(), &mut data).expect("read");
    u32::from_le_bytes(data)
}

fn set(client: &mut Client, register: R, value: u32) {
    let data = value.to_le_bytes();
    client.write(0, register.offset(), &data).expect("written");
}

fn errno_of<T: std::fmt::Debug>(result: Result<T, ClientError>) -> u32 {
    match result {
        Err(ClientError::Refused { errno, .. }) => errno,
        other => panic!("refused, not {other:?}"),
    }
}

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

/// A connection that can send anything.
struct Raw {
    stream: UnixStream,
    receiver: Receiver,
}

impl Raw {
    fn agreed(served: &Served) -> Self {
        let stream = UnixStream::connect(served.path()).expect("connects");
        let receiver = Receiver::new(stream.try_clone().expect("cloned"));
        let mut raw = Self { stream, receiver };
        assert_eq!(raw.ask(command::VERSION, &wire::version(false)), None);
        raw
    }

    fn tell(&mut self, command: u16, body: &[u8]) {
        send(&self.stream, (1, command), (0, 0), &[body], &[]).expect("sent");
    }

    /// The error number of the reply.
    fn ask(&mut self, command: u16, body: &[u8]) -> Option<u32> {
        self.tell(command, body);
        let reply = self.receiver.receive(SOON).expect("open").expect("a reply");
        assert!(reply.is_reply());
        reply.failure()
    }

    fn closed(mut self) -> bool {
        let mut rest = Vec::new();
        self.stream.set_read_timeout(Some(SOON)).expect("set");
        // What it did not read before it closed makes that a reset.
        match self.stream.read_to_end(&mut rest) {
            Ok(_) => true,
            Err(e) => e.kind() == std::io::ErrorKind::ConnectionReset,
        }
    }
}

#[test]
fn malformed_messages_are_refused_and_the_session_goes_on() {
    let served = Served::new();
    let mut raw = Raw::agreed(&served);
    let bad = Some(errno::INVALID);
    for short in [
        command::DMA_MAP,
        command::DMA_UNMAP,
        command::REGION_INFO,
        command::IRQ_INFO,
        command::SET_IRQS,
        command::REGION_READ,
        command::REGION_WRITE,
        command::REGION_WRITE_MULTI,
    ] {
        for bytes in [0, 3, 7, 15] {
            let reply = raw.ask(short, &vec![0xff; bytes]);
            assert_eq!(reply, bad, "command {short} of {bytes} bytes");
        }
    }
    assert_eq!(
        raw.ask(command::VERSION, &wire::version(false)),
        bad,
        "once"
    );
    assert_eq!(raw.ask(6, &[]), Some(errno::NO_SYSTEM_CALL));
    assert_eq!(raw.ask(999, &[1; 100]), Some(errno::NO_SYSTEM_CALL));
    let huge = wire::access(0, 2, u32::MAX);
    assert_eq!(raw.ask(command::REGION_READ, &huge), bad);
    assert_eq!(raw.ask(command::REGION_WRITE, &huge), bad);
    let many = [u64::MAX.to_le_bytes().to_vec(), vec![0; 48]].concat();
    assert_eq!(raw.ask(command::REGION_WRITE_MULTI, &many), bad);
    for words in [
        [20, irq::DATA_EVENTFD | irq::ACTION_TRIGGER, irq::MSIX, 1, 2],
        [
            20,
            irq::DATA_EVENTFD | irq::ACTION_TRIGGER,
            irq::MSIX,
            u32::MAX,
            2,
        ],
        [20, irq::DATA_NONE | irq::ACTION_TRIGGER, 0, 0, 1],
        [20, irq::DATA_NONE, irq::MSIX, 0, 0],
        [20, irq::DATA_BOOL | irq::ACTION_TRIGGER, irq::MSIX, 0, 2],
    ] {
        assert_eq!(
            raw.ask(command::SET_IRQS, &wire::words(&words)),
            bad,
            "{words:?}"
        );
    }
    assert_eq!(raw.ask(command::DEVICE_INFO, &[]), None, "still served");
    let mut map = wire::words(&[32, dma::READ]);
    map.extend([0; 8]);
    map.extend(u64::MAX.to_le_bytes());
    map.extend(2u64.to_le_bytes());
    assert_eq!(raw.ask(command::DMA_MAP, &map), bad);
    // A descriptor that is no memory.
    map[16..32].copy_from_slice(&[[0; 8], 4096u64.to_le_bytes()].concat());
    let null = std::fs::File::open("/dev/null").expect("opens");
    let kind = (1, command::DMA_MAP);
    send(&raw.stream, kind, (0, 0), &[&map], &[null.as_fd()]).expect("sent");
    let reply = raw.receiver.receive(SOON).expect("open").expect("a reply");
    assert_eq!(reply.failure(), bad);
}

#[test]
fn clients_that_do_not_speak_the_protocol_are_turned_away() {
    let served = Served::new();
    let connect = || {
        let stream = UnixStream::connect(served.path()).expect("connects");
        let receiver = Receiver::new(stream.try_clone().expect("cloned"));
        Raw { stream, receiver }
    };
    let mut raw = connect();
    raw.tell(command::DEVICE_INFO, &[]);
    assert!(raw.closed(), "the first message is the version");
    let mut raw = connect();
    raw.tell(command::VERSION, &[1, 0, 0, 0, 0]);
    assert!(raw.closed(), "another major version");
    let mut raw = connect();
    raw.stream.write_all(&[0xff; 64]).expect("sent");
    assert!(raw.closed(), "a length that no message has");
    drop(connect());
    assert_eq!(get(&mut served.enabled(), R::Magic), MAGIC);
    assert_eq!(served.stop().clients, 1);
}

#[test]
fn random_messages_end_no_server() {
    let served = Served::new();
    let mut random = Random(11);
    for _ in 0..20 {
        let mut raw = Raw::agreed(&served);
        for _ in 0..200 {
            let command = 1 + (random.bits() % 16) as u16;
            let bytes = (random.bits() % 80) as usize;
            let body: Vec<u8> = (0..bytes)
                .map(|_| match random.bits() % 4 {
                    0 => random.bits() as u8,
                    1 => 0xff,
                    _ => (random.bits() % 8) as u8,
                })
                .collect();
            raw.ask(command, &body);
        }
    }
    assert_eq!(get(&mut served.enabled(), R::Magic), MAGIC);
    let statistics = served.stop();
    assert!(statistics.refused > 1000 && statistics.clients == 21);
}
