//! Many modules in one Verilator build: a wrapper slices a wide stimulus bus into the inputs of each and gathers its
//! outputs on another, and a small C++ main records the latter every cycle.
//!
//! The buses of the inputs are registered in the wrapper, so that no logic hangs on a port of the top: Verilator would
//! write it out once more for changes of inputs, and compiling its C++ is what the comparison costs. The registers
//! start at zero, so both sides begin with one cycle of zeros.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use weft_sim::{Bits, Design, Source};

use super::Rng;

/// One module to compare.
pub struct Case {
    /// Name of the module.
    pub name: String,
    /// The module and what is below it; cases may share one text, else no name may occur in two.
    pub verilog: String,
    /// Names and contents of the files that it reads.
    pub files: Vec<(String, String)>,
}

/// Whether Verilator can be run; says so loudly if not.
pub fn available() -> bool {
    let found = Command::new("verilator")
        .arg("--version")
        .output()
        .is_ok_and(|o| o.status.success());
    if !found {
        eprintln!("SKIPPED: verilator is not on the PATH, so nothing was compared with it");
    }
    found
}

/// Words that are often near the ends, so that corner cases are met.
fn mixed(rng: &mut Rng) -> u64 {
    let (kind, word) = (rng.word() >> 60, rng.word());
    match kind {
        0 => 0,
        1 => u64::MAX,
        2 => word >> 40,
        3 => word & word >> 7,
        _ => word,
    }
}

/// Random inputs of a design for some cycles.
pub fn random_stimulus(rng: &mut Rng, design: &Design, cycles: u64) -> Vec<Vec<Bits>> {
    let inputs = super::data_inputs(design);
    let mut value = |width: u32| {
        let limbs: Vec<u64> = (0..width.div_ceil(64)).map(|_| mixed(rng)).collect();
        Bits::from_limbs(width, &limbs)
    };
    (0..cycles)
        .map(|_| inputs.iter().map(|(_, w)| value(*w)).collect())
        .collect()
}

/// Inputs that stay for a while and single bits that are mostly one value for some time, so that queues fill and empty
/// and long conditions come true.
pub fn biased_stimulus(rng: &mut Rng, design: &Design, cycles: u64) -> Vec<Vec<Bits>> {
    let inputs = super::data_inputs(design);
    let mut bias = vec![(50, 0); inputs.len()];
    let mut row: Vec<Bits> = inputs.iter().map(|(_, w)| Bits::zero(*w)).collect();
    let mut next = |cycle| {
        for ((value, (_, width)), (ones, hold)) in row.iter_mut().zip(&inputs).zip(&mut bias) {
            if cycle % 48 == 0 {
                (*ones, *hold) = (*rng.pick(&[3, 20, 50, 80, 97]), *rng.pick(&[0, 0, 60, 90]));
            }
            if *width == 1 {
                *value = Bits::bool(rng.chance(*ones));
            } else if !rng.chance(*hold) {
                let limbs: Vec<u64> = (0..width.div_ceil(64)).map(|_| mixed(rng)).collect();
                *value = Bits::from_limbs(*width, &limbs);
            }
        }
        row.clone()
    };
    (0..cycles).map(&mut next).collect()
}

/// How the modules of a build are driven: a shared control port goes to every module that has an input of its name.
pub(super) struct Style {
    pub(super) controls: &'static [&'static str],
    /// Whether the wrapper registers the data at `clock`.
    pub(super) held: bool,
    /// The C++ program around the model.
    pub(super) main: &'static str,
}

/// One clock: outputs before every rising edge.
const ONE_CLOCK: Style = Style {
    controls: &["clock"],
    held: true,
    main: MAIN,
};

const MAIN: &str = r#"
#include <cstdint>
#include <cstdio>
#include "Vall.h"
#include "verilated.h"
double sc_time_stamp() { return 0; }
struct Bus { uint32_t* words; int bits; };
int main() {
    VerilatedContext* context = new VerilatedContext;
    Vall* top = new Vall(context);
    Bus in[] = {IN_BUSES};
    Bus out[] = {OUT_BUSES};
    top->clock = 0;
    top->eval();
    for (;;) {
        for (Bus& b : out) fwrite(b.words, 4, (b.bits + 31) / 32, stdout);
        for (Bus& b : in) {
            size_t words = (b.bits + 31) / 32;
            if (fread(b.words, 4, words, stdin) != words) return 0;
        }
        top->clock = 1;
        top->eval();
        top->clock = 0;
        top->eval();
    }
}
"#;

/// A module of a build: its design, and the parts of its buses.
pub(super) struct Member {
    pub(super) design: Design,
    pub(super) inputs: Vec<(String, u32)>,
    pub(super) outputs: Vec<(String, u32)>,
    in_bits: u32,
    out_bits: u32,
}

impl Member {
    /// The bytes of inputs on its bus.
    pub(super) fn in_bytes(&self, values: &[Bits]) -> Vec<u8> {
        let mut bus = Bits::zero(self.in_bits);
        let mut lo = 0;
        for value in values {
            (0..value.width()).for_each(|i| bus.set(lo + i, value.bit(i)));
            lo += value.width();
        }
        let words = bus.limbs().iter().flat_map(|l| l.to_le_bytes());
        words.take(self.in_bits.div_ceil(32) as usize * 4).collect()
    }
    /// Bytes that its outputs take on their bus.
    pub(super) fn out_bytes(&self) -> usize {
        self.out_bits.div_ceil(32) as usize * 4
    }
    /// Asserts in words where outputs first differ from those on the bus.
    pub(super) fn difference(&self, name: &str, ours: &[Bits], theirs: &[u8]) -> Option<String> {
        let mut lo = 0;
        for ((output, width), value) in self.outputs.iter().zip(ours) {
            let expected = field(theirs, lo, *width);
            lo += width;
            if expected != *value {
                return Some(format!(
                    "{name}: `{output}`: Verilator {expected:x}, weft-sim {value:x}"
                ));
            }
        }
        None
    }
}

/// Buses at least this wide are arrays of words in C++.
const ARRAY_BITS: u32 = 96;

/// The modules of a build, whose data inputs are those that are no controls.
pub(super) fn members(dir: &Path, cases: &[Case], style: &Style) -> Vec<Member> {
    write_files(dir, cases);
    cases.iter().map(|c| member(dir, c, style)).collect()
}

fn member(dir: &Path, c: &Case, style: &Style) -> Member {
    let source = Source::text(&c.name, &c.verilog).within(dir);
    let design = match Design::from_source(source, &c.name) {
        Ok(d) => d,
        Err(e) => panic!("{e}\n{}", c.verilog),
    };
    let inputs: Vec<(String, u32)> = design
        .inputs()
        .filter(|(n, _)| !style.controls.contains(n))
        .map(|(n, w)| (n.to_string(), w))
        .collect();
    let outputs: Vec<(String, u32)> = design.outputs().map(|(n, w)| (n.to_string(), w)).collect();
    let sum = |ports: &[(String, u32)]| ports.iter().map(|p| p.1).sum::<u32>().max(ARRAY_BITS);
    let (in_bits, out_bits) = (sum(&inputs), sum(&outputs));
    Member {
        design,
        inputs,
        outputs,
        in_bits,
        out_bits,
    }
}

/// Compares every case with Verilator, given its inputs in every cycle (one with zeros goes before); returns what
/// differs, one line each.
pub fn compare(
    dir: &Path,
    cases: &[Case],
    stimulus: impl FnMut(usize, &Design) -> Vec<Vec<Bits>>,
) -> Vec<String> {
    let all = |name: &str, design: &Design, inputs: &[Vec<Bits>]| {
        super::lockstep(name, design, inputs.len() as u64, |c| {
            inputs[c as usize].clone()
        })
    };
    compare_with(dir, cases, stimulus, all)
}

/// As [`compare`], with the outputs of every cycle as `run` computes them.
pub fn compare_with(
    dir: &Path,
    cases: &[Case],
    mut stimulus: impl FnMut(usize, &Design) -> Vec<Vec<Bits>>,
    run: impl Fn(&str, &Design, &[Vec<Bits>]) -> Vec<Vec<Bits>>,
) -> Vec<String> {
    let members = members(dir, cases, &ONE_CLOCK);
    let inputs: Vec<Vec<Vec<Bits>>> = members
        .iter()
        .enumerate()
        .map(|(i, m)| {
            let zeros = m.inputs.iter().map(|(_, w)| Bits::zero(*w)).collect();
            let mut rows = vec![zeros];
            rows.extend(stimulus(i, &m.design));
            rows
        })
        .collect();
    let cycles = inputs.iter().map(Vec::len).min().unwrap_or(0);
    let mut bytes = Vec::new();
    for cycle in 1..cycles {
        for (m, rows) in members.iter().zip(&inputs) {
            bytes.extend(m.in_bytes(&rows[cycle]));
        }
    }
    let recorded = record(dir, cases, &members, &ONE_CLOCK, bytes);
    let row: usize = members.iter().map(Member::out_bytes).sum();
    assert_eq!(
        recorded.len(),
        row * cycles,
        "Verilator recorded another number of cycles"
    );
    let mut failures = Vec::new();
    let mut start = 0;
    for (i, (case, m)) in cases.iter().zip(&members).enumerate() {
        let ours = run(&case.name, &m.design, &inputs[i][..cycles]);
        let bytes = m.out_bytes();
        failures.extend(ours.iter().enumerate().find_map(|(cycle, outputs)| {
            let theirs = &recorded[cycle * row + start..][..bytes];
            let what = m.difference(&case.name, outputs, theirs)?;
            Some(format!("{what}, in cycle {cycle}"))
        }));
        start += bytes;
    }
    failures
}

fn field(bytes: &[u8], lo: u32, width: u32) -> Bits {
    let mut out = Bits::zero(width);
    for i in 0..width {
        let at = lo + i;
        out.set(i, bytes[(at / 8) as usize] >> (at % 8) & 1 == 1);
    }
    out
}

/// The files that modules read lie where the Verilated binary runs.
fn write_files(dir: &Path, cases: &[Case]) {
    std::fs::create_dir_all(dir).unwrap();
    for (name, content) in cases.iter().flat_map(|c| &c.files) {
        std::fs::write(dir.join(name), content).unwrap();
    }
}

/// What the Verilated build writes, given the bytes that it reads.
pub(super) fn record(
    dir: &Path,
    cases: &[Case],
    members: &[Member],
    style: &Style,
    stimulus: Vec<u8>,
) -> Vec<u8> {
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
