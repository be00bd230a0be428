//! Feeds packet bytes to the core with hesitation on both sides and collects the words that it answers.

use std::sync::Arc;

use weft_sim::{Bits, Input, Program, Signal, Simulator};

use super::Rng;

pub struct Harness {
    pub sim: Simulator,
    stream_bytes: usize,
    in_valid: Input,
    in_data: Input,
    out_ready: Input,
    in_ready: Signal,
    out_valid: Signal,
    out_data: Signal,
    record: Option<Vec<Vec<Bits>>>,
}

impl Harness {
    pub fn new(program: Arc<Program>, stream_bytes: usize) -> Self {
        let sim = Simulator::new(program);
        let (input, output) = (|n| sim.input(n).unwrap(), |n| sim.output(n).unwrap());
        Harness {
            stream_bytes,
            in_valid: input("in_valid"),
            in_data: input("in_data"),
            out_ready: input("out_ready"),
            in_ready: output("in_ready"),
            out_valid: output("out_valid"),
            out_data: output("out_data"),
            record: None,
            sim,
        }
    }

    /// Keeps the inputs of every cycle from now on, in the order in which the core declares them.
    pub fn record(&mut self) {
        self.record = Some(Vec::new());
    }

    pub fn recorded(&mut self) -> Vec<Vec<Bits>> {
        self.record.take().unwrap_or_default()
    }

    /// Runs until nothing moved for `quiet` cycles. Gaps are chances in 256 of a cycle without a beat or a word.
    pub fn run(&mut self, bytes: &[u8], in_gap: u64, out_gap: u64, quiet: u64) -> Vec<u32> {
        let mut rng = Rng::new(bytes.len() as u64);
        let mut beats = bytes.chunks_exact(self.stream_bytes).map(|beat| {
            beat.iter()
                .rev()
                .fold(0u64, |word, byte| word << 8 | u64::from(*byte))
        });
        let mut offered = None;
        let mut words = Vec::new();
        let mut idle = 0;
        while idle < quiet {
            if offered.is_none() && (in_gap == 0 || rng.below(256) >= in_gap) {
                offered = beats.next();
            }
            let ready = out_gap == 0 || rng.below(256) >= out_gap;
            let data = offered.unwrap_or(0);
            self.sim.poke(self.in_valid, u64::from(offered.is_some()));
            self.sim.poke(self.in_data, data);
            self.sim.poke(self.out_ready, u64::from(ready));
            if let Some(r) = &mut self.record {
                // In the order of the ports, the clock apart: no reset.
                r.push(vec![
                    Bits::new(1, 0),
                    Bits::new(1, u64::from(offered.is_some())),
                    Bits::new(self.in_data.width(), data),
                    Bits::new(1, u64::from(ready)),
                ]);
            }
            self.sim.cycle();
            idle += 1;
            if offered.is_some() && self.sim.peek(self.in_ready) == 1 {
                offered = None;
                idle = 0;
            }
            if ready && self.sim.peek(self.out_valid) == 1 {
                words.push(self.sim.peek(self.out_data) as u32);
                idle = 0;
            }
        }
        words
    }
}
