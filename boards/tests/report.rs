//! Reports as the tools write them: a 24-bit counter, placed and routed by nextpnr 0.11.1 and counted by yosys 0.64.

use weft_boards::Catalog;
use weft_boards::report::Report;

const ECP5: &str = include_str!("data/counter-ecp5-report.json");
const ECP5_CELLS: &str = include_str!("data/counter-ecp5-cells.json");
const GOWIN: &str = include_str!("data/counter-gowin-report.json");
const GOWIN_CELLS: &str = include_str!("data/counter-gowin-cells.json");

fn report(board: &str, nextpnr: &str, cells: &str) -> Report {
    let catalog = Catalog::embedded().unwrap();
    Report::parse(nextpnr, cells, &catalog.target(board).unwrap()).unwrap()
}

#[test]
fn ecp5() {
    let report = report("ulx3s-25f", ECP5, ECP5_CELLS);
    assert_eq!(report.cells["TRELLIS_FF"], 24);
    let path = report.critical.as_ref().unwrap();
    // The path and the clock are the same measurement.
    let period = path.logic_ns + path.wire_ns;
    assert!((1000.0 / period - report.clocks[0].achieved_mhz).abs() < 0.5);
    assert!(report.timing_met());
    insta::assert_snapshot!(report.text());
}

#[test]
fn gowin() {
    let report = report("tang-nano-9k", GOWIN, GOWIN_CELLS);
    let used: Vec<_> = report
        .usage
        .iter()
        .map(|u| (u.resource.as_str(), u.used, u.available))
        .collect();
    assert_eq!(
        used,
        [
            ("LUTs", 5, 8640),
            ("registers", 24, 6480),
            ("multipliers", 0, 20),
            ("block RAMs", 0, 26)
        ]
    );
}

/// Gowin's 9 x 9 multipliers take half the place of one of 18 x 18.
#[test]
fn half_multipliers_count_half() {
    let three = GOWIN.replace(
        "\"MULT9X9\": {\n\"available\": 40,\n\"used\": 0",
        "\"MULT9X9\": {\n\"available\": 40,\n\"used\": 3",
    );
    assert_ne!(three, GOWIN);
    let report = report("tang-nano-9k", &three, GOWIN_CELLS);
    assert_eq!((report.usage[2].used, report.usage[2].available), (2, 20));
}

/// Cells that synthesis named count to the block whose wire led to them.
#[test]
fn a_path_through_nameless_cells_names_blocks() {
    let nextpnr = r#"{"fmax": {"clock": {"achieved": 200, "constraint": 10}}, "utilization": {}, "critical_paths": [{
        "from": "posedge clock", "to": "posedge clock", "path": [
        {"delay": 0.5, "from": {"cell": "$auto$ff.cc:337:slice$1", "port": "CLK"},
         "to": {"cell": "$auto$ff.cc:337:slice$1", "port": "DOUT"}, "type": "clk-to-q"},
        {"delay": 1.5, "from": {"cell": "$auto$ff.cc:337:slice$1", "port": "DOUT"}, "net": "core.scanner$0.current$q[25]",
         "to": {"cell": "$abc$5$2", "port": "IN1"}, "type": "routing"},
        {"delay": 1.0, "from": {"cell": "$abc$5$2", "port": "IN1"}, "to": {"cell": "$abc$5$2", "port": "OUT"}, "type": "logic"},
        {"delay": 2.0, "from": {"cell": "$abc$5$2", "port": "OUT"}, "net": "$abc$5$new_n7",
         "to": {"cell": "core.rounds.placed", "port": "D"}, "type": "routing"}]}]}"#;
    let report = report("gatemate-a1-evb", nextpnr, ECP5_CELLS);
    let blocks = report.critical.unwrap().blocks();
    let named: Vec<_> = blocks.iter().map(|b| (b.name.as_str(), b.steps)).collect();
    let wanted = [
        ("the top level", 1),
        ("core.scanner$0", 2),
        ("core.rounds", 1),
    ];
    assert_eq!(named, wanted);
}

/// What the parts' files say is what nextpnr counts.
#[test]
fn the_parts_hold_what_nextpnr_says() {
    let catalog = Catalog::embedded().unwrap();
    for (board, nextpnr, cells) in [
        ("ulx3s-25f", ECP5, ECP5_CELLS),
        ("tang-nano-9k", GOWIN, GOWIN_CELLS),
    ] {
        let have = catalog.target(board).unwrap().part.resources;
        let available: Vec<_> = report(board, nextpnr, cells)
            .usage
            .iter()
            .map(|u| u.available)
            .collect();
        let wanted = [have.luts, have.registers, have.multipliers, have.block_rams];
        assert_eq!(available, wanted.map(u64::from));
    }
}

#[test]
fn a_clock_below_its_target_is_not_met() {
    let slow = ECP5.replace("\"constraint\": 12", "\"constraint\": 400");
    let report = report("ulx3s-25f", &slow, ECP5_CELLS);
    assert!(!report.timing_met());
    assert!(report.text().contains("of 400.00 wanted: NOT met"));
}

#[test]
fn what_is_no_report_is_an_error() {
    let catalog = Catalog::embedded().unwrap();
    let target = catalog.target("ulx3s-25f").unwrap();
    for (nextpnr, cells, wanted) in [
        ("", ECP5_CELLS, "cannot read nextpnr's report: "),
        (
            "{}",
            ECP5_CELLS,
            "cannot read nextpnr's report: missing field `fmax`",
        ),
        (ECP5, "[1]", "cannot read yosys's cell count: "),
        (
            &ECP5[..ECP5.len() / 2],
            ECP5_CELLS,
            "cannot read nextpnr's report: EOF",
        ),
    ] {
        let text = Report::parse(nextpnr, cells, &target)
            .unwrap_err()
            .to_string();
        assert!(text.starts_with(wanted), "{text}");
    }
}
