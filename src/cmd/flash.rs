//! `weft flash`: an image onto a board.

use std::path::{Path, PathBuf};

use weft_boards::flash::{FlashError, FlashPlan};
use weft_boards::tools::Tools;
use weft_boards::{Catalog, Target};

use super::tools::Place;
use crate::exit::{self, OrExit, fail};
use crate::ui;
use crate::ui::outln;

/// Put an image on a board with openFPGALoader, after checking passport, board and part.
///
/// The image goes into the FPGA's own memory and is gone at power off; --persist writes the flash.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  weft flash --board ulx3s-85f\n  weft flash --board ulx3s-85f target/boards/ulx3s-85f/core-only/weft.bit --dry-run\n  weft flash --board icebreaker weft.bin --persist"
)]
pub(crate) struct Args {
    /// The image; its passport stands beside it [default: the board's last build, else the one in bitstreams/]
    image: Option<PathBuf>,
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
    let image = match &args.image {
        Some(image) => image.clone(),
        None => own_image(&target)?,
    };
    let plan =
        FlashPlan::new(&target, &image, args.persist, args.usb_serial.as_deref()).map_err(coded)?;
    if args.dry_run {
        if let (Some(packed), Some(name)) = (&plan.unpack, plan.write.last()) {
            outln!("gzip -dc {} > {name}", packed.display());
        }
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

/// The image of the board's complete design: the last one built here, else the one that comes with the source.
fn own_image(target: &Target<'_>) -> anyhow::Result<PathBuf> {
    let (board, kind) = (&target.variant.name, &target.family.image);
    let built = Path::new("target/boards").join(board).join("top");
    let choices = [
        built.join(format!("weft.{kind}")),
        Path::new("bitstreams")
            .join(board)
            .join(format!("top.{kind}.gz")),
    ];
    let found = choices.iter().find(|path| path.exists());
    found.cloned().ok_or_else(|| {
        let places = choices.each_ref().map(|p| p.display().to_string());
        fail(
            exit::MISSING,
            format!(
                "there is no image for {board}: neither {} is there; run `weft build --board {board}`, or name one",
                places.join(" nor ")
            ),
        )
    })
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
