//! The table of built designs, from the passports of the images that are kept: nothing in it is written by hand.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use crate::Catalog;
use crate::passport::{Passport, PassportError};
use crate::plan::Design;

/// Line before the table in a document.
pub const BEGIN: &str = "<!-- figures -->";
/// Line after the table in a document.
pub const END: &str = "<!-- /figures -->";

/// Every passport under a folder, `BOARD/NAME.toml`, in the order of the names.
///
/// # Errors
/// [`PassportError`] of the first that cannot be read.
pub fn passports(store: &Path) -> Result<Vec<Passport>, PassportError> {
    let mut all = Vec::new();
    for board in sorted(store)? {
        if !board.is_dir() {
            continue;
        }
        for file in sorted(&board)? {
            if file.extension().is_some_and(|e| e == "toml") {
                all.push(Passport::read(&file)?);
            }
        }
    }
    Ok(all)
}

fn sorted(dir: &Path) -> Result<Vec<std::path::PathBuf>, PassportError> {
    let error = |cause| PassportError::File {
        action: "list",
        file: dir.into(),
        cause,
    };
    let mut paths = Vec::new();
    for entry in fs::read_dir(dir).map_err(error)? {
        paths.push(entry.map_err(error)?.path());
    }
    paths.sort();
    Ok(paths)
}

/// The table: a line a design with a core. The last column is what the design multiplies a second, at the clock that
/// it is built for, of what all the part's multipliers could at the clock of one alone; that clock is the one of a
/// `multiplier-only` design on the same part and speed grade. Where there is none the column says so, as for a part
/// that has no multipliers.
#[must_use]
pub fn table(catalog: &Catalog, passports: &[Passport]) -> String {
    let mut out = String::from(
        "| board | part | design | core | clock reached | built for | LUTs | registers | multipliers | block RAMs | multiply-accumulates | share of the part's limit |\n\
         |---|---|---|---|--:|--:|--:|--:|--:|--:|--:|--:|\n",
    );
    for p in passports {
        let Some(core) = p.core else { continue };
        let usage = |name: &str| {
            let found = p.usage.iter().find(|u| u.resource == name);
            found.map_or_else(|| "-".into(), |u| format!("{} of {}", u.used, u.available))
        };
        let reached = p.clocks.first().map_or(0.0, |c| c.achieved_mhz);
        let rate = f64::from(core.banks * core.batch) * p.target_mhz;
        let share = match limit(catalog, passports, p) {
            Limit::Rate(limit) => {
                format!("{:.1} % of {:.1} G/s", 100.0 * rate / limit, limit / 1e3)
            }
            Limit::NotMeasured => "not measured".into(),
            Limit::None => "no multiplier blocks".into(),
        };
        // Writing to a String does not fail.
        let _ = writeln!(
            out,
            "| `{}` | {} | {} | {core} | {reached:.1} MHz | {:.1} MHz | {} | {} | {} | {} | {:.2} G/s | {share} |",
            p.board,
            p.part,
            p.design,
            p.target_mhz,
            usage("LUTs"),
            usage("registers"),
            usage("multipliers"),
            usage("block RAMs"),
            rate / 1e3,
        );
    }
    out
}

/// What a part's multipliers could.
enum Limit {
    /// Multiplications a microsecond of all of them at the clock of one alone.
    Rate(f64),
    /// There is no design of one alone.
    NotMeasured,
    /// The part multiplies in its look-up tables.
    None,
}

fn limit(catalog: &Catalog, passports: &[Passport], of: &Passport) -> Limit {
    let Some(target) = catalog.targets().find(|t| t.part.title == of.part) else {
        return Limit::NotMeasured;
    };
    let multipliers = target.part.resources.multipliers;
    if multipliers == 0 {
        return Limit::None;
    }
    let grade = |p: &Passport| catalog.target(&p.board).ok()?.variant.speed.clone();
    let same = |p: &&Passport| p.part == of.part && grade(p) == grade(of);
    let alone = passports
        .iter()
        .filter(same)
        .find(|p| p.design == Design::MultiplierOnly.name())
        .and_then(|p| p.clocks.first());
    alone.map_or(Limit::NotMeasured, |clock| {
        Limit::Rate(clock.achieved_mhz * f64::from(multipliers))
    })
}

/// The table inside a document, between [`BEGIN`] and [`END`]; `None` where the document has no such markers.
#[must_use]
pub fn table_in(document: &str) -> Option<&str> {
    let (_, rest) = document.split_once(BEGIN)?;
    let (table, _) = rest.split_once(END)?;
    Some(table.trim_start_matches('\n'))
}
