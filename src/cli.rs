//! The verbs and what they share. Each verb's own options live in its file under `cmd/`.

use clap::{Parser, Subcommand};

use crate::{cmd, exit};

/// Run language models on open FPGA fabric: pack, simulate, decode.
#[derive(Parser)]
#[command(name = "weft", version, after_help = exit::HELP, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    Demo(cmd::demo::Args),
    Get(cmd::get::Args),
    Pack(cmd::pack::Args),
    Info(cmd::info::Args),
    Run(cmd::run::Args),
    Eval(cmd::eval::Args),
    Sim(cmd::sim::Args),
    Bench(cmd::bench::Args),
    Verilog(cmd::verilog::Args),
    #[cfg(target_os = "linux")]
    Card(cmd::card::Args),
    #[cfg(target_os = "linux")]
    Vm(cmd::vm::Args),
    Boards(cmd::boards::Args),
    Build(cmd::build::Args),
    #[cfg(unix)]
    BoardSim(cmd::board_sim::Args),
    Selftest(cmd::selftest::Args),
    Flash(cmd::flash::Args),
    Tools(cmd::tools::Args),
    Doctor(cmd::doctor::Args),
    Completions(cmd::completions::Args),
}
