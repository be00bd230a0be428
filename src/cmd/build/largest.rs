//! What to say of a design that does not fit: which named core would.

use weft_boards::build::{BuildError, Programs};
use weft_boards::cause::{self, Overflow};
use weft_boards::fit;
use weft_boards::plan::{Design, Options};
use weft_boards::run::RunError;
use weft_hdl::CoreConfig;

use super::Args;
use super::job::{Job, code, coded};
use crate::exit::fail;
use crate::ui::{self, Cancel};

/// The error of a build; where the design was too large, with the largest named core that fits.
pub(super) fn explain(
    args: &Args,
    job: &Job<'_>,
    programs: &Programs,
    cancel: &Cancel,
    error: BuildError,
) -> anyhow::Error {
    let too_large = matches!(error, BuildError::Run(RunError::TooLarge { .. }));
    let searched = job.plan.design != Design::MultiplierOnly && !args.no_search;
    if !too_large || !searched {
        return coded(&error);
    }
    let cores = smaller(&job.config);
    if cores.is_empty() {
        return fail(
            code(&error),
            format!("{error}; no named core is smaller than {}", job.config),
        );
    }
    ui::note(format!(
        "{error}\nlooking for the largest core that fits, by synthesising some of {}; --no-search leaves this out",
        cores
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(", ")
    ));
    match fit::largest(&cores, |core| measure(job, programs, cancel, core)) {
        Ok((Some(found), _)) => fail(
            code(&error),
            format!(
                "{error}; the largest named core whose cells fit is --core {}",
                cores[found]
            ),
        ),
        Ok((None, _)) => fail(
            code(&error),
            format!("{error}; no named core fits, not even {}", cores[0]),
        ),
        Err(other) => other,
    }
}

/// The named cores with fewer multipliers, small to large.
fn smaller(than: &CoreConfig) -> Vec<CoreConfig> {
    let size = |c: &CoreConfig| (c.banks * c.batch, c.stream_bytes);
    let mut cores: Vec<CoreConfig> = CoreConfig::NAMED
        .iter()
        .map(|(_, c)| *c)
        .filter(|c| size(c) < size(than))
        .collect();
    cores.sort_by_key(size);
    cores
}

/// What a core overflows in the same design on the same part, by its cells after synthesis.
fn measure(
    job: &Job<'_>,
    programs: &Programs,
    cancel: &Cancel,
    core: CoreConfig,
) -> anyhow::Result<Vec<Overflow>> {
    let options = Options {
        design: job.plan.design,
        stream_bytes: u32::try_from(core.stream_bytes)?,
        lanes: u32::try_from(core.banks * core.batch)?,
        target_mhz: Some(job.plan.target_mhz),
        seed: 1,
        seeds: 1,
        drawn: false,
    };
    let dir = job.dir.join(format!("fit-{core}"));
    let smaller = Job::planned(job.target, core, &options, Some(dir));
    let sources = smaller.sources()?;
    let counted = smaller.with(programs, cancel.flag(), |build| {
        build.synthesise(&sources)?;
        build.count()
    });
    let overflow = counted.map_err(|e| coded(&e.into()))?;
    let verdict = if overflow.is_empty() {
        "fits".to_owned()
    } else {
        format!("does not fit: {}", cause::list(&overflow))
    };
    ui::note(format!("{core}: {verdict}"));
    Ok(overflow)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn candidates_are_smaller_and_in_order() {
        let names: Vec<_> = smaller(&CoreConfig::named("8x4").unwrap())
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(names, ["1x1", "2x1", "4x1", "8x1", "8x2", "16x1"]);
        assert!(smaller(&CoreConfig::named("1x1").unwrap()).is_empty());
    }
}
