//! Verilator's side of a comparison: its model of the same Verilog, built with full optimisation around `player.cpp`,
//! kept alive as a child process that runs whenever it is asked.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Instant;

use anyhow::{Context, bail};
use weft_hdl::core::TOP;
use weft_sim::{Bits, Program, Simulator};

use super::player::Played;
use crate::exit::{self, OrExit, fail};

const PLAYER: &str = include_str!("player.cpp");

/// Options of every build.
const OPTIONS: [&str; 9] = [
    "--cc",
    "--exe",
    "--build",
    "-O3",
    "--x-assign",
    "fast",
    "--x-initial",
    "fast",
    "--noassert",
];

/// How a model is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Build {
    /// As fast as it can be: `-O3` in Verilator and in the C++ compiler.
    Timed,
    /// With every register and memory open to reading by name, which costs speed.
    State,
}

/// The installed Verilator's version line.
pub(super) fn version() -> anyhow::Result<String> {
    let output = Command::new("verilator")
        .arg("--version")
        .stdin(Stdio::null())
        .output();
    match output {
        Ok(o) if o.status.success() => Ok(String::from_utf8_lossy(&o.stdout).trim().to_owned()),
        _ => Err(fail(
            exit::MISSING,
            "cannot run verilator: install the verilator package and a C++ compiler, or ask for Weft's own speed \
             with --no-verilator",
        )),
    }
}

/// Builds a model in `dir` and returns its program and the seconds that took.
pub(super) fn build(dir: &Path, verilog: &str, how: Build) -> anyhow::Result<(PathBuf, f64)> {
    let out = dir.join(match how {
        Build::Timed => "timed",
        Build::State => "state",
    });
    let write = |name: &str, text: &str| {
        let path = dir.join(name);
        fs::write(&path, text)
            .with_context(|| format!("cannot write {}", path.display()))
            .or_exit(exit::OUTPUT)?;
        anyhow::Ok(path)
    };
    let (source, main) = (write("core.v", verilog)?, write("player.cpp", PLAYER)?);
    let start = Instant::now();
    let mut command = Command::new("verilator");
    command.args(OPTIONS);
    // What a model does once is in the slow files. With every register readable, one function there names them all, and
    // an optimising compiler takes minutes for it.
    let (fast, slow) = match how {
        Build::Timed => {
            command.args(["-CFLAGS", "-O3"]);
            ("-O3", "-O3")
        }
        Build::State => {
            command.args(["--public-flat-rw", "--vpi", "-CFLAGS", "-DSTATE"]);
            ("-O1", "-O0")
        }
    };
    for (flags, level) in [("OPT_FAST", fast), ("OPT_GLOBAL", fast), ("OPT_SLOW", slow)] {
        command.args(["-MAKEFLAGS", &format!("{flags}={level}")]);
    }
    command
        .args(["-Wno-fatal", "-j", "0", "--top-module", TOP, "--Mdir"])
        .args([&out, &source, &main])
        .stdin(Stdio::null());
    let output = command.output().context("cannot run verilator")?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        let last: Vec<&str> = text.lines().rev().take(5).collect();
        bail!(
            "verilator cannot build the core ({}): {}",
            output.status,
            last.into_iter().rev().collect::<Vec<_>>().join("; ")
        );
    }
    Ok((out.join(format!("V{TOP}")), start.elapsed().as_secs_f64()))
}

/// A running model.
pub(super) struct Model {
    child: Child,
    ask: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Drop for Model {
    fn drop(&mut self) {
        // The process has nothing to save, and may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Model {
    /// Starts a built model on a file of recorded cycles; a model built for it also takes a file of names.
    pub(super) fn start(
        program: &Path,
        stimulus: &Path,
        names: Option<&Path>,
    ) -> anyhow::Result<Self> {
        let mut child = Command::new(program)
            .arg(stimulus)
            .args(names)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start Verilator's model")?;
        let ask = child.stdin.take().context("a piped child has an input")?;
        let answers = child.stdout.take().context("a piped child has an output")?;
        Ok(Self {
            child,
            ask,
            answers: BufReader::new(answers),
        })
    }

    fn line(&mut self) -> anyhow::Result<String> {
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        if line.is_empty() {
            bail!("Verilator's model ended early: {}", self.child.wait()?);
        }
        line.truncate(line.trim_end().len());
        Ok(line)
    }

    /// One run over all cycles from the initial state.
    pub(super) fn play(&mut self) -> anyhow::Result<Played> {
        self.ask.write_all(b"\n")?;
        self.ask.flush()?;
        let line = self.line()?;
        let mut fields = line.split(' ');
        let mut next = || {
            fields
                .next()
                .context("Verilator's model answers three numbers")
        };
        Ok(Played {
            seconds: next()?.parse()?,
            outputs: next()?.parse()?,
            answers: next()?.parse()?,
        })
    }

    /// Compares the state after the last run with that of `sim`, register by register and word by word.
    pub(super) fn compare_state(&mut self, sim: &Simulator) -> anyhow::Result<StateComparison> {
        let mut result = StateComparison::default();
        let program = sim.program().clone();
        for (path, _) in program.registers() {
            let ours = sim.read_register(sim.register(path)?);
            result.value(&self.line()?, &ours, || path.to_owned());
        }
        for (path, _, depth) in program.memories() {
            let memory = sim.memory(path)?;
            for address in 0..depth {
                let line = self.line()?;
                let ours = sim.read_memory_bits(memory, address)?;
                result.value(&line, &ours, || format!("{path}[{address}]"));
                if line == "?" {
                    break;
                }
            }
        }
        if self.line()? != "end" {
            bail!("Verilator's model prints more state than was asked for");
        }
        Ok(result)
    }
}

/// The file of names for a model built with [`Build::State`]: every register and memory that the program keeps.
pub(super) fn names(program: &Program) -> String {
    let mut text = String::new();
    let mut line = |depth: u64, path: &str| {
        let _ = writeln!(text, "{depth} TOP.{TOP}.{path}");
    };
    program.registers().for_each(|(path, _)| line(0, path));
    program
        .memories()
        .for_each(|(path, _, depth)| line(depth, path));
    text
}

/// How two final states compare.
#[derive(Debug, Default)]
pub(super) struct StateComparison {
    /// Registers and memory words compared.
    pub(super) compared: u64,
    /// The first that differs or is missing, with both values.
    pub(super) first_difference: Option<String>,
}

impl StateComparison {
    fn value(&mut self, theirs: &str, ours: &Bits, name: impl Fn() -> String) {
        self.compared += 1;
        let ours: String = (0..ours.width())
            .rev()
            .map(|i| if ours.bit(i) { '1' } else { '0' })
            .collect();
        if ours != theirs && self.first_difference.is_none() {
            let theirs = if theirs == "?" { "not found" } else { theirs };
            self.first_difference = Some(format!("{}: weft {ours}, verilator {theirs}", name()));
        }
    }
}
