//! The `weft` command line: one verb, one file under `cmd/`.

mod catalog;
mod cli;
mod cmd;
mod design;
mod devices;
mod exit;
mod loaded;
mod output;
mod ui;
mod writing;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    match cmd::run(cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let code = exit::code_of(&error);
            if code != exit::PIPE_CLOSED {
                ui::print_error(&error);
            }
            ExitCode::from(code)
        }
    }
}
