#![no_main]
//! `cargo +nightly fuzz run verilog`: text that claims to be Verilog must be elaborated or refused.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let _ = weft_sim::Design::from_verilog(&text, "t");
});
