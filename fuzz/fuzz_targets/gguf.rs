#![no_main]
//! `cargo +nightly fuzz run gguf`: bytes that claim to be a file must be read or refused.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = weft_host::exercise::gguf(bytes.to_vec());
});
