//! One Verilator build of many modules: the wrapper around them, the C++ main, and the run.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{Case, Member, Style};

/// The files that modules read lie where the Verilated binary runs.
pub(super) fn write_files(dir: &Path, cases: &[Case]) {
    std::fs::create_dir_all(dir).unwrap();
    for (name, content) in cases.iter().flat_map(|c| &c.files) {
        std::fs::write(dir.join(name), content).unwrap();
    }
}

/// What the Verilated build writes, given the bytes that it reads.
pub(in super::super) fn record(
    dir: &Path,
    cases: &[Case],
    members: &[Member],
    style: &Style,
    stimulus: Vec<u8>,
) -> Vec<u8> {
    let (text, main) = sources(cases, members, style);
    let file = |name: &str| -> PathBuf { dir.join(name) };
    let binary = file("build").join("Vall");
    let same =
        |name: &str, text: &str| std::fs::read_to_string(file(name)).is_ok_and(|t| t == text);
    if !(binary.exists() && same("all.v", &text) && same("main.cpp", &main)) {
        let _ = std::fs::remove_dir_all(dir);
        std::fs::create_dir_all(dir).unwrap();
        std::fs::write(file("all.v"), text).unwrap();
        std::fs::write(file("main.cpp"), main).unwrap();
        build(dir);
        write_files(dir, cases);
    }
    let mut run = Command::new(binary)
        .current_dir(dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = run.stdin.take().unwrap();
    let writer = std::thread::spawn(move || stdin.write_all(&stimulus));
    let output = run.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(
        output.status.success(),
        "the Verilated binary failed: {}",
        output.status
    );
    output.stdout
}

/// The Verilog of all modules under their wrapper, and the C++ main.
fn sources(cases: &[Case], members: &[Member], style: &Style) -> (String, String) {
    let mut text = String::new();
    let mut texts = HashSet::new();
    for case in cases.iter().filter(|c| texts.insert(&c.verilog)) {
        text.push_str(&case.verilog);
    }
    let controls = style.controls.iter().map(|c| format!("input wire {c}"));
    let (mut header, mut body): (Vec<String>, _) = (controls.collect(), String::new());
    let (mut in_buses, mut out_buses) = (String::new(), String::new());
    for (i, (c, m)) in cases.iter().zip(members).enumerate() {
        let mut ports = vec![];
        let controls = m
            .design
            .inputs()
            .filter(|(n, _)| style.controls.contains(n));
        ports.extend(controls.map(|(n, _)| format!(".{n}({n})")));
        header.push(format!("input wire [{}:0] in{i}", m.in_bits - 1));
        if style.held {
            let _ = writeln!(
                body,
                "  reg [{}:0] held{i};\n  initial held{i} = 0;",
                m.in_bits - 1
            );
            let _ = writeln!(body, "  always @(posedge clock) held{i} <= in{i};");
        }
        header.push(format!("output wire [{}:0] out{i}", m.out_bits - 1));
        let _ = write!(in_buses, "{{top->in{i}.m_storage, {}}}, ", m.in_bits);
        let _ = write!(out_buses, "{{top->out{i}.m_storage, {}}}, ", m.out_bits);
        for (ports_of, bus) in [
            (&m.inputs, if style.held { "held" } else { "in" }),
            (&m.outputs, "out"),
        ] {
            let mut lo = 0;
            for (name, width) in ports_of {
                ports.push(format!(".{name}({bus}{i}[{}:{lo}])", lo + width - 1));
                lo += width;
            }
        }
        let _ = writeln!(body, "  {} u_{}({});", c.name, c.name, ports.join(", "));
    }
    let _ = writeln!(
        text,
        "\nmodule all({});\n{body}endmodule",
        header.join(", ")
    );
    let main = style
        .main
        .replace("IN_BUSES", &in_buses)
        .replace("OUT_BUSES", &out_buses);
    (text, main)
}

fn build(dir: &Path) {
    let build = Command::new("verilator")
        .args([
            "--cc",
            "--exe",
            "--build",
            "-j",
            "2",
            "--top-module",
            "all",
            "-Wno-fatal",
            "-Wno-lint",
            "-Wno-style",
        ])
        .args([
            "--x-assign",
            "0",
            "--x-initial",
            "0",
            // Less C++ to compile.
            "-fno-expand",
            // This optimisation loses inversions (see "Where Verilator is not followed" in sim/DESIGN.md).
            "-fno-const-bit-op-tree",
            "--output-split",
            "20000",
            "-CFLAGS",
            "-O0",
        ])
        .args([
            "-Wno-UNOPTFLAT",
            "-Wno-SELRANGE",
            "-Wno-COMBDLY",
            "--Mdir",
            "build",
            "main.cpp",
            "all.v",
        ])
        .current_dir(dir)
        .output()
        .unwrap();
    assert!(
        build.status.success(),
        "Verilator failed:\n{}",
        String::from_utf8_lossy(&build.stderr)
    );
}
