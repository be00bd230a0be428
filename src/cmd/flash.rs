//! `weft flash`: an image onto a board.

use std::path::PathBuf;

use weft_boards::Catalog;
use weft_boards::flash::{FlashError, FlashPlan};
use weft_boards::tools::Tools;

use super::tools::Place;
use crate::exit::{self, OrExit, fail};
use crate::ui;
use crate::ui::outln;

/// Put an image on a board with openFPGALoader, after checking passport, board and part.
///
/// The image goes into the FPGA's own memory and is gone at power off; --persist writes the flash.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  weft flash --board ulx3s-85f target/boards/ulx3s-85f/core-only/weft.bit --dry-run\n  weft flash --board icebreaker weft.bin --persist"
)]
pub(crate) struct Args {
    /// The image; its passport stands beside it
    image: PathBuf,
    /// The board (see `weft boards`)
    #[arg(long, value_name = "NAME")]
    board: String,
    /// Write the configuration flash
    #[arg(long)]
    persist: bool,
    /// Print the commands instead of running them
    #[arg(long)]
    dry_run: bool,
    /// Serial number of the programmer, when several are connected
    #[arg(long, value_name = "TEXT")]
    usb_serial: Option<String>,
    #[command(flatten)]
    place: Place,
}

/// Runs the verb.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let catalog = Catalog::embedded()?;
    let target = catalog.target(&args.board).or_exit(exit::USAGE)?;
    let plan = FlashPlan::new(
        &target,
        &args.image,
        args.persist,
        args.usb_serial.as_deref(),
    )
    .map_err(coded)?;
    if args.dry_run {
        let commands = [Some(&plan.scan), plan.detect.as_ref(), Some(&plan.write)];
        for command in commands.into_iter().flatten() {
            outln!("openFPGALoader {}", command.join(" "));
        }
        return Ok(());
    }
    let loader = args
        .place
        .find(&Tools::embedded()?, "openFPGALoader", None)?;
    plan.run(&loader.path).map_err(coded)?;
    let place = if args.persist {
        "in the flash"
    } else {
        "until power off"
    };
    ui::note(format!("{} runs the image, {place}", target.variant.name));
    Ok(())
}

fn coded(error: FlashError) -> anyhow::Error {
    let code = match &error {
        FlashError::Passport(_) | FlashError::Board { .. } | FlashError::Part { .. } => exit::INPUT,
        FlashError::Memory { .. } => exit::USAGE,
        FlashError::Start { .. } => exit::MISSING,
        _ => exit::DEVICE,
    };
    fail(code, error.to_string())
}
