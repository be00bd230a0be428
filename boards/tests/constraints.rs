//! The pin file of one board a family, to the letter.

use weft_boards::{Catalog, constraints};

fn pin_file(board: &str) -> String {
    let catalog = Catalog::embedded().unwrap();
    let target = catalog.target(board).unwrap();
    constraints::text(
        target.family.constraints,
        &constraints::all_ports(target.board),
    )
}

#[test]
fn lpf() {
    insta::assert_snapshot!(pin_file("ulx3s-85f"));
}

#[test]
fn pcf() {
    insta::assert_snapshot!(pin_file("icebreaker"));
}

#[test]
fn cst() {
    insta::assert_snapshot!(pin_file("tang-nano-9k"));
}

#[test]
fn ccf() {
    insta::assert_snapshot!(pin_file("gatemate-a1-evb"));
}
