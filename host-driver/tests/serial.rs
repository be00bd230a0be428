//! The serial device against a board's own design in the simulator, behind a real pseudo-terminal.
#![cfg(unix)]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use weft_hdl::board::BoardConfig;
use weft_hdl::link::LinkConfig;
use weft_hdl::{CoreConfig, Twin};
use weft_host::device::random::{RandomProduct, Shape};
use weft_host::device::serial::{Options, Port, Serial, SerialError};
use weft_host::device::{Cpu, Device, DeviceError};
use weft_models::board::{FaultCounts, FaultRates, Faults, Terminal, VirtualBoard, serve};
use weft_protocol::layout::Kind;
use weft_protocol::packet::{Group, Request};
use weft_protocol::registers::{MAGIC, MAP_HASH, Register};
use weft_protocol::serial::{
    Counter, Deframer, FromBoard, Identity, ToBoard, UNIT, board_id, tell,
};

const CORE: CoreConfig = CoreConfig {
    banks: 2,
    batch: 2,
    stream_bytes: 4,
    depth: 128,
};

/// A board that runs on its own thread until it is dropped.
struct Served {
    path: String,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<[FaultCounts; 2]>>,
}

impl Served {
    fn new(core: CoreConfig, rates: FaultRates, seed: u64) -> Self {
        let config = BoardConfig::new(core, LinkConfig::new(4, board_id("virtual")));
        let mut terminal = Terminal::new().expect("a pseudo-terminal");
        let path = terminal.path().display().to_string();
        let mut board = VirtualBoard::new(&config).expect("a board");
        let stop = Arc::new(AtomicBool::new(false));
        let seen = stop.clone();
        let thread = std::thread::spawn(move || {
            let mut faults = Faults::new(rates, seed);
            serve(&mut terminal, &mut board, &mut faults, &seen).expect("a terminal that lasts");
            faults.counts()
        });
        Self {
            path,
            stop,
            thread: Some(thread),
        }
    }

    fn open(&self) -> Serial {
        Serial::open(&self.path, &Options::default()).expect("a board on the line")
    }

    fn end(&mut self) -> [FaultCounts; 2] {
        self.stop.store(true, Ordering::Relaxed);
        let thread = self.thread.take().expect("still running");
        thread.join().expect("a board that does not fail")
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

fn product(core: &CoreConfig, kind: Kind, cols: usize, density: f64, seed: u64) -> RandomProduct {
    let shape = Shape {
        rows: 128,
        cols,
        log2_batch: core.batch.ilog2() as u8,
        density,
        kind,
        banks: core.banks,
    };
    RandomProduct::new(shape, seed)
}

/// The sums of `requests` by the twin.
fn twin(core: CoreConfig, requests: &[Request<'_>]) -> Vec<i32> {
    let mut wire = Vec::new();
    for request in requests {
        request.encode(&mut wire);
    }
    let mut twin = Twin::new(core);
    twin.push(&wire);
    twin.responses()[2..].iter().map(|&w| w as i32).collect()
}

fn compare(serial: &mut Serial, core: CoreConfig, products: u64) {
    for seed in 0..products {
        let kind = [Kind::G4, Kind::I8][seed as usize % 2];
        let density = [1.0, 0.4][seed as usize / 2 % 2];
        let product = product(&core, kind, 70, density, seed);
        let requests = product.requests();
        let mut out = Vec::new();
        let stats = serial.run(&requests, &mut out).expect("a run");
        assert!(out == twin(core, &requests), "product {seed} differs");
        let counters = stats.counters.expect("a core counts");
        assert!(
            counters.cycles > 0 && counters.beats >= stats.stream_bytes / core.stream_bytes as u64
        );
    }
}

#[test]
fn products_are_the_twins_and_clients_come_one_after_another() {
    let board = Served::new(CORE, FaultRates::default(), 0);
    for _ in 0..3 {
        let mut serial = board.open();
        assert_eq!(serial.identity().board, board_id("virtual"));
        assert_eq!(serial.info().banks, CORE.banks);
        compare(&mut serial, CORE, 4);
        let registers = serial
            .registers(&[Register::Magic, Register::Tiles])
            .expect("registers");
        assert_eq!(registers, [MAGIC, 4]);
        let bytes: Vec<u8> = (0..8 * 2000u32).map(|i| ((i * 7) >> 3) as u8).collect();
        serial.loop_back(&bytes).expect("an echo");
        compare(&mut serial, CORE, 1);
        let stats = serial.stats();
        assert_eq!((stats.damaged, stats.stale), (0, 0), "{stats:?}");
    }
}

#[test]
fn eight_byte_streams_work_too() {
    let core = CoreConfig {
        banks: 16,
        batch: 1,
        stream_bytes: 8,
        depth: 64,
    };
    let board = Served::new(core, FaultRates::default(), 0);
    compare(&mut board.open(), core, 4);
}

#[test]
fn a_bad_line_costs_retries_and_no_result() {
    let rates = FaultRates {
        damage: 0.03,
        drop: 0.03,
        duplicate: 0.03,
        delay: 0.03,
    };
    let mut board = Served::new(CORE, rates, 1);
    let mut serial = board.open();
    compare(&mut serial, CORE, 12);
    serial.loop_back(&[0x5a; 8 * 500]).expect("an echo");
    let stats = serial.stats();
    let identity = serial.identify().expect("an identity");
    let counts = board.end();
    for c in counts {
        assert!(
            c.damaged > 0 && c.dropped > 0 && c.duplicated > 0 && c.delayed > 0,
            "{c:?}"
        );
    }
    assert!(stats.retries > 0 && stats.damaged > 0, "{stats:?}");
    let moved = |c: Counter| {
        let (now, then) = (identity.counters, serial.identity().counters);
        now[c as usize].wrapping_sub(then[c as usize])
    };
    assert!(moved(Counter::Bad) > 0 && moved(Counter::Gap) > 0 && moved(Counter::Duplicate) > 0);
}

#[test]
fn a_refused_request_is_an_error_and_the_next_run_works() {
    let board = Served::new(CORE, FaultRates::default(), 0);
    let mut serial = board.open();
    let bundle = vec![0u8; 64];
    let group = Request::Group(Group {
        kind: Kind::G4,
        masked: false,
        activations: &[0, 0],
        scales: None,
        bundles: vec![&bundle],
    });
    let tile = Request::Tile {
        rows: 128,
        log2_batch: 1,
    };
    let mut out = Vec::new();
    let error = serial
        .run(&[tile, group, Request::Drain { tag: 1 }], &mut out)
        .expect_err("a group that keeps scales that were never sent");
    assert!(
        matches!(error, DeviceError::Refused { index: 1, .. }),
        "{error}"
    );
    let error = serial
        .run(&[Request::Reset], &mut out)
        .expect_err("no product");
    assert!(matches!(error, DeviceError::NotAProduct { index: 0 }));
    compare(&mut serial, CORE, 2);
}

#[test]
fn a_client_that_dies_in_the_middle_does_not_harm_the_next() {
    let board = Served::new(CORE, FaultRates::default(), 0);
    let cancel = Arc::new(AtomicBool::new(false));
    let options = Options {
        cancel: cancel.clone(),
        ..Options::default()
    };
    let mut serial = Serial::open(&board.path, &options).expect("a board on the line");
    let product = product(&CORE, Kind::I8, 2000, 1.0, 9);
    let requests = product.requests();
    let late = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(100));
        cancel.store(true, Ordering::Relaxed);
    });
    let error = serial.run(&requests, &mut Vec::new());
    late.join().expect("a thread that sleeps");
    drop(serial);
    // A fast machine may have been done; then nothing was left in the middle.
    if let Err(error) = error {
        assert!(error.to_string().contains("interrupted"), "{error}");
    }
    compare(&mut board.open(), CORE, 2);
}

#[test]
fn a_cut_line_is_an_error_within_the_time_out() {
    let mut board = Served::new(CORE, FaultRates::default(), 0);
    let mut serial = board.open();
    compare(&mut serial, CORE, 1);
    board.end();
    let product = product(&CORE, Kind::G4, 70, 1.0, 0);
    let start = Instant::now();
    let error = serial
        .run(&product.requests(), &mut Vec::new())
        .expect_err("nobody is there");
    assert!(start.elapsed() < Duration::from_secs(30));
    assert!(error.to_string().contains(&board.path), "{error}");
}

#[test]
fn a_silent_line_is_an_error_that_says_so() {
    let terminal = Terminal::new().expect("a pseudo-terminal");
    let path = terminal.path().display().to_string();
    let options = Options {
        baud: Some(115_200),
        timeout: Duration::from_millis(700),
        ..Options::default()
    };
    let error = Serial::open(&path, &options).err().expect("nobody there");
    assert!(matches!(error, SerialError::Nobody { .. }), "{error}");
    assert!(error.to_string().contains("115200"), "{error}");
    let missing = Serial::open("/dev/no-such-port", &options)
        .err()
        .expect("no port");
    assert!(matches!(missing, SerialError::Open { .. }), "{missing}");
}

#[test]
fn the_cpu_agrees_with_the_board() {
    let board = Served::new(CORE, FaultRates::default(), 0);
    let mut serial = board.open();
    let mut cpu = Cpu::new(serial.info().clone(), 1).expect("a processor");
    let product = product(&CORE, Kind::G4, 300, 0.3, 77);
    let (mut a, mut b) = (Vec::new(), Vec::new());
    serial.run(&product.requests(), &mut a).expect("a run");
    cpu.run(&product.requests(), &mut b).expect("a run");
    assert!(a == b);
}

/// A port on which something answers every frame with one identity.
struct Stranger {
    identity: Vec<u8>,
    line: Deframer<ToBoard>,
    answers: Vec<u8>,
}

impl Port for Stranger {
    fn send(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.line.push(bytes);
        while let Some(frame) = self.line.next_frame() {
            let Ok(frame) = frame else { continue };
            let answer = FromBoard {
                flags: tell::BOARD | tell::INFO,
                units: (self.identity.len() / UNIT) as u8,
                session: frame.header.session,
                tag: frame.header.tag,
                ..FromBoard::default()
            };
            answer.encode(&self.identity, &mut self.answers);
        }
        Ok(())
    }

    fn receive(&mut self, buffer: &mut [u8], _: Duration) -> std::io::Result<usize> {
        let n = self.answers.len().min(buffer.len());
        buffer[..n].copy_from_slice(&self.answers[..n]);
        self.answers.drain(..n);
        Ok(n)
    }

    fn set_baud(&mut self, _: u32) -> std::io::Result<()> {
        Ok(())
    }
}

fn stranger(identity: Vec<u8>) -> SerialError {
    let port = Stranger {
        identity,
        line: Deframer::default(),
        answers: Vec::new(),
    };
    let options = Options::default();
    match Serial::on(port, "there", &options) {
        Err(error) => error,
        Ok(_) => panic!("a stranger was taken for a board"),
    }
}

#[test]
fn strangers_are_refused_with_both_values() {
    let identity = Identity {
        map_hash: 0x1234_5678,
        ..LinkConfig::new(4, 0).identity(&CORE)
    };
    let error = stranger(identity.to_bytes());
    assert!(matches!(error, SerialError::Mismatch { .. }), "{error}");
    let text = error.to_string();
    assert!(
        text.contains("0x12345678") && text.contains(&format!("{MAP_HASH:#010x}")),
        "{text}"
    );

    let mut magic = LinkConfig::new(4, 0).identity(&CORE).to_bytes();
    magic[0] ^= 1;
    let error = stranger(magic);
    assert!(matches!(error, SerialError::Identity { .. }), "{error}");

    let shape = Identity {
        banks: 3,
        ..LinkConfig::new(4, 0).identity(&CORE)
    };
    let error = stranger(shape.to_bytes());
    assert!(matches!(error, SerialError::Core { .. }), "{error}");
}
