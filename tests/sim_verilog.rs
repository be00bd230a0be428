//! `weft sim verilog` and `weft sim passes` as a person meets them.

use std::process::{Command, Output};

const COUNTER: &str = "
module counter(input wire clk, input wire rst_n, input wire [7:0] step, output reg [7:0] count);
    always @(posedge clk) if (!rst_n) count <= 0; else count <= count + step;
endmodule
";

fn weft(folder: &tempfile::TempDir, args: &[&str]) -> Output {
    let file = folder.path().join("counter.v");
    std::fs::write(&file, COUNTER).expect("written");
    Command::new(env!("CARGO_BIN_EXE_weft"))
        .current_dir(folder.path())
        .args(args)
        .output()
        .expect("the binary starts")
}

fn stdout(output: &Output) -> String {
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{err}");
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

const RUN: [&str; 5] = ["sim", "verilog", "counter.v", "--top", "counter"];

fn run(more: &[&str]) -> Output {
    let folder = tempfile::tempdir().expect("a folder");
    weft(&folder, &[&RUN, more].concat())
}

#[test]
fn constants_and_reset() {
    let reset = [
        "--reset", "!rst_n", "--poke", "step=0x3", "--cycles", "15", "--json",
    ];
    let report: serde_json::Value = serde_json::from_str(&stdout(&run(&reset))).expect("JSON");
    // Four cycles of reset, ten steps of three, and the fifteenth edge is not seen any more.
    assert_eq!(report["outputs"]["count"], "8'h1e");
}

#[test]
fn one_seed_one_result() {
    let outputs = |seed: &str| {
        let text = stdout(&run(&["--poke", "rst_n=1", "--seed", seed, "--json"]));
        let report: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        report["outputs"].clone()
    };
    assert_eq!(outputs("5"), outputs("5"));
    assert_ne!(outputs("5"), outputs("6"));
}

#[test]
fn crosscheck_counts_its_cycles() {
    let text = stdout(&run(&["--crosscheck", "--cycles", "200", "--json"]));
    let report: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(report["crosschecked_cycles"], 200);
    let folder = tempfile::tempdir().expect("a folder");
    let spmm = [
        "sim", "spmm", "--rows", "64", "--cols", "8", "--config", "1x1",
    ];
    let spmm = [&spmm[..], &["--crosscheck", "--json"]].concat();
    let report: serde_json::Value =
        serde_json::from_str(&stdout(&weft(&folder, &spmm))).expect("JSON");
    assert!(report["crosschecked_cycles"].as_u64() >= report["cycles"].as_u64());
    assert_eq!(report["equal_to_cpu"], true);
}

#[test]
fn dumps_and_the_list_of_passes() {
    let list = stdout(&run(&["--help"]));
    assert!(list.contains("--dump-after"));
    let folder = tempfile::tempdir().expect("a folder");
    let list = stdout(&weft(&folder, &["sim", "passes"]));
    assert!(list.lines().count() < 24, "one screen:\n{list}");
    for line in list.lines().skip(1) {
        let name = line.split(' ').next().expect("a name");
        let dump = stdout(&run(&["--dump-after", name]));
        // A counter has nothing to pack.
        let may_be_empty = ["partition", "vectorise"].contains(&name);
        assert!(may_be_empty || !dump.is_empty(), "{name}");
    }
    assert!(stdout(&run(&["--dump-after", "dead"])).contains("output count = %"));
}

#[test]
fn waveforms() {
    let folder = tempfile::tempdir().expect("a folder");
    stdout(&weft(&folder, &[&RUN[..], &["--vcd", "c.vcd"]].concat()));
    let text = std::fs::read_to_string(folder.path().join("c.vcd")).expect("a file");
    stdout(&weft(&folder, &[&RUN[..], &["--wave", "c.fst"]].concat()));
    let fst = std::fs::read(folder.path().join("c.fst")).expect("a file");
    // A header block of 329 bytes comes first, as in every FST file; packed, it is far smaller than the dump.
    assert_eq!(fst[..9], [0, 0, 0, 0, 0, 0, 0, 1, 73]);
    assert!(fst.len() * 4 < text.len(), "{} bytes", fst.len());
    assert!(
        text.contains("$var wire 8 ") && text.contains("#9990"),
        "{text}"
    );
}

#[test]
fn mistakes_have_codes() {
    let code = |more: &[&str]| run(more).status.code();
    assert_eq!(code(&["--poke", "nope=1"]), Some(2));
    assert_eq!(code(&["--poke", "step=256"]), Some(2));
    assert_eq!(code(&["--reset", "clk"]), Some(2));
    assert_eq!(code(&["--dump-after", "nope"]), Some(2));
    let folder = tempfile::tempdir().expect("a folder");
    let other = |file, top| {
        weft(&folder, &["sim", "verilog", file, "--top", top])
            .status
            .code()
    };
    assert_eq!(other("none.v", "counter"), Some(4));
    assert_eq!(other("counter.v", "none"), Some(3));
}
