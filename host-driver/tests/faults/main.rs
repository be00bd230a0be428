//! What goes wrong between a driver and its card, and that it ends in an error or a rescue, never in a hang.
#![cfg(target_os = "linux")]

mod faulty;
#[path = "../served/mod.rs"]
mod served;

use faulty::faulty;
use served::{Served, both, products};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use weft_host::device::pcie::{CardError, DmaBuffer, Options, PcieCard, Socket, Transport};
use weft_host::device::random::{RandomProduct, Shape};
use weft_host::device::{Device, DeviceError};
use weft_models::vfio_user::Event;
use weft_protocol::layout::Kind;
use weft_protocol::pcie::ring::Outcome;
use weft_protocol::pcie::{CardRegister as R, Control};

/// A product that takes the card some hundred milliseconds or so.
fn long() -> RandomProduct {
    let shape = Shape {
        rows: 2048,
        cols: 4096,
        log2_batch: 0,
        density: 1.0,
        kind: Kind::I8,
        banks: 8,
    };
    RandomProduct::new(shape, 1)
}

fn small() -> RandomProduct {
    products(8, 1).remove(0)
}

fn card_error(result: Result<impl std::fmt::Debug, DeviceError>) -> CardError {
    match result {
        Err(DeviceError::Link { source, .. }) => *source.downcast().expect("a card's error"),
        other => panic!("the card failed, and the run says {other:?}"),
    }
}

#[test]
fn lost_interrupts_are_rescued_by_looking() {
    let (served, faults) = faulty("8x1");
    let mut card = served.card(Options::default());
    // So much that the driver waits for the card.
    let product = long();
    faults.silent.store(true, Ordering::Relaxed);
    both(&mut card, &product.requests());
    let stats = card.link_stats();
    assert_eq!((stats.interrupts, stats.resets), (0, 0));
    assert!(stats.rescued > 0);
    faults.silent.store(false, Ordering::Relaxed);
    both(&mut card, &product.requests());
    assert!(card.link_stats().interrupts > 0);
}

#[test]
fn an_aborted_read_is_tried_again_and_a_persistent_one_reported() {
    let (served, faults) = faulty("8x1");
    let mut card = served.card(Options::default());
    faults.aborts.store(2, Ordering::Relaxed);
    both(&mut card, &small().requests());
    let stats = card.link_stats();
    assert_eq!((stats.resets, stats.retries), (2, 2));
    faults.aborts.store(u32::MAX, Ordering::Relaxed);
    let product = small();
    let error = card_error(card.run(&product.requests(), &mut Vec::new()));
    let abort = Outcome::Abort;
    assert!(matches!(error, CardError::Halted { outcome, .. } if outcome == abort));
    faults.aborts.store(0, Ordering::Relaxed);
    both(&mut card, &product.requests());
}

#[test]
fn a_card_that_does_nothing_is_reset_and_reported() {
    let (served, faults) = faulty("8x1");
    let mut card = served.card(Options {
        timeout: Duration::from_millis(300),
        ..Options::default()
    });
    faults.stuck.store(true, Ordering::Relaxed);
    let product = small();
    let error = card_error(card.run(&product.requests(), &mut Vec::new()));
    assert!(
        matches!(error, CardError::Stuck { loads: 1.., .. }),
        "{error}"
    );
    faults.stuck.store(false, Ordering::Relaxed);
    both(&mut card, &product.requests());
}

#[test]
fn registers_of_all_ones_mean_a_lost_card() {
    let (served, faults) = faulty("8x1");
    let mut card = served.card(Options::default());
    faults.gone.store(true, Ordering::Relaxed);
    faults.stuck.store(true, Ordering::Relaxed);
    let product = small();
    let error = card_error(card.run(&product.requests(), &mut Vec::new()));
    assert!(matches!(error, CardError::Lost), "{error}");
    let socket = || {
        drop(card);
        Socket::connect(served.path()).expect("connects")
    };
    let opened = PcieCard::open(Box::new(socket()), Options::default());
    assert!(matches!(opened, Err(CardError::Lost)));
}

#[test]
fn a_card_of_other_maps_is_refused_with_both_values() {
    for register in [R::Magic, R::Version, R::StreamHash, R::CardHash] {
        let (served, faults) = faulty("8x1");
        faults
            .register
            .store(register.offset() as u32, Ordering::Relaxed);
        faults.value.store(0x0bad_cafe, Ordering::Relaxed);
        let socket = Socket::connect(served.path()).expect("connects");
        let refused = PcieCard::open(Box::new(socket), Options::default()).expect_err("refused");
        let text = refused.to_string();
        let CardError::Mismatch { wanted, .. } = refused else {
            panic!("{text}");
        };
        for part in [
            register.name(),
            "0x0badcafe",
            format!("{wanted:#010x}").as_str(),
        ] {
            assert!(text.contains(part), "{text} names {part}");
        }
    }
}

#[test]
fn a_server_that_ends_in_the_middle_is_a_lost_card_and_the_next_server_works() {
    let (served, faults) = faulty("8x1");
    let mut card = served.card(Options::default());
    let product = long();
    let error = std::thread::scope(|scope| {
        let before = faults.fetched.load(Ordering::Relaxed);
        let run = scope.spawn(|| card.run(&product.requests(), &mut Vec::new()));
        // Somewhere in the eight megabytes.
        while faults.fetched.load(Ordering::Relaxed) < before + (1 << 16) && !run.is_finished() {
            std::thread::yield_now();
        }
        served.stop();
        run.join().expect("no panic")
    });
    let error = card_error(error);
    assert!(matches!(error, CardError::Lost), "{error}");
    let again = card_error(card.run(&product.requests(), &mut Vec::new()));
    assert!(matches!(again, CardError::Lost), "and stays lost: {again}");
    drop(card);
    let served = Served::new("8x1");
    both(&mut served.card(Options::default()), &small().requests());
}

#[test]
fn a_card_reset_under_load_is_noticed_and_the_run_tried_again() {
    /// Resets the card by its control register at the fortieth register write.
    struct Meddling {
        socket: Socket,
        writes: u32,
    }

    impl Transport for Meddling {
        fn name(&self) -> String {
            self.socket.name()
        }

        fn read(&mut self, register: R) -> Result<u32, CardError> {
            self.socket.read(register)
        }

        fn write(&mut self, register: R, value: u32) -> Result<(), CardError> {
            self.writes += 1;
            if self.writes == 40 {
                self.socket.write(R::Control, Control::RESET)?;
            }
            self.socket.write(register, value)
        }

        fn allocate(&mut self, bytes: usize) -> Result<DmaBuffer, CardError> {
            self.socket.allocate(bytes)
        }

        fn wait(&mut self, wait: Duration) -> Result<bool, CardError> {
            self.socket.wait(wait)
        }

        fn reset(&mut self) -> Result<(), CardError> {
            self.socket.reset()
        }
    }

    let served = Served::new("8x1");
    let way = Meddling {
        socket: Socket::connect(served.path()).expect("connects"),
        writes: 0,
    };
    let mut card = PcieCard::open(Box::new(way), Options::default()).expect("opens");
    both(&mut card, &long().requests());
    let stats = card.link_stats();
    assert_eq!((stats.resets, stats.retries), (1, 1));
    let options = Options {
        retries: 0,
        ..Options::default()
    };
    drop(card);
    let way = Meddling {
        socket: Socket::connect(served.path()).expect("connects"),
        writes: 0,
    };
    let mut card = PcieCard::open(Box::new(way), options).expect("opens");
    let error = card_error(card.run(&long().requests(), &mut Vec::new()));
    assert!(matches!(error, CardError::Interfered { .. }), "{error}");
    both(&mut card, &small().requests());
}

#[test]
fn memory_that_was_taken_away_is_not_reached_and_the_card_runs_again() {
    /// Takes the ring's memory away, or gives it back.
    struct Thief {
        socket: Socket,
        buffers: Vec<DmaBuffer>,
        steal: Arc<AtomicBool>,
        stolen: bool,
    }

    impl Thief {
        fn follow(&mut self) {
            let steal = self.steal.load(Ordering::Relaxed);
            if steal == self.stolen {
                return;
            }
            // The last buffer is the weights'.
            let ring = self.buffers.last().expect("allocated").clone();
            let client = self.socket.client();
            if steal {
                let bytes = ring.memory.len() as u64;
                client.unmap(ring.address, bytes).expect("unmapped");
            } else {
                client
                    .map(ring.address, &ring.memory, None)
                    .expect("mapped");
            }
            self.stolen = steal;
        }
    }

    impl Transport for Thief {
        fn name(&self) -> String {
            self.socket.name()
        }

        fn read(&mut self, register: R) -> Result<u32, CardError> {
            self.socket.read(register)
        }

        fn write(&mut self, register: R, value: u32) -> Result<(), CardError> {
            self.follow();
            self.socket.write(register, value)
        }

        fn allocate(&mut self, bytes: usize) -> Result<DmaBuffer, CardError> {
            let buffer = self.socket.allocate(bytes)?;
            self.buffers.push(buffer.clone());
            Ok(buffer)
        }

        fn wait(&mut self, wait: Duration) -> Result<bool, CardError> {
            self.socket.wait(wait)
        }

        fn reset(&mut self) -> Result<(), CardError> {
            self.socket.reset()
        }
    }

    let served = Served::new("8x1");
    let steal = Arc::new(AtomicBool::new(false));
    let way = Thief {
        socket: Socket::connect(served.path()).expect("connects"),
        buffers: Vec::new(),
        steal: Arc::clone(&steal),
        stolen: false,
    };
    let mut card = PcieCard::open(Box::new(way), Options::default()).expect("opens");
    both(&mut card, &small().requests());
    steal.store(true, Ordering::Relaxed);
    let product = small();
    let error = card_error(card.run(&product.requests(), &mut Vec::new()));
    let unsupported = Outcome::Unsupported;
    assert!(
        matches!(error, CardError::Halted { outcome, .. } if outcome == unsupported),
        "{error}"
    );
    assert_eq!(
        card.link_stats().retries,
        0,
        "nobody will have that address"
    );
    steal.store(false, Ordering::Relaxed);
    both(&mut card, &product.requests());
    drop(card);
    let (statistics, events) = served.stop_and_tell();
    assert!(statistics.blocked > 0);
    let blocked = |e: &Event| matches!(e, Event::Blocked { write: false, .. });
    assert!(events.iter().any(blocked), "{events:?}");
}

#[test]
fn a_client_that_vanishes_leaves_a_card_that_the_next_one_can_use() {
    let served = Served::new("8x1");
    let product = long();
    let mut card = served.card(Options::default());
    let folder = served.path().to_owned();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            // The next client waits until this one is gone.
            std::thread::sleep(Duration::from_millis(20));
            let socket = Socket::connect(&folder).expect("connects");
            let mut next = PcieCard::open(Box::new(socket), Options::default()).expect("opens");
            both(&mut next, &small().requests());
        });
        both(&mut card, &product.requests());
        drop(card);
    });
    // One that leaves with work under way: its rings are described and its connection is cut.
    let mut socket = Socket::connect(served.path()).expect("connects");
    socket.reset().expect("resets");
    let buffer = socket.allocate(1 << 16).expect("allocates");
    for (register, value) in [
        (R::CommandBase, buffer.address as u32),
        (R::CommandBaseHigh, (buffer.address >> 32) as u32),
        (R::CommandLog2, 12),
        (R::CompletionBase, buffer.address as u32),
        (R::Control, Control::RUN),
        (R::CommandTail, 4096),
    ] {
        socket.write(register, value).expect("written");
    }
    drop(socket);
    both(&mut served.card(Options::default()), &small().requests());
    let statistics = served.stop();
    assert_eq!(statistics.clients, 4);
    assert_eq!(statistics.maps, statistics.unmaps, "nothing stays mapped");
}
