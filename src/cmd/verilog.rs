//! `weft verilog`: the core's Verilog, the same that is simulated and synthesised.

use std::io::Write;
use std::path::PathBuf;

use weft_hdl::{CoreConfig, generate_verilog};

use crate::output;
use crate::ui::outln;

/// Write the Verilog of a core configuration.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  weft verilog --config 8x1 -o core.v\n  weft verilog --config 8x16 | yosys -p 'read_verilog /dev/stdin; synth_ecp5' -\n  weft verilog --list"
)]
pub(crate) struct Args {
    /// Configuration: banks x batch
    #[arg(long, value_name = "NAME", default_value = "8x1", value_parser = parse_config)]
    config: CoreConfig,
    /// File to write [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// List the configurations
    #[arg(long)]
    list: bool,
}

/// The core configuration called `name`.
pub(crate) fn parse_config(name: &str) -> Result<CoreConfig, String> {
    CoreConfig::named(name).map_err(|e| e.to_string())
}

/// Runs the verb.
pub(crate) fn run(args: Args) -> anyhow::Result<()> {
    if args.list {
        for (name, config) in CoreConfig::NAMED {
            outln!(
                "{:6} {} banks, {} tokens, {} bytes a beat, {} rows a tile",
                name,
                config.banks,
                config.batch,
                config.stream_bytes,
                config.rows()
            );
        }
        return Ok(());
    }
    let text = generate_verilog(&args.config)?;
    match args.output {
        None => std::io::stdout().write_all(text.as_bytes())?,
        Some(path) => output::write(&path, text.as_bytes())?,
    }
    Ok(())
}
