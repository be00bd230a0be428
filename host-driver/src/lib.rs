//! Host side of Weft: model import, packing, devices and the language model.

pub mod gguf;
#[allow(unsafe_code)]
pub mod mapped;
pub mod model;
