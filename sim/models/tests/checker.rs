//! The checker finds what is planted, and names it.

use weft_models::checker::{Checker, Limits, Rule};
use weft_models::tlp::{Part, Tlp};
use weft_protocol::pcie::tlp::{
    ADDRESS_LOW, BYTE_COUNT, EP, FIRST_BE, FMT, FOUR, LAST_BE, LENGTH, LOWER_ADDRESS, STATUS, TC,
    TYPE,
};

const DEVICE: u16 = 0x0100;

fn checker() -> Checker {
    Checker::new(Limits {
        device: DEVICE,
        bus_master: true,
        max_payload: 256,
        max_read: 512,
    })
}

/// The rules that a packet from the card breaks, after the host asked for 200 bytes at 0x1004 with tag 7.
fn broken(tlp: &Tlp) -> Vec<Rule> {
    let mut checker = checker();
    checker.received(&Tlp::read(0, 7, 0x1004, 200));
    checker.sent(&tlp.to_bytes());
    checker.violations().iter().map(|v| v.rule).collect()
}

fn answer(address: u64, bytes: usize, owed: usize) -> Tlp {
    let asked = Tlp::read(0, 7, 0x1004, 200);
    let data = vec![0; bytes];
    let part = Part {
        address,
        data: &data,
    };
    Tlp::completion(DEVICE, &asked, 0, owed, part)
}

#[test]
fn packets_that_keep_the_rules_pass() {
    let good = [
        Tlp::read(DEVICE, 1, 0x1000, 512),
        Tlp::read(DEVICE, 1, 0x9_0000_0ff8, 8),
        Tlp::write(DEVICE, 0xff0, &[1; 16]),
        Tlp::write(DEVICE, 0xfee0_0000, &[1; 4]),
        answer(0x1004, 200, 200),
        answer(0x1004, 124, 200),
    ];
    for tlp in &good {
        assert_eq!(broken(tlp), [], "{tlp:?}");
    }
}

#[test]
fn each_planted_violation_is_named() {
    let read = |address, bytes| Tlp::read(DEVICE, 1, address, bytes);
    let with = |mut tlp: Tlp, field, value| {
        tlp.set(field, value);
        tlp
    };
    let mut long_form = Tlp::read(DEVICE, 1, 0x1_0000_1000, 8);
    long_form.set(weft_protocol::pcie::tlp::ADDRESS_HIGH, 0);
    let mut message = read(0, 4);
    message.set(TYPE, 0x14);
    let mut cut = Tlp::write(DEVICE, 0x1000, &[1; 64]);
    cut.data.truncate(60);
    let mut data_with_failure = answer(0x1004, 200, 200);
    data_with_failure.set(STATUS, 1);
    let cases = [
        (cut, Rule::Framing),
        (message, Rule::Kind),
        (
            with(Tlp::write(DEVICE, 0x1000, &[1; 8]), EP, 1),
            Rule::Reserved,
        ),
        (with(read(0x1000, 8), TC, 3), Rule::Reserved),
        (Tlp::write(DEVICE, 0x1000, &[1; 512]), Rule::MaxPayload),
        (read(0x1000, 1024), Rule::MaxReadRequest),
        (read(0x1ff8, 16), Rule::Boundary),
        (Tlp::write(DEVICE, 0x1ff8, &[1; 16]), Rule::Boundary),
        (with(read(0x1000, 8), LAST_BE, 0), Rule::ByteEnables),
        (with(read(0x1000, 4), LAST_BE, 15), Rule::ByteEnables),
        (with(read(0x1000, 64), FIRST_BE, 5), Rule::ByteEnables),
        (long_form, Rule::AddressForm),
        (Tlp::read(0x0200, 1, 0x1000, 8), Rule::Identity),
        (Tlp::read(DEVICE, 40, 0x1000, 8), Rule::Tag),
        (with(answer(0x1004, 200, 200), TC, 2), Rule::Attributes),
        (
            with(answer(0x1004, 200, 200), BYTE_COUNT, 196),
            Rule::ByteCount,
        ),
        (
            with(answer(0x1004, 200, 200), LOWER_ADDRESS, 0),
            Rule::LowerAddress,
        ),
        (answer(0x1004, 60, 200), Rule::CompletionBoundary),
        (answer(0x1004, 204, 200), Rule::Framing),
        (data_with_failure, Rule::Status),
    ];
    for (tlp, rule) in cases {
        let found = broken(&tlp);
        assert!(
            found.contains(&rule),
            "{rule:?} was planted, {found:?} was found: {tlp:?}"
        );
    }
    assert_eq!(FMT.get(&[FOUR << 29, 0, 0, 0]), FOUR);
    assert_eq!((LENGTH.width(), ADDRESS_LOW.width()), (10, 30));
}

#[test]
fn a_tag_is_free_only_when_its_answer_is_complete() {
    let mut checker = checker();
    let read = Tlp::read(DEVICE, 5, 0x1000, 128);
    let part = |address, data| Part { address, data };
    checker.sent(&read.to_bytes());
    checker.received(&Tlp::completion(0, &read, 0, 128, part(0x1000, &[0; 64])));
    assert_eq!(checker.outstanding(), 1);
    checker.sent(&read.to_bytes());
    assert_eq!(checker.violations()[0].rule, Rule::Tag);
    let mut again = self::checker();
    again.sent(&read.to_bytes());
    again.received(&Tlp::completion(0, &read, 0, 128, part(0x1000, &[0; 128])));
    again.sent(&read.to_bytes());
    assert_eq!(again.violations(), []);
}

#[test]
fn answers_in_parts_are_followed_and_unasked_ones_are_not_missed() {
    let mut checker = checker();
    checker.received(&Tlp::read(0, 7, 0x1004, 200));
    checker.sent(&answer(0x1004, 124, 200).to_bytes());
    assert_eq!(checker.owed(), 1);
    checker.sent(&answer(0x1080, 76, 76).to_bytes());
    assert_eq!((checker.violations(), checker.owed()), (&[][..], 0));
    checker.sent(&answer(0x1080, 76, 76).to_bytes());
    assert_eq!(checker.violations()[0].rule, Rule::Unasked);
}

#[test]
fn requests_need_the_bus_master_enable() {
    let mut checker = Checker::new(Limits {
        device: DEVICE,
        bus_master: false,
        max_payload: 128,
        max_read: 128,
    });
    checker.sent(&Tlp::write(DEVICE, 0x1000, &[1; 8]).to_bytes());
    assert_eq!(checker.violations()[0].rule, Rule::BusMaster);
}
