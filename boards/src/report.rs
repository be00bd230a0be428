//! What the tools measured, read from their own JSON: clocks, the longest path, what is used of what there is.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::{Deserialize, Serialize};

use crate::{Family, Target};

/// One table out of nextpnr's report and yosys's cell count.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Clocks, slowest against its target first.
    pub clocks: Vec<ClockResult>,
    /// The longest path inside one clock.
    pub critical: Option<CriticalPath>,
    /// The four resources.
    pub usage: Vec<Usage>,
    /// Synthesised cells by type.
    pub cells: BTreeMap<String, u64>,
}

/// What one clock reaches.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClockResult {
    /// The net.
    pub name: String,
    /// What it reaches, MHz.
    pub achieved_mhz: f64,
    /// What it must reach, MHz.
    pub target_mhz: f64,
}

impl ClockResult {
    /// Whether it reaches its target.
    #[must_use]
    pub fn met(&self) -> bool {
        self.achieved_mhz >= self.target_mhz
    }
}

/// The path that limits a clock.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CriticalPath {
    /// First cell and port.
    pub from: String,
    /// Last cell and port.
    pub to: String,
    /// Time in cells, set-up and clock to output included, ns.
    pub logic_ns: f64,
    /// Time on wires, ns.
    pub wire_ns: f64,
    /// Cells on the way, each with the time up to it, ns.
    pub hops: Vec<(String, f64)>,
}

/// A stretch of a path inside one block of the design.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Stretch {
    /// The block, as the Rust description names it: its path from the top.
    pub name: String,
    /// Time inside it, the wire into it included, ns.
    pub ns: f64,
    /// Cells and wires.
    pub steps: usize,
}

impl CriticalPath {
    /// The path block by block: synthesis invents the cells' names, the blocks above them are the description's.
    #[must_use]
    pub fn blocks(&self) -> Vec<Stretch> {
        let mut stretches: Vec<Stretch> = Vec::new();
        let mut before = 0.0;
        for (cell, at) in &self.hops {
            let block = block_of(cell);
            let ns = at - before;
            before = *at;
            match stretches.last_mut() {
                Some(last) if last.name == block => {
                    last.ns += ns;
                    last.steps += 1;
                }
                _ => stretches.push(Stretch {
                    name: block.into(),
                    ns,
                    steps: 1,
                }),
            }
        }
        stretches
    }
}

/// The block that a `block.block.cell.port` is in.
fn block_of(cell: &str) -> &str {
    let without_port = cell.rsplit_once('.').map_or(cell, |(rest, _)| rest);
    let block = without_port.rsplit_once('.').map(|(block, _)| block);
    block.unwrap_or("the top level")
}

/// How much of a resource is used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// `LUTs`, `registers`, `multipliers` or `block RAMs`.
    pub resource: String,
    /// Used.
    pub used: u64,
    /// In the part.
    pub available: u64,
}

/// Why a report cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {file}: {cause}; was it written by another version of the tool?")]
pub struct ReportError {
    /// Which file.
    pub file: &'static str,
    /// Why not.
    pub cause: String,
}

#[derive(Deserialize)]
struct NextpnrReport {
    fmax: BTreeMap<String, Fmax>,
    utilization: BTreeMap<String, Utilization>,
    #[serde(default)]
    critical_paths: Vec<Path>,
}

#[derive(Deserialize)]
struct Fmax {
    achieved: f64,
    constraint: f64,
}

#[derive(Deserialize)]
struct Utilization {
    used: u64,
    available: u64,
}

#[derive(Deserialize)]
struct Path {
    from: String,
    to: String,
    path: Vec<Segment>,
}

#[derive(Deserialize)]
struct Segment {
    delay: f64,
    from: End,
    to: End,
    net: Option<String>,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
struct End {
    cell: String,
    port: String,
}

#[derive(Deserialize)]
struct YosysStat {
    design: YosysDesign,
}

#[derive(Deserialize)]
struct YosysDesign {
    num_cells_by_type: BTreeMap<String, u64>,
}

impl Report {
    /// Reads nextpnr's `--report` and yosys's `stat -json` of one build.
    ///
    /// # Errors
    /// [`ReportError`] when one of them is not what the tool writes.
    pub fn parse(
        nextpnr: &str,
        yosys_stat: &str,
        target: &Target<'_>,
    ) -> Result<Self, ReportError> {
        let report: NextpnrReport = serde_json::from_str(nextpnr).map_err(|e| ReportError {
            file: "nextpnr's report",
            cause: e.to_string(),
        })?;
        let stat: YosysStat = serde_json::from_str(yosys_stat).map_err(|e| ReportError {
            file: "yosys's cell count",
            cause: e.to_string(),
        })?;
        let mut clocks: Vec<ClockResult> = report
            .fmax
            .iter()
            .map(|(name, f)| ClockResult {
                name: name.clone(),
                achieved_mhz: f.achieved,
                target_mhz: f.constraint,
            })
            .collect();
        let slack = |c: &ClockResult| c.achieved_mhz / c.target_mhz;
        clocks.sort_by(|a, b| slack(a).total_cmp(&slack(b)));
        Ok(Self {
            clocks,
            critical: critical(&report.critical_paths),
            usage: usage(&report.utilization, target.family),
            cells: stat.design.num_cells_by_type,
        })
    }

    /// Whether every clock reaches its target; a design without a clock does not.
    #[must_use]
    pub fn timing_met(&self) -> bool {
        !self.clocks.is_empty() && self.clocks.iter().all(ClockResult::met)
    }

    /// The slowest clock as a share of its target; none is the worst.
    #[must_use]
    pub fn margin(&self) -> f64 {
        let slowest = self.clocks.first();
        slowest.map_or(f64::NEG_INFINITY, |c| c.achieved_mhz / c.target_mhz)
    }

    /// The report as a person reads it.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = String::new();
        // Writing to a String does not fail.
        for c in &self.clocks {
            let _ = writeln!(
                out,
                "clock        {:7.2} MHz of {:.2} wanted: {}  ({})",
                c.achieved_mhz,
                c.target_mhz,
                if c.met() { "met" } else { "NOT met" },
                c.name
            );
        }
        for u in &self.usage {
            let share = 100.0 * u.used as f64 / u.available.max(1) as f64;
            let _ = writeln!(
                out,
                "{:12} {:>7} of {:>6}  {share:5.1} %",
                u.resource, u.used, u.available
            );
        }
        if let Some(path) = &self.critical {
            let _ = writeln!(
                out,
                "longest path {:.2} ns: {:.2} in cells, {:.2} on wires",
                path.logic_ns + path.wire_ns,
                path.logic_ns,
                path.wire_ns
            );
            for block in path.blocks() {
                let _ = writeln!(
                    out,
                    "  {:6.2} ns in {:2} steps to {}",
                    block.ns, block.steps, block.name
                );
            }
        }
        out
    }
}

/// The slowest path between two edges of one clock.
fn critical(paths: &[Path]) -> Option<CriticalPath> {
    let total = |p: &Path| p.path.iter().map(|s| s.delay).sum::<f64>();
    let edge = |name: &str| name.starts_with("posedge") || name.starts_with("negedge");
    let path = paths
        .iter()
        .filter(|p| edge(&p.from) && p.from == p.to)
        .max_by(|a, b| total(a).total_cmp(&total(b)))?;
    let name = |end: &End| format!("{}.{}", end.cell, end.port);
    let (mut logic_ns, mut wire_ns) = (0.0, 0.0);
    let mut hops: Vec<(String, f64)> = Vec::new();
    let mut known = "";
    for segment in &path.path {
        // A cell that synthesis named (`$...`) is where the last wire with a name of ours led.
        let names = [Some(&segment.to.cell), segment.net.as_ref()];
        let own = names.into_iter().flatten().find(|n| !n.starts_with('$'));
        known = own.map_or(known, |n| n);
        if segment.kind == "routing" {
            wire_ns += segment.delay;
        } else {
            logic_ns += segment.delay;
        }
        // Steps along a carry chain take no time of their own.
        if segment.delay > 0.0 {
            hops.push((format!("{known}.{}", segment.to.port), logic_ns + wire_ns));
        }
    }
    Some(CriticalPath {
        from: name(&path.path.first()?.from),
        to: name(&path.path.last()?.to),
        logic_ns,
        wire_ns,
        hops,
    })
}

fn usage(utilization: &BTreeMap<String, Utilization>, family: &Family) -> Vec<Usage> {
    let cells = &family.report;
    let used = |names: &[String]| -> u64 {
        let counted = names.iter().filter_map(|n| utilization.get(n));
        counted.map(|u| u.used).sum()
    };
    let count = |resource: &str, names: &[String], halves: &[String]| {
        let counted: Vec<_> = names.iter().filter_map(|n| utilization.get(n)).collect();
        (!counted.is_empty()).then(|| Usage {
            resource: resource.into(),
            used: used(names) + used(halves).div_ceil(2),
            available: counted.iter().map(|u| u.available).sum(),
        })
    };
    [
        count("LUTs", &cells.luts, &[]),
        count("registers", &cells.registers, &[]),
        count("multipliers", &cells.multipliers, &cells.half_multipliers),
        count("block RAMs", &cells.block_rams, &[]),
    ]
    .into_iter()
    .flatten()
    .collect()
}
