//! Our models of vendors' cells do what the vendors' guides say: benches with numbers worked out from these.

mod common;

use common::bench::{printed, verilator};
use common::netlist::models;

/// Builds a bench with a family's models under Verilator and runs it.
fn check(family: &str, bench: &str) {
    if !verilator() {
        return;
    }
    let models: String = models(family).into_iter().map(|(_, text)| text).collect();
    let said = printed(
        &format!("vendor_cells/{family}"),
        &format!("{bench}{models}"),
    );
    assert!(said.contains("all as documented"), "{said}");
}

#[test]
fn ecp5() {
    check("ecp5", include_str!("vendor_cells/ecp5.v"));
}

#[test]
fn gowin() {
    check("gowin", include_str!("vendor_cells/gowin.v"));
}
