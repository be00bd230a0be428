//! One verb, one file.

pub(crate) mod boards;
pub(crate) mod completions;
pub(crate) mod doctor;
pub(crate) mod get;

use crate::cli::Command;

/// Runs the verb that the command line named.
pub(crate) fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Boards(args) => boards::run(&args),
        Command::Get(args) => get::run(args),
        Command::Doctor(args) => doctor::run(args),
        Command::Completions(args) => completions::run(args),
    }
}
