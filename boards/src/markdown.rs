//! The board table of the README, generated so that it cannot drift from the files.

use std::fmt::Write;

use crate::{Catalog, Target};

/// Line before the table in a document.
pub const BEGIN: &str = "<!-- boards -->";
/// Line after the table in a document.
pub const END: &str = "<!-- /boards -->";

/// The table, one line a board and part.
#[must_use]
pub fn table(catalog: &Catalog) -> String {
    let mut out = String::from(
        "| board | `--board` | part | LUTs | multipliers | block RAM | clock | core | serial bridge | status |\n\
         |---|---|---|--:|--:|--:|--:|---|---|---|\n",
    );
    for target in catalog.targets() {
        // Writing to a String does not fail.
        let _ = writeln!(out, "{}", row(&target));
    }
    out
}

fn row(t: &Target<'_>) -> String {
    let r = &t.part.resources;
    let core = t
        .variant
        .core
        .map_or_else(|| "-".into(), |core| core.to_string());
    format!(
        "| [{}]({}) | `{}` | {} | {} | {} | {} Kbit | {} MHz | {core} | {} | {} |",
        t.board.title,
        t.board.url,
        t.variant.name,
        t.part.title,
        r.luts,
        r.multipliers,
        r.block_rams * r.block_ram_bits / 1024,
        t.board.clock.mhz,
        t.board.serial.bridge,
        t.variant.status.word(),
    )
}

/// The table inside a document, between [`BEGIN`] and [`END`]; `None` where the document has no such markers.
#[must_use]
pub fn table_in(document: &str) -> Option<&str> {
    let (_, rest) = document.split_once(BEGIN)?;
    let (table, _) = rest.split_once(END)?;
    Some(table.trim_start_matches('\n'))
}
