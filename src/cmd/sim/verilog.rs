//! `weft sim verilog`: a user's own module under random or constant inputs.

use std::collections::BTreeMap;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::time::Instant;

use anyhow::Context;
use serde::Serialize;
use tempfile::NamedTempFile;
use weft_sim::{Bits, Design, Input, Options, Probes, Random, Simulator};

use crate::exit::{self, OrExit, fail};
use crate::output;
use crate::ui::outln;

/// Simulate a Verilog file: every input random from the seed unless poked; print the outputs of the last cycle.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  weft sim verilog fifo.v --top fifo --cycles 1000 --reset rst --wave fifo.fst\n  weft sim verilog alu.v --top alu --poke op=3 --poke a=0xff --cycles 1 --json\n  weft sim verilog fifo.v --top fifo --dump-after fold"
)]
pub(crate) struct Args {
    /// The Verilog file
    file: PathBuf,
    /// Module to simulate
    #[arg(long, value_name = "MODULE")]
    top: String,
    /// Clock cycles
    #[arg(long, value_name = "N", default_value_t = 1000)]
    cycles: u64,
    /// Seed of the random inputs
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Hold an input at a value, decimal or 0x hexadecimal; may be given again
    #[arg(long = "poke", value_name = "INPUT=VALUE", value_parser = parse_poke)]
    pokes: Vec<(String, u64)>,
    /// Hold this input at 1 (`!NAME`: at 0) for the first cycles and at the other value afterwards
    #[arg(long, value_name = "INPUT")]
    reset: Option<String>,
    /// Cycles of reset
    #[arg(long, value_name = "N", default_value_t = 4)]
    reset_cycles: u64,
    /// Write every signal of every cycle to a waveform: FST if the name ends in .fst, otherwise VCD
    #[arg(long, visible_alias = "vcd", value_name = "FILE")]
    wave: Option<PathBuf>,
    /// Compare every signal of every cycle with the interpreter and name the first that differs; slow
    #[arg(long)]
    crosscheck: bool,
    /// Print the design after a pass of `weft sim passes` and do not run it
    #[arg(long, value_name = "PASS")]
    dump_after: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report {
    top: String,
    cycles: u64,
    seed: u64,
    /// Values before the last clock edge, as Verilog constants.
    outputs: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    crosschecked_cycles: Option<u64>,
    startup_seconds: f64,
    cycles_per_second: f64,
}

fn parse_poke(text: &str) -> Result<(String, u64), String> {
    let (name, value) = text
        .split_once('=')
        .ok_or("an input and its value are written INPUT=VALUE")?;
    let number = match value.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16),
        None => value.parse(),
    };
    let number = number.map_err(|_| format!("`{value}` is no decimal or 0x number of 64 bits"))?;
    Ok((name.into(), number))
}

/// What an input gets in each cycle.
enum Drive {
    Random,
    Constant(u64),
    /// The value during reset; afterwards its complement.
    Reset(bool),
}

/// Runs the verb.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let start = Instant::now();
    std::fs::metadata(&args.file)
        .with_context(|| format!("cannot read {}", args.file.display()))
        .or_exit(exit::INPUT)?;
    let design = Design::from_file(&args.file, &args.top).or_exit(exit::INPUT)?;
    let probes = match args.wave {
        Some(_) => Probes::All,
        None => Probes::None,
    };
    let options = Options { probes };
    if let Some(pass) = &args.dump_after {
        let text = design.dump_after(pass, &options).or_exit(exit::USAGE)?;
        std::io::stdout().write_all(text.as_bytes())?;
        return Ok(());
    }
    let program = design.compile_with(&options).or_exit(exit::INPUT)?;
    let mut sim = Simulator::new(program);
    let drives = drives(args, &design, &sim)?;
    let waves = trace(args, &mut sim)?;
    let mut probed = match args.crosscheck {
        true => Some(crosschecked(&design, &mut sim)?),
        false => None,
    };
    let startup_seconds = start.elapsed().as_secs_f64();

    let start = Instant::now();
    let mut random = Random::new(args.seed);
    for cycle in 0..args.cycles {
        if sim.mismatch().is_some() {
            break;
        }
        for (input, drive) in &drives {
            let value = match drive {
                Drive::Random => random.edgy_bits(input.width()),
                Drive::Constant(value) => Bits::new(input.width(), *value),
                Drive::Reset(level) => Bits::bool(*level == (cycle < args.reset_cycles)),
            };
            sim.poke_wide(*input, value.limbs());
            if let Some(probed) = &mut probed {
                probed.poke_wide(*input, value.limbs());
            }
        }
        sim.cycle();
        if let Some(probed) = &mut probed {
            probed.cycle();
        }
    }
    let seconds = start.elapsed().as_secs_f64();
    if let Some((path, file)) = waves {
        sim.finish_trace().or_exit(exit::OUTPUT)?;
        output::persist(file, &path)?;
    }
    let crosschecked_cycles = match probed {
        Some(mut probed) => {
            probed.finish_crosscheck().or_exit(exit::DEVICE)?;
            Some(sim.finish_crosscheck().or_exit(exit::DEVICE)?)
        }
        None => None,
    };
    let mut outputs = BTreeMap::new();
    for (name, _) in design.outputs() {
        let value = sim.peek_bits(sim.output(name)?);
        outputs.insert(name.to_string(), format!("{value:x}"));
    }
    print(
        args,
        &Report {
            top: args.top.clone(),
            cycles: args.cycles,
            seed: args.seed,
            outputs,
            crosschecked_cycles,
            startup_seconds,
            cycles_per_second: args.cycles as f64 / seconds,
        },
    )
}

/// Starts comparing `sim` with the interpreter, and a second simulator with every signal visible, so that a
/// difference has the name of its cause.
fn crosschecked(design: &Design, sim: &mut Simulator) -> anyhow::Result<Simulator> {
    let probes = Probes::All;
    let program = design.compile_with(&Options { probes })?;
    let mut probed = Simulator::new(program);
    probed.start_crosscheck(design)?;
    sim.start_crosscheck(design)?;
    Ok(probed)
}

fn drives(args: &Args, design: &Design, sim: &Simulator) -> anyhow::Result<Vec<(Input, Drive)>> {
    let reset = args.reset.as_deref().map(|r| match r.strip_prefix('!') {
        Some(name) => (name, false),
        None => (r, true),
    });
    let held = args.pokes.iter().map(|(name, _)| name.as_str());
    for name in held.chain(reset.map(|(name, _)| name)) {
        sim.input(name).or_exit(exit::USAGE)?;
    }
    let mut out = Vec::new();
    for (name, width) in design.inputs() {
        if sim.program().clocks().any(|clock| clock == name) {
            continue;
        }
        let drive = match (reset, args.pokes.iter().find(|(n, _)| n == name)) {
            (Some((reset, level)), _) if reset == name => Drive::Reset(level),
            (_, Some((_, value))) => {
                if width < 64 && value >> width != 0 {
                    let message = format!("--poke {name}={value}: the input has {width} bits");
                    return Err(fail(exit::USAGE, message));
                }
                Drive::Constant(*value)
            }
            _ => Drive::Random,
        };
        out.push((sim.input(name)?, drive));
    }
    Ok(out)
}

fn trace(args: &Args, sim: &mut Simulator) -> anyhow::Result<Option<(PathBuf, NamedTempFile)>> {
    let Some(path) = &args.wave else {
        return Ok(None);
    };
    let file = output::beside(path)?;
    let writer = BufWriter::new(file.reopen().or_exit(exit::OUTPUT)?);
    let started = match path.extension().is_some_and(|e| e == "fst") {
        true => sim.trace_fst(writer),
        false => sim.trace(writer),
    };
    started.or_exit(exit::OUTPUT)?;
    Ok(Some((path.clone(), file)))
}

fn print(args: &Args, r: &Report) -> anyhow::Result<()> {
    if args.json {
        outln!("{}", serde_json::to_string_pretty(r)?);
        return Ok(());
    }
    outln!("{}: {} cycles, seed {}", r.top, r.cycles, r.seed);
    for (name, value) in &r.outputs {
        outln!("  {name} = {value}");
    }
    if let Some(cycles) = r.crosschecked_cycles {
        outln!("  {cycles} cycles equal to the interpreter, with and without probes");
    }
    outln!(
        "started in {:.3} s, {:.2} Mcycles/s with this stimulus",
        r.startup_seconds,
        r.cycles_per_second / 1e6
    );
    Ok(())
}
