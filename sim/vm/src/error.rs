//! What can go wrong, each with the next step.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

/// Result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Why the virtual machine cannot be had, or did not end as it should.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A program of the host is missing.
    #[error(
        "`{program}` is not on the PATH; the machine's packages are fetched and unpacked with it. Debian and its \
         relatives have it in `{package}`"
    )]
    Program {
        /// What was looked for.
        program: &'static str,
        /// Who has it.
        package: &'static str,
    },
    /// The keys that the packages are signed with are missing.
    #[error(
        "{path} is missing: install `debian-archive-keyring`, the packages are checked against it"
    )]
    Keyring {
        /// Where it should be.
        path: PathBuf,
    },
    /// Packages could not be fetched.
    #[error(
        "{step} failed ({status}): {tail}. Without a connection to the archive nothing can be fetched; what was fetched once is kept"
    )]
    Fetch {
        /// What apt was doing.
        step: &'static str,
        /// How it ended.
        status: ExitStatus,
        /// The last lines it printed.
        tail: String,
    },
    /// What was unpacked is not what the packages should bring.
    #[error("{what} is not among the unpacked packages; delete {cache} and try again")]
    Incomplete {
        /// What is missing.
        what: String,
        /// The folder to delete.
        cache: PathBuf,
    },
    /// A compressed file is damaged or of an unknown form.
    #[error("{path}: {cause}; delete the folder of packages and try again")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        cause: String,
    },
    /// The guest cannot be packed.
    #[error("{0}")]
    Guest(String),
    /// QEMU ended before the script did.
    #[error(
        "the machine ended ({status}) before its script did; QEMU said: {said}; the last of its console:\n{console}"
    )]
    Died {
        /// QEMU's exit.
        status: ExitStatus,
        /// Its messages.
        said: String,
        /// The guest kernel's last lines.
        console: String,
    },
    /// Too slow, or stuck.
    #[error(
        "the script was not done after {seconds} s, so the machine was stopped; the last of its console:\n{console}"
    )]
    TimedOut {
        /// The limit.
        seconds: u64,
        /// The guest kernel's last lines.
        console: String,
    },
    /// Stopped by the user.
    #[error("interrupted")]
    Interrupted,
    /// A file or process of the host.
    #[error("{path}: {source}")]
    Io {
        /// What was worked on.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
}

/// Names the file in an input or output error.
pub(crate) fn at(path: &Path) -> impl FnOnce(io::Error) -> Error + '_ {
    move |source| Error::Io {
        path: path.to_owned(),
        source,
    }
}
