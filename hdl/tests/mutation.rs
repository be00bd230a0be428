//! Planted bugs are caught: small changes of the core's Verilog, each held to what every core is held to.
//!
//! A mutant is killed when a random stream's answer is not the twin's, also behind the reset pin, when a product misses the bound that
//! `performance.rs` sets, or when the counters of cycles contradict the stream (`common/timing.rs`). Changes that
//! do not elaborate, and those that leave the same netlist after optimisation, are no mutants. A survivor must be
//! explained in `mutation/explained.txt`: as `proven equivalent` where a machine has proven the changed module to be the
//! module (`equivalence.rs`), as `equivalent` where an argument says that no stream can tell it from the core of this
//! configuration, or as a `gap`. The share is given with and without those that are only argued for.

mod common;

use std::fmt::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::bench::Gaps;
use common::checks::{Check, checks};
use common::mutants::{Kind, Mutant, mutants};
use common::product::{Product, measure};
use common::restarts::{Restart, restarts};
use common::simulated::Simulated;
use common::timing::counters_hold;
use weft_hdl::{CoreConfig, generate_verilog};
use weft_protocol::layout;
use weft_sim::{Design, Options};

/// A core with every kind of block, small enough that a mutant takes a fraction of a second.
const CONFIG: CoreConfig = CoreConfig {
    banks: 8,
    batch: 2,
    stream_bytes: 4,
    depth: 64,
};

/// Times the bound that a product may take, as in `performance.rs`.
const LIMIT: f64 = 1.05;

/// Share that must be killed.
const SHARE: f64 = 0.95;

/// The netlist after all passes.
const LAST_PASS: &str = "dead";

/// Everything that a mutant is held to.
struct Suite {
    checks: Vec<Check>,
    restarts: Vec<Restart>,
    products: Vec<Product>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// By a stream.
    Answer,
    /// By counters of cycles that contradict the stream.
    Counters,
    /// By a product that takes too many cycles.
    Product,
    Survived,
    /// No mutant: does not elaborate.
    Refused,
    /// No mutant: nothing that reaches an output has changed.
    Same,
}

impl Suite {
    fn new(rounds: u64) -> Self {
        let mut products = Vec::new();
        for kind in [layout::Kind::G4, layout::Kind::I8] {
            for (density, log2_batch) in [(None, 0), (Some(0.1), 0), (Some(0.5), 1), (Some(1.0), 0)]
            {
                products.push(Product {
                    rows: 512,
                    columns: 70,
                    kind,
                    density,
                    log2_batch,
                });
            }
        }
        Suite {
            checks: checks(CONFIG, rounds),
            restarts: restarts(CONFIG, 7, 12),
            products,
        }
    }

    fn judge(&self, core: &Simulated) -> Verdict {
        for check in &self.checks {
            let enough = |words: &[u32]| !check.expected.starts_with(words);
            let got = core.run_until(&check.bytes, check.gaps, enough).0;
            if got != check.expected {
                return Verdict::Answer;
            }
        }
        let restarted = |r: &Restart| r.answers(core, 16) == r.expected;
        if !self.restarts.iter().all(restarted) {
            return Verdict::Answer;
        }
        if !counters_hold(&CONFIG, |bytes, gaps| core.run(bytes, gaps).0) {
            return Verdict::Counters;
        }
        let kept = self.products.iter().all(|p| {
            let most = 2 + (p.rows << p.log2_batch) + 100;
            let run = |bytes: &[u8]| {
                let enough = |words: &[u32]| words.len() > most;
                core.run_until(bytes, Gaps::NONE, enough).0
            };
            measure(&CONFIG, p, run).is_some_and(|m| m.ratio(p) <= LIMIT)
        });
        if kept {
            Verdict::Survived
        } else {
            Verdict::Product
        }
    }

    fn try_mutant(&self, verilog: &str, original: &str, mutant: &Mutant) -> Verdict {
        let text = mutant.apply(verilog);
        let options = Options::default();
        let design = Design::from_verilog(&text, "weft_core");
        let Ok((design, netlist)) =
            design.and_then(|d| d.dump_after(LAST_PASS, &options).map(|n| (d, n)))
        else {
            return Verdict::Refused;
        };
        if netlist == original {
            return Verdict::Same;
        }
        match Simulated::of_design(&CONFIG, &design) {
            Ok(core) => self.judge(&core),
            Err(_) => Verdict::Refused,
        }
    }
}

/// `module | original | mutated`, without the numbers that say which of several alike instances it is.
fn key(m: &Mutant) -> String {
    format!("{} | {} | {}", m.module, m.original, m.mutated)
}

fn run(count: usize, rounds: u64) {
    let verilog = generate_verilog(&CONFIG).unwrap();
    let design = Design::from_verilog(&verilog, "weft_core").unwrap();
    let original = design.dump_after(LAST_PASS, &Options::default()).unwrap();
    let suite = Suite::new(rounds);
    let core = Simulated::of_design(&CONFIG, &design).unwrap();
    assert_eq!(suite.judge(&core), Verdict::Survived, "the core itself");

    let mutants = mutants(&verilog, 1, count);
    let next = AtomicUsize::new(0);
    let verdicts = Mutex::new(vec![Verdict::Refused; mutants.len()]);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((i, m)) = {
                    let i = next.fetch_add(1, Ordering::Relaxed);
                    mutants.get(i).map(|m| (i, m))
                } {
                    let verdict = suite.try_mutant(&verilog, &original, m);
                    verdicts.lock().unwrap()[i] = verdict;
                }
            });
        }
    });
    let verdicts = verdicts.into_inner().unwrap();
    report(&mutants, &verdicts);
}

fn report(mutants: &[Mutant], verdicts: &[Verdict]) {
    let explained = include_str!("mutation/explained.txt");
    let explanation = |m: &Mutant| {
        let key = key(m);
        let mut lines = explained.lines();
        lines.find_map(|l| l.strip_prefix(&key)?.strip_prefix(" | "))
    };
    let all: Vec<(&Mutant, Verdict)> = mutants.iter().zip(verdicts.iter().copied()).collect();
    let count =
        |of: &dyn Fn(&Mutant, Verdict) -> bool| all.iter().filter(|(m, v)| of(m, *v)).count();
    let is_mutant = |v: Verdict| !matches!(v, Verdict::Refused | Verdict::Same);
    let killed = |v: Verdict| matches!(v, Verdict::Answer | Verdict::Counters | Verdict::Product);
    let proven = |m: &Mutant| explanation(m).is_some_and(|e| e.starts_with("proven"));
    let argued = |m: &Mutant| explanation(m).is_some_and(|e| e.starts_with("equivalent"));
    let equivalent = |m: &Mutant| proven(m) || argued(m);
    println!("kind         mutants  equivalent  killed  by answers  by counters  by products");
    let line = |name: &str, of: &dyn Fn(&Mutant) -> bool| {
        println!(
            "{name:12} {:7} {:11} {:7} {:11} {:12} {:12}",
            count(&|m, v| of(m) && is_mutant(v)),
            count(&|m, v| of(m) && v == Verdict::Survived && equivalent(m)),
            count(&|m, v| of(m) && killed(v)),
            count(&|m, v| of(m) && v == Verdict::Answer),
            count(&|m, v| of(m) && v == Verdict::Counters),
            count(&|m, v| of(m) && v == Verdict::Product),
        );
    };
    for kind in [
        Kind::Operator,
        Kind::Constant,
        Kind::Width,
        Kind::Enable,
        Kind::Reset,
        Kind::Assignment,
    ] {
        line(&format!("{kind:?}"), &|m| m.kind == kind);
    }
    line("all", &|_| true);
    println!(
        "no mutants: {} do not elaborate, {} leave the same netlist",
        count(&|_, v| v == Verdict::Refused),
        count(&|_, v| v == Verdict::Same),
    );
    let mut unexplained = String::new();
    for (m, _) in all.iter().filter(|(_, v)| *v == Verdict::Survived) {
        let why = explanation(m);
        println!(
            "survivor, line {}, {:?}: {} | {}",
            m.line,
            m.kind,
            key(m),
            why.unwrap_or("NOT EXPLAINED")
        );
        if why.is_none() {
            let _ = writeln!(unexplained, "{}", key(m));
        }
    }
    let (total, dead) = (count(&|_, v| is_mutant(v)), count(&|_, v| killed(v)));
    let alike = count(&|m, v| v == Verdict::Survived && equivalent(m));
    let share = dead as f64 / (total - alike) as f64;
    println!(
        "killed: {:.1} % of all {total}, {:.1} % of the {} that are not equivalent",
        100.0 * dead as f64 / total as f64,
        100.0 * share,
        total - alike
    );
    let beyond_doubt = count(&|m, v| v == Verdict::Survived && proven(m));
    println!(
        "{beyond_doubt} are proven equivalent; {:.1} % of the other {} are killed",
        100.0 * dead as f64 / (total - beyond_doubt) as f64,
        total - beyond_doubt
    );
    assert!(
        unexplained.is_empty(),
        "survivors without an explanation:\n{unexplained}"
    );
    assert!(
        share >= SHARE,
        "{dead} of {} killed, {share:.3} < {SHARE}",
        total - alike
    );
}

#[test]
fn counters_of_cycles_follow_the_stream() {
    let core = Simulated::new(&CONFIG);
    assert!(counters_hold(&CONFIG, |bytes, gaps| core
        .run(bytes, gaps)
        .0));
}

#[test]
fn planted_bugs_are_caught() {
    run(200, 4);
}
