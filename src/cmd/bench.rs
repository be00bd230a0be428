//! `weft bench`: measurements that anyone can repeat, one subject a subcommand.

mod pcie;
mod player;
mod sim;
mod stimulus;
mod verilator;

/// Measure speed and say what it was measured against.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand)]
enum What {
    Pcie(pcie::Args),
    Sim(sim::Args),
}

/// Runs the verb.
pub(crate) fn run(args: Args) -> anyhow::Result<()> {
    match args.what {
        What::Pcie(args) => pcie::run(&args),
        What::Sim(args) => sim::run(&args),
    }
}
