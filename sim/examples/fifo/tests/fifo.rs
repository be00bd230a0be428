//! The FIFO against a queue, under random traffic, with a waveform of the run.

use std::collections::VecDeque;
use std::fs::File;
use std::path::Path;

use weft_sim::{Design, Options, Probes, Random, Result, Simulator};

const DEPTH: usize = 16;

#[test]
fn behaves_as_a_queue() -> Result<()> {
    let design = Design::from_verilog(&example_fifo::verilog(), "top")?;
    // Every signal stays visible, because a waveform is written. Without one, `design.compile()?` is faster.
    let probes = Probes::All;
    let mut sim = Simulator::new(design.compile_with(&Options { probes })?);
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fifo.vcd");
    sim.trace(File::create(path).expect("the waveform's file"))?;

    let (push, pop) = (
        sim.typed_input::<bool>("push")?,
        sim.typed_input::<bool>("pop")?,
    );
    let data_in = sim.typed_input::<u16>("data_in")?;
    let (full, empty) = (
        sim.typed_output::<bool>("full")?,
        sim.typed_output::<bool>("empty")?,
    );
    let (valid, data_out) = (
        sim.typed_output::<bool>("valid")?,
        sim.typed_output::<u16>("data_out")?,
    );

    let mut random = Random::new(2024);
    let mut queue: VecDeque<u16> = VecDeque::new();
    let mut due = None;
    let (mut was_full, mut was_empty) = (false, false);
    for cycle in 0..5000 {
        // Long spells in which one side is busier fill and empty the FIFO.
        let filling = cycle / 100 % 2 == 0;
        let pushes = random.chance(if filling { 80 } else { 30 });
        let pops = random.chance(if filling { 30 } else { 80 });
        let word = random.word() as u16;
        sim.set(push, pushes);
        sim.set(pop, pops);
        sim.set(data_in, word);
        sim.cycle();

        // Outputs are as they were before the clock edge of this cycle.
        assert_eq!(sim.get(full), queue.len() == DEPTH, "cycle {cycle}");
        assert_eq!(sim.get(empty), queue.is_empty(), "cycle {cycle}");
        assert_eq!(sim.get(valid), due.is_some(), "cycle {cycle}");
        if let Some(word) = due {
            assert_eq!(sim.get(data_out), word, "cycle {cycle}");
        }
        was_full |= sim.get(full);
        was_empty |= sim.get(empty);

        let room = queue.len() < DEPTH;
        due = if pops { queue.pop_front() } else { None };
        if pushes && room {
            queue.push_back(word);
        }
    }
    assert!(was_full && was_empty, "the traffic reaches both ends");
    sim.finish_trace()
}
