//! Whole builds with programs that behave as the tools do.
#![cfg(unix)]

mod common;

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use common::script;
use weft_boards::Catalog;
use weft_boards::build::{Build, BuildError, Built, Programs};
use weft_boards::plan::{Design, Options, Phase, Plan};
use weft_boards::run::RunError;
use weft_boards::tools::{Origin, Tool};

const REPORT: &str = include_str!("data/counter-ecp5-report.json");
const CELLS: &str = include_str!("data/counter-ecp5-cells.json");

/// Finds the seed among nextpnr's arguments, and has a report that reaches `$mhz`.
const NEXTPNR: &str = "while [ $# -gt 0 ]; do
  case $1 in --seed) seed=$2;; --pack-only) count=1;; esac; shift
done
report() { sed \"s/\\\"achieved\\\": [0-9.]*/\\\"achieved\\\": $1/\" ../report > seed-$seed/report.json; }
";

struct Bench {
    dir: tempfile::TempDir,
    catalog: Catalog,
    cancel: AtomicBool,
}

impl Bench {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let wanted = REPORT.replace("\"constraint\": 12", "\"constraint\": 100");
        fs::write(dir.path().join("report"), wanted).unwrap();
        fs::write(dir.path().join("cells"), CELLS).unwrap();
        Self {
            dir,
            catalog: Catalog::embedded().unwrap(),
            cancel: AtomicBool::new(false),
        }
    }

    fn out(&self) -> std::path::PathBuf {
        self.dir.path().join("out")
    }

    fn tool(&self, name: &str, body: &str) -> Tool {
        Tool {
            program: name.into(),
            path: script(self.dir.path(), name, body),
            origin: Origin::Pinned,
            version: None,
        }
    }

    fn programs(&self, route: &str, pack: &str) -> Programs {
        Programs {
            synthesis: self.tool("yosys", "cp ../cells cells.json; echo {} > netlist.json"),
            route: self.tool("nextpnr-ecp5", &format!("{NEXTPNR}{route}")),
            pack: self.tool("ecppack", pack),
        }
    }

    /// Builds with `seeds` seeds; `hear` sees each line.
    fn build_hearing(
        &self,
        seeds: u32,
        programs: &Programs,
        hear: impl Fn(Phase, Option<u32>, &str) + Sync,
    ) -> Result<Built, BuildError> {
        let target = self.catalog.target("ulx3s-25f").unwrap();
        let options = Options {
            design: Design::CoreOnly,
            stream_bytes: 4,
            lanes: 1,
            target_mhz: None,
            seed: 1,
            seeds,
            drawn: false,
        };
        let plan = Plan::new(&target, &options);
        let out = self.out();
        Build {
            plan: &plan,
            target,
            programs,
            dir: &out,
            parallel: 2,
            cancel: &self.cancel,
            progress: &|p| hear(p.phase, p.seed, p.line),
        }
        .run(&[("core.v".into(), "module weft_core; endmodule\n".into())])
    }

    fn build(&self, seeds: u32, programs: &Programs) -> Result<Built, BuildError> {
        self.build_hearing(seeds, programs, |_, _, _| {})
    }

    fn holds(&self, name: &str) -> bool {
        self.out().join(name).exists()
    }
}

fn error(result: Result<Built, BuildError>) -> String {
    result.map(|b| b.seed).unwrap_err().to_string()
}

const PACK: &str = "cat routed.config > packing/weft.bit";

#[test]
fn of_several_seeds_the_fastest_is_kept_and_packed() {
    let bench = Bench::new();
    let route = "echo Info: placing $seed
case $seed in 1) report 101.5;; 2) report 140.25;; 3) report 120;; esac
echo from $seed > seed-$seed/routed.config";
    let heard = std::sync::Mutex::new(Vec::new());
    let built = bench
        .build_hearing(3, &bench.programs(route, PACK), |phase, seed, line| {
            heard.lock().unwrap().push((phase, seed, line.to_owned()));
        })
        .unwrap();
    assert_eq!(built.seed, 2);
    assert!(built.timing_met);
    let reached: Vec<_> = built
        .attempts
        .iter()
        .map(|a| (a.seed, a.achieved_mhz))
        .collect();
    assert_eq!(
        reached,
        [(1, Some(101.5)), (2, Some(140.25)), (3, Some(120.0))]
    );
    let image = built.image.unwrap();
    assert_eq!(fs::read_to_string(image).unwrap(), "from 2\n");
    assert!(!bench.holds("packing/weft.bit"));
    assert!(bench.holds("seed-1/place-and-route.log"), "a log is lost");
    assert!(!bench.holds("seed-1/routed.config"));
    let placing = (Phase::PlaceAndRoute, Some(3), "Info: placing 3".to_owned());
    assert!(heard.lock().unwrap().contains(&placing));
}

#[test]
fn a_seed_that_cannot_be_routed_does_not_end_the_others() {
    let bench = Bench::new();
    let route = "case $seed in
1) echo 'ERROR: Failed to route arc'; exit 1;;
*) report 130; echo x > seed-$seed/routed.config;; esac";
    let built = bench.build(2, &bench.programs(route, PACK)).unwrap();
    assert_eq!(built.seed, 2);
    let why = built.attempts[0].failed.as_ref().unwrap();
    assert!(why.contains("Failed to route arc"), "{why}");

    let route = "echo ERROR: no way for $seed; exit 1";
    let text = error(bench.build(2, &bench.programs(route, PACK)));
    assert!(text.contains("no way for 1"), "{text}");
    assert!(
        !bench.holds("weft.bit"),
        "the image of the build before is left"
    );
}

#[test]
fn a_design_that_is_too_slow_gets_no_image() {
    let bench = Bench::new();
    let route = "report 87.11; echo x > seed-$seed/routed.config
echo \"ERROR: Max frequency for clock 'clk': 87.11 MHz (FAIL at 100.00 MHz)\"; exit 1";
    let built = bench.build(1, &bench.programs(route, PACK)).unwrap();
    assert!(!built.timing_met && built.image.is_none());
    assert!(!bench.holds("weft.bit") && !bench.holds("pack.log"));
    assert!(bench.holds("report.json"));
}

/// A tool that says that all is well while its report says otherwise does not get an image either.
#[test]
fn the_report_decides_not_the_exit_code() {
    let bench = Bench::new();
    let route = "report 99.9; echo x > seed-$seed/routed.config";
    let built = bench.build(1, &bench.programs(route, PACK)).unwrap();
    assert!(!built.timing_met && built.image.is_none());
}

#[test]
fn a_packer_that_crashes_half_way_leaves_no_image() {
    let bench = Bench::new();
    let route = "report 130; echo x > seed-$seed/routed.config";
    let programs = bench.programs(route, "echo half > packing/weft.bit; kill -SEGV $$");
    let text = error(bench.build(1, &programs));
    assert!(text.starts_with("ecppack died without a word"), "{text}");
    assert!(!bench.holds("weft.bit") && !bench.holds("packing/weft.bit"));
}

#[test]
fn an_interrupted_packer_leaves_no_image() {
    let bench = Bench::new();
    let route = "report 130; echo x > seed-$seed/routed.config";
    let pack = "echo half > packing/weft.bit; echo started; exec sleep 600";
    let programs = bench.programs(route, pack);
    let result = bench.build_hearing(1, &programs, |_, _, line| {
        bench.cancel.fetch_or(line == "started", Ordering::SeqCst);
    });
    assert!(
        matches!(result, Err(BuildError::Run(RunError::Interrupted("pack")))),
        "{:?}",
        result.map(|b| b.seed)
    );
    assert!(!bench.holds("weft.bit") && !bench.holds("packing/weft.bit"));
}

#[test]
fn an_interruption_ends_every_seed() {
    let bench = Bench::new();
    let route = "echo started; exec sleep 600";
    let programs = bench.programs(route, PACK);
    let result = bench.build_hearing(5, &programs, |_, seed, line| {
        let last = line == "started" && seed == Some(2);
        bench.cancel.fetch_or(last, Ordering::SeqCst);
    });
    assert_eq!(
        result.map(|b| b.seed).unwrap_err().to_string(),
        "interrupted during place and route"
    );
    assert!(
        !bench.holds("seed-5/place-and-route.log"),
        "a seed was started"
    );
}

#[test]
fn a_design_that_does_not_fit_is_tried_once() {
    let bench = Bench::new();
    let route = "echo 'Info: Device utilisation:'
echo 'Info:   MULT18X18D:  64/ 28  228%'
echo 'ERROR: Unable to place'; exit 1";
    let programs = bench.programs(route, PACK);
    let text = error(bench.build(9, &programs));
    assert!(
        text.starts_with("the design does not fit: MULT18X18D 64 of 28"),
        "{text}"
    );
    assert!(
        !bench.holds("seed-9/place-and-route.log"),
        "a seed was started"
    );
}

#[test]
fn a_missing_program_is_named() {
    let bench = Bench::new();
    let mut programs = bench.programs("report 130", PACK);
    programs.route.path = Path::new("/nonexistent/nextpnr-ecp5").into();
    let text = error(bench.build(1, &programs));
    assert!(
        text.starts_with("cannot start /nonexistent/nextpnr-ecp5: "),
        "{text}"
    );
}

/// Counting tells what overflows without placing anything.
#[test]
fn a_count_is_read_from_nextpnrs_table() {
    let bench = Bench::new();
    let route = "[ \"$count\" ] || exit 3
echo 'Info: Logic utilisation before packing:'
echo 'Info:     Total LUT4s:     30000/24288   123%'
echo 'Info: Device utilisation:'
echo 'Info:             TRELLIS_COMB:   25000/24288   102%'
echo 'Info:             MULT18X18D:   8/ 28  28%'";
    let programs = bench.programs(route, PACK);
    let target = bench.catalog.target("ulx3s-25f").unwrap();
    let options = Options {
        design: Design::CoreOnly,
        stream_bytes: 4,
        lanes: 1,
        target_mhz: None,
        seed: 1,
        seeds: 1,
        drawn: false,
    };
    let plan = Plan::new(&target, &options);
    let out = bench.out();
    let build = Build {
        plan: &plan,
        target,
        programs: &programs,
        dir: &out,
        parallel: 1,
        cancel: &bench.cancel,
        progress: &|_| {},
    };
    build.synthesise(&[]).unwrap();
    let overflow = build.count().unwrap();
    let found: Vec<_> = overflow
        .iter()
        .map(|o| (o.cell.as_str(), o.used, o.available))
        .collect();
    assert_eq!(found, [("TRELLIS_COMB", 25000, 24288)]);
}
