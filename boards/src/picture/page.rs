//! One page about a build that needs nothing else: figures, resources, floorplan, histogram, the longest path.

use std::fmt::Write;

use super::{bars, escape, floorplan, slack};
use crate::Target;
use crate::build::Built;
use crate::passport::ToolVersion;
use crate::plan::Plan;

const STYLE: &str = "body{font:15px/1.5 sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1c2329;background:#fff}\
table{border-collapse:collapse;margin:1rem 0}th,td{text-align:left;padding:.2rem .9rem .2rem 0;border-bottom:1px solid #d8dde2}\
td.n{text-align:right;font-variant-numeric:tabular-nums}svg{max-width:100%;height:auto;margin:1rem 0;border:1px solid #d8dde2}\
.missed{color:#b3271b;font-weight:bold}code{font-size:.9em}";

/// What the page tells beside the build itself.
#[derive(Debug, Clone)]
pub struct About<'a> {
    /// The core's name, as in `8x16`.
    pub core: &'a str,
    /// Commit of the source, where known.
    pub commit: Option<&'a str>,
    /// Tools with their versions.
    pub tools: &'a [ToolVersion],
    /// The placed cells, where they were kept.
    pub cells: Option<&'a [floorplan::Placed]>,
}

/// The page.
#[must_use]
pub fn html(plan: &Plan, target: &Target<'_>, built: &Built, about: &About<'_>) -> String {
    let title = format!(
        "{} on {} ({}), core {}",
        plan.design.name(),
        target.variant.name,
        target.part.title,
        about.core
    );
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>{0}</title><style>{STYLE}</style></head>\n<body><h1>{0}</h1>\n",
        escape(&title)
    );
    // Writing to a String does not fail.
    let _ = writeln!(
        out,
        "<p>Measured by nextpnr, seed {}, no board involved. Timing is {}.</p>",
        built.seed,
        if built.timing_met {
            "met"
        } else {
            "<span class=\"missed\">not met</span>"
        }
    );
    clocks(&mut out, built);
    out.push_str(&bars::svg("Resources", &built.report.usage));
    if let Some(cells) = about.cells {
        out.push_str(&floorplan::svg("Floorplan", cells, target.part.grid));
    }
    if let Some(histogram) = &built.histogram {
        out.push_str(&slack::svg("Slack of every end point", histogram));
    }
    path(&mut out, built);
    made(&mut out, plan, built, about);
    out.push_str("</body></html>\n");
    out
}

fn clocks(out: &mut String, built: &Built) {
    out.push_str("<table><tr><th>clock</th><th>reached</th><th>wanted</th></tr>\n");
    for c in &built.report.clocks {
        let _ = writeln!(
            out,
            "<tr><td><code>{}</code></td><td class=\"n{}\">{:.2} MHz</td><td class=\"n\">{:.2} MHz</td></tr>",
            escape(&c.name),
            if c.met() { "" } else { " missed" },
            c.achieved_mhz,
            c.target_mhz
        );
    }
    out.push_str("</table>\n");
}

fn path(out: &mut String, built: &Built) {
    let Some(path) = &built.report.critical else {
        return;
    };
    let _ = writeln!(
        out,
        "<h2>Longest path: {:.2} ns, {:.2} of it on wires</h2>\n<table><tr><th>block</th><th>ns</th><th>steps</th></tr>",
        path.logic_ns + path.wire_ns,
        path.wire_ns
    );
    for block in path.blocks() {
        let _ = writeln!(
            out,
            "<tr><td><code>{}</code></td><td class=\"n\">{:.2}</td><td class=\"n\">{}</td></tr>",
            escape(&block.name),
            block.ns,
            block.steps
        );
    }
    out.push_str("</table>\n");
}

fn made(out: &mut String, plan: &Plan, built: &Built, about: &About<'_>) {
    out.push_str("<h2>How it was made</h2>\n<table>\n");
    let mut row = |name: &str, value: String| {
        let _ = writeln!(
            out,
            "<tr><td>{}</td><td>{}</td></tr>",
            escape(name),
            escape(&value)
        );
    };
    row("board", plan.board.clone());
    row("source", about.commit.unwrap_or("unknown").into());
    for tool in about.tools {
        row(&tool.name, tool.version.clone());
    }
    for (phase, seconds) in &built.seconds {
        row(phase.name(), format!("{seconds:.1} s"));
    }
    for a in &built.attempts {
        let result = match (&a.achieved_mhz, &a.failed) {
            (Some(mhz), _) => format!("{mhz:.2} MHz in {:.1} s", a.seconds),
            (None, Some(why)) => why.clone(),
            (None, None) => "no clock".into(),
        };
        row(&format!("seed {}", a.seed), result);
    }
    out.push_str("</table>\n");
}
