//! Each family's form of a primitive against the generic one, cycle by cycle, on random words: for every size in which
//! the core and the link have it.
//!
//! The vendors' cells inside are yosys's models or ours (`vendor_cells.rs`). Gowin and GateMate have no form of their own; what
//! synthesis makes of the generic ones is in `netlist_equals_twin.rs`.

mod common;

use common::bench::{printed, verilator};
use common::netlist::cell_models;
use std::fmt::Write;
use weft_hdl::Family;

/// Widths of factors.
const MULTIPLIERS: [(u32, u32); 2] = [(8, 8), (9, 9)];
/// Word widths and words of block RAMs: accumulators, scales, activations, the link's buffers.
const RAMS: [(u32, u32); 9] = [
    (24, 64),
    (24, 512),
    (24, 1024),
    (16, 1024),
    (16, 2048),
    (32, 32),
    (64, 256),
    (32, 512),
    (32, 2048),
];
/// Word widths and words of the queues' memories.
const QUEUES: [(u32, u32); 9] = [
    (6, 4),
    (16, 8),
    (4, 16),
    (40, 16),
    (32, 32),
    (64, 64),
    (128, 64),
    (4, 256),
    (8, 128),
];

/// Widths of relays.
const RELAYS: [u32; 4] = [1, 2, 8, 10];

/// The two forms of one memory, side by side: every word is written once, then words are written and read at random,
/// never the same one at once.
fn memory(bench: &mut String, name: &str, latency: u32, width: u32, words: u32) {
    let at = format!("{name}_{width}_{words}");
    let address = words.ilog2();
    let _ = writeln!(
        bench,
        "  reg [{high}:0] {at}_write = 0, {at}_read = 0;
  reg {at}_on = 0;
  reg [{top}:0] {at}_data = 0;
  wire [{top}:0] {at}_own, {at}_generic;
  {name} #(.WIDTH({width}), .WORDS({words}), .ADDRESS({address})) {at}_a (.clock(clock), .write_enable({at}_on),
    .write_address({at}_write), .write_data({at}_data), .read_address({at}_read), .read_data({at}_own));
  generic_{name} #(.WIDTH({width}), .WORDS({words}), .ADDRESS({address})) {at}_b (.clock(clock), .write_enable({at}_on),
    .write_address({at}_write), .write_data({at}_data), .read_address({at}_read), .read_data({at}_generic));
  always @(negedge clock) begin
    if (cycle > {words} + {latency} && {at}_own !== {at}_generic) begin
      $display(\"{at}: cycle %0d: %h, wanted %h\", cycle, {at}_own, {at}_generic);
      wrong = wrong + 1;
    end
    {at}_data = {{$urandom, $urandom, $urandom, $urandom}};
    {at}_write = cycle < {words} ? cycle : $urandom;
    {at}_on = cycle < {words} || $urandom % 2 == 0;
    {at}_read = $urandom;
    if ({at}_on && {at}_read == {at}_write) {at}_read = {at}_read ^ 1;
  end",
        high = address - 1,
        top = width - 1,
    );
}

/// The two forms of a multiplier.
fn multiplier(bench: &mut String, a: u32, b: u32) {
    let at = format!("product_{a}_{b}");
    let _ = writeln!(
        bench,
        "  reg [{}:0] {at}_a = 0;
  reg [{}:0] {at}_b = 0;
  wire [{top}:0] {at}_own, {at}_generic;
  weft_multiplier #(.A({a}), .B({b})) {at}_x (.clock(clock), .a({at}_a), .b({at}_b), .product({at}_own));
  generic_weft_multiplier #(.A({a}), .B({b})) {at}_y (.clock(clock), .a({at}_a), .b({at}_b), .product({at}_generic));
  always @(negedge clock) begin
    if (cycle > 3 && {at}_own !== {at}_generic) begin
      $display(\"{at}: cycle %0d: %h, wanted %h\", cycle, {at}_own, {at}_generic);
      wrong = wrong + 1;
    end
    {at}_a = $urandom % 8 == 0 ? 1 << {} : $urandom;
    {at}_b = $urandom % 8 == 0 ? 1 << {} : $urandom;
  end",
        a - 1,
        b - 1,
        a - 1,
        b - 1,
        top = a + b - 1,
    );
}

/// The two forms of a relay.
fn relay(bench: &mut String, width: u32) {
    let at = format!("relay_{width}");
    let _ = writeln!(
        bench,
        "  reg [{top}:0] {at}_d = 0;
  wire [{top}:0] {at}_own, {at}_generic;
  weft_relay #(.WIDTH({width})) {at}_x (.clock(clock), .d({at}_d), .q({at}_own));
  generic_weft_relay #(.WIDTH({width})) {at}_y (.clock(clock), .d({at}_d), .q({at}_generic));
  always @(negedge clock) begin
    if ({at}_own !== {at}_generic) begin
      $display(\"{at}: cycle %0d: %h, wanted %h\", cycle, {at}_own, {at}_generic);
      wrong = wrong + 1;
    end
    {at}_d = $urandom;
  end",
        top = width - 1,
    );
}

fn check(family: Family) {
    if !verilator() {
        return;
    }
    let Some(cells) = cell_models(family.name()) else {
        return;
    };
    let mut bench = String::from(
        "module bench;\n  reg clock = 0;\n  integer cycle = 0, wrong = 0;\n  always #1 clock = !clock;\n",
    );
    for (a, b) in MULTIPLIERS {
        multiplier(&mut bench, a, b);
    }
    for (width, words) in RAMS {
        memory(&mut bench, "weft_ram", 2, width, words);
    }
    for width in RELAYS {
        relay(&mut bench, width);
    }
    for (width, words) in QUEUES {
        memory(&mut bench, "weft_queue_ram", 1, width, words);
    }
    bench.push_str(
        "  always @(posedge clock) begin
    cycle <= cycle + 1;
    if (cycle == 20000) begin
      if (wrong == 0) $display(\"all alike\");
      $finish;
    end
    if (wrong > 20) $finish;
  end
endmodule
",
    );
    for text in Family::Generic.primitives() {
        bench.push_str(&text.replace("module weft_", "module generic_weft_"));
    }
    for text in family.primitives() {
        bench.push_str(text);
    }
    bench.push_str(&cells);
    let said = printed(&format!("primitives/{}", family.name()), &bench);
    assert!(said.contains("all alike"), "{said}");
}

#[test]
fn ecp5() {
    check(Family::Ecp5);
}

#[test]
fn ice40() {
    check(Family::Ice40);
}
