//! The core's Verilog under the project's own simulator.

use super::bench::Gaps;
use super::stream::Random;
use std::sync::Arc;
use weft_hdl::{CoreConfig, generate_verilog};
use weft_sim::{Design, Options, Probes, Program, Simulator, Snapshot};

/// A compiled core.
///
/// Its memories start with random words: nothing that the core answers may depend on what is in them.
pub struct Simulated {
    program: Arc<Program>,
    start: Snapshot,
    stream_bytes: usize,
}

impl Simulated {
    /// Compiles the core of a configuration.
    pub fn new(config: &CoreConfig) -> Self {
        let verilog = generate_verilog(config).expect("a configuration that can be built");
        let design =
            Design::from_verilog(&verilog, "weft_core").expect("Verilog the simulator takes");
        Self::of_design(config, &design).expect("a design without loops")
    }

    /// Compiles the core of a configuration so that every signal can be probed.
    pub fn probed(config: &CoreConfig) -> Self {
        let verilog = generate_verilog(config).expect("a configuration that can be built");
        let design =
            Design::from_verilog(&verilog, "weft_core").expect("Verilog the simulator takes");
        let options = Options {
            probes: Probes::All,
        };
        let program = design.compile_with(&options);
        Self::of_program(config, program.expect("a design without loops")).expect("memories")
    }

    /// Compiles a design that has the pins of this configuration's core.
    pub fn of_design(config: &CoreConfig, design: &Design) -> weft_sim::Result<Self> {
        Self::of_program(config, design.compile()?)
    }

    fn of_program(config: &CoreConfig, program: Arc<Program>) -> weft_sim::Result<Self> {
        let mut sim = Simulator::new(program.clone());
        let mut random = Random(3);
        let memories: Vec<String> = program.memories().map(|(path, ..)| path.into()).collect();
        for path in memories {
            let memory = sim.memory(&path)?;
            for address in 0..memory.depth() {
                sim.write_memory(memory, address, &[random.bits(), random.bits()])?;
            }
        }
        Ok(Self {
            start: sim.save(),
            program,
            stream_bytes: config.stream_bytes,
        })
    }

    /// Sends `bytes` and returns the words that came back and the cycle of the last activity; as the Verilator bench.
    pub fn run(&self, bytes: &[u8], gaps: Gaps) -> (Vec<u32>, u64) {
        self.run_until(bytes, gaps, |_| false)
    }

    /// As `run`, until `enough` says of the words so far that more are of no interest.
    pub fn run_until(
        &self,
        bytes: &[u8],
        gaps: Gaps,
        enough: impl Fn(&[u32]) -> bool,
    ) -> (Vec<u32>, u64) {
        let watch = |_: &Simulator, words: &[u32]| enough(words);
        self.drive(&mut self.started(), bytes, gaps, u64::MAX, watch)
    }

    /// As `run`; `watch` sees the core in every cycle.
    pub fn run_watched(&self, bytes: &[u8], gaps: Gaps, mut watch: impl FnMut(&Simulator)) {
        let watch = |sim: &Simulator, _: &[u32]| {
            watch(sim);
            false
        };
        self.drive(&mut self.started(), bytes, gaps, u64::MAX, watch);
    }

    /// As `run`, but first the core takes `before` for `cycles` clocks, and then `held` clocks of its reset pin. What
    /// answers with the reset lifted.
    pub fn run_after_reset(
        &self,
        before: &[u8],
        cycles: u64,
        held: u64,
        bytes: &[u8],
        gaps: Gaps,
    ) -> Vec<u32> {
        let mut sim = self.started();
        let input = |name| sim.input(name).expect("an input of the core");
        let (in_valid, reset) = (input("in_valid"), input("reset"));
        self.drive(&mut sim, before, gaps, cycles, |_, _| false);
        sim.poke(in_valid, 0);
        sim.poke(reset, 1);
        for _ in 0..held {
            sim.cycle();
        }
        sim.poke(reset, 0);
        self.drive(&mut sim, bytes, gaps, u64::MAX, |_, _| false).0
    }

    /// The core after power-up.
    fn started(&self) -> Simulator {
        let mut sim = Simulator::new(self.program.clone());
        sim.restore(&self.start).expect("the same program");
        sim
    }

    /// Sends `bytes` until nothing has happened for long, `most` cycles have passed, or `watch` has enough: it sees the
    /// core and the words so far in every cycle.
    fn drive(
        &self,
        sim: &mut Simulator,
        bytes: &[u8],
        gaps: Gaps,
        most: u64,
        mut watch: impl FnMut(&Simulator, &[u32]) -> bool,
    ) -> (Vec<u32>, u64) {
        let input = |name| sim.input(name).expect("an input of the core");
        let (in_valid, in_data, out_ready) =
            (input("in_valid"), input("in_data"), input("out_ready"));
        let output = |name| sim.output(name).expect("an output of the core");
        let (in_ready, out_valid, out_data) =
            (output("in_ready"), output("out_valid"), output("out_data"));
        let mut random = Random(gaps.seed);
        let mut draw = || (random.bits() & 255) as u32;
        let mut beats = bytes.chunks_exact(self.stream_bytes);
        let mut beat = None;
        let (mut words, mut cycle, mut last) = (Vec::new(), 0, 0);
        while cycle - last < 3000 && cycle < most {
            if beat.is_none() && draw() >= gaps.input {
                beat = beats.next();
            }
            let little = |b: &[u8]| b.iter().rev().fold(0, |v, &byte| v << 8 | u64::from(byte));
            sim.poke(in_valid, u64::from(beat.is_some()));
            sim.poke(in_data, beat.map_or(0, little));
            let ready = draw() >= gaps.output;
            sim.poke(out_ready, u64::from(ready));
            sim.cycle();
            cycle += 1;
            if beat.is_some() && sim.peek(in_ready) == 1 {
                beat = None;
                last = cycle;
            }
            if ready && sim.peek(out_valid) == 1 {
                words.push(sim.peek(out_data) as u32);
                last = cycle;
            }
            if watch(sim, &words) {
                break;
            }
        }
        (words, last)
    }
}
