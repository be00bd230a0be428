//! One verb, one file.

pub(crate) mod bench;
#[cfg(unix)]
pub(crate) mod board_sim;
pub(crate) mod boards;
pub(crate) mod build;
#[cfg(target_os = "linux")]
pub(crate) mod card;
pub(crate) mod completions;
pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod eval;
pub(crate) mod flash;
pub(crate) mod get;
pub(crate) mod info;
pub(crate) mod pack;
pub(crate) mod run;
pub(crate) mod selftest;
pub(crate) mod sim;
pub(crate) mod tools;
pub(crate) mod verilog;
#[cfg(target_os = "linux")]
pub(crate) mod vm;

use crate::cli::Command;

/// Runs the verb that the command line named.
pub(crate) fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Demo(args) => demo::run(args),
        Command::Boards(args) => boards::run(&args),
        Command::Build(args) => build::run(&args),
        #[cfg(unix)]
        Command::BoardSim(args) => board_sim::run(&args),
        Command::Selftest(args) => selftest::run(&args),
        Command::Flash(args) => flash::run(&args),
        Command::Tools(args) => tools::run(&args),
        Command::Get(args) => get::run(args),
        Command::Pack(args) => pack::run(args),
        Command::Info(args) => info::run(args),
        Command::Run(args) => run::run(args),
        Command::Eval(args) => eval::run(args),
        Command::Sim(args) => sim::run(args),
        Command::Bench(args) => bench::run(args),
        Command::Verilog(args) => verilog::run(args),
        #[cfg(target_os = "linux")]
        Command::Card(args) => card::run(&args),
        #[cfg(target_os = "linux")]
        Command::Vm(args) => vm::run(&args),
        Command::Doctor(args) => doctor::run(args),
        Command::Completions(args) => completions::run(args),
    }
}
