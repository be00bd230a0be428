//! The core's reset pin, which a board holds until its clock is good: wherever the core was, it answers afterwards as
//! one that was just switched on.

mod common;

use common::restarts::restarts;
use common::simulated::Simulated;
use weft_hdl::CoreConfig;

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
        let mut lost = 0;
        for case in restarts(config, seed, 40) {
            let answers = case.answers(&simulated, 16);
            assert_eq!(answers, case.expected, "{config}, after {}", case.cycles);
            // Without the reset the same words meet a core in the middle of something.
            lost += usize::from(case.answers(&simulated, 0) != case.expected);
        }
        assert!(
            lost > 10,
            "{config}: the resets came when the core was idle"
        );
    }
}
