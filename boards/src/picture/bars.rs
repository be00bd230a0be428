//! How much of each resource is used, as bars.

use std::fmt::Write;

use super::{escape, open};
use crate::report::Usage;

const WIDTH: u32 = 560;
const LABEL: u32 = 100;
const BAR: u32 = 260;
const ROW: u32 = 26;

/// One bar a resource; a full bar is all that the part has.
#[must_use]
pub fn svg(title: &str, usage: &[Usage]) -> String {
    let height = ROW * usage.len() as u32 + 34;
    let mut out = open(WIDTH, height, title);
    // Writing to a String does not fail.
    let _ = writeln!(
        out,
        "<text x=\"8\" y=\"18\" font-weight=\"bold\">{}</text>",
        escape(title)
    );
    for (i, u) in usage.iter().enumerate() {
        let y = 28 + ROW * i as u32;
        let share = u.used as f64 / u.available.max(1) as f64;
        let filled = f64::from(BAR) * share.min(1.0);
        let colour = if share > 1.0 { "#c0392b" } else { "#2a78b5" };
        let _ = writeln!(
            out,
            "<text x=\"8\" y=\"{text}\">{}</text><rect x=\"{LABEL}\" y=\"{y}\" width=\"{BAR}\" height=\"18\" fill=\"#e4e8ec\"/><rect x=\"{LABEL}\" y=\"{y}\" width=\"{filled:.1}\" height=\"18\" fill=\"{colour}\"/><text x=\"{after}\" y=\"{text}\">{} of {}, {:.1} %</text>",
            escape(&u.resource),
            u.used,
            u.available,
            100.0 * share,
            text = y + 14,
            after = LABEL + BAR + 8,
        );
    }
    out.push_str("</svg>\n");
    out
}
