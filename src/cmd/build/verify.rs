//! Building the image of a passport again: the same source and tools must give the same bytes.

use std::path::Path;

use weft_boards::Target;
use weft_boards::passport::{Passport, compressed};
use weft_boards::plan::{Design, Options};

use super::Args;
use super::job::{self, Job, STORE, coded, versions};
use crate::exit::{self, OrExit, fail};
use crate::ui;
use crate::ui::outln;

/// Builds again what the board's kept image was built from, and compares.
pub(super) fn run(args: &Args, target: &Target<'_>) -> anyhow::Result<()> {
    let name = args.design().name();
    let folder = Path::new(STORE).join(&target.variant.name);
    let image = folder.join(format!("{name}.{}.gz", target.family.image));
    debug_assert!(compressed(&image));
    let passport = Passport::read_checked(&image).or_exit(exit::INPUT)?;
    let config = match passport.core {
        Some(core) => job::config_of(core),
        None => job::core_of(None, target)?,
    };
    config.check().or_exit(exit::INPUT)?;
    let options = Options {
        design: args.design(),
        stream_bytes: u32::try_from(config.stream_bytes)?,
        lanes: u32::try_from(config.banks * config.batch)?,
        target_mhz: Some(passport.target_mhz),
        seed: passport.seed,
        seeds: 1,
        drawn: false,
    };
    let out = args.out.clone().unwrap_or_else(|| {
        Path::new("target/boards")
            .join(&target.variant.name)
            .join(format!("verify-{name}"))
    });
    let job = Job::planned(*target, config, &options, Some(out));
    let sources = job.sources()?;
    let same_source = job.verilog(&sources) == passport.verilog_sha256;
    if !same_source && job.plan.design != Design::MultiplierOnly {
        return Err(fail(
            exit::FAILURE,
            format!(
                "the Verilog has changed since {} was built (from commit {}); check that commit out, or build with --keep",
                image.display(),
                passport.commit.as_deref().unwrap_or("unknown")
            ),
        ));
    }
    let programs = job.programs(&args.place)?;
    let others = versions(&programs);
    for (was, is) in passport.tools.iter().zip(&others).filter(|(a, b)| a != b) {
        ui::note(format!(
            "{} is {} here, the image was made with {}",
            is.name, is.version, was.version
        ));
    }
    let cancel = ui::Cancel::install()?;
    let built = job
        .build(&programs, &sources, cancel.flag())
        .map_err(|e| coded(&e))?;
    let made = job.passport(&programs, &sources, &built)?.ok_or_else(|| {
        let text = "the same source does not meet its timing now: other tools were used";
        fail(exit::FAILURE, text)
    })?;
    let (was, is) = (&passport.image.sha256, &made.passport.image.sha256);
    if was == is {
        outln!("{}: the same bytes again, sha256 {is}", image.display());
        return Ok(());
    }
    let why = if others == passport.tools {
        "with the same source and tools"
    } else {
        "with other tools"
    };
    Err(fail(
        exit::FAILURE,
        format!("{}: sha256 {was} became {is} {why}", image.display()),
    ))
}
