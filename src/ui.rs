//! What a person sees beside the result: progress, errors, the Ctrl-C flag. Everything here goes to standard
//! error; progress is drawn on a terminal only.

use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use crate::exit;

/// Prints a line of the result to standard output; a closed pipe or a full disk is an error, never a panic.
macro_rules! outln {
    ($($text:tt)*) => {{
        use std::io::Write as _;
        writeln!(std::io::stdout(), $($text)*)?
    }};
}
pub(crate) use outln;

/// Prints an error with its causes in one paragraph.
pub(crate) fn print_error(error: &anyhow::Error) {
    let bold = std::io::stderr().is_terminal();
    let (on, off) = if bold {
        ("\x1b[1;31m", "\x1b[0m")
    } else {
        ("", "")
    };
    let _ = writeln!(std::io::stderr(), "{on}weft:{off} {}", whole(error));
}

/// An error and its causes, without those that it tells already.
fn whole(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if !text.contains(&cause) {
            let colon = if text.is_empty() { "" } else { ": " };
            text = text + colon + &cause;
        }
    }
    text
}

/// A line for people, on standard error.
pub(crate) fn note(text: impl std::fmt::Display) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// A bar over `total` bytes with rate and time left.
pub(crate) fn byte_bar(total: u64, what: &str) -> ProgressBar {
    let bar = ProgressBar::new(total).with_message(what.to_owned());
    bar.set_style(style(
        "{msg:16} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta} left",
    ));
    bar
}

/// A bar over `total` steps with time left; the message carries the rest.
pub(crate) fn step_bar(total: u64, what: &str) -> ProgressBar {
    let bar = ProgressBar::new(total).with_message(what.to_owned());
    bar.set_style(style("{msg} {wide_bar} {pos}/{len} {eta} left"));
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// A bar over `total` simulated cycles with time left; the message carries rates, the prefix is a second line.
pub(crate) fn cycle_bar(total: u64) -> ProgressBar {
    let bar = ProgressBar::new(total);
    bar.set_style(style("{msg} {wide_bar} {eta} left\n{prefix}"));
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// A spinner with a message and the time so far, for work of unknown length.
pub(crate) fn spinner(what: &str) -> ProgressBar {
    let bar = ProgressBar::new_spinner().with_message(what.to_owned());
    bar.set_style(style("{spinner} {msg} {elapsed}"));
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// Set by the first Ctrl-C or request to terminate (SIGTERM); a second one ends the process at once.
#[derive(Clone)]
pub(crate) struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// Installs the handler.
    pub(crate) fn install() -> anyhow::Result<Self> {
        let flag = Arc::new(AtomicBool::new(false));
        // Not SIGHUP, which `nohup` has asked to be ignored.
        for signal in [SIGINT, SIGTERM] {
            // In this order: the first one finds the flag down.
            let status = i32::from(exit::INTERRUPTED);
            flag::register_conditional_shutdown(signal, status, flag.clone())?;
            flag::register(signal, flag.clone())?;
        }
        Ok(Self(flag))
    }

    /// Whether it was set.
    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }

    /// The flag itself, for libraries that poll it.
    pub(crate) fn flag(&self) -> &Arc<AtomicBool> {
        &self.0
    }

    /// An error with exit code 130 once it was set.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        if self.is_set() {
            Err(exit::fail(exit::INTERRUPTED, "interrupted"))
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weft_host::device::DeviceError;

    #[test]
    fn a_cause_is_told_once() {
        let error = anyhow::Error::from(DeviceError::Link {
            device: "card".into(),
            source: "no answer".into(),
        });
        assert_eq!(
            whole(&error.context("token 3")),
            "token 3: card failed: no answer"
        );
    }
}
