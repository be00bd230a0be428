//! Shared by the tests: random numbers, a Verilator build of many modules at once, lockstep comparison.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses a part")]

pub mod core_harness;
pub mod generate;
pub mod several_clocks;
pub mod stimulus;
pub mod verilator;

use weft_sim::{Bits, Design, Options, Probes, Simulator};

/// A small deterministic generator (xorshift64*), the same on both sides of a comparison.
#[derive(Debug, Clone)]
pub struct Rng(u64);

impl Rng {
    pub fn new(seed: u64) -> Self {
        Rng(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }
    pub fn word(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }
    pub fn below(&mut self, n: u64) -> u64 {
        (self.word() >> 11) % n.max(1)
    }
    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len() as u64) as usize]
    }
    /// A value that is often at the edges of its range.
    pub fn value(&mut self, width: u32) -> Bits {
        let limbs: Vec<u64> = (0..width.div_ceil(64)).map(|_| self.word()).collect();
        let random = Bits::from_limbs(width, &limbs);
        match self.below(8) {
            0 => Bits::zero(width),
            1 => Bits::ones(width),
            2 => random.lshr(self.below(u64::from(width))),
            3 => Bits::new(width, self.below(4)),
            _ => random,
        }
    }
}

/// The inputs of a design except its clock.
pub fn data_inputs(design: &Design) -> Vec<(String, u32)> {
    design
        .inputs()
        .filter(|(n, _)| *n != "clock")
        .map(|(n, w)| (n.to_string(), w))
        .collect()
}

/// Runs native code, native code with all probes, and the interpreter side by side; returns the outputs of every
/// cycle in order of declaration. `stimulus` gives the inputs, clock excluded.
pub fn lockstep(
    name: &str,
    design: &Design,
    cycles: u64,
    mut stimulus: impl FnMut(u64) -> Vec<Bits>,
) -> Vec<Vec<Bits>> {
    let mut fast = Simulator::new(design.compile().unwrap_or_else(|e| panic!("{name}: {e}")));
    let probed = Options {
        probes: Probes::All,
    };
    let mut probed = Simulator::new(
        design
            .compile_with(&probed)
            .unwrap_or_else(|e| panic!("{name}: {e}")),
    );
    let mut slow = design.interpreter();
    let inputs = data_inputs(design);
    let outputs: Vec<String> = design.outputs().map(|(n, _)| n.to_string()).collect();
    let mut all = Vec::new();
    for cycle in 0..cycles {
        for ((input, width), value) in inputs.iter().zip(stimulus(cycle)) {
            assert_eq!(value.width(), *width);
            for sim in [&mut fast, &mut probed] {
                sim.poke_wide(sim.input(input).unwrap(), value.limbs());
            }
            assert!(slow.poke(input, value));
        }
        fast.cycle();
        probed.cycle();
        slow.cycle();
        let mut row = Vec::new();
        for output in &outputs {
            let truth = slow.peek(output).unwrap();
            for (which, sim) in [("plain", &fast), ("probed", &probed)] {
                let value = sim.peek_bits(sim.output(output).unwrap());
                assert_eq!(
                    value, *truth,
                    "{name}: {which} code differs in `{output}` in cycle {cycle}"
                );
            }
            row.push(truth.clone());
        }
        for (path, _) in design.signals() {
            if let Ok(p) = probed.probe(path) {
                let value = probed.peek_bits(p);
                assert_eq!(
                    Some(&value),
                    slow.peek(path),
                    "{name}: probe `{path}` in cycle {cycle}"
                );
            }
        }
        all.push(row);
    }
    all
}
