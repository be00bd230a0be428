//! Many modules in one Verilator build: a wrapper slices a wide stimulus bus into the inputs of each and gathers its
//! outputs on another, and a small C++ main records the latter every cycle.
//!
//! The buses of the inputs are registered in the wrapper, so that no logic hangs on a port of the top: Verilator would
//! write it out once more for changes of inputs, and compiling its C++ is what the comparison costs. The registers
//! start at zero, so both sides begin with one cycle of zeros.

mod build;

use std::path::Path;
use std::process::Command;

use weft_sim::{Bits, Design, Source};

pub(super) use build::record;

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
    build::write_files(dir, cases);
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
