#![no_main]
//! `cargo +nightly fuzz run container`: bytes that claim to be a file must be read or
//! refused. Their checksums are put right first.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = weft_host::exercise::sealed_container(bytes.to_vec());
});
