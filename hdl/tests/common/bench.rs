//! Builds the Verilog of a configuration with Verilator, once a text, and runs streams through it.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::process::Command;
use weft_hdl::{CoreConfig, generate_verilog};

/// The core under Verilator.
pub struct Bench {
    binary: PathBuf,
    scratch: PathBuf,
}

/// How the streams on both sides hesitate.
#[derive(Clone, Copy, Debug)]
pub struct Gaps {
    /// Chance in 256 that no beat is offered in a cycle.
    pub input: u32,
    /// Chance in 256 that no word is taken in a cycle.
    pub output: u32,
    /// Seed of both.
    pub seed: u64,
}

impl Gaps {
    /// Never hesitate.
    pub const NONE: Gaps = Gaps {
        input: 0,
        output: 0,
        seed: 1,
    };
}

/// Whether Verilator is installed; says so loudly if not.
pub fn verilator() -> bool {
    let found = Command::new("verilator").arg("--version").output().is_ok();
    if !found {
        eprintln!("SKIPPED: verilator is not on the PATH, the RTL was not compared with its twin");
    }
    found
}

impl Bench {
    /// The bench of a configuration, built unless the same text was built before.
    pub fn new(config: &CoreConfig) -> Self {
        let verilog = generate_verilog(config).expect("a configuration that can be built");
        Self::of_text(config, &verilog)
    }

    /// The bench of a text that has the pins of this configuration's core.
    pub fn of_text(config: &CoreConfig, verilog: &str) -> Self {
        let harness = include_str!("../verilator/main.cpp");
        let mut hasher = DefaultHasher::new();
        (verilog, harness).hash(&mut hasher);
        let name = format!(
            "{}x{}w{}d{}-{:016x}",
            config.banks,
            config.batch,
            config.stream_bytes,
            config.depth,
            hasher.finish()
        );
        let scratch = PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
            .join("verilator")
            .join(name);
        let binary = scratch.join("build").join("Vweft_core");
        if !binary.exists() {
            fs::create_dir_all(&scratch).expect("scratch folder");
            fs::write(scratch.join("weft_core.v"), verilog).expect("Verilog text");
            fs::write(scratch.join("main.cpp"), harness).expect("harness text");
            let flags = format!("-O1 -DSTREAM_BYTES={}", config.stream_bytes);
            let output = Command::new("verilator")
                .args([
                    "--cc",
                    "--exe",
                    "--build",
                    "-Wno-fatal",
                    "-Wno-lint",
                    "-Wno-UNOPTFLAT",
                    "-j",
                    "2",
                ])
                .args(["-O3", "--x-assign", "fast", "--x-initial", "unique"])
                .args([
                    "--top-module",
                    "weft_core",
                    "-Mdir",
                    "build",
                    "-CFLAGS",
                    &flags,
                ])
                .args(["weft_core.v", "main.cpp"])
                .current_dir(&scratch)
                .output()
                .expect("verilator runs");
            assert!(
                output.status.success(),
                "verilator refused the core:\n{}",
                String::from_utf8_lossy(&output.stderr)
            );
        }
        Self { binary, scratch }
    }

    /// Sends `bytes` and returns the words that came back and the cycles that it took.
    pub fn run(&self, bytes: &[u8], gaps: Gaps) -> (Vec<u32>, u64) {
        let run = format!("{}-{:?}", std::process::id(), std::thread::current().id());
        let stimulus = self.scratch.join(format!("stimulus-{run}"));
        let answers = self.scratch.join(format!("answers-{run}"));
        fs::write(&stimulus, bytes).expect("stimulus file");
        let output = Command::new(&self.binary)
            .arg(&stimulus)
            .arg(&answers)
            .args([
                gaps.seed.to_string(),
                gaps.input.to_string(),
                gaps.output.to_string(),
            ])
            .arg("3000")
            .output()
            .expect("the compiled core runs");
        assert!(
            output.status.success(),
            "the compiled core failed: {output:?}"
        );
        let text = String::from_utf8_lossy(&output.stdout);
        let cycles = text.trim().parse().expect("a cycle count");
        let words = fs::read(&answers).expect("answers file");
        let words = words
            .chunks_exact(4)
            .map(|w| u32::from_le_bytes([w[0], w[1], w[2], w[3]]))
            .collect();
        let _ = fs::remove_file(stimulus);
        let _ = fs::remove_file(answers);
        (words, cycles)
    }
}

/// Builds a module `bench` that drives itself under Verilator, in a scratch folder of this name, and returns what it
/// printed until it ended.
pub fn printed(name: &str, verilog: &str) -> String {
    let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&dir).expect("scratch folder");
    fs::write(dir.join("bench.v"), verilog).expect("bench");
    let built = Command::new("verilator")
        .args(["--binary", "--timing", "-Wno-fatal", "-Wno-lint"])
        .args(["-Wno-MULTIDRIVEN", "-Wno-MODDUP", "--x-initial", "unique"])
        .args(["--top-module", "bench", "-Mdir", "build", "bench.v"])
        .current_dir(&dir)
        .output()
        .expect("verilator runs");
    assert!(
        built.status.success(),
        "verilator refused the bench:\n{}",
        String::from_utf8_lossy(&built.stderr)
    );
    let run = Command::new(dir.join("build/Vbench")).output();
    String::from_utf8_lossy(&run.expect("the bench runs").stdout).into_owned()
}
