//! `weft vm`: a throw-away Linux machine with the virtual card and an NVMe drive plugged in.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context;
use weft_hdl::CoreConfig;
use weft_vm::{Error, Guest, Machine, Packages};

use crate::cmd::verilog::parse_config;
use crate::exit::{self, fail};
use crate::ui::{self, Cancel, outln};

/// How long a card may take until its socket is there; compiling the logic of a large core takes seconds.
const CARD_START: Duration = Duration::from_secs(60);

const EXAMPLES: &str = "\
Examples:
  weft vm                                              the card's self-test, in the machine
  weft vm --drive m.weft -- weft run '$DRIVE' --prompt Hello -n 4 --device 'pcie:$CARD'
  weft vm --no-card -- uname -a
  weft vm --socket card.sock --script steps.sh --put notes.txt

The machine has busybox and this `weft`. $CARD is the card's PCI address, bound to vfio-pci; $DRIVE is the drive.
Nothing needs root or KVM, and nothing of this machine is changed: QEMU, a kernel and busybox (71 MB) are fetched
from Debian into the cache once.";

/// Run a script in a Linux machine that has the virtual card and an NVMe drive plugged in.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// What to run there, by busybox's shell [default: the self-test of the card]
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<String>,
    /// A file of shell lines instead of a command
    #[arg(long, value_name = "FILE", conflicts_with = "command")]
    script: Option<PathBuf>,
    /// A file that becomes the content of the NVMe drive; what the machine writes there is lost
    #[arg(long, value_name = "FILE")]
    drive: Option<PathBuf>,
    /// Put a file of this machine into the guest's first folder, /
    #[arg(long, value_name = "FILE")]
    put: Vec<PathBuf>,
    /// A card that already listens on this vfio-user socket, instead of one started for the run
    #[arg(long, value_name = "SOCKET")]
    socket: Option<PathBuf>,
    /// Core configuration of the card that is started: banks x batch
    #[arg(long, value_name = "NAME", default_value = "8x1", value_parser = parse_config)]
    config: CoreConfig,
    /// What the card is made of: its behaviour, or its register-transfer logic in the simulator
    #[arg(long, default_value = "behaviour", value_parser = ["behaviour", "rtl"])]
    model: String,
    /// Pass standard input on to the script, line by line as the machine reads it
    #[arg(long)]
    stdin: bool,
    /// No card at all
    #[arg(long, conflicts_with = "socket")]
    no_card: bool,
    /// Guest memory in MiB
    #[arg(long, value_name = "MIB", default_value_t = 768, value_parser = clap::value_parser!(u32).range(256..=65536))]
    memory: u32,
    /// Hugepages of 2 MiB to reserve in the guest, for DMA buffers
    #[arg(long, value_name = "N", default_value_t = 32)]
    hugepages: u32,
    /// Most seconds for boot, script and power-off
    #[arg(long, value_name = "S", default_value_t = 180)]
    timeout: u64,
    /// Folder for the fetched packages [default: weft/vm in the user's cache]
    #[arg(long, value_name = "DIR")]
    cache: Option<PathBuf>,
    /// Print a JSON object at the end: exit code, seconds, versions
    #[arg(long)]
    json: bool,
}

/// Runs the verb.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let script = script(args)?;
    let cache = match &args.cache {
        Some(dir) => dir.clone(),
        None => dirs::cache_dir()
            .context("no folder for caches is known; give --cache")?
            .join("weft/vm"),
    };
    let cancel = Cancel::install()?;
    let bar = ui::spinner("the machine's packages");
    let root = Packages::in_folder(&cache).ensure(|step| bar.set_message(step.to_owned()));
    bar.finish_and_clear();
    let root = root.map_err(coded)?;

    let card = match (&args.socket, args.no_card) {
        (_, true) => None,
        (Some(socket), _) => Some(Card::listening(socket)?),
        (None, false) => Some(Card::start(args, &cancel)?),
    };
    let program = std::env::current_exe().context("this program's own path")?;
    let put = |path: &PathBuf| {
        let name = path.file_name().and_then(|n| n.to_str());
        let name = name.with_context(|| format!("{} has no name", path.display()))?;
        Ok((path.clone(), name.to_owned()))
    };
    let guest = Guest {
        program,
        script,
        files: args.put.iter().map(put).collect::<anyhow::Result<_>>()?,
        hugepages: args.hugepages,
    };
    if let Some(drive) = &args.drive {
        std::fs::metadata(drive).with_context(|| format!("the drive {}", drive.display()))?;
    }
    let machine = Machine {
        root,
        memory_mib: args.memory,
        processors: 2,
        card: card.as_ref().map(|c| c.socket.clone()),
        input: args.stdin,
        drive: args.drive.clone(),
        limit: Duration::from_secs(args.timeout),
    };
    let outcome = machine.run(&guest, &mut std::io::stdout().lock(), cancel.flag());
    drop(card);
    let outcome = outcome.map_err(coded)?;
    std::io::stdout().flush()?;
    if args.json {
        let versions: Vec<_> = machine.root.versions.lines().collect();
        let seconds = outcome.time.as_secs_f64();
        outln!(
            "{}",
            serde_json::json!({ "exit_code": outcome.code, "seconds": seconds, "versions": versions })
        );
    } else {
        ui::note(format!(
            "the machine ran for {:.1} s",
            outcome.time.as_secs_f64()
        ));
    }
    match outcome.code {
        0 => Ok(()),
        // The script's own code, so that what ran in the machine can be told from outside.
        code => Err(fail(
            u8::try_from(code).unwrap_or(exit::FAILURE),
            format!("the script in the machine ended with exit code {code}"),
        )),
    }
}

/// The lines to run: from the command, the file, or the self-test.
fn script(args: &Args) -> anyhow::Result<String> {
    if let Some(path) = &args.script {
        return std::fs::read_to_string(path)
            .with_context(|| format!("the script {}", path.display()));
    }
    if !args.command.is_empty() {
        return Ok(args.command.join(" "));
    }
    if args.no_card {
        return Err(fail(
            exit::USAGE,
            "without a card there is no self-test; give a command after --",
        ));
    }
    Ok("weft selftest --device pcie:$CARD".into())
}

fn coded(error: Error) -> anyhow::Error {
    let code = match error {
        Error::Program { .. } | Error::Keyring { .. } => exit::MISSING,
        Error::Fetch { .. } => exit::DOWNLOAD,
        Error::Incomplete { .. } | Error::Damaged { .. } | Error::Guest(_) => exit::INPUT,
        Error::Died { .. } | Error::TimedOut { .. } => exit::DEVICE,
        Error::Interrupted => exit::INTERRUPTED,
        Error::Io { .. } => return error.into(),
    };
    fail(code, error.to_string())
}

/// A card on a socket; one that was started here ends with it.
struct Card {
    socket: PathBuf,
    server: Option<(Child, tempfile::TempDir)>,
}

impl Card {
    fn listening(socket: &Path) -> anyhow::Result<Self> {
        let socket = socket
            .canonicalize()
            .with_context(|| format!("the card's socket {}", socket.display()))?;
        Ok(Self {
            socket,
            server: None,
        })
    }

    /// Starts `weft card` and waits until its socket is there.
    fn start(args: &Args, cancel: &Cancel) -> anyhow::Result<Self> {
        let dir = tempfile::Builder::new().prefix("weft-card-").tempdir()?;
        let socket = dir.path().join("card.sock");
        let child = Command::new(std::env::current_exe()?)
            .args([
                "card",
                "--config",
                &args.config.to_string(),
                "--model",
                &args.model,
                "--socket",
            ])
            .arg(&socket)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()?;
        let mut card = Self {
            socket,
            server: Some((child, dir)),
        };
        let start = Instant::now();
        while !card.socket.exists() {
            cancel.check()?;
            let ended = match &mut card.server {
                Some((child, _)) => child.try_wait()?,
                None => None,
            };
            if ended.is_some() || start.elapsed() > CARD_START {
                return Err(fail(
                    exit::DEVICE,
                    "the virtual card did not start; try `weft card` by itself",
                ));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(card)
    }
}

impl Drop for Card {
    fn drop(&mut self) {
        if let Some((child, _)) = &mut self.server {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
