//! `weft tools`: the open FPGA tools, found and set up.

use std::path::{Path, PathBuf};

use serde::Serialize;
use weft_boards::tools::{DEFAULT_DIR, Origin, Tool, ToolError, Tools};

use crate::exit::{self, OrExit};
use crate::ui;
use crate::ui::outln;

/// The open tools that `weft build` and `weft flash` use: which are found, and setting up the pinned ones.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand)]
enum Action {
    /// Say which tools are found, where, in which version
    List {
        #[command(flatten)]
        place: Place,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Set up the pinned tools from PyPI in an environment of the project's own
    Install {
        #[command(flatten)]
        place: Place,
        /// The Python that makes the environment
        #[arg(long, value_name = "PROGRAM", default_value = "python3")]
        python: PathBuf,
    },
}

/// Where the pinned tools are.
#[derive(clap::Args)]
pub(crate) struct Place {
    /// Environment of the pinned tools
    #[arg(long = "tools", visible_alias = "dir", value_name = "DIR", default_value = DEFAULT_DIR)]
    pub(crate) dir: PathBuf,
}

impl Default for Place {
    fn default() -> Self {
        Self {
            dir: DEFAULT_DIR.into(),
        }
    }
}

impl Place {
    /// Finds a program: on the PATH first, then among the pinned ones; none older than `oldest`.
    pub(crate) fn find(
        &self,
        tools: &Tools,
        program: &str,
        oldest: Option<&str>,
    ) -> anyhow::Result<Tool> {
        found(tools, program, oldest, &search_path(), &self.dir).or_exit(exit::MISSING)
    }
}

fn found(
    tools: &Tools,
    name: &str,
    oldest: Option<&str>,
    path: &[PathBuf],
    dir: &Path,
) -> Result<Tool, ToolError> {
    // The tools run in another folder.
    let dir = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
    tools.find(name, oldest, path, &dir)
}

fn search_path() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).collect()
}

/// One program as JSON.
#[derive(Serialize)]
struct Entry<'a> {
    program: &'a str,
    serves: &'a str,
    found: Option<Tool>,
    missing: Option<String>,
}

/// Runs the verb.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let tools = Tools::embedded()?;
    match &args.action {
        Action::List { place, json } => list(&tools, place, *json),
        Action::Install { place, python } => {
            let bar = ui::spinner("setting up the pinned tools");
            let done = tools.install(&place.dir, python).or_exit(exit::MISSING);
            bar.finish_and_clear();
            done?;
            list(&tools, place, false)
        }
    }
}

fn list(tools: &Tools, place: &Place, json: bool) -> anyhow::Result<()> {
    let path = search_path();
    let entries: Vec<_> = tools
        .programs
        .iter()
        .map(|p| {
            let tool = found(tools, &p.name, None, &path, &place.dir);
            Entry {
                program: &p.name,
                serves: &p.serves,
                missing: tool.as_ref().err().map(ToString::to_string),
                found: tool.ok(),
            }
        })
        .collect();
    if json {
        outln!("{}", serde_json::to_string_pretty(&entries)?);
        return Ok(());
    }
    for e in &entries {
        match (&e.found, &e.missing) {
            (Some(tool), _) => {
                let origin = match tool.origin {
                    Origin::Native => "native",
                    Origin::Pinned => "pinned",
                };
                outln!(
                    "{origin:8} {:25} {:22} {}",
                    e.program,
                    tool.version.as_deref().unwrap_or("version unknown"),
                    tool.path.display()
                );
            }
            (None, Some(missing)) => outln!("missing  {missing}"),
            (None, None) => {}
        }
    }
    Ok(())
}
