//! The language model: everything that a host computes, around the products that a device does.
//!
//! [`ModelConfig`] says what the model is, [`HostTensors`] holds the small tensors that stay on the
//! host, and [`Projections`] is the seam: every weight matrix product goes through it, whoever
//! computes it.

mod attention;
mod config;
mod error;
pub mod eval;
pub mod generate;
mod host;
#[allow(unsafe_code)]
mod kernels;
mod matrix;
mod projections;
mod reference;
mod rope;
mod sampler;
mod session;
mod site;

pub use config::{Arch, ModelConfig, Rope, RopeStyle};
pub use error::ModelError;
pub use host::{Embedding, GgufEmbedding, HostTensors};
pub use matrix::Matrix;
pub use projections::{Place, ProjectionError, Projections};
pub use reference::Reference;
pub use sampler::{Sampler, Sampling};
pub use session::{Logits, Model, Session};
pub use site::Site;
