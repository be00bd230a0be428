//! What can go wrong with a drive.

use std::time::Duration;

/// Why a drive does not deliver.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NvmeError {
    /// Its registers read as ones, or it reports a fault.
    #[error("the NVMe drive is lost: its status is {status:#x}; switch it off and on")]
    Lost {
        /// The status register.
        status: u32,
    },
    /// It does not do what it should in time.
    #[error("the NVMe drive did not {what} within {waited:?}")]
    Timeout {
        /// What it should do.
        what: &'static str,
        /// How long that was waited for.
        waited: Duration,
    },
    /// It cannot be used.
    #[error(
        "the NVMe drive has {found}, and this driver needs {wanted}; use its file system instead"
    )]
    Unfit {
        /// What it has.
        found: String,
        /// What is needed.
        wanted: &'static str,
    },
    /// It answered a command with an error.
    #[error(
        "the NVMe drive ended {what} with status {status:#x} (type in bits 10 to 8, code below)"
    )]
    Command {
        /// The command.
        what: String,
        /// Its status.
        status: u16,
    },
    /// It holds something else.
    #[error(
        "the NVMe drive does not begin with the model's bytes: write the file to the drive itself, from its first sector on"
    )]
    OtherContent,
}
