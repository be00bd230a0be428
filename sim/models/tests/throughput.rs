//! The card uses at least 95% of what the link allows; `weft bench pcie` measures every case.

use weft_hdl::{CardConfig, CoreConfig};
use weft_models::CardProgram;
use weft_models::throughput::{CYCLES_PER_MICROSECOND, Case, Direction, measure};

#[test]
fn the_link_is_what_limits_in_both_directions() {
    let config = CardConfig::new(CoreConfig::named("8x1").unwrap());
    let program = CardProgram::new(config).unwrap();
    for (direction, payload, latency) in [
        (Direction::Read, 64, 4 * CYCLES_PER_MICROSECOND),
        (Direction::Read, 256, CYCLES_PER_MICROSECOND),
        (Direction::Read, 512, 4 * CYCLES_PER_MICROSECOND),
        (Direction::Write, 64, 4 * CYCLES_PER_MICROSECOND),
        (Direction::Write, 512, CYCLES_PER_MICROSECOND / 2),
    ] {
        let case = Case {
            direction,
            payload,
            latency,
        };
        let found = measure(&program, case, 60_000).unwrap();
        assert!((0.95..1.01).contains(&found.ratio), "{case:?}: {found:?}");
    }
}
