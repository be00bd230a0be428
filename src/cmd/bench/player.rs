//! The Weft side of a comparison: plays recorded cycles and folds every output of every cycle into one word. The C++
//! side, `player.cpp`, does the same in the same order.

use std::sync::Arc;
use std::time::{Duration, Instant};

use weft_sim::{Input, Program, Signal, Simulator};

use super::stimulus::Cycle;

/// What one run over all cycles took and gave.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Played {
    /// Processor time.
    pub(super) seconds: f64,
    /// All outputs of all cycles.
    pub(super) outputs: u64,
    /// Words that the core answered.
    pub(super) answers: u64,
}

/// A simulator with its ports looked up.
pub(super) struct Player {
    pub(super) sim: Simulator,
    in_valid: Input,
    in_data: Input,
    in_ready: Signal,
    out_valid: Signal,
    out_data: Signal,
}

impl Player {
    /// A core in its initial state whose answers are always taken.
    pub(super) fn new(program: Arc<Program>) -> weft_sim::Result<Self> {
        let mut sim = Simulator::new(program);
        let out_ready = sim.input("out_ready")?;
        sim.poke(out_ready, 1);
        Ok(Player {
            in_valid: sim.input("in_valid")?,
            in_data: sim.input("in_data")?,
            in_ready: sim.output("in_ready")?,
            out_valid: sim.output("out_valid")?,
            out_data: sim.output("out_data")?,
            sim,
        })
    }

    /// Plays the cycles from wherever the core is.
    pub(super) fn play(&mut self, stimulus: &[Cycle]) -> Played {
        let from = processor_time();
        let (mut outputs, mut answers) = (0u64, 0);
        for cycle in stimulus {
            self.sim.poke(self.in_valid, cycle.valid.into());
            self.sim.poke(self.in_data, cycle.data);
            self.sim.cycle();
            let valid = self.sim.peek(self.out_valid);
            let word =
                self.sim.peek(self.in_ready) << 33 | valid << 32 | self.sim.peek(self.out_data);
            outputs = (outputs.rotate_left(5) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            answers += valid;
        }
        let seconds = processor_time().saturating_sub(from).as_secs_f64();
        Played {
            seconds,
            outputs,
            answers,
        }
    }
}

/// Processor time of this thread, which other programs disturb less than the clock on the wall.
#[cfg(unix)]
fn processor_time() -> Duration {
    let t = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(
        u64::try_from(t.tv_sec).unwrap_or(0),
        u32::try_from(t.tv_nsec).unwrap_or(0),
    )
}

/// Wall time, where no processor time is to be had.
#[cfg(not(unix))]
fn processor_time() -> Duration {
    std::time::SystemTime::UNIX_EPOCH
        .elapsed()
        .unwrap_or_default()
}

/// Seconds from the Verilog text to the end of the first cycle, and the program.
pub(super) fn start_up(verilog: &str, top: &str) -> anyhow::Result<(f64, Arc<Program>)> {
    let start = Instant::now();
    let program = weft_sim::Design::from_verilog(verilog, top)?.compile()?;
    Simulator::new(program.clone()).cycle();
    Ok((start.elapsed().as_secs_f64(), program))
}
