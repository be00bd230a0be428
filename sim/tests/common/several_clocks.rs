//! Modules of several clocks and asynchronous resets beside Verilator: each step moves one clock or all of them, and
//! the settled outputs before and after it are compared.

use std::path::Path;

use weft_sim::{Bits, Design, Options, Probes, Simulator};

use super::Rng;
use super::verilator::{Case, Member, Style, members, record};

/// Names of the clocks that modules may have, and of the resets.
pub const CLOCKS: [&str; 3] = ["c0", "c1", "c2"];
/// The first is active while high, the second while low.
pub const RESETS: [&str; 2] = ["rst", "rst_n"];

const STYLE: Style = Style {
    controls: &["c0", "c1", "c2", "rst", "rst_n"],
    held: false,
    main: MAIN,
};

/// Reads resets, clocks that move and data; writes the outputs before and after the clocks rise and fall.
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
    for (;;) {
        uint8_t control[2];
        if (fread(control, 1, 2, stdin) != 2) return 0;
        for (Bus& b : in) {
            size_t words = (b.bits + 31) / 32;
            if (fread(b.words, 4, words, stdin) != words) return 1;
        }
        top->rst = control[0] & 1;
        top->rst_n = control[0] >> 1 & 1;
        top->eval();
        for (Bus& b : out) fwrite(b.words, 4, (b.bits + 31) / 32, stdout);
        top->c0 = control[1] & 1;
        top->c1 = control[1] >> 1 & 1;
        top->c2 = control[1] >> 2 & 1;
        top->eval();
        top->c0 = top->c1 = top->c2 = 0;
        top->eval();
        for (Bus& b : out) fwrite(b.words, 4, (b.bits + 31) / 32, stdout);
    }
}
"#;

/// One step of every module of a build.
struct Step {
    /// Levels of [`RESETS`], a bit each.
    resets: u8,
    /// Which of [`CLOCKS`] move: one, or all.
    clocks: u8,
}

/// Resets that come now and then and stay for a while; none at first, as an edge there is a matter of taste.
fn steps(rng: &mut Rng, count: u64) -> Vec<Step> {
    let mut resets = 0b10;
    (0..count)
        .map(|n| {
            if n > 0 && rng.chance(25) {
                let next = *rng.pick(&[0b10, 0b10, 0b11, 0b00, 0b01]);
                // A reset that ends while another one holds is no event in Verilog, so that the other one has to wait
                // for the clock there (see "Where Verilator is not followed" in sim/DESIGN.md).
                resets = if (resets, next) == (0b01, 0b00) {
                    0b10
                } else {
                    next
                };
            }
            Step {
                resets,
                clocks: *rng.pick(&[0b001, 0b010, 0b100, 0b111]),
            }
        })
        .collect()
}

/// Compares every case with Verilator in `count` steps on random data; returns what differs, a line a case.
pub fn compare(dir: &Path, cases: &[Case], count: u64, rng: &mut Rng) -> Vec<String> {
    let members = members(dir, cases, &STYLE);
    let steps = steps(rng, count);
    let data: Vec<Vec<Vec<Bits>>> = members
        .iter()
        .map(|m| {
            // Zeros at first, as a reset may be made of data.
            let zeros = m.inputs.iter().map(|(_, w)| Bits::zero(*w)).collect();
            let row = |_: &Step| m.inputs.iter().map(|(_, w)| rng.value(*w)).collect();
            let rest = steps.iter().skip(1).map(row);
            std::iter::once(zeros).chain(rest).collect()
        })
        .collect();
    let mut bytes = Vec::new();
    for (n, step) in steps.iter().enumerate() {
        bytes.extend([step.resets, step.clocks]);
        for (m, rows) in members.iter().zip(&data) {
            bytes.extend(m.in_bytes(&rows[n]));
        }
    }
    let recorded = record(dir, cases, &members, &STYLE, bytes);
    let row: usize = members.iter().map(Member::out_bytes).sum();
    assert_eq!(recorded.len(), 2 * row * steps.len(), "steps recorded");
    let mut failures = Vec::new();
    let mut start = 0;
    for ((case, m), rows) in cases.iter().zip(&members).zip(&data) {
        let ours = run(m, &case.name, &steps, rows);
        failures.extend(ours.iter().enumerate().find_map(|(n, outputs)| {
            let theirs = &recorded[n * row + start..][..m.out_bytes()];
            let what = m.difference(&case.name, outputs, theirs)?;
            let when = ["before", "after"][n % 2];
            Some(format!("{what}, {when} step {}", n / 2))
        }));
        start += m.out_bytes();
    }
    failures
}

/// The outputs before and after every step, alike in plain code, probed code and the interpreter.
fn run(m: &Member, name: &str, steps: &[Step], rows: &[Vec<Bits>]) -> Vec<Vec<Bits>> {
    let probed = Options {
        probes: Probes::All,
    };
    let mut sims: Vec<Simulator> = [Options::default(), probed]
        .iter()
        .map(|options| {
            let program = m.design.compile_with(options);
            Simulator::new(program.unwrap_or_else(|e| panic!("{name}: {e}")))
        })
        .collect();
    for sim in &mut sims {
        sim.start_crosscheck(&m.design).unwrap();
    }
    let mut all = Vec::new();
    for (step, row) in steps.iter().zip(rows) {
        for sim in &mut sims {
            for (n, reset) in RESETS.iter().enumerate() {
                if let Ok(input) = sim.input(reset) {
                    sim.poke(input, (step.resets >> n & 1).into());
                }
            }
            for ((input, _), value) in m.inputs.iter().zip(row) {
                sim.poke_wide(sim.input(input).unwrap(), value.limbs());
            }
        }
        all.push(settled(&m.design, name, &mut sims));
        for sim in &mut sims {
            match CLOCKS.get(step.clocks.trailing_zeros() as usize) {
                Some(clock) if step.clocks.is_power_of_two() => {
                    if let Ok(clock) = sim.clock(clock) {
                        sim.step(clock);
                    }
                }
                _ => sim.cycle(),
            }
        }
        all.push(settled(&m.design, name, &mut sims));
    }
    for sim in &mut sims {
        sim.finish_crosscheck()
            .unwrap_or_else(|e| panic!("{name}: {e}"));
    }
    all
}

fn settled(design: &Design, name: &str, sims: &mut [Simulator]) -> Vec<Bits> {
    let mut outputs = sims.iter_mut().map(|sim| {
        sim.eval().unwrap();
        let values = design
            .outputs()
            .map(|(n, _)| sim.peek_bits(sim.output(n).unwrap()));
        values.collect::<Vec<Bits>>()
    });
    let first = outputs.next().unwrap();
    outputs.for_each(|other| assert_eq!(other, first, "{name}: plain and probed code"));
    first
}
