//! The serial link of a whole board, bit by bit, against the host's codec.

mod common;

use common::line::Board;
use common::stream::{Random, session};
use weft_hdl::board::BoardConfig;
use weft_hdl::link::LinkConfig;
use weft_hdl::{CoreConfig, Twin};
use weft_protocol::packet::Request;
use weft_protocol::serial::{
    Counter, FILL_GRANULE, FILLER, Identity, MAX_FRAME, MAX_UNITS, ToBoard, UNIT, ask, board_id,
    fill_units, tell,
};

const CORE: CoreConfig = CoreConfig {
    banks: 2,
    batch: 2,
    stream_bytes: 4,
    depth: 64,
};

fn config(clocks_per_bit: u32) -> BoardConfig {
    let mut config = BoardConfig::new(CORE, LinkConfig::new(clocks_per_bit, board_id("test")));
    config.leds = 6;
    config.leds_low = true;
    config.buttons = 2;
    config
}

fn identity(board: &mut Board) -> Identity {
    let answer = board.ask(ask::INFO, &[]);
    assert_eq!(answer.header.flags & tell::INFO, tell::INFO);
    Identity::from_bytes(&answer.payload).expect("an identity")
}

/// What a counter moved by.
fn moved(before: &Identity, after: &Identity, counter: Counter) -> u16 {
    let at = counter as usize;
    after.counters[at].wrapping_sub(before.counters[at])
}

/// Sends `bytes` as requests, in frames, and collects `expected` bytes of answers.
fn exchange(board: &mut Board, random: &mut Random, bytes: &[u8], expected: usize) -> Vec<u8> {
    let start = board.heard.len();
    let mut sent = 0;
    while sent < bytes.len() || board.heard.len() < start + expected {
        let most = (bytes.len() - sent).min(UNIT * (1 + random.below(MAX_UNITS)));
        let (position, payload) = (board.next.position, bytes[sent..sent + most].to_vec());
        let answer = board.ask(0, &payload);
        assert_eq!(
            answer.header.flags & (tell::BAD | tell::GAP | tell::STALE),
            0
        );
        if answer.header.received != position {
            sent += most;
            board.next.position = answer.header.received;
        }
    }
    assert_eq!(board.holes, 0);
    board.heard[start..].to_vec()
}

#[test]
fn a_board_says_what_it_is() {
    for clocks in [4, 5, 16] {
        let config = config(clocks);
        let mut board = Board::new(&config);
        let answer = board.hello(9, 0);
        assert_eq!(answer.header.session, 9);
        assert_eq!(answer.header.flags, tell::BOARD | tell::INFO);
        let mut identity = Identity::from_bytes(&answer.payload).expect("an identity");
        identity.counters = [0; 8];
        assert_eq!(identity, config.link.identity(&CORE));
    }
}

#[test]
fn requests_reach_the_core_and_answers_come_back_as_from_the_twin() {
    for core in [
        CORE,
        CoreConfig {
            banks: 8,
            batch: 1,
            stream_bytes: 8,
            depth: 64,
        },
    ] {
        let mut config = config(4);
        config.core = core;
        let mut board = Board::new(&config);
        board.hello(1, 0);
        let mut random = Random(5);
        let mut bytes = session(&mut random, &core, 6);
        Request::Read { register: 2 }.encode(&mut bytes);
        let mut twin = Twin::new(core);
        twin.push(&bytes);
        let wanted: Vec<u8> = twin
            .responses()
            .iter()
            .flat_map(|w| w.to_le_bytes())
            .collect();
        let got = exchange(&mut board, &mut random, &bytes, wanted.len());
        assert!(got == wanted, "answers differ");
    }
}

#[test]
fn looped_units_come_back_through_full_buffers() {
    let mut board = Board::new(&config(4));
    board.hello(3, ask::LOOP);
    let mut random = Random(6);
    let bytes = random.bytes(UNIT * 3000);
    let got = exchange(&mut board, &mut random, &bytes, bytes.len());
    assert!(got == bytes, "echo differs");
    // And the core never saw any of it: its registers still answer.
    board.hello(4, 0);
    let mut read = Vec::new();
    Request::Read { register: 0 }.encode(&mut read);
    let got = exchange(&mut board, &mut random, &read, 8);
    assert_eq!(&got[4..], b"WEFT");
}

#[test]
fn damage_is_answered_and_counted_and_changes_nothing() {
    let mut board = Board::new(&config(4));
    board.hello(7, ask::LOOP);
    let before = identity(&mut board);
    let payload = [0x42; 64];

    let mut frame = board.frame(0, &payload);
    frame[20] ^= 4;
    board.sender.push(&frame);
    let answer = board.receive().expect("an answer to a damaged frame");
    assert_eq!(answer.header.flags & tell::BAD, tell::BAD);
    assert_eq!(answer.header.received, 0);

    board.next.position = 5;
    let answer = board.ask(0, &payload);
    assert_eq!(answer.header.flags, tell::BOARD | tell::GAP);
    board.next.position = 0;
    assert_eq!(board.ask(0, &payload).header.received, 8);
    assert_eq!(board.ask(0, &payload).header.received, 8);
    board.next.session = 6;
    let answer = board.ask(0, &payload);
    assert_eq!(answer.header.flags & tell::STALE, tell::STALE);
    assert_eq!(answer.header.session, 7);
    board.next.session = 7;
    // A late copy of the hello does not clear the positions.
    assert_eq!(board.ask(ask::HELLO | ask::LOOP, &[]).header.received, 8);

    let after = identity(&mut board);
    for (counter, by) in [
        (Counter::Bad, 1),
        (Counter::Gap, 1),
        (Counter::Duplicate, 1),
        (Counter::Stale, 1),
        (Counter::Full, 0),
        (Counter::Broken, 0),
        (Counter::Sessions, 0),
    ] {
        assert_eq!(moved(&before, &after, counter), by, "{}", counter.name());
    }

    // The echo can be had again from where it was last acknowledged.
    board.acknowledging = false;
    board.next.answers = 0;
    let resent = board.ask(ask::RESEND, &[]);
    assert_eq!((resent.header.position, resent.header.units), (0, 8));
    assert_eq!(resent.payload, payload);
}

#[test]
fn a_sender_beyond_its_credit_loses_nothing_that_was_received() {
    let mut board = Board::new(&config(4));
    board.hello(7, ask::LOOP);
    board.acknowledging = false;
    let before = identity(&mut board);
    let mut random = Random(8);
    let mut wanted: Vec<u8> = Vec::new();
    // Nobody acknowledges the echo, so both buffers fill up.
    let mut refused = 0;
    for _ in 0..24 {
        let payload = random.bytes(MAX_UNITS * UNIT);
        let answer = board.ask(0, &payload);
        if answer.header.flags & tell::FULL != 0 {
            refused += 1;
        } else {
            wanted.extend(&payload);
            board.next.position += MAX_UNITS as u16;
        }
        assert_eq!(answer.header.received, board.next.position);
    }
    // 8 frames of requests, and 8 of answers less what the buffer keeps free.
    assert_eq!(refused, 9);
    let after = identity(&mut board);
    assert_eq!(moved(&before, &after, Counter::Full), refused);
    board.acknowledging = true;
    while board.heard.len() < wanted.len() {
        board.ask(0, &[]);
    }
    assert_eq!(board.holes, 0);
    assert!(board.heard == wanted);
}

#[test]
fn noise_and_lost_bytes_end_in_a_working_line() {
    let mut board = Board::new(&config(4));
    let mut random = Random(11);
    for round in 0..30u8 {
        let noise = random.below(400);
        let noise = random.bytes(noise);
        board.sender.push(&noise);
        // The beginning of a frame that never ends.
        let frame = board.frame(0, &[1; 200]);
        let keep = random.below(frame.len());
        board.sender.push(&frame[..keep]);
        board.sender.push(&[FILLER; MAX_FRAME]);
        while board.receive().is_some() {}
        let session = round + 1;
        let hello = board.hello(session, ask::LOOP);
        assert_eq!(hello.header.session, session);
        let bytes = random.bytes(UNIT * 40);
        assert!(exchange(&mut board, &mut random, &bytes, bytes.len()) == bytes);
    }
}

#[test]
fn a_core_left_inside_a_packet_is_brought_back() {
    let mut board = Board::new(&config(4));
    let mut random = Random(12);
    for round in 0..12u8 {
        // A client that dies in the middle of a session's bytes.
        board.hello(2 * round + 1, 0);
        let bytes = session(&mut random, &CORE, 3);
        let keep = UNIT * random.below((bytes.len() / UNIT).min(200));
        for payload in bytes[..keep].chunks(MAX_UNITS * UNIT) {
            board.next.position = board.ask(0, payload).header.received;
        }
        // The next one: zeros until nothing is open, then a reset.
        board.hello(2 * round + 2, 0);
        let granules = fill_units(CORE.banks, CORE.batch, CORE.depth).div_ceil(FILL_GRANULE);
        board.next.units = granules as u8;
        let filled = board.ask(ask::FILL, &[]).header;
        assert_eq!(usize::from(filled.received), granules * FILL_GRANULE);
        while board.ask(0, &[]).header.taken != filled.received {}
        board.next.position = filled.received;
        let mut bytes = Vec::new();
        Request::Reset.encode(&mut bytes);
        bytes.extend(session(&mut random, &CORE, 1));
        let mut twin = Twin::new(CORE);
        twin.push(&bytes);
        let wanted: Vec<u8> = twin
            .responses()
            .iter()
            .flat_map(|w| w.to_le_bytes())
            .collect();
        let got = exchange(&mut board, &mut random, &bytes, wanted.len());
        assert!(got == wanted, "round {round}");
    }
}

#[test]
fn full_frames_are_sent_unasked() {
    let mut board = Board::new(&config(4));
    board.hello(1, ask::LOOP);
    let payload = [7; MAX_UNITS * UNIT];
    let mut frames = Vec::new();
    for k in 0..3u16 {
        board.next.position = k * MAX_UNITS as u16;
        frames.extend(board.frame(0, &payload));
    }
    board.sender.push(&frames);
    let mut units = 0;
    while let Some(answer) = board.receive() {
        assert_eq!(answer.header.position, units);
        units += u16::from(answer.header.units);
    }
    assert_eq!(
        units,
        3 * MAX_UNITS as u16,
        "nobody asked, and everything came"
    );
}

#[test]
fn the_board_is_the_same_text_every_time_and_pins_have_their_polarity() {
    let text = weft_hdl::board::generate_verilog(&config(4)).expect("a board");
    assert_eq!(
        text,
        weft_hdl::board::generate_verilog(&config(4)).expect("a board")
    );
    assert!(text.contains("output wire [5:0] led"));
    assert!(text.contains("assign led = ~{2'b0, shown}"));
    assert!(text.contains(".pressed(button[0])"));
    let default = ToBoard::default();
    assert_eq!(default.session, 0);
}
