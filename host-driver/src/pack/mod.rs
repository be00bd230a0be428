//! From a model file to a `.weft`: [`pack`] streams tensor by tensor, so memory does not grow with the model.
//!
//! Four-bit tensors keep their codes bit for bit ([`Weights::G4`]); everything else becomes signed bytes with one
//! scale a row. Masks ([`Prune`]) and thresholds ([`Skip`]) are choices that cost quality; they need a
//! [`Calibration`] of the model on text, and the [`Report`] says what was lost.

mod calibrate;
mod error;
mod fit;
mod mask;
mod options;
mod report;
mod run;
mod site;
mod tile;

pub use calibrate::{Calibration, Recorder, SiteCalibration, Windows, calibrate};
pub use error::PackError;
pub use options::{Method, Options, Prune, Skip, Weights};
pub use report::{MatrixReport, Report};
pub use run::{Input, Progress, pack, pack_into};
