//! `weft doctor`: what this machine has of what the verbs need, and how to get the rest.

#[cfg(target_os = "linux")]
mod cards;

use std::borrow::Cow;
use std::process::{Command, Stdio};

use serde::Serialize;
use weft_boards::tools::{Program, Tools};
use weft_host::device::serial::{self, PortInfo};

use super::tools::Place;
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
    serves: String,
    /// How to get it.
    next_step: Cow<'static, str>,
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
            serves: "the cpu device".into(),
            next_step: "nothing to do".into(),
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
    ];
    findings.extend(board_tools());
    let dir = catalog::default_dir().ok();
    for model in catalog::MODELS {
        let path = dir
            .as_ref()
            .map(|d| d.join(model.file))
            .filter(|p| p.exists());
        findings.push(Finding {
            what: model.name.into(),
            found: path.map(|p| p.display().to_string()),
            serves: "a model to run".into(),
            next_step: "run `weft get` with this name".into(),
        });
    }
    findings.extend(serial_ports());
    #[cfg(target_os = "linux")]
    findings.extend(cards::System::here().examine());
    findings
}

/// The ports that a board may be on, and whether this user may open them.
fn serial_ports() -> Vec<Finding> {
    let serves = "boards on a serial line (--device serial:PATH)";
    let ports = serial::ports();
    if ports.is_empty() {
        return vec![Finding {
            what: "serial ports".into(),
            found: None,
            serves: serves.into(),
            next_step: "plug a board in, or run `weft board-sim`".into(),
        }];
    }
    let finding = |port: PortInfo| Finding {
        found: port.allowed.then(|| port.what.clone()),
        serves: match port.allowed {
            true => serves.into(),
            false => format!("{serves}, and this user may not open it"),
        },
        what: port.path,
        next_step: "join the group that owns it (`dialout` on Debian), then log in again".into(),
    };
    ports.into_iter().map(finding).collect()
}

/// The programs of the boards' builds, as `weft build` would take them.
fn board_tools() -> Vec<Finding> {
    // The list is compiled in, and its own tests read it.
    let Ok(tools) = Tools::embedded() else {
        return Vec::new();
    };
    let place = Place::default();
    let find = |program: &Program| {
        let tool = place.find(&tools, &program.name, None).ok();
        Finding {
            what: program.name.clone(),
            found: tool.map(|t| {
                let version = t.version.unwrap_or_else(|| "version unknown".into());
                format!("{version}, {}", t.path.display())
            }),
            serves: program.serves.clone(),
            next_step: if program.package.is_some() {
                "run `weft tools install`".into()
            } else {
                "no version of it is pinned: install your distribution's or its makers'".into()
            },
        }
    };
    tools.programs.iter().map(find).collect()
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
        serves: serves.into(),
        next_step: next_step.into(),
    }
}
