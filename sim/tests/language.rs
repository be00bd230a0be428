//! Mistakes and how they are explained, limits, names; what hostile text does (nothing worse than an error).
//! What is outside the subset is in `refused.rs`.

mod common;

use common::Rng;
use weft_sim::{Bits, Design, Error, Options, Probes, Simulator};

fn wrap(body: &str) -> String {
    format!(
        "module t(input wire clock, input wire [7:0] a, output reg [7:0] y);\n{body}\nendmodule\n"
    )
}

fn message(text: &str) -> String {
    Design::from_verilog_named("t.v", text, "t")
        .expect_err(text)
        .to_string()
}

#[test]
fn mistakes_are_explained() {
    let cases = [
        ("always @(*) y = b;", "`b` is not declared"),
        ("assign y = a; assign y = 8'd1;", "more than one driver"),
        ("missing u(.x(a));", "module `missing` is not defined"),
        (
            "always @(*) if (a[0]) y = a;",
            "combinational loop (or inferred latch) through y",
        ),
        ("always @(*) y = y + a;", "combinational loop"),
        (
            "reg c; always @(*) c = a[0] & clock; always @(posedge c) y <= a;",
            "gated or derived clock",
        ),
        (
            "reg q; always @(posedge clock) y <= q; always @(posedge a[0]) q <= 1;",
            "`q` has a gated or derived clock",
        ),
        ("always @(*) y = {a", "expected `}`"),
        ("wire [3:0] y;", "declared twice"),
        (
            "always @(posedge clock) y[9] <= 1;",
            "outside the declared range",
        ),
    ];
    for (body, expected) in cases {
        let text = match Design::from_verilog_named("t.v", &wrap(body), "t") {
            Err(e) => e.to_string(),
            Ok(d) => d.compile().expect_err(body).to_string(),
        };
        assert!(text.contains(expected), "{expected}: {text}");
    }
}

#[test]
fn limits_hold() {
    let deep = format!(
        "assign y = {}a{};",
        "(".repeat(100_000),
        ")".repeat(100_000)
    );
    let cases = [
        (wrap(&deep), "MAX_NESTING"),
        (wrap("wire [99999999:0] w;"), "MAX_WIDTH"),
        (wrap("reg [7:0] m [0:2147483646];"), "MAX_MEMORY_BITS"),
        (wrap("assign y = {99999999{a}};"), "MAX_WIDTH"),
        (
            wrap("integer i; initial for (i = 0; i >= 0; i = i + 0) y = i;"),
            "MAX_LOOP_ITERATIONS",
        ),
        (
            "module t(input wire a); t u(.a(a)); endmodule".into(),
            "MAX_HIERARCHY",
        ),
        (
            wrap(&format!("assign y = a{};", " + a".repeat(5000))),
            "MAX_NESTING",
        ),
    ];
    for (text, limit) in cases {
        let got = message(&text);
        assert!(
            got.contains(limit),
            "{limit}: {}",
            &got[..got.len().min(200)]
        );
    }
}

/// Cuts, swaps and flips of real text: an error or a design, never a panic.
#[test]
fn damaged_text_never_panics() {
    let seed_text =
        common::generate::module("t", 5) + &wrap("initial y = 0;").replace("module t", "module s");
    let mut rng = Rng::new(99);
    let (mut refused, mut accepted) = (0, 0);
    for _ in 0..600 {
        let mut bytes = seed_text.clone().into_bytes();
        for _ in 0..1 + rng.below(4) {
            let (at, len) = (
                rng.below(bytes.len() as u64) as usize,
                rng.below(30) as usize,
            );
            let end = (at + len).min(bytes.len());
            match rng.below(4) {
                0 => drop(bytes.drain(at..end)),
                1 => bytes[at] = *rng.pick(b"()[]{}:;,=<>'09azx?*\"`\n\\$"),
                2 => bytes.truncate(at.max(1)),
                _ => {
                    let piece = bytes[at..end].to_vec();
                    let to = rng.below(bytes.len() as u64) as usize;
                    bytes.splice(to..to, piece);
                }
            }
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        match Design::from_verilog(&text, "t").and_then(|d| d.compile()) {
            Ok(program) => {
                Simulator::new(program).run(3);
                accepted += 1;
            }
            Err(e) => {
                assert!(!e.to_string().is_empty());
                refused += 1;
            }
        }
    }
    assert!(
        refused > 100 && accepted > 5,
        "{refused} refused, {accepted} accepted: the damage means something"
    );
}

#[test]
fn names_that_do_not_exist_are_answered_with_those_that_do() {
    let design = Design::from_verilog(&wrap("always @(posedge clock) y <= a;"), "t").unwrap();
    let sim = Simulator::new(design.compile().unwrap());
    assert!(
        sim.input("clock")
            .unwrap_err()
            .to_string()
            .contains("a clock")
    );
    assert!(
        sim.output("z")
            .unwrap_err()
            .to_string()
            .contains("there are y")
    );
    assert!(matches!(sim.probe("a"), Err(Error::NoSuchName { .. })));
    let wrong = Options {
        probes: Probes::Paths(vec!["nope.y".into()]),
    };
    assert!(
        design
            .compile_with(&wrong)
            .unwrap_err()
            .to_string()
            .contains("did you mean y")
    );
    assert!(Design::from_verilog("module m; endmodule", "t").is_err());
}

#[test]
fn registers_memories_and_settling() {
    let text = wrap(
        "reg [7:0] m [0:5]; reg [69:0] wide; initial begin y = 3; m[5] = 9; wide = 70'h3f_0000_0000_0000_0001; end
         always @(posedge clock) begin y <= y + a; m[a] <= y; wide <= wide + a; end
         wire [7:0] word; assign word = m[a] ^ wide[7:0];",
    );
    let design = Design::from_verilog(&text, "t").unwrap();
    let probes = Options {
        probes: Probes::Paths(vec!["word".into()]),
    };
    let mut sim = Simulator::new(design.compile_with(&probes).unwrap());
    let (a, y, word) = (
        sim.input("a").unwrap(),
        sim.output("y").unwrap(),
        sim.probe("word").unwrap(),
    );
    let (reg, wide, m) = (
        sim.register("y").unwrap(),
        sim.register("wide").unwrap(),
        sim.memory("m").unwrap(),
    );
    sim.poke(a, 5);
    sim.eval().unwrap();
    assert_eq!((sim.peek(y), sim.peek(word)), (3, 8));
    sim.cycle();
    assert_eq!(sim.peek(y), 3, "outputs are those before the edge");
    assert_eq!(
        sim.read_register(reg),
        Bits::new(8, 8),
        "registers are those after it"
    );
    assert_eq!(sim.read_register(wide), Bits::from_limbs(70, &[6, 0x3f]));
    assert_eq!(sim.read_memory(m, 5).unwrap(), 3);
    sim.poke(a, 7); // beyond the depth: reads zero, writes nothing
    sim.eval().unwrap();
    assert_eq!(sim.peek(word), 6);
    sim.write_register(reg, &[200]);
    sim.write_memory(m, 0, &[77]).unwrap();
    assert!(sim.write_memory(m, 6, &[1]).is_err());
    sim.cycle();
    assert_eq!(sim.read_register(reg), Bits::new(8, 207));
    assert_eq!(sim.read_memory(m, 0).unwrap(), 77);
    sim.reset();
    assert_eq!((sim.read_register(reg), sim.cycles()), (Bits::new(8, 3), 0));
    assert_eq!(
        (
            sim.read_memory(m, 5).unwrap(),
            sim.read_memory(m, 0).unwrap()
        ),
        (9, 0)
    );
}
