#![no_main]
//! `cargo +nightly fuzz run verilog`: text that claims to be Verilog must be refused, or elaborated and brought to the
//! schedule.

use weft_sim::{Design, Options};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(design) = Design::from_verilog(&text, "t") {
        let _ = design.dump_after("schedule", &Options::default());
    }
});
