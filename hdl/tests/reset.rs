//! The core's reset pin, which a board holds until its clock is good: wherever the core was, it answers afterwards as
//! one that was just switched on.

mod common;

use common::bench::Gaps;
use common::simulated::Simulated;
use common::stream::{Random, hostile, read_fresh, session};
use weft_hdl::{CoreConfig, Twin};

#[test]
fn a_core_that_was_reset_anywhere_answers_as_a_new_one() {
    let wide = CoreConfig {
        banks: 4,
        batch: 4,
        stream_bytes: 8,
        depth: 64,
    };
    let small = CoreConfig {
        stream_bytes: 4,
        ..wide
    };
    for (seed, config) in (7..).zip([wide, small]) {
        let simulated = Simulated::new(&config);
        let mut random = Random(seed);
        let mut lost = 0;
        for i in 0..40 {
            let before = match i % 2 {
                0 => session(&mut random, &config, 3),
                _ => hostile(&mut random, &config),
            };
            let cycles = 600 + random.bits() % (before.len() as u64);
            let mut after = Vec::new();
            read_fresh(&mut after);
            after.extend(session(&mut random, &config, 1));
            let gaps = Gaps {
                input: [0, 60][i % 2],
                output: [0, 200][i / 2 % 2],
                seed: i as u64,
            };
            let mut twin = Twin::new(config);
            twin.push(&after);
            let expected = twin.responses();
            let answers = simulated.run_after_reset(&before, cycles, 16, &after, gaps);
            assert_eq!(answers, expected, "{config}, reset after {cycles}");
            // Without the reset the same words meet a core in the middle of something.
            let answers = simulated.run_after_reset(&before, cycles, 0, &after, gaps);
            lost += usize::from(answers != expected);
        }
        assert!(
            lost > 10,
            "{config}: the resets came when the core was idle"
        );
    }
}
