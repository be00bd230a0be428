//! Native code against the interpreter: agreement is counted, a planted bug is named by path and cycle.

mod common;

use weft_sim::{Bits, Design, Error, Options, Probes, Random, Simulator};

/// Two levels of hierarchy, a register file and a state that takes a while to reach.
const TEXT: &str = "
module adder(input wire [7:0] a, input wire [7:0] b, input wire odd, output wire [7:0] sum);
    wire [7:0] carryless;
    assign carryless = a ^ b;
    assign sum = odd ? a + b : carryless;
endmodule
module lane(input wire clock, input wire go, input wire [7:0] d, output reg [7:0] total);
    wire [7:0] next;
    reg [7:0] steps;
    initial begin total = 0; steps = 0; end
    adder inner(.a(total), .b(d), .odd(steps > 8'd20), .sum(next));
    always @(posedge clock) if (go) begin total <= next; steps <= steps + 1; end
endmodule
module top(input wire clock, input wire go, input wire [7:0] d, input wire [3:0] at, output wire [7:0] y,
           output wire [7:0] word);
    reg [7:0] file [0:11];
    lane u(.clock(clock), .go(go), .d(d), .total(y));
    always @(posedge clock) if (go) file[at] <= y + d;
    assign word = file[at];
endmodule
";

fn simulator(text: &str, probes: Probes) -> (Design, Simulator) {
    let design = Design::from_verilog(text, "top").unwrap();
    let program = design.compile_with(&Options { probes }).unwrap();
    (design, Simulator::new(program))
}

fn drive(sim: &mut Simulator, cycles: u64) {
    let inputs = ["go", "d", "at"].map(|n| sim.input(n).unwrap());
    let mut random = Random::new(3);
    for _ in 0..cycles {
        for input in inputs {
            let value = match input.width() {
                1 => Bits::new(1, 1),
                width => random.bits(width),
            };
            sim.poke_wide(input, value.limbs());
        }
        sim.cycle();
    }
}

#[test]
fn agreement_survives_everything_a_test_bench_does() {
    for probes in [Probes::None, Probes::All] {
        let (design, mut sim) = simulator(TEXT, probes);
        drive(&mut sim, 30);
        sim.start_crosscheck(&design).unwrap();
        drive(&mut sim, 30);
        let saved = sim.save();
        let (total, file) = (
            sim.register("u.total").unwrap(),
            sim.memory("file").unwrap(),
        );
        sim.write_register(total, &[0x5a]);
        sim.write_memory(file, 3, &[0xa5]).unwrap();
        drive(&mut sim, 20);
        sim.eval().unwrap();
        sim.restore(&saved).unwrap();
        drive(&mut sim, 20);
        sim.reset();
        drive(&mut sim, 20);
        assert_eq!(sim.mismatch(), None);
        assert_eq!(sim.finish_crosscheck(), Ok(30 + 20 + 1 + 20 + 20));
        // Nobody looks on any more.
        drive(&mut sim, 5);
        assert_eq!(sim.finish_crosscheck(), Ok(0));
    }
}

fn planted(probes: Probes, from: &str, to: &str) -> (String, u64) {
    let buggy = TEXT.replacen(from, to, 1);
    assert_ne!(buggy, TEXT, "{from} is planted");
    let (_, mut sim) = simulator(&buggy, probes);
    sim.start_crosscheck(&Design::from_verilog(TEXT, "top").unwrap())
        .unwrap();
    drive(&mut sim, 100);
    let first = sim.mismatch().cloned();
    let error = sim.finish_crosscheck().unwrap_err();
    assert_eq!(Some(&error), first.as_ref());
    match error {
        Error::Mismatch { path, cycle, .. } => (path, cycle),
        other => panic!("{other}"),
    }
}

#[test]
fn a_planted_bug_is_named_by_path_and_cycle() {
    // Steps are counted from the first cycle, so `odd` is first set in cycle 21.
    let arithmetic = ("a + b", "a - b");
    let named = |probes| planted(probes, arithmetic.0, arithmetic.1);
    assert_eq!(named(Probes::All), ("u.inner.sum".into(), 21));
    assert_eq!(named(Probes::None), ("u.total".into(), 21));
    // The cause, not what follows from it: `sum` and `total` differ in the same cycle.
    let cause = planted(Probes::All, "a ^ b", "a | b");
    assert_eq!(cause.0, "u.inner.carryless");
    let word = planted(
        Probes::None,
        "file[at] <= y + d",
        "file[at] <= y + d + (at == 7)",
    );
    assert_eq!(word.0, "file[7]");
    let enable = planted(
        Probes::None,
        "if (go) begin total",
        "if (go && d[2:0] != 3'd3) begin total",
    );
    assert_eq!(enable.0, "u.total");
}

#[test]
fn the_message_reads_as_a_sentence() {
    let buggy = TEXT.replacen("total <= next", "total <= next | 8'h80", 1);
    let (_, mut sim) = simulator(&buggy, Probes::None);
    sim.start_crosscheck(&Design::from_verilog(TEXT, "top").unwrap())
        .unwrap();
    let go = sim.input("go").unwrap();
    sim.poke(go, 1);
    sim.run(3);
    let message = sim.finish_crosscheck().unwrap_err().to_string();
    assert_eq!(
        message,
        "comparing with the interpreter: `u.total` is 8'h80 where it should be 8'h0, first in cycle 0"
    );
}

#[test]
fn another_interface_is_refused() {
    let (_, mut sim) = simulator(TEXT, Probes::None);
    for (from, to) in [
        (
            "input wire go, input wire [7:0] d, input wire [3:0] at",
            "input wire go, input wire [7:0] d, input wire [4:0] at",
        ),
        ("output wire [7:0] word", "output wire [7:0] words"),
    ] {
        let other = TEXT.replacen(from, to, 1).replace(
            "assign word ",
            if to.contains("words") {
                "assign words "
            } else {
                "assign word "
            },
        );
        let other = Design::from_verilog(&other, "top").unwrap();
        assert!(matches!(
            sim.start_crosscheck(&other),
            Err(Error::Access { .. })
        ));
    }
}
