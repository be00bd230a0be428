//! Random netlists, unfolded, for the tests of this folder and of the passes: the text form is a faithful copy, hostile
//! text is refused and nothing worse, and passes keep the meaning.

use super::{
    Binary, Input, Memory, Named, Netlist, Node, NodeId, Op, Register, Reset, Unary, Write, parse,
};
use crate::bits::Bits;
use crate::interp::Interpreter;
use crate::passes;
use crate::random::Random;
use crate::{Design, Options, Probes, Simulator};

const WIDTHS: [u32; 8] = [1, 2, 7, 8, 33, 64, 65, 130];

struct Maker {
    random: Random,
    n: Netlist,
}

impl Maker {
    fn width(&mut self) -> u32 {
        WIDTHS[self.random.below(WIDTHS.len() as u64) as usize]
    }
    fn push(&mut self, op: Op, width: u32) -> NodeId {
        self.n.nodes.push(Node { op, width });
        NodeId(self.n.nodes.len() as u32 - 1)
    }
    fn any(&mut self) -> NodeId {
        NodeId(self.random.below(self.n.nodes.len() as u64) as u32)
    }
    /// Some node of that width: an old one, or a fresh extension, slice or constant.
    fn of(&mut self, width: u32) -> NodeId {
        let a = self.any();
        match self.n.width(a) {
            w if w == width => a,
            w if w > width => {
                let lo = self.random.below(u64::from(w - width) + 1) as u32;
                self.push(Op::Slice(a, lo), width)
            }
            _ => match self.random.below(3) {
                0 => self.push(Op::Sext(a), width),
                1 => self.push(Op::Zext(a), width),
                _ => {
                    let value = self.random.edgy_bits(width);
                    self.push(Op::Const(value), width)
                }
            },
        }
    }
    fn node(&mut self) {
        let width = self.width();
        match self.random.below(6) {
            0 => {
                let ops = [
                    Unary::Not,
                    Unary::Neg,
                    Unary::RedAnd,
                    Unary::RedOr,
                    Unary::RedXor,
                ];
                let u = ops[self.random.below(5) as usize];
                let a = self.of(width);
                let out = if matches!(u, Unary::Not | Unary::Neg) {
                    width
                } else {
                    1
                };
                self.push(Op::Unary(u, a), out);
            }
            1 => {
                let (c, a, b) = (self.of(1), self.of(width), self.of(width));
                self.push(Op::Mux(c, a, b), width);
            }
            2 => {
                let parts: Vec<NodeId> =
                    (0..1 + self.random.below(3)).map(|_| self.any()).collect();
                let sum = parts.iter().map(|p| self.n.width(*p)).sum();
                if sum < 300 {
                    self.push(Op::Concat(parts.into()), sum);
                }
            }
            3 => {
                let memory = self.random.below(self.n.memories.len() as u64) as u32;
                let address = self.any();
                let width = self.n.memories[memory as usize].width;
                self.push(Op::Read(memory, address), width);
            }
            _ => self.binary(width),
        }
    }
    fn binary(&mut self, width: u32) {
        const OPS: [Binary; 16] = [
            Binary::And,
            Binary::Or,
            Binary::Xor,
            Binary::Add,
            Binary::Sub,
            Binary::Mul,
            Binary::Udiv,
            Binary::Urem,
            Binary::Sdiv,
            Binary::Srem,
            Binary::Eq,
            Binary::Ult,
            Binary::Slt,
            Binary::Shl,
            Binary::Lshr,
            Binary::Ashr,
        ];
        let o = OPS[self.random.below(16) as usize];
        let divides = matches!(o, Binary::Udiv | Binary::Urem | Binary::Sdiv | Binary::Srem);
        let width = if divides { width.min(64) } else { width };
        let a = self.of(width);
        let b = match o {
            Binary::Shl | Binary::Lshr | Binary::Ashr => self.any(),
            _ => self.of(width),
        };
        let one = matches!(o, Binary::Eq | Binary::Ult | Binary::Slt);
        self.push(Op::Binary(o, a, b), if one { 1 } else { width });
    }
}

/// A netlist of one clock with registers, memories and about `size` nodes of every kind.
fn netlist(seed: u64, size: usize) -> Netlist {
    let mut m = Maker {
        random: Random::new(seed),
        n: Netlist::default(),
    };
    m.n.inputs.push(Input {
        name: "clock".into(),
        width: 1,
    });
    let clock = m.push(Op::Input(0), 1);
    for i in 1..4 {
        let width = m.width();
        let name = format!("in{i}");
        m.n.inputs.push(Input { name, width });
        m.push(Op::Input(i), width);
    }
    for i in 0..3 {
        let width = m.width();
        let init = m.random.edgy_bits(width);
        m.n.registers.push(Register {
            path: format!("u.r{i}"),
            width,
            init,
            next: clock,
            clock,
            line: 0,
        });
        m.push(Op::Reg(i), width);
    }
    for i in 0..2 {
        let width = m.width();
        let depth = 1 + m.random.below(9);
        let init = vec![(m.random.below(depth), m.random.bits(width))];
        m.n.memories.push(Memory {
            path: format!("u.m{i}"),
            width,
            depth,
            init,
            writes: Vec::new(),
        });
    }
    (0..size).for_each(|_| m.node());
    for i in 0..3 {
        m.n.registers[i].next = m.of(m.n.registers[i].width);
    }
    for i in 0..2 {
        let width = m.n.memories[i].width;
        for _ in 0..2 {
            let lo = m.random.below(width.into()) as u32;
            let bits = 1 + m.random.below((width - lo).into()) as u32;
            let write = Write {
                enable: m.of(1),
                address: m.any(),
                data: m.of(bits),
                lo,
                clock,
                line: 0,
            };
            m.n.memories[i].writes.push(write);
        }
    }
    for i in 0..3 {
        let named = |path: String, node| Named { path, node };
        let (a, b) = (m.any(), m.any());
        m.n.outputs.push(named(format!("out{i}"), a));
        m.n.signals.push(named(format!("u.s{i}"), b));
    }
    m.n
}

/// The same with a second clock, falling edges and resets.
fn several_clocks(seed: u64) -> Netlist {
    let mut m = Maker {
        random: Random::new(!seed),
        n: netlist(seed, 60),
    };
    let index = m.n.inputs.len() as u32;
    m.n.inputs.push(Input {
        name: "other".into(),
        width: 1,
    });
    let clock = m.n.registers[0].clock;
    let other = m.push(Op::Input(index), 1);
    let falling = m.push(Op::Unary(Unary::Not, clock), 1);
    let clocks = [clock, other, falling];
    for i in 0..3 {
        m.n.registers[i].clock = clocks[m.random.below(3) as usize];
        if m.random.chance(50) {
            let active = m.of(1);
            let value = m.random.edgy_bits(m.n.registers[i].width);
            // A clock edge during a reset resets as well, as every process says that has one.
            let (width, next) = (value.width(), m.n.registers[i].next);
            let constant = m.push(Op::Const(value.clone()), width);
            m.n.registers[i].next = m.push(Op::Mux(active, constant, next), width);
            m.n.resets.push(Reset {
                register: i as u32,
                active,
                value,
            });
        }
    }
    for w in m.n.memories.iter_mut().flat_map(|m| &mut m.writes) {
        w.clock = clocks[m.random.below(3) as usize];
    }
    m.n
}

#[test]
fn several_clocks_run_as_the_interpreter_says() {
    for seed in 0..200 {
        let n = several_clocks(seed);
        let text = n.to_string();
        assert_eq!(parse("t", &text).unwrap().to_string(), text, "seed {seed}");
        let design = Design::of(passes::run(n, passes::front(), |_, _| {}).unwrap());
        let program = design.compile_with(&Options {
            probes: Probes::All,
        });
        let mut sim = Simulator::new(program.unwrap());
        sim.start_crosscheck(&design).unwrap();
        let names: Vec<String> = sim.program().clocks().map(str::to_owned).collect();
        let mut random = Random::new(seed);
        for _ in 0..40 {
            for (name, width) in design.inputs() {
                if !names.iter().any(|c| c == name) {
                    let value = random.edgy_bits(width);
                    sim.poke_wide(sim.input(name).unwrap(), value.limbs());
                }
            }
            match random.below(4) {
                0 => sim.eval().unwrap(),
                1 => sim.cycle(),
                _ => {
                    let name = &names[random.below(names.len() as u64) as usize];
                    sim.step(sim.clock(name).unwrap());
                }
            }
        }
        let compared = sim.finish_crosscheck();
        assert_eq!(compared, Ok(40), "seed {seed}:\n{text}");
    }
}

/// Outputs and probes of some cycles under random inputs.
fn behaviour(n: &Netlist, seed: u64) -> Vec<Bits> {
    let mut interpreter = Interpreter::new(std::sync::Arc::new(n.clone()));
    let mut random = Random::new(seed);
    let mut out = Vec::new();
    for _ in 0..12 {
        for i in &n.inputs[1..] {
            let value = random.edgy_bits(i.width);
            assert!(interpreter.poke(&i.name, value));
        }
        interpreter.cycle();
        let named = n.outputs.iter().chain(&n.signals);
        out.extend(named.map(|o| interpreter.peek(&o.path).unwrap().clone()));
    }
    out
}

#[test]
fn text_is_a_faithful_copy_and_passes_keep_the_meaning() {
    for seed in 0..400 {
        let n = netlist(seed, 60);
        let text = n.to_string();
        let again = parse("t", &text).unwrap_or_else(|e| panic!("seed {seed}: {e}\n{text}"));
        assert_eq!(again.to_string(), text, "seed {seed}");
        let truth = behaviour(&n, seed);
        passes::run(n, passes::PASSES.iter(), |pass, n| {
            assert_eq!(behaviour(n, seed), truth, "seed {seed}: after {pass}");
            let text = n.to_string();
            assert_eq!(
                parse("t", &text).unwrap().to_string(),
                text,
                "seed {seed}: {pass}"
            );
        })
        .unwrap_or_else(|e| panic!("seed {seed}: {e}"));
    }
}

#[test]
fn damaged_text_is_refused_and_nothing_worse() {
    let mut random = Random::new(4);
    let (mut refused, mut accepted) = (0, 0);
    for seed in 0..600 {
        let text = netlist(seed, 25).to_string();
        let mut words: Vec<&str> = text.split_inclusive([' ', '\n']).collect();
        for _ in 0..1 + random.below(3) {
            let (a, b) = (
                random.below(words.len() as u64),
                random.below(words.len() as u64),
            );
            let node = |w: &str| w.starts_with('%') && !w.contains(':');
            match random.below(12) {
                0 => drop(words.remove(a as usize)),
                1 => words[a as usize] = words[b as usize],
                // Another node where a node stands: often still a netlist.
                4.. if node(words[a as usize]) && node(words[b as usize]) => {
                    words[a as usize] = words[b as usize];
                }
                4.. => {}
                2 => words.insert(a as usize, words[b as usize]),
                _ => {
                    words[a as usize] =
                        ["%99999 ", "-1 ", "65536 ", "0\n", "8'hfff ", "x"][b as usize % 6]
                }
            }
        }
        let text = words.concat();
        match parse("t", &text) {
            Err(e) => {
                assert!(e.to_string().starts_with("t:"), "{e}");
                refused += 1;
            }
            Ok(n) => {
                Interpreter::new(std::sync::Arc::new(n)).cycle();
                for pass in &passes::PASSES {
                    let _ = passes::apply(pass.name, &text);
                }
                accepted += 1;
            }
        }
    }
    assert!(
        refused > 100 && accepted > 50,
        "{refused} refused, {accepted} accepted"
    );
}
