#![no_main]
//! `cargo +nightly fuzz run netlist`: text that claims to be a netlist must be refused, or go through the passes.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    for pass in ["resolve", "clock", "fold", "lower"] {
        let _ = weft_sim::passes::apply(pass, &text);
    }
});
