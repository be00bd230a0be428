//! The comparison with the twin is worth something: bugs planted in the Verilog make it fail.

mod common;

use common::bench::{Bench, Gaps, verilator};
use common::stream::{Random, corrupted, hostile, session};
use weft_hdl::{CoreConfig, Twin, generate_verilog};

/// A small core on which short columns are common.
const CONFIG: CoreConfig = CoreConfig {
    banks: 4,
    batch: 2,
    stream_bytes: 4,
    depth: 64,
};

/// Whether some random stream tells the mutant from the twin.
fn caught(from: &str, to: &str) -> bool {
    let verilog = generate_verilog(&CONFIG).unwrap();
    assert!(verilog.contains(from), "nothing to plant: {from}");
    let bench = Bench::of_text(&CONFIG, &verilog.replace(from, to));
    let mut random = Random(11);
    (0..12).any(|i| {
        let streams = [
            session(&mut random, &CONFIG, 4),
            hostile(&mut random, &CONFIG),
            corrupted(&mut random, &CONFIG),
        ];
        streams.iter().any(|bytes| {
            let mut twin = Twin::new(CONFIG);
            twin.push(bytes);
            let gaps = Gaps {
                input: 80 * (i % 2),
                output: 80 * (i / 2 % 2),
                seed: u64::from(i),
            };
            bench.run(bytes, gaps).0 != twin.responses()
        })
    })
}

macro_rules! planted {
    ($($(#[$attribute:meta])* $test:ident: $from:literal => $to:literal;)*) => {$(
        #[test]
        $(#[$attribute])*
        fn $test() {
            assert!(!verilator() || caught($from, $to), "the planted bug was not noticed");
        }
    )*};
}

planted! {
    no_interlock: "go = served && held_free$q;" => "go = served;";
    #[ignore = "long: run with --include-ignored"]
    interlock_one_stage_short: "near3 = 1'b1;" => "near3 = 1'b0;";
    #[ignore = "long: run with --include-ignored"]
    rounding_down: "((decoder$product[32'h6]) & 8'hff)" => "8'h0";
    #[ignore = "long: run with --include-ignored"]
    one_half_of_the_scales: "half$d = ~half$q;" => "half$d = half$q;";
    #[ignore = "long: run with --include-ignored"]
    sums_not_cleared: "sum$d = 32'h0;" => "sum$d = sum$q;";
    #[ignore = "long: run with --include-ignored"]
    padding_kept: "padded$d = ~plain$q && ~fewer[32'h3];" => "padded$d = 1'b0;";
    #[ignore = "long: run with --include-ignored"]
    length_not_checked: "(~consume || left_more$q)" => "1'b0";
    #[ignore = "long: run with --include-ignored"]
    masks_overflow: "mask_full$d = 1'b1;" => "mask_full$d = 1'b0;";
    #[ignore = "long: run with --include-ignored"]
    answers_overflow: "outstanding$d = outstanding$q + 32'h1;" => "outstanding$d = outstanding$q;";
    #[ignore = "long: run with --include-ignored"]
    activations_too_early: "activations$ready && ~|first_pipe$q" => "activations$ready";
    #[ignore = "long: run with --include-ignored"]
    third_group_let_in: "groups$q[32'h1]" => "1'b0";
}
