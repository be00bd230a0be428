//! The clock histogram: how many end points have how much time left.

use std::fmt::Write;

use super::{escape, open};
use crate::histogram::Histogram;

const WIDTH: u32 = 560;
const HEIGHT: u32 = 220;
const LEFT: f64 = 50.0;
const BASE: f64 = 180.0;
const TALL: f64 = 145.0;

/// One column a bin, those that miss their clock in red.
#[must_use]
pub fn svg(title: &str, histogram: &Histogram) -> String {
    let mut out = open(WIDTH, HEIGHT, title);
    let most = histogram.bins.iter().map(|b| b.end_points).max();
    let most = most.unwrap_or(0).max(1);
    let step = (f64::from(WIDTH) - LEFT - 10.0) / histogram.bins.len().max(1) as f64;
    // Writing to a String does not fail.
    let _ = writeln!(
        out,
        "<text x=\"8\" y=\"18\" font-weight=\"bold\">{}</text><text x=\"8\" y=\"42\">{most}</text>",
        escape(title)
    );
    for (i, bin) in histogram.bins.iter().enumerate() {
        let x = LEFT + step * i as f64;
        let tall = TALL * bin.end_points as f64 / most as f64;
        let colour = if bin.from_ps < 0 {
            "#c0392b"
        } else {
            "#2a78b5"
        };
        let _ = writeln!(
            out,
            "<rect x=\"{x:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{tall:.1}\" fill=\"{colour}\"/>",
            BASE - tall,
            step - 1.0,
        );
        if i % 4 == 0 {
            let ns = bin.from_ps as f64 / 1000.0;
            let _ = writeln!(
                out,
                "<text x=\"{x:.1}\" y=\"{}\">{ns:.1}</text>",
                BASE + 16.0
            );
        }
    }
    let _ = writeln!(
        out,
        "<text x=\"{LEFT}\" y=\"{}\">slack, ns (end points by the time they have left)</text>\n</svg>",
        BASE + 34.0
    );
    out
}
