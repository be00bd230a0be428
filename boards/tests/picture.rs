//! Pictures of a small build, and the page around them.

use weft_boards::Catalog;
use weft_boards::build::{Attempt, Built};
use weft_boards::histogram::{Bin, Histogram};
use weft_boards::passport::ToolVersion;
use weft_boards::picture::{bars, escape, floorplan, page, slack};
use weft_boards::plan::{Design, Options, Phase, Plan};
use weft_boards::report::{Report, Usage};

const REPORT: &str = include_str!("data/counter-ecp5-report.json");
const CELLS: &str = include_str!("data/counter-ecp5-cells.json");

/// Places as nextpnr writes them, of ECP5 and iCE40 (`X26/Y3/...`) and of Gowin (`X19Y22/...`).
const NETLIST: &str = r#"{"creator": "nextpnr", "modules": {"top": {"settings": {}, "ports": {}, "cells": {
  "core.bank$0.lane$0.multiplier.cell": {"type": "MULT18X18D", "attributes": {"NEXTPNR_BEL": "X4/Y3/MULT18_0", "x": "1"}},
  "core.bank$1.lane$0.sum.q_TRELLIS_FF_Q_3": {"type": "TRELLIS_FF", "attributes": {"NEXTPNR_BEL": "X5/Y3/SLICEB.FF1"}},
  "core.parser.state.q": {"type": "TRELLIS_FF", "attributes": {"NEXTPNR_BEL": "X1Y7/DFF5"}},
  "core.parser.state.q_2": {"type": "LUT4", "attributes": {"NEXTPNR_BEL": "X1Y7/LUT5"}},
  "core.bank$1.odd.q": {"type": "LUT4", "attributes": {"NEXTPNR_BEL": "X1Y7/LUT4"}},
  "serial_rx$iob": {"type": "IB", "attributes": {"NEXTPNR_BEL": "X0/Y9/PIOA"}},
  "virtual": {"type": "GND", "attributes": {}}
}, "netnames": {}}}}"#;

#[test]
fn cells_are_read_with_their_places_and_blocks() {
    let cells = floorplan::read(NETLIST).unwrap();
    assert_eq!(cells.len(), 6);
    let lane = cells.iter().find(|c| (c.x, c.y) == (4, 3)).unwrap();
    assert_eq!(lane.blocks, ["core", "bank", "lane", "multiplier"]);
    assert!(floorplan::read("{}").is_err());
    assert!(floorplan::read("not JSON").is_err());
}

/// The core holds nearly everything, so it is drawn as its own blocks; a tile takes the colour of most of its cells.
#[test]
fn the_largest_block_is_split_and_neighbours_join() {
    let cells = floorplan::read(NETLIST).unwrap();
    let svg = floorplan::svg("1x1 <on> LFE5U", &cells, Some([20, 10]));
    for name in [
        "core.bank: 3 cells",
        "core.parser: 2 cells",
        "the top level: 1 cells",
    ] {
        assert!(svg.contains(name), "{name} is missing in {svg}");
    }
    // Two tiles of the same block side by side are one rectangle.
    assert!(svg.contains("d=\"M4 3h2v1h-2z\""), "{svg}");
    assert!(svg.contains("d=\"M1 7h1v1h-1z\""), "{svg}");
    assert!(svg.contains("1x1 &lt;on&gt; LFE5U") && !svg.contains("<on>"));
    assert!(
        svg.contains("width=\"20\" height=\"10\""),
        "the whole part is drawn"
    );
}

/// A full part stays small enough for a document.
#[test]
fn a_full_part_is_a_small_picture() {
    let mut netlist = String::from("{\"modules\": {\"top\": {\"cells\": {");
    for i in 0..80_000 {
        let (x, y, block) = (i % 127, i / 127 % 96, i * 7 % 23);
        let comma = if i == 0 { "" } else { "," };
        netlist += &format!(
            "{comma}\"core.block{block}.x{i}\": {{\"attributes\": {{\"NEXTPNR_BEL\": \"X{x}/Y{y}/LUT\"}}}}"
        );
    }
    netlist += "}}}}";
    let svg = floorplan::svg("full", &floorplan::read(&netlist).unwrap(), None);
    assert!(svg.len() < 300_000, "{}", svg.len());
    assert!(svg.contains("smaller blocks: "), "more blocks than colours");
}

#[test]
fn bars_are_as_long_as_their_share() {
    let usage = |used| Usage {
        resource: "LUTs".into(),
        used,
        available: 200,
    };
    let svg = bars::svg("Resources", &[usage(50), usage(400)]);
    assert!(
        svg.contains("width=\"65.0\"") && svg.contains("50 of 200, 25.0 %"),
        "{svg}"
    );
    // More than there is fills the bar, in another colour.
    assert!(
        svg.contains("width=\"260.0\" height=\"18\" fill=\"#c0392b\""),
        "{svg}"
    );
}

#[test]
fn missed_end_points_are_red() {
    let bin = |from_ps, end_points| Bin {
        from_ps,
        to_ps: from_ps + 1000,
        end_points,
    };
    let histogram = Histogram {
        bins: vec![bin(-1000, 10), bin(0, 40)],
    };
    let svg = slack::svg("Slack", &histogram);
    assert_eq!(svg.matches("#c0392b").count(), 1, "{svg}");
    assert!(
        svg.contains("height=\"145.0\""),
        "the tallest column fills the height"
    );
}

#[test]
fn markup_in_names_is_text() {
    assert_eq!(
        escape("<a href=\"x\">&'"),
        "&lt;a href=&quot;x&quot;&gt;&amp;&#39;"
    );
}

#[test]
fn the_page_needs_nothing_else() {
    let catalog = Catalog::embedded().unwrap();
    let target = catalog.target("ulx3s-25f").unwrap();
    let options = Options {
        design: Design::CoreOnly,
        stream_bytes: 4,
        lanes: 1,
        target_mhz: None,
        seed: 1,
        seeds: 2,
        drawn: true,
    };
    let plan = Plan::new(&target, &options);
    let built = Built {
        report: Report::parse(REPORT, CELLS, &target).unwrap(),
        seed: 2,
        attempts: vec![
            Attempt {
                seed: 1,
                achieved_mhz: None,
                seconds: 1.0,
                failed: Some("ERROR: <net> & co".into()),
            },
            Attempt {
                seed: 2,
                achieved_mhz: Some(315.76),
                seconds: 2.0,
                failed: None,
            },
        ],
        histogram: Some(Histogram {
            bins: vec![Bin {
                from_ps: 0,
                to_ps: 10,
                end_points: 1,
            }],
        }),
        timing_met: true,
        seconds: vec![(Phase::Synthesis, 3.0)],
        image: None,
    };
    let cells = floorplan::read(NETLIST).unwrap();
    let tools = [ToolVersion {
        name: "yosys".into(),
        version: "0.64".into(),
    }];
    let about = page::About {
        core: "1x1",
        commit: None,
        tools: &tools,
        cells: Some(&cells),
    };
    let html = page::html(&plan, &target, &built, &about);
    assert_eq!(html.matches("<svg ").count(), 3);
    for part in [
        "Timing is met",
        "315.76 MHz",
        "ERROR: &lt;net&gt; &amp; co",
        "Longest path",
        "0.64",
    ] {
        assert!(html.contains(part), "{part} is missing");
    }
    for outside in ["<script", "<link", "<img", "url(", "@import"] {
        assert!(!html.contains(outside), "{outside} in the page");
    }
}
