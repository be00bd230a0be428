//! The accelerator core, described in Rust with rust-hdl, and its bit-exact software twin.
