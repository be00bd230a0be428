//! `weft bench`: measurements that anyone can repeat, one subject a subcommand.

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
    Sim(sim::Args),
}

/// Runs the verb.
pub(crate) fn run(args: Args) -> anyhow::Result<()> {
    match args.what {
        What::Sim(args) => sim::run(&args),
    }
}
