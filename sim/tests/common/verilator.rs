//! Many modules in one Verilator build: a wrapper slices one wide stimulus bus into their inputs and gathers their
//! outputs on another, and a small C++ main records the latter every cycle.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use weft_sim::{Bits, Design};

use super::Rng;

/// One module to compare.
pub struct Case {
    /// Name of the module and prefix of its submodules.
    pub name: String,
    pub verilog: String,
}

/// Whether Verilator can be run; says so loudly if not.
pub fn available() -> bool {
    let found = Command::new("verilator").arg("--version").output().is_ok_and(|o| o.status.success());
    if !found {
        eprintln!("SKIPPED: verilator is not on the PATH, so nothing was compared with it");
    }
    found
}

/// The stimulus of one cycle for a bus of `width` bits: the main function below draws the same.
fn stimulus(rng: &mut Rng, width: u32) -> Bits {
    let limbs: Vec<u64> = (0..width.div_ceil(64)).map(|_| mixed(rng)).collect();
    Bits::from_limbs(width, &limbs)
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

const MAIN: &str = r#"
#include <cstdint>
#include <cstdio>
#include "Vall.h"
#include "verilated.h"
double sc_time_stamp() { return 0; }
static uint64_t state = SEED;
static uint64_t next() {
    state ^= state >> 12; state ^= state << 25; state ^= state >> 27;
    return state * 0x2545f4914f6cdd1dull;
}
static uint64_t mixed() {
    uint64_t kind = next() >> 60, word = next();
    switch (kind) {
        case 0: return 0;
        case 1: return ~0ull;
        case 2: return word >> 40;
        case 3: return word & (word >> 7);
        default: return word;
    }
}
int main() {
    VerilatedContext context;
    Vall top(&context);
    for (int cycle = 0; cycle < CYCLES; cycle++) {
        for (int i = 0; i < IN_BITS; i += 64) {
            uint64_t word = mixed();
            if (IN_BITS - i < 64) word &= (1ull << (IN_BITS - i)) - 1;
            top.in_bus.m_storage[i / 32] = (uint32_t)word;
            if (i / 32 + 1 < (IN_BITS + 31) / 32) top.in_bus.m_storage[i / 32 + 1] = (uint32_t)(word >> 32);
        }
        top.clock = 0;
        top.eval();
        fwrite(top.out_bus.m_storage, 4, (OUT_BITS + 31) / 32, stdout);
        top.clock = 1;
        top.eval();
    }
    return 0;
}
"#;

fn seed_state(seed: u64) -> u64 {
    seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1
}

struct Member {
    design: Design,
    inputs: Vec<(String, u32)>,
    outputs: Vec<(String, u32)>,
    in_lo: u32,
    out_lo: u32,
}

/// Compares every case with Verilator for `cycles` cycles; returns what differs, one line each.
pub fn compare(dir: &Path, cases: &[Case], cycles: u64, seed: u64) -> Vec<String> {
    let mut members = Vec::new();
    let (mut in_bits, mut out_bits) = (0, 0);
    let mut failures = Vec::new();
    for c in cases {
        let design = match Design::from_verilog_named(&c.name, &c.verilog, &c.name) {
            Ok(d) => d,
            Err(e) => panic!("{e}\n{}", c.verilog),
        };
        let inputs = super::data_inputs(&design);
        let outputs: Vec<(String, u32)> = design.outputs().map(|(n, w)| (n.to_string(), w)).collect();
        let member = Member { in_lo: in_bits, out_lo: out_bits, design, inputs, outputs };
        in_bits += member.inputs.iter().map(|i| i.1).sum::<u32>();
        out_bits += member.outputs.iter().map(|o| o.1).sum::<u32>();
        members.push(member);
    }
    // Both buses are arrays of words in C++ only when they are wide enough.
    let (in_bits, out_bits) = (in_bits.max(96), out_bits.max(96));
    let recorded = record(dir, cases, &members, in_bits, out_bits, cycles, seed);
    let row = out_bits.div_ceil(32) as usize * 4;
    assert_eq!(recorded.len(), row * cycles as usize, "Verilator recorded another number of cycles");
    let mut rng = Rng(seed_state(seed));
    let inputs: Vec<Bits> = (0..cycles).map(|_| stimulus(&mut rng, in_bits)).collect();
    for (case, m) in cases.iter().zip(&members) {
        let ours = super::lockstep(&case.name, &m.design, cycles, |cycle| {
            let mut lo = m.in_lo;
            let bus = &inputs[cycle as usize];
            m.inputs
                .iter()
                .map(|(_, w)| {
                    lo += w;
                    bus.slice(lo - w, *w)
                })
                .collect()
        });
        'cycles: for (cycle, outputs) in ours.iter().enumerate() {
            let bytes = &recorded[cycle * row..][..row];
            let mut lo = m.out_lo;
            for ((name, width), value) in m.outputs.iter().zip(outputs) {
                let theirs = field(bytes, lo, *width);
                lo += width;
                if theirs != *value {
                    failures.push(format!(
                        "{}: `{name}` in cycle {cycle}: Verilator {theirs:x}, weft-sim {value:x}",
                        case.name
                    ));
                    break 'cycles;
                }
            }
        }
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

fn record(
    dir: &Path,
    cases: &[Case],
    members: &[Member],
    in_bits: u32,
    out_bits: u32,
    cycles: u64,
    seed: u64,
) -> Vec<u8> {
    let mut text = String::new();
    cases.iter().for_each(|c| text.push_str(&c.verilog));
    let (ih, oh) = (in_bits - 1, out_bits - 1);
    let _ = writeln!(text, "\nmodule all(input wire clock, input wire [{ih}:0] in_bus, output wire [{oh}:0] out_bus);");
    for (c, m) in cases.iter().zip(members) {
        let mut ports = vec![];
        if m.design.inputs().any(|(n, _)| n == "clock") {
            ports.push(".clock(clock)".to_string());
        }
        for (ports_of, bus, mut lo) in [(&m.inputs, "in_bus", m.in_lo), (&m.outputs, "out_bus", m.out_lo)] {
            for (name, width) in ports_of {
                ports.push(format!(".{name}({bus}[{}:{lo}])", lo + width - 1));
                lo += width;
            }
        }
        let _ = writeln!(text, "  {} u_{}({});", c.name, c.name, ports.join(", "));
    }
    text.push_str("endmodule\n");
    let _ = std::fs::remove_dir_all(dir);
    std::fs::create_dir_all(dir).unwrap();
    let file = |name: &str| -> PathBuf { dir.join(name) };
    std::fs::write(file("all.v"), text).unwrap();
    let main = MAIN
        .replace("SEED", &format!("{}ull", seed_state(seed)))
        .replace("CYCLES", &cycles.to_string())
        .replace("IN_BITS", &in_bits.to_string())
        .replace("OUT_BITS", &out_bits.to_string());
    std::fs::write(file("main.cpp"), main).unwrap();
    let build = Command::new("verilator")
        .args(["--cc", "--exe", "--build", "-j", "2", "--top-module", "all", "-Wno-fatal", "-Wno-lint", "-Wno-style"])
        .args(["--x-assign", "0", "--x-initial", "0", "--output-split", "20000", "-CFLAGS", "-O0"])
        .args(["-Wno-UNOPTFLAT", "-Wno-SELRANGE", "-Wno-COMBDLY", "--Mdir"])
        .arg(file("build"))
        .arg(file("main.cpp"))
        .arg(file("all.v"))
        .output()
        .unwrap();
    assert!(build.status.success(), "Verilator failed:\n{}", String::from_utf8_lossy(&build.stderr));
    let run = Command::new(file("build").join("Vall")).output().unwrap();
    assert!(run.status.success(), "the Verilated binary failed");
    run.stdout
}
