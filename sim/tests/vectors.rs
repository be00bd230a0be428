//! Lanes that are packed into vectors: random arrays of alike lanes, native code against the interpreter.

mod common;

use std::fmt::Write as _;

use common::{Rng, data_inputs};
use weft_sim::{Design, Simulator};

/// An array of lanes around memories that are addressed together, with what differs drawn at random: number and width
/// of lanes, the arithmetic, conditions, who else looks at a lane.
fn lanes(seed: u64) -> String {
    let mut rng = Rng::new(seed);
    let count = *rng.pick(&[4, 5, 7, 8, 12, 16, 31, 32, 40]);
    let width = *rng.pick(&[2, 5, 8, 9, 16, 17, 24, 31, 32, 33, 48, 64]) as u32;
    let narrow = *rng.pick(&[2, 7, 8, 12, 16]).min(&width);
    let part = *rng.pick(&[8, 16, 32]).min(&width).max(&8);
    let top = width - 1;
    let mut v = format!(
        "module lanes(input clock, input we, input clear, input [2:0] ra, input [2:0] wa, input [{}:0] x,\n\
         input [{top}:0] s, input [5:0] shown, output reg [{top}:0] out, output [{top}:0] mixed);\n",
        count * part - 1
    );
    let mut all = String::from("0");
    let mut cases = String::new();
    let extend = |from: u32, name: &str, signed: bool| {
        if from >= width {
            format!("{name}[{top}:0]")
        } else if signed {
            format!("{{{{{}{{{name}[{}]}}}}, {name}}}", width - from, from - 1)
        } else {
            format!("{{{}'d0, {name}}}", width - from)
        }
    };
    let ops = ["+", "-", "&", "|", "^", "*"];
    let (op1, op2, op3) = (*rng.pick(&ops), *rng.pick(&ops), *rng.pick(&ops));
    let (signed, wide_sign) = (rng.chance(50), rng.chance(50));
    let (hold, negate, own) = (rng.chance(30), rng.chance(30), rng.chance(20));
    for i in 0..count {
        let lo = i * part;
        let _ = writeln!(
            v,
            "reg [{top}:0] mem{i} [0:7]; reg [{top}:0] answer{i}; reg [{top}:0] held{i}; reg [{top}:0] sum{i};\n\
             reg [{}:0] p{i}; wire [{}:0] x{i} = x[{} +: {part}];",
            narrow - 1,
            part - 1,
            lo
        );
        let x = extend(part, &format!("x{i}"), signed);
        let p = extend(narrow, &format!("p{i}"), wide_sign);
        let minus = if negate { "-" } else { "~" };
        let product = format!("({x} {op1} s) {op3} {minus}held{i}");
        let next = format!("held{i} {op2} {p}");
        // A lane that is not like the others keeps all of them from being packed.
        let next = if own && i == 1 {
            format!("{next} + 1")
        } else {
            next
        };
        let gate = if hold { "if (we) " } else { "" };
        let _ = writeln!(
            v,
            "wire [{top}:0] w{i} = {product};\nalways @(posedge clock) begin\n\
             if (we) mem{i}[wa] <= sum{i};\nanswer{i} <= mem{i}[ra];\nheld{i} <= answer{i};\n\
             {gate}p{i} <= w{i};\nif (clear) sum{i} <= 0; else sum{i} <= {next};\nend"
        );
        let _ = write!(all, " ^ (held{i} + {i})");
        let _ = writeln!(cases, "{i}: out = w{i};");
    }
    let _ = writeln!(
        v,
        "assign mixed = {all};\nalways @(*) begin\nout = sum0;\ncase (shown)\n{cases}endcase\nend\nendmodule"
    );
    v
}

#[test]
fn random_lanes_are_those_of_the_interpreter() {
    let mut packed = 0;
    for seed in 0..150 {
        let verilog = lanes(seed);
        let design = Design::from_verilog(&verilog, "lanes").unwrap();
        let program = design.compile().unwrap();
        packed += u32::from(program.vectors() > 0);
        let mut sim = Simulator::new(program);
        let mut slow = design.interpreter();
        let mut rng = Rng::new(seed + 1000);
        for cycle in 0..60 {
            for (name, width) in data_inputs(&design) {
                let value = rng.value(width);
                sim.poke_wide(sim.input(&name).unwrap(), value.limbs());
                assert!(slow.poke(&name, value));
            }
            sim.cycle();
            slow.cycle();
            let place = || format!("seed {seed}, cycle {cycle}\n{verilog}");
            for (name, _) in design.outputs() {
                let fast = sim.peek_bits(sim.output(name).unwrap());
                assert_eq!(Some(&fast), slow.peek(name), "{name}, {}", place());
            }
            for (path, _) in sim.program().registers() {
                let fast = sim.read_register(sim.register(path).unwrap());
                assert_eq!(Some(&fast), slow.register(path), "{path}, {}", place());
            }
        }
        for (path, _, depth) in sim.program().memories() {
            let memory = sim.memory(path).unwrap();
            for a in 0..depth {
                let fast = sim.read_memory_bits(memory, a).unwrap();
                let slow = slow.memory(path).map(|m| &m[a as usize]);
                assert_eq!(Some(&fast), slow, "{path}[{a}], seed {seed}\n{verilog}");
            }
        }
    }
    assert!(packed > 75, "only {packed} of the designs were packed");
}
