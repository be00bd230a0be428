//! Where each block of the design lies on the part, from the places that nextpnr wrote into the routed netlist.
//!
//! nextpnr draws ECP5 itself, every wire of it, in tens of megabytes, and Gowin not at all. This picture is one for
//! all families: a square a tile, in the colour of the block that has most cells there.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::Deserialize;

use super::{escape, open};
use crate::report::ReportError;

const WIDTH: u32 = 560;
const LEGEND_ROW: u32 = 18;
/// Blocks with a colour of their own; smaller ones share the last one.
const COLOURS: [&str; 10] = [
    "#2a78b5", "#e08214", "#4d9221", "#c51b7d", "#7b5aa6", "#8c6d31", "#17a2a2", "#d6604d",
    "#5e6b78", "#b8c1ca",
];
/// A block with more than this share of all cells is drawn as its own blocks.
const SPLIT: f64 = 0.5;

/// A cell on the part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// Blocks from the top, indices left out: `core.bank$3.lane$0` is `["core", "bank", "lane"]`.
    pub blocks: Vec<String>,
    /// Column of its tile.
    pub x: u32,
    /// Row of its tile.
    pub y: u32,
}

#[derive(Deserialize)]
struct Netlist {
    modules: BTreeMap<String, Module>,
}

#[derive(Deserialize)]
struct Module {
    cells: BTreeMap<String, Cell>,
}

#[derive(Deserialize)]
struct Cell {
    #[serde(default)]
    attributes: Attributes,
}

#[derive(Deserialize, Default)]
struct Attributes {
    #[serde(rename = "NEXTPNR_BEL")]
    bel: Option<String>,
}

/// The placed cells of a netlist that nextpnr wrote with `--write`.
///
/// # Errors
/// [`ReportError`] when it is not one.
pub fn read(netlist: &str) -> Result<Vec<Placed>, ReportError> {
    let netlist: Netlist = serde_json::from_str(netlist).map_err(|e| ReportError {
        file: "nextpnr's routed netlist",
        cause: e.to_string(),
    })?;
    let cells = netlist.modules.into_values().flat_map(|m| m.cells);
    Ok(cells
        .filter_map(|(name, cell)| {
            let (x, y) = place(&cell.attributes.bel?)?;
            let blocks = blocks(&name);
            Some(Placed { blocks, x, y })
        })
        .collect())
}

/// The tile in a name such as `X26/Y3/SLICEA.FF1` or `X19Y22/LUT0`.
fn place(bel: &str) -> Option<(u32, u32)> {
    let (x, rest) = bel.strip_prefix('X')?.split_once('Y')?;
    let x = x.trim_end_matches('/').parse().ok()?;
    let y = rest.split('/').next()?.parse().ok()?;
    Some((x, y))
}

/// The blocks above a cell, without their indices.
fn blocks(cell: &str) -> Vec<String> {
    let mut names: Vec<&str> = cell.split('.').collect();
    names.pop();
    let plain = |n: &str| n.split('$').next().unwrap_or_default().to_owned();
    names.into_iter().map(plain).collect()
}

/// Groups of cells: each cell's group, and the groups' names, largest first.
///
/// Starts with the blocks at the top and splits the largest while it holds most of all cells.
fn groups(cells: &[Placed]) -> (Vec<usize>, Vec<(String, usize)>) {
    let mut depth: BTreeMap<&[String], usize> = BTreeMap::new();
    // How many levels of a cell's path name its group.
    let key = |cell: &Placed, split: &BTreeMap<&[String], usize>| {
        let mut levels = 1.min(cell.blocks.len());
        while levels < cell.blocks.len() && split.contains_key(&cell.blocks[..levels]) {
            levels += 1;
        }
        levels
    };
    loop {
        let mut sizes: BTreeMap<&[String], (usize, bool)> = BTreeMap::new();
        for cell in cells {
            let levels = key(cell, &depth);
            let size = sizes.entry(&cell.blocks[..levels]).or_default();
            size.0 += 1;
            size.1 |= levels < cell.blocks.len();
        }
        let largest = sizes.iter().max_by_key(|(_, (n, _))| *n);
        let Some((name, _)) = largest.filter(|(name, (n, deeper))| {
            *deeper && !depth.contains_key(*name) && *n as f64 > SPLIT * cells.len() as f64
        }) else {
            break;
        };
        depth.insert(name, 0);
    }
    let mut sizes: BTreeMap<&[String], usize> = BTreeMap::new();
    for cell in cells {
        *sizes.entry(&cell.blocks[..key(cell, &depth)]).or_default() += 1;
    }
    let mut order: Vec<(&[String], usize)> = sizes.into_iter().collect();
    order.sort_by_key(|(name, n)| (std::cmp::Reverse(*n), *name));
    let own = COLOURS.len() - 1;
    let index: BTreeMap<&[String], usize> = order
        .iter()
        .enumerate()
        .map(|(i, (name, _))| (*name, i.min(own)))
        .collect();
    let mut names: Vec<(String, usize)> = Vec::new();
    for (i, (name, n)) in order.iter().enumerate() {
        if i <= own {
            let text = match (i == own && order.len() > COLOURS.len(), name.is_empty()) {
                (true, _) => "smaller blocks".to_owned(),
                (false, true) => "the top level".to_owned(),
                (false, false) => name.join("."),
            };
            names.push((text, *n));
        } else if let Some(last) = names.last_mut() {
            last.1 += n;
        }
    }
    let of = |cell: &Placed| index[&cell.blocks[..key(cell, &depth)]];
    (cells.iter().map(of).collect(), names)
}

/// The picture, for a part of `grid` columns and rows of tiles; row 0 is at the top.
#[must_use]
pub fn svg(title: &str, cells: &[Placed], grid: Option<[u32; 2]>) -> String {
    let most = |get: fn(&Placed) -> u32| cells.iter().map(get).max().unwrap_or(0) + 1;
    let [columns, rows] = grid.unwrap_or_default();
    let (columns, rows) = (columns.max(most(|c| c.x)), rows.max(most(|c| c.y)));
    let (of, names) = groups(cells);
    let mut tiles: BTreeMap<(u32, u32), Vec<usize>> = BTreeMap::new();
    for (cell, group) in cells.iter().zip(&of) {
        let counts = tiles.entry((cell.y, cell.x)).or_default();
        counts.resize(names.len(), 0);
        counts[*group] += 1;
    }
    let mut paths = vec![String::new(); names.len()];
    let mut run: Option<(u32, u32, u32, usize)> = None;
    let mut close = |run: &mut Option<(u32, u32, u32, usize)>| {
        if let Some((y, from, to, group)) = run.take() {
            let wide = to - from + 1;
            let _ = write!(paths[group], "M{from} {y}h{wide}v1h-{wide}z");
        }
    };
    for ((y, x), counts) in &tiles {
        let group = (0..counts.len()).max_by_key(|g| (counts[*g], usize::MAX - g));
        let Some(group) = group else { continue };
        match &mut run {
            Some((row, _, to, g)) if *row == *y && *to + 1 == *x && *g == group => *to = *x,
            _ => {
                close(&mut run);
                run = Some((*y, *x, *x, group));
            }
        }
    }
    close(&mut run);
    let scale = f64::from(WIDTH - 20) / f64::from(columns);
    let tall = (f64::from(rows) * scale).ceil() as u32;
    let height = 30 + tall + 10 + LEGEND_ROW * names.len().div_ceil(2) as u32 + 6;
    let mut out = open(WIDTH, height, title);
    // Writing to a String does not fail.
    let _ = writeln!(
        out,
        "<text x=\"10\" y=\"18\" font-weight=\"bold\">{}</text>\n<g transform=\"translate(10 28) scale({scale:.3})\"><rect width=\"{columns}\" height=\"{rows}\" fill=\"#f2f4f6\"/>",
        escape(title)
    );
    for (path, colour) in paths.iter().zip(COLOURS) {
        let _ = writeln!(out, "<path fill=\"{colour}\" d=\"{path}\"/>");
    }
    out.push_str("</g>\n");
    for (i, ((name, n), colour)) in names.iter().zip(COLOURS).enumerate() {
        let x = 10 + (i as u32 % 2) * (WIDTH / 2);
        let y = 30 + tall + 8 + LEGEND_ROW * (i as u32 / 2);
        let _ = writeln!(
            out,
            "<rect x=\"{x}\" y=\"{y}\" width=\"12\" height=\"12\" fill=\"{colour}\"/><text x=\"{}\" y=\"{}\">{}: {n} cells</text>",
            x + 18,
            y + 10,
            escape(name)
        );
    }
    out.push_str("</svg>\n");
    out
}
