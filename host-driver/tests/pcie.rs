//! The driver against a served card: the same sums as the processor, in every mode.
#![cfg(target_os = "linux")]

mod served;

use served::{Served, both, products};
use weft_host::device::Device;
use weft_host::device::DeviceError;
use weft_host::device::pcie::{CardError, Completion, Options, PcieCard, Socket};
use weft_host::device::random::{RandomProduct, Shape};
use weft_protocol::layout::Kind;
use weft_protocol::packet::{ErrorCode, Request};

#[test]
fn random_products_are_exact_on_every_shape_of_core() {
    for core in ["1x1", "4x1", "8x2", "16x4"] {
        let served = Served::new(core);
        let mut card = served.card(Options::default());
        let info = card.info().clone();
        for product in products(info.banks, info.batch) {
            both(&mut card, &product.requests());
        }
        let stats = card.link_stats();
        assert!(stats.host_bytes > 0 && stats.inline_bytes > 0 && stats.results > 0);
        assert_eq!((stats.resets, stats.retries), (0, 0));
    }
}

#[test]
fn polling_and_messages_give_the_same_sums() {
    let served = Served::new("8x2");
    for completion in [Completion::Polling, Completion::Interrupts] {
        for by_messages in [false, true] {
            let options = Options {
                completion,
                ring_bytes: 64 << 10,
                ..Options::default()
            };
            let mut socket = Socket::connect(served.path()).expect("connects");
            if by_messages {
                socket = socket.by_messages();
            }
            let mut card = PcieCard::open(Box::new(socket), options).expect("opens");
            for product in products(8, 2) {
                both(&mut card, &product.requests());
            }
            assert_eq!(card.link_stats().retries, 0);
        }
    }
    let statistics = served.stop();
    assert_eq!(statistics.clients, 4);
    assert!(statistics.messages > 100, "two clients had no descriptors");
    assert_eq!(statistics.blocked, 0);
}

#[test]
fn a_run_of_several_rings_full_goes_round() {
    let served = Served::new("8x1");
    let mut card = served.card(Options {
        ring_bytes: 64 << 10,
        ..Options::default()
    });
    let shape = Shape {
        rows: 1024,
        cols: 640,
        log2_batch: 0,
        density: 1.0,
        kind: Kind::I8,
        banks: 8,
    };
    for seed in 0..2 {
        let product = RandomProduct::new(shape, seed);
        both(&mut card, &product.requests());
    }
    assert!(card.link_stats().host_bytes > 10 * (64 << 10));
}

#[test]
fn a_refused_run_leaves_the_card_ready() {
    let served = Served::new("4x1");
    let mut card = served.card(Options::default());
    let too_tall = [
        Request::Tile {
            rows: 4096,
            log2_batch: 0,
        },
        Request::Drain { tag: 1 },
    ];
    match card.run(&too_tall, &mut Vec::new()) {
        Err(DeviceError::Refused {
            index: 0,
            code: ErrorCode::Rows,
            ..
        }) => {}
        other => panic!("4096 rows do not fit 4 banks of 512: {other:?}"),
    }
    for product in products(4, 1) {
        both(&mut card, &product.requests());
    }
    assert_eq!(card.link_stats().resets, 1);
}

#[test]
fn a_socket_that_nobody_serves_says_how_to_start_a_card() {
    let folder = tempfile::tempdir().expect("a folder");
    let error = Socket::connect(&folder.path().join("none.sock")).expect_err("nobody there");
    let CardError::Transport { source, .. } = &error else {
        panic!("{error:?}");
    };
    assert!(source.to_string().contains("weft card --socket"), "{error}");
}
