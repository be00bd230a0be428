//! The interlock's property: no bank is asked for a row that one of the four cycles before asked it for, because the sum
//! is not stored until then; and what the rounds unit waits for is such a row, or nothing.

mod common;

use common::bench::Gaps;
use common::simulated::Simulated;
use common::stream::{Random, edges, session};
use weft_hdl::CoreConfig;
use weft_sim::Simulator;

/// Cycles from an operation's entry into a bank in which its row may not enter again.
const FLIGHT: usize = 4;

#[test]
fn no_row_enters_a_bank_while_its_sum_is_under_way() {
    let mut waited = 0;
    for (seed, banks, stream_bytes) in [(5, 1, 4), (6, 4, 4), (7, 8, 4), (8, 16, 8)] {
        let config = CoreConfig {
            banks,
            batch: 1,
            stream_bytes,
            depth: 64,
        };
        let core = Simulated::probed(&config);
        let mut random = Random(seed);
        let mut issued = 0;
        for i in 0..6 {
            let bytes = match i {
                0 => edges(&mut random, &config),
                _ => session(&mut random, &config, 6),
            };
            let gaps = Gaps {
                input: [0, 0, 40][i % 3],
                output: 0,
                seed: i as u64,
            };
            // By bank, the rows of this cycle and those before it, the newest first.
            let mut entered = vec![[None; FLIGHT + 1]; banks];
            core.run_watched(&bytes, gaps, |sim| {
                let at = |path: String| sim.peek(sim.probe(&path).expect("a signal"));
                for (bank, before) in entered.iter_mut().enumerate() {
                    let row = (at(format!("bank${bank}$issue")) == 1)
                        .then(|| at(format!("bank${bank}$address")));
                    assert!(
                        row.is_none() || !before[..FLIGHT].contains(&row),
                        "{config}: bank {bank} takes row {row:?} after {before:?}"
                    );
                    issued += usize::from(row.is_some());
                    before.rotate_right(1);
                    before[0] = row;
                }
                waited += wait(sim, &entered);
            });
        }
        assert!(issued > 1000, "{config}: the streams ask for nothing");
    }
    assert!(waited > 100, "no round met another");
}

/// One if a round waits in this cycle, which must be for a row that entered its bank shortly before.
fn wait(sim: &Simulator, entered: &[[Option<u64>; FLIGHT + 1]]) -> usize {
    let at = |path: String| sim.peek(sim.probe(&path).expect("a signal"));
    if at("rounds$hazard".into()) == 0 {
        return 0;
    }
    let meets = entered.iter().enumerate().any(|(bank, before)| {
        let slot = at(format!("rounds.held_slot${bank}$q"));
        slot >> 10 == 1 && before.contains(&Some(slot & 0x3ff))
    });
    assert!(meets, "a round waits for nothing: {entered:?}");
    1
}
