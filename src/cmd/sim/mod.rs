//! `weft sim`: the simulator, on the accelerator core and on a user's own Verilog.

mod passes;
mod product;
mod verilog;

/// Simulate: products on the accelerator core, or any Verilog
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand)]
enum What {
    Spmm(product::Spmm),
    Site(product::SiteArgs),
    Verilog(verilog::Args),
    Passes(passes::Args),
}

/// Runs the verb.
pub(crate) fn run(args: Args) -> anyhow::Result<()> {
    match args.what {
        What::Spmm(args) => product::run_spmm(args),
        What::Site(args) => product::run_site(args),
        What::Verilog(args) => verilog::run(&args),
        What::Passes(args) => passes::run(&args),
    }
}
