//! What can go wrong when packing.

use crate::container::{ContainerError, SiteKey};
use crate::gguf::GgufError;
use crate::model::ModelError;

/// Why a model was not packed. Nothing is left behind.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PackError {
    /// The model file is wrong.
    #[error(transparent)]
    Gguf(#[from] GgufError),
    /// The model is of an unknown kind.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// Writing failed.
    #[error(transparent)]
    Container(#[from] ContainerError),
    /// An option has an impossible value.
    #[error("{option} cannot be {found}: {reason}")]
    Option {
        /// The option, as on the command line.
        option: &'static str,
        /// Its value.
        found: String,
        /// Why not.
        reason: &'static str,
    },
    /// A choice needs statistics that are missing.
    #[error(
        "{option} needs the activations of {key}, which the calibration does not have; calibrate on a longer text"
    )]
    Calibration {
        /// The option, as on the command line.
        option: &'static str,
        /// The site without statistics.
        key: SiteKey,
    },
}
