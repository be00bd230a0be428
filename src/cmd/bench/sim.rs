//! `weft bench sim`: the simulator against Verilator on the same Verilog, stimulus and cycles.

use std::fs;
use std::sync::Arc;

use anyhow::Context;
use serde::Serialize;
use weft_hdl::core::TOP;
use weft_hdl::{CoreConfig, generate_verilog};
use weft_sim::Program;

use super::player::{Played, Player, start_up};
use super::stimulus::{self, Cycle};
use super::verilator::{self, Build, Model, StateComparison};
use crate::cmd::verilog::parse_config;
use crate::exit::{self, OrExit, fail};
use crate::ui::{self, Cancel, outln};

/// Measure the simulator, in pairs with Verilator.
///
/// Both play the same recorded cycles of random products on a core; runs alternate, and the ratio is the median of
/// the pairs, so that a busy machine disturbs both alike. Speeds are by processor time of one thread. Verilator and
/// its C++ compiler run at -O3. Every output of every cycle is folded into a word on both sides; afterwards every
/// register and memory word is compared by name, in a second Verilator build that keeps them readable.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  weft bench sim\n  weft bench sim --config 8x16 --rounds 15 --json\n  weft bench sim --no-verilator --cycles 1000000"
)]
pub(crate) struct Args {
    /// Core configuration: banks x batch; repeat for several [default: 1x1, 8x1, 8x16]
    #[arg(long = "config", value_name = "NAME", value_parser = parse_config)]
    configs: Vec<CoreConfig>,
    /// Cycles of a run
    #[arg(long, value_name = "N", default_value_t = 400_000, value_parser = clap::value_parser!(u32).range(1..=100_000_000))]
    cycles: u32,
    /// Pairs of runs
    #[arg(long, value_name = "N", default_value_t = 9, value_parser = clap::value_parser!(u32).range(1..=1000))]
    rounds: u32,
    /// Measure only Weft
    #[arg(long)]
    no_verilator: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report {
    /// Version line of the Verilator found.
    verilator: Option<String>,
    configs: Vec<Measured>,
}

#[derive(Serialize)]
struct Measured {
    name: String,
    cycles: u32,
    rounds: u32,
    weft_cycles_per_second: f64,
    verilator_cycles_per_second: Option<f64>,
    /// Weft's speed over Verilator's: the median of the pairs, and its ends.
    ratio: Option<f64>,
    ratio_min: Option<f64>,
    ratio_max: Option<f64>,
    /// From the Verilog text in memory to the end of the first cycle, by the clock on the wall.
    weft_startup_seconds: f64,
    /// Verilator and C++ compiler to a program, by the clock on the wall.
    verilator_build_seconds: Option<f64>,
    /// Words that the core answered in a run.
    answers: u64,
    /// Whether all outputs of all cycles agree.
    outputs_equal: Option<bool>,
    /// Whether all outputs, registers and memory words agree.
    final_state_equal: Option<bool>,
    /// Registers and memory words compared.
    state_values_compared: Option<u64>,
    /// What differs first, if something does.
    first_difference: Option<String>,
}

/// Runs the verb.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let version = (!args.no_verilator).then(verilator::version).transpose()?;
    let cancel = Cancel::install()?;
    let configs = if args.configs.is_empty() {
        ["1x1", "8x1", "8x16"]
            .map(CoreConfig::named)
            .into_iter()
            .collect::<Result<_, _>>()?
    } else {
        args.configs.clone()
    };
    let mut report = Report {
        verilator: version,
        configs: Vec::new(),
    };
    for config in &configs {
        let measured = measure(args, config, &cancel)?;
        if !args.json {
            show(&measured)?;
        }
        report.configs.push(measured);
    }
    if args.json {
        outln!("{}", serde_json::to_string_pretty(&report)?);
    } else if let Some(version) = &report.verilator {
        outln!("against {version}, -O3, one thread; speeds by processor time");
    }
    let differs = |m: &&Measured| m.final_state_equal == Some(false);
    match report.configs.iter().find(differs) {
        None => Ok(()),
        Some(m) => Err(fail(
            exit::DEVICE,
            format!(
                "Weft and Verilator disagree on core {}: {}",
                m.name,
                m.first_difference.as_deref().unwrap_or("outputs differ")
            ),
        )),
    }
}

fn measure(args: &Args, config: &CoreConfig, cancel: &Cancel) -> anyhow::Result<Measured> {
    let name = config.to_string();
    let bar = ui::spinner(&format!("{name}: compiling"));
    let verilog = generate_verilog(config)?;
    let (startup, program) = start_up(&verilog, TOP)?;
    bar.set_message(format!("{name}: recording {} cycles", args.cycles));
    let mut recorder = Player::new(program.clone())?;
    let stimulus = stimulus::record(&mut recorder.sim, config, args.cycles as usize)?;
    let mut measured = Measured {
        name: name.clone(),
        cycles: args.cycles,
        rounds: args.rounds,
        weft_cycles_per_second: 0.0,
        verilator_cycles_per_second: None,
        ratio: None,
        ratio_min: None,
        ratio_max: None,
        weft_startup_seconds: startup,
        verilator_build_seconds: None,
        answers: 0,
        outputs_equal: None,
        final_state_equal: None,
        state_values_compared: None,
        first_difference: None,
    };
    let mut other = match args.no_verilator {
        true => None,
        false => {
            bar.set_message(format!("{name}: Verilator and the C++ compiler build"));
            let other = Other::build(&verilog, &stimulus, cancel)?;
            measured.verilator_build_seconds = Some(other.build_seconds);
            Some(other)
        }
    };
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for round in 0..args.rounds {
        cancel.check()?;
        bar.set_message(format!("{name}: pair {} of {}", round + 1, args.rounds));
        // Whoever runs second finds the processor warm; so they take turns.
        if let (Some(o), true) = (&mut other, round % 2 == 1) {
            theirs.push(o.model.play()?);
        }
        ours.push(Player::new(program.clone())?.play(&stimulus));
        if let (Some(o), true) = (&mut other, round % 2 == 0) {
            theirs.push(o.model.play()?);
        }
    }
    let speed = |runs: &[Played]| {
        let mut speeds: Vec<f64> = runs.iter().map(|r| per_second(args.cycles, r)).collect();
        median(&mut speeds)
    };
    measured.answers = ours[0].answers;
    measured.weft_cycles_per_second = speed(&ours);
    if let Some(other) = other {
        let mut ratios: Vec<f64> = ours
            .iter()
            .zip(&theirs)
            .map(|(o, t)| t.seconds / o.seconds)
            .collect();
        measured.verilator_cycles_per_second = Some(speed(&theirs));
        measured.ratio = Some(median(&mut ratios));
        measured.ratio_min = ratios.first().copied();
        measured.ratio_max = ratios.last().copied();
        let same = |a: &Played, b: &Played| a.outputs == b.outputs && a.answers == b.answers;
        let outputs_equal = ours.iter().zip(&theirs).all(|(a, b)| same(a, b));
        measured.outputs_equal = Some(outputs_equal);
        bar.set_message(format!("{name}: comparing the final state"));
        let state = other.final_state(&verilog, &program, &stimulus, cancel)?;
        measured.final_state_equal = Some(outputs_equal && state.first_difference.is_none());
        measured.state_values_compared = Some(state.compared);
        measured.first_difference = state.first_difference;
    }
    bar.finish_and_clear();
    Ok(measured)
}

/// Verilator's model and the files around it, which vanish with it.
struct Other {
    model: Model,
    build_seconds: f64,
    dir: tempfile::TempDir,
}

impl Other {
    fn build(verilog: &str, stimulus: &[Cycle], cancel: &Cancel) -> anyhow::Result<Self> {
        let dir = tempfile::tempdir()
            .context("cannot make a temporary folder")
            .or_exit(exit::OUTPUT)?;
        let file = dir.path().join("stimulus");
        fs::write(&file, stimulus::to_bytes(stimulus))
            .with_context(|| format!("cannot write {}", file.display()))
            .or_exit(exit::OUTPUT)?;
        let built = verilator::build(dir.path(), verilog, Build::Timed);
        cancel.check()?;
        let (program, build_seconds) = built?;
        Ok(Self {
            model: Model::start(&program, &file, None)?,
            build_seconds,
            dir,
        })
    }

    /// Plays the cycles once more on both sides, and compares everything that is left.
    fn final_state(
        self,
        verilog: &str,
        program: &Arc<Program>,
        stimulus: &[Cycle],
        cancel: &Cancel,
    ) -> anyhow::Result<StateComparison> {
        let path = self.dir.path();
        let built = verilator::build(path, verilog, Build::State);
        cancel.check()?;
        let (model, _) = built?;
        let names = path.join("names");
        fs::write(&names, verilator::names(program))
            .with_context(|| format!("cannot write {}", names.display()))
            .or_exit(exit::OUTPUT)?;
        let mut player = Player::new(program.clone())?;
        let ours = player.play(stimulus);
        let mut model = Model::start(&model, &path.join("stimulus"), Some(&names))?;
        let theirs = model.play()?;
        let mut state = model.compare_state(&player.sim)?;
        if ours.outputs != theirs.outputs {
            state.first_difference = Some("the outputs of some cycle".into());
        }
        Ok(state)
    }
}

fn per_second(cycles: u32, run: &Played) -> f64 {
    f64::from(cycles) / run.seconds
}

/// The middle value; the slice is sorted afterwards.
fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn show(m: &Measured) -> anyhow::Result<()> {
    outln!(
        "{:6} weft      {:8.3} Mcycles/s, first cycle done {:.3} s after the text",
        m.name,
        m.weft_cycles_per_second / 1e6,
        m.weft_startup_seconds
    );
    let (Some(speed), Some(build)) = (m.verilator_cycles_per_second, m.verilator_build_seconds)
    else {
        return Ok(());
    };
    outln!(
        "       verilator {:8.3} Mcycles/s, built in {build:.1} s",
        speed / 1e6
    );
    let of = |v: Option<f64>| v.unwrap_or(f64::NAN);
    outln!(
        "       ratio     {:8.2} ({:.2} to {:.2} in {} pairs)",
        of(m.ratio),
        of(m.ratio_min),
        of(m.ratio_max),
        m.rounds
    );
    outln!(
        "       equal     outputs {}, final state {} ({} registers and memory words)",
        yes(m.outputs_equal),
        yes(m.final_state_equal),
        m.state_values_compared.unwrap_or(0)
    );
    Ok(())
}

fn yes(b: Option<bool>) -> &'static str {
    if b == Some(true) { "yes" } else { "NO" }
}
