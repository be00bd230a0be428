//! Text that nobody meant: truncated, spliced and mutated Verilog must be elaborated or refused, and what is
//! elaborated must compile and run alike on both back ends. A text that panics or differs is kept in the test's
//! temporary folder and named.

mod common;
#[path = "../../hdl/tests/common/modules.rs"]
#[allow(
    dead_code,
    unreachable_pub,
    reason = "shared with the core's own tests"
)]
mod modules;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use common::{Rng, generate};
use weft_hdl::{CoreConfig, generate_verilog};
use weft_sim::{Design, Error, Options, Probes, Simulator};

/// State of what is run on both back ends, in bytes at most; the interpreter takes some ten times as much.
const MAX_STATE: usize = 1 << 20;

/// A text and its top module.
struct Text {
    top: String,
    verilog: String,
}

/// The blocks of a small core that stand alone.
fn blocks() -> Vec<Text> {
    let config = CoreConfig {
        banks: 1,
        batch: 1,
        stream_bytes: 4,
        depth: 64,
    };
    let verilog = generate_verilog(&config).unwrap();
    let all = modules::distinct(&verilog);
    let text = |m: &modules::Module| Text {
        top: m.name.clone(),
        verilog: verilog[m.range.clone()].to_string(),
    };
    let texts: Vec<Text> = all.iter().map(text).collect();
    let alone = |t: &Text| Design::from_verilog(&t.verilog, &t.top).is_ok();
    let texts: Vec<Text> = texts.into_iter().filter(alone).collect();
    assert!(texts.len() > 10, "the core has blocks without instances");
    texts
}

fn random_modules(seeds: std::ops::Range<u64>) -> Vec<Text> {
    seeds
        .map(|seed| Text {
            top: "t".into(),
            verilog: generate::module("t", seed),
        })
        .collect()
}

/// Words, numbers, white space and single symbols, as slices of the text.
fn tokens(text: &str) -> Vec<&str> {
    let class = |c: char| match c {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '_' | '$' | '\'' => 1,
        c if c.is_whitespace() => 2,
        _ => 0,
    };
    let mut out = Vec::new();
    let mut start = 0;
    let mut last = 0;
    for (i, c) in text.char_indices() {
        if i > 0 && (class(c) != last || last == 0) {
            out.push(&text[start..i]);
            start = i;
        }
        last = class(c);
    }
    out.push(&text[start..]);
    out
}

/// What replaces a token now and then.
const NASTY: [&str; 40] = [
    "0",
    "1",
    "-1",
    "63",
    "64",
    "65",
    "65535",
    "65536",
    "4294967295",
    "64'h7fffffffffffffff",
    "64'sh8000000000000000",
    "128'h80000000000000000000000000000000",
    "8'bx1z0",
    "8'h",
    "'",
    "1.5e3",
    "\"text",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "{3{",
    "[7:0]",
    "+:",
    "**",
    "<<<",
    ">>>",
    "?",
    "signed",
    "integer",
    "posedge clock or negedge",
    "begin",
    "end",
    "endmodule module t(input a); endmodule",
    "(*",
    "/*",
    "\\ ",
    "\u{e9}\u{1f980}",
];

/// A text that someone broke.
fn mutated(rng: &mut Rng, texts: &[Text]) -> Text {
    let (base, other) = (rng.pick(texts), rng.pick(texts));
    let mut parts: Vec<&str> = tokens(&base.verilog);
    let others = tokens(&other.verilog);
    let at = |rng: &mut Rng, n: usize| rng.below(n as u64) as usize;
    match rng.below(8) {
        0 => parts.truncate(at(rng, parts.len() + 1)),
        1 => {
            // The beginning of one, the end of the other.
            parts.truncate(at(rng, parts.len() + 1));
            parts.extend(&others[at(rng, others.len())..]);
        }
        2 => {
            let (start, to) = (at(rng, others.len()), at(rng, parts.len()));
            let end = others.len().min(start + at(rng, 40));
            parts.splice(to..to, others[start..end].iter().copied());
        }
        _ => {}
    }
    for _ in 0..rng.below(4) {
        if parts.is_empty() {
            break;
        }
        let i = at(rng, parts.len());
        match rng.below(6) {
            0 => drop(parts.remove(i)),
            1 => parts.insert(i, parts[i]),
            2 => parts[i] = parts[at(rng, parts.len())],
            3 => parts[i] = others[at(rng, others.len())],
            4 => {
                let j = at(rng, parts.len());
                parts.swap(i, j);
            }
            _ => parts[i] = *rng.pick(&NASTY),
        }
    }
    Text {
        top: base.top.clone(),
        verilog: parts.concat(),
    }
}

/// What became of a text.
#[derive(Clone, Copy)]
enum Fate {
    Refused,
    Compiled,
    Ran,
}

/// Elaborates, compiles and, if it is small, runs a text on both back ends.
fn live(text: &Text, rng: &mut Rng) -> Result<Fate, Error> {
    let Ok(design) = Design::from_verilog(&text.verilog, &text.top) else {
        return Ok(Fate::Refused);
    };
    let probes = match rng.below(2) {
        0 => Probes::None,
        _ => Probes::All,
    };
    let program = match design.compile_with(&Options { probes }) {
        Ok(program) => program,
        Err(Error::Limit { .. } | Error::Backend(_)) => return Ok(Fate::Refused),
        Err(e) => return Err(e),
    };
    if program.state_bytes() > MAX_STATE {
        return Ok(Fate::Compiled);
    }
    let clocks: Vec<String> = program.clocks().map(String::from).collect();
    let mut sim = Simulator::new(program);
    sim.start_crosscheck(&design)?;
    for _ in 0..4 {
        for (name, width) in design.inputs() {
            if !clocks.iter().any(|c| c == name) {
                sim.poke_wide(sim.input(name)?, rng.value(width).limbs());
            }
        }
        sim.cycle();
    }
    sim.finish_crosscheck()?;
    Ok(Fate::Ran)
}

/// Lives through `count` mutations of `texts`.
fn survive(what: &str, texts: &[Text], count: u64) {
    let mut failures = Vec::new();
    let mut fates = [0; 3];
    for seed in 0..count {
        let mut rng = Rng::new(seed + 1);
        let text = mutated(&mut rng, texts);
        let fate = catch_unwind(AssertUnwindSafe(|| live(&text, &mut rng)));
        let problem = match fate {
            Ok(Ok(fate)) => {
                fates[fate as usize] += 1;
                continue;
            }
            Ok(Err(e)) => e.to_string(),
            Err(_) => "panicked".into(),
        };
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("hostile_{what}{seed}.v"));
        std::fs::write(&path, &text.verilog).unwrap();
        failures.push(format!("{} (top {}): {problem}", path.display(), text.top));
    }
    let [refused, compiled, ran] = fates;
    println!("{what}: {refused} refused, {compiled} compiled, {ran} run on both back ends");
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(refused > count / 8 && ran > count / 8, "one-sided texts");
}

#[test]
fn mutated_random_modules() {
    survive("random", &random_modules(0..150), 1500);
}

#[test]
fn mutated_blocks_of_the_core() {
    survive("block", &blocks(), 1500);
}
