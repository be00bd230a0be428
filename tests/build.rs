//! `weft build` and `weft flash` as a person meets them, with programs that behave as the tools do.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const WEFT: &str = env!("CARGO_BIN_EXE_weft");
const REPORT: &str = include_str!("../boards/tests/data/counter-ecp5-report.json");
const CELLS: &str = include_str!("../boards/tests/data/counter-ecp5-cells.json");

const YOSYS: &str = "[ \"$1\" = -V ] && { echo Yosys 0.64; exit 0; }
cp \"$DATA/cells\" cells.json; echo {} > netlist.json; grep -c module core.v";

/// Routes every seed at `seed` times a hundred MHz; counts what depends on the core.
const NEXTPNR: &str = "[ \"$1\" = --version ] && { echo nextpnr-ecp5 0.11; exit 0; }
while [ $# -gt 0 ]; do case $1 in --seed) seed=$2;; --write) drawn=$2;; --pack-only) count=1;; esac; shift; done
luts=$(cat luts 2>/dev/null || wc -c < core.v)
if [ \"$count\" ] || [ \"$luts\" -gt $LUTS ]; then
  echo 'Info: Device utilisation:'; echo \"Info: TRELLIS_COMB: $luts/$LUTS 1%\"
  [ \"$count\" ] && exit 0
  echo 'ERROR: Unable to place'; exit 1
fi
sed \"s/\\\"achieved\\\": [0-9.]*/\\\"achieved\\\": ${seed}00/\" \"$DATA/report\" > seed-$seed/report.json
echo routed $seed > seed-$seed/routed.config
[ \"$drawn\" ] && echo '{\"modules\":{\"top\":{\"cells\":{\"core.a.b\":{\"attributes\":{\"NEXTPNR_BEL\":\"X3/Y4/LUT0\"}}}}}}' > $drawn
true";

const ECPPACK: &str = "[ \"$1\" = --version ] && { echo ecppack 1.4; exit 0; }
cp routed.config packing/weft.bit";

struct Bench {
    dir: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let bench = Self {
            dir: tempfile::tempdir().expect("a folder"),
        };
        fs::create_dir(bench.path("bin")).expect("a folder");
        let wanted = REPORT.replace("\"constraint\": 12", "\"constraint\": 100");
        fs::write(bench.path("report"), wanted).expect("a report");
        fs::write(bench.path("cells"), CELLS).expect("cells");
        for (name, body) in [
            ("yosys", YOSYS),
            ("nextpnr-ecp5", NEXTPNR),
            ("ecppack", ECPPACK),
        ] {
            bench.script(name, body);
        }
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn script(&self, name: &str, body: &str) {
        let path = self.path("bin").join(name);
        fs::write(&path, format!("#!/bin/sh\n{body}\n")).expect("a script");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("executable");
    }

    /// A program in the folder, with these tools only, on a part of `luts` look-up tables.
    fn command(&self, program: &str, luts: u32) -> Command {
        let path = format!("{}:/usr/bin:/bin", self.path("bin").display());
        let mut command = Command::new(program);
        command
            .current_dir(self.dir.path())
            .env("PATH", path)
            .env("DATA", self.dir.path())
            .env("LUTS", luts.to_string());
        command
    }

    /// Runs the command line to its end.
    fn weft_on(&self, luts: u32, args: &[&str]) -> Output {
        let output = self.command(WEFT, luts).args(args).output();
        output.expect("the binary starts")
    }

    fn weft(&self, args: &[&str]) -> Output {
        self.weft_on(100_000_000, args)
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

const BUILD: [&str; 6] = [
    "build",
    "--board",
    "ulx3s-25f",
    "--core-only",
    "--core",
    "1x1",
];

#[test]
fn a_build_is_kept_and_flashed() {
    let bench = Bench::new();
    let args = [
        &BUILD[..],
        &[
            "--seeds", "3", "--report", "html", "--keep", "store", "--json",
        ],
    ]
    .concat();
    let output = bench.weft(&args);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let shown: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(shown["seed"], 3);
    assert_eq!(shown["seeds"].as_array().map(Vec::len), Some(3));
    assert_eq!(shown["passport"]["core"]["banks"], 1);
    let dir = bench.path("target/boards/ulx3s-25f/core-only");
    let page = fs::read_to_string(dir.join("report.html")).expect("the page");
    assert_eq!(page.matches("<svg ").count(), 2, "bars and floorplan");
    assert!(dir.join("floorplan.svg").exists() && dir.join("resources.svg").exists());
    assert_eq!(
        fs::read_to_string(dir.join("weft.bit")).expect("the image"),
        "routed 3\n"
    );

    // Not the board's own core: it stands in the name.
    let kept = "store/ulx3s-25f/core-only-1x1.bit.gz";
    let output = bench.weft(&["flash", "--board", "ulx3s-25f", kept, "--dry-run"]);
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        format!(
            "gzip -dc {kept} > core-only-1x1.bit\nopenFPGALoader --scan-usb\n\
             openFPGALoader --board ulx3s --detect\nopenFPGALoader --board ulx3s --write-sram core-only-1x1.bit\n"
        ),
        "{}",
        said(&output)
    );
    let output = bench.weft(&["flash", "--board", "ulx3s-85f", kept, "--dry-run"]);
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
}

#[test]
fn a_kept_image_is_built_again_and_compared() {
    let bench = Bench::new();
    let own = ["build", "--board", "ulx3s-25f", "--core-only"];
    let output = bench.weft(&[&own[..], &["--keep", "--mhz", "77"]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let verify = [&own[..], &["--verify"]].concat();
    let output = bench.weft(&verify);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(String::from_utf8_lossy(&output.stdout).contains("the same bytes again"));

    bench.script(
        "ecppack",
        &format!("{ECPPACK}; echo other >> packing/weft.bit"),
    );
    let output = bench.weft(&verify);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        said(&output).contains("with the same source and tools"),
        "{}",
        said(&output)
    );

    let passport = bench.path("bitstreams/ulx3s-25f/core-only.toml");
    let text = fs::read_to_string(&passport).expect("the passport");
    let hash = text
        .lines()
        .find(|l| l.starts_with("verilog_sha256"))
        .expect("a hash");
    fs::write(&passport, text.replace(hash, "verilog_sha256 = \"0\"")).expect("written");
    let output = bench.weft(&verify);
    assert!(
        said(&output).contains("the Verilog has changed since"),
        "{}",
        said(&output)
    );
}

/// Sizes are those of the cores' own Verilog, so what fits is known here without a tool.
#[test]
fn a_core_that_is_too_large_is_told_which_one_fits() {
    let bench = Bench::new();
    let size = |name: &str| {
        let config = weft_hdl::CoreConfig::named(name).expect("a core");
        let verilog = weft_hdl::generate_verilog_for(&config, weft_hdl::Family::Ecp5);
        let verilog = verilog.expect("Verilog");
        verilog.len() as u32
    };
    let wanted = [
        "build",
        "--board",
        "ulx3s-25f",
        "--core-only",
        "--core",
        "8x2",
    ];
    let output = bench.weft_on(size("4x1"), &wanted);
    assert_eq!(output.status.code(), Some(1));
    let text = said(&output);
    assert!(
        text.contains("the design does not fit: TRELLIS_COMB "),
        "{text}"
    );
    assert!(
        text.contains("the largest named core whose cells fit is --core 4x1"),
        "{text}"
    );
    assert!(
        !bench
            .path("target/boards/ulx3s-25f/core-only/weft.bit")
            .exists()
    );

    let output = bench.weft_on(1, &wanted);
    assert!(
        said(&output).contains("no named core fits, not even 1x1"),
        "{}",
        said(&output)
    );
    let output = bench.weft_on(1, &[&wanted[..], &["--no-search"]].concat());
    assert!(!said(&output).contains("not even"), "{}", said(&output));
}

#[test]
fn missing_and_old_tools_are_code_4() {
    let bench = Bench::new();
    let gowin = [
        "build",
        "--board",
        "tang-nano-9k",
        "--core-only",
        "--core",
        "1x1",
    ];
    let output = bench.weft(&gowin);
    assert_eq!(output.status.code(), Some(4));
    let text = said(&output);
    assert!(
        text.contains("is not installed") && text.contains("weft tools install"),
        "{text}"
    );
    bench.script("yosys", "echo Yosys 0.23");
    let output = bench.weft(&gowin);
    assert_eq!(output.status.code(), Some(4));
    assert!(
        said(&output).contains("but 0.64 or later is needed"),
        "{}",
        said(&output)
    );
}

/// A build that is asked to terminate takes its tools along: none goes on by itself. One that was told to ignore
/// the end of its terminal, as by `nohup`, does.
#[test]
fn a_terminated_build_ends_its_tools() {
    let bench = Bench::new();
    let route = "[ \"$1\" = --version ] && exit 0\necho $$ > \"$DATA/pid.part\"; mv \"$DATA/pid.part\" \"$DATA/pid\"; exec sleep 600";
    bench.script("nextpnr-ecp5", route);
    let ignoring = "trap '' HUP; exec \"$0\" \"$@\"";
    let mut build = bench
        .command("sh", 100_000_000)
        .args(["-c", ignoring, WEFT])
        .args(BUILD)
        .spawn()
        .expect("weft");
    while !bench.path("pid").exists() {
        assert!(build.try_wait().expect("weft").is_none(), "it ended early");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let kill = |signal: &str, pid: &str| Command::new("kill").args([signal, pid]).status();
    kill("-HUP", &build.id().to_string()).expect("kill runs");
    std::thread::sleep(std::time::Duration::from_millis(500));
    assert!(build.try_wait().expect("weft").is_none(), "it was hung up");
    kill("-TERM", &build.id().to_string()).expect("kill runs");
    assert_eq!(build.wait().expect("weft").code(), Some(130));
    let tool = fs::read_to_string(bench.path("pid")).expect("its number");
    let alive = kill("-0", tool.trim()).expect("kill runs").success();
    assert!(!alive, "nextpnr goes on");
    assert!(
        !bench
            .path("target/boards/ulx3s-25f/core-only/weft.bit")
            .exists()
    );
}

#[test]
fn an_unknown_board_is_code_2() {
    let bench = Bench::new();
    let output = bench.weft(&["build", "--board", "ulx3s-85"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        said(&output).contains("did you mean ulx3s-85f?"),
        "{}",
        said(&output)
    );
}

#[test]
fn all_boards_say_first_how_long_they_take() {
    let bench = Bench::new();
    let output = bench.weft(&["build", "--all", "--plan"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        text.lines()
            .next()
            .is_some_and(|l| l.contains("minutes in all")),
        "{text}"
    );
    assert!(text.contains("ulx3s-85f"), "{text}");
    assert!(
        text.contains("icestick         left out: no core is promised to fit"),
        "{text}"
    );
    fs::remove_dir_all(bench.path("bin")).expect("the tools go");
    let output = bench.weft(&["build", "--all", "--plan"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.starts_with("0 boards. Measured: 0 minutes "), "{text}");
    assert!(
        !Path::new("target/boards/ulx3s-85f/top")
            .join("core.v")
            .exists()
    );
}

/// A board without an image anywhere says where it looked.
#[test]
fn a_board_that_was_never_built_cannot_be_flashed() {
    let bench = Bench::new();
    let output = bench.weft(&["flash", "--board", "ulx3s-85f", "--dry-run"]);
    assert_eq!(output.status.code(), Some(4));
    assert!(
        said(&output).contains(
            "neither target/boards/ulx3s-85f/top/weft.bit nor bitstreams/ulx3s-85f/top.bit.gz"
        ),
        "{}",
        said(&output)
    );
}
