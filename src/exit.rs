//! Exit codes, and how an error finds its own. The table in `weft --help` comes from here.

use std::io;

/// Anything that has no code of its own.
pub(crate) const FAILURE: u8 = 1;
/// The command line itself was wrong; clap exits with it too.
pub(crate) const USAGE: u8 = 2;
/// An input file or text is damaged, unsupported or unreadable.
pub(crate) const INPUT: u8 = 3;
/// A file, tool or package that the step needs is missing.
pub(crate) const MISSING: u8 = 4;
/// A device failed, timed out, or disagreed with its twin.
pub(crate) const DEVICE: u8 = 5;
/// The output could not be written.
pub(crate) const OUTPUT: u8 = 6;
/// A download failed or brought the wrong bytes.
pub(crate) const DOWNLOAD: u8 = 7;
/// Stopped by Ctrl-C.
pub(crate) const INTERRUPTED: u8 = 130;
/// The reader of standard output went away.
pub(crate) const PIPE_CLOSED: u8 = 141;

/// Printed at the end of `weft --help`.
pub(crate) const HELP: &str = "Exit codes: 0 done, 1 failure, 2 wrong usage, 3 damaged or unsupported input, \
4 file or tool missing, 5 device, 6 output not written, 7 download, 130 interrupted.";

/// An error with the exit code that the process ends with.
#[derive(Debug)]
pub(crate) struct Coded {
    code: u8,
    message: String,
}

impl std::fmt::Display for Coded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Coded {}

/// A new error that ends the process with `code`.
pub(crate) fn fail(code: u8, message: impl Into<String>) -> anyhow::Error {
    anyhow::Error::new(Coded {
        code,
        message: message.into(),
    })
}

/// Gives the error of a result an exit code, unless it has one already.
pub(crate) trait OrExit<T> {
    /// Ends the process with `code` on error.
    fn or_exit(self, code: u8) -> anyhow::Result<T>;
}

impl<T, E: Into<anyhow::Error>> OrExit<T> for Result<T, E> {
    fn or_exit(self, code: u8) -> anyhow::Result<T> {
        self.map_err(|e| {
            let error: anyhow::Error = e.into();
            let code = match code_of(&error) {
                FAILURE => code,
                // A folder that is not there is a missing input, but not where a file was to be written.
                MISSING if code == OUTPUT && !is_coded(&error) => OUTPUT,
                own => own,
            };
            fail(code, format!("{error:#}"))
        })
    }
}

fn is_coded(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| cause.is::<Coded>())
}

/// The exit code of an error: its own, or by what the operating system said.
pub(crate) fn code_of(error: &anyhow::Error) -> u8 {
    for cause in error.chain() {
        if let Some(coded) = cause.downcast_ref::<Coded>() {
            return coded.code;
        }
        if let Some(io) = cause.downcast_ref::<io::Error>() {
            match io.kind() {
                io::ErrorKind::NotFound => return MISSING,
                io::ErrorKind::BrokenPipe => return PIPE_CLOSED,
                io::ErrorKind::StorageFull | io::ErrorKind::ReadOnlyFilesystem => return OUTPUT,
                _ => {}
            }
        }
    }
    FAILURE
}
