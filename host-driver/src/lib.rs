//! Host side of Weft: model import, packing, devices and the language model.

pub mod container;
pub mod device;
#[doc(hidden)]
pub mod exercise;
pub mod gguf;
pub mod link;
#[allow(unsafe_code)]
pub mod mapped;
pub mod model;
pub mod pack;
#[cfg(target_os = "linux")]
pub mod stream;
pub mod tokenizer;
