//! Running a plan: the steps in order, their words kept, a failure told by its cause.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use crate::cause::{Overflow, cause_of, list, only_too_slow};
use crate::passport::Passport;
use crate::plan::{PACKING, Plan, Step};
use crate::tools::Tool;

/// Why a step did not finish.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A file could not be written or read.
    #[error("cannot {action} {file}: {cause}")]
    File {
        /// What was tried.
        action: &'static str,
        /// Which file.
        file: String,
        /// Why not.
        cause: io::Error,
    },
    /// The program could not be started.
    #[error("cannot start {program}: {cause}")]
    Start {
        /// The program.
        program: String,
        /// Why not.
        cause: io::Error,
    },
    /// The design does not fit the part.
    #[error(
        "the design does not fit: {}; choose a smaller core or a larger part",
        list(overflow)
    )]
    TooLarge {
        /// What overflows.
        overflow: Vec<Overflow>,
    },
    /// The tool said what it did not like.
    #[error("{program} failed: {said} (all it said is in {log})")]
    Tool {
        /// The program.
        program: String,
        /// Its error lines.
        said: String,
        /// The log.
        log: String,
    },
    /// The tool ended without an error message: it crashed.
    #[error(transparent)]
    Silent(Box<Silence>),
    /// The tool reported success and did not write what it must.
    #[error("{program} ended well but did not write {file}; all it said is in {log}")]
    NoOutput {
        /// The program.
        program: String,
        /// The file.
        file: String,
        /// The log.
        log: String,
    },
    /// The disk was full when the tool ended. The tools do not look whether their files were written.
    #[error(
        "the disk is full: {program} may have written half of its files in {dir}, so they were removed; free some space and build again"
    )]
    DiskFull {
        /// The program.
        program: String,
        /// The build folder.
        dir: String,
    },
    /// The caller's flag was raised.
    #[error("interrupted during {0}")]
    Interrupted(&'static str),
}

/// A tool that died without a word.
#[derive(Debug, thiserror::Error)]
#[error("{program}{} died without a word ({status}; its last line was {last:?}, all it said is in {log}); {fix}", version.as_ref().map(|v| format!(" {v}")).unwrap_or_default())]
pub struct Silence {
    /// The program.
    pub program: String,
    /// Its version.
    pub version: Option<String>,
    /// How it ended.
    pub status: String,
    /// The last line of its log.
    pub last: String,
    /// The log.
    pub log: String,
    /// What to try.
    pub fix: &'static str,
}

/// How a step ended that wrote what it must.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// All well.
    Done(Duration),
    /// Routed, but slower than wanted; the report says by how much.
    TooSlow(Duration),
}

/// Room that must be left after a step, bytes: less, and what the step wrote may be cut short.
const ROOM: usize = 64 << 10;
const PROBE: &str = "room.probe";

/// Writes the plan's files into `dir` and removes what an earlier build left of its outputs, so that a failed or
/// interrupted build leaves no result.
///
/// # Errors
/// [`RunError::File`].
pub fn prepare(plan: &Plan, dir: &Path) -> Result<(), RunError> {
    create(dir)?;
    create(&dir.join(PACKING))?;
    let mut stale: Vec<String> = vec![plan.image.clone()];
    let passport = Passport::path_of(Path::new(&plan.image));
    stale.push(passport.to_string_lossy().into_owned());
    stale.extend(plan.routed().iter().map(|n| (*n).to_owned()));
    for route in &plan.routes {
        create(&dir.join(&route.folder))?;
        stale.extend(route.step.outputs.iter().cloned());
    }
    stale.extend(plan.synthesis.outputs.iter().cloned());
    stale.extend(plan.pack.outputs.iter().cloned());
    for name in &stale {
        match fs::remove_file(dir.join(name)) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => {
                return Err(file_error("remove", dir, name)(e));
            }
            _ => {}
        }
    }
    for file in &plan.files {
        write(dir, &file.name, &file.text)?;
    }
    Ok(())
}

/// Writes one of the build's own files.
///
/// # Errors
/// [`RunError::File`].
pub fn write(dir: &Path, name: &str, text: &str) -> Result<(), RunError> {
    fs::write(dir.join(name), text).map_err(file_error("write", dir, name))
}

/// Renames a file of the build folder, replacing what has that name.
///
/// # Errors
/// [`RunError::File`].
pub fn rename(dir: &Path, from: &str, to: &str) -> Result<(), RunError> {
    fs::rename(dir.join(from), dir.join(to)).map_err(file_error("rename", dir, from))
}

fn create(dir: &Path) -> Result<(), RunError> {
    fs::create_dir_all(dir).map_err(file_error("create", dir, "."))
}

fn file_error(action: &'static str, dir: &Path, name: &str) -> impl FnOnce(io::Error) -> RunError {
    let file = dir.join(name).display().to_string();
    move |cause| RunError::File {
        action,
        file,
        cause,
    }
}

/// Whether there is no room left where the build writes.
fn full(dir: &Path) -> bool {
    let path = dir.join(PROBE);
    let filled = File::create(&path)
        .and_then(|mut f| {
            f.write_all(&[0x5a; ROOM])?;
            f.sync_all()
        })
        .err();
    let _ = fs::remove_file(path);
    filled.is_some_and(|e| {
        matches!(
            e.kind(),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
        )
    })
}

/// Runs one step in `dir`. Every line that the tool prints goes to the step's log and to `line`.
///
/// # Errors
/// [`RunError`]; an output of a failed step is removed.
pub fn step(
    step: &Step,
    tool: &Tool,
    dir: &Path,
    cancel: &AtomicBool,
    mut line: impl FnMut(&str),
) -> Result<Outcome, RunError> {
    let started = Instant::now();
    let log_path = dir.join(&step.log);
    let log = log_path.display().to_string();
    let log_error = |cause| RunError::File {
        action: "write",
        file: log.clone(),
        cause,
    };
    let mut log_file = File::create(&log_path).map_err(log_error)?;
    let mut child = Command::new(&tool.path)
        .args(&step.args)
        .current_dir(dir)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|cause| RunError::Start {
            program: tool.path.display().to_string(),
            cause,
        })?;
    let mut said = Vec::new();
    let status = follow(&mut child, cancel, |text| {
        writeln!(log_file, "{text}")?;
        line(text);
        said.push(text.to_owned());
        Ok(())
    })
    .map_err(|cause| {
        discard(step, dir);
        log_error(cause)
    })?;
    // Ctrl-C reaches the tool too, and it may end before the flag is seen.
    let stopped = |s: &ExitStatus| cancel.load(Ordering::SeqCst) || by_interrupt(s);
    let Some(status) = status.filter(|s| s.success() || !stopped(s)) else {
        discard(step, dir);
        return Err(RunError::Interrupted(step.phase.name()));
    };
    if full(dir) {
        discard(step, dir);
        return Err(RunError::DiskFull {
            program: step.program.clone(),
            dir: dir.display().to_string(),
        });
    }
    let missing = step.outputs.iter().find(|o| !dir.join(o).is_file());
    if status.success() {
        return match missing {
            None => Ok(Outcome::Done(started.elapsed())),
            Some(file) => Err(RunError::NoOutput {
                program: step.program.clone(),
                file: file.clone(),
                log,
            }),
        };
    }
    if missing.is_none() && only_too_slow(&said) {
        return Ok(Outcome::TooSlow(started.elapsed()));
    }
    discard(step, dir);
    Err(cause_of(step, tool, &said, &status.to_string(), log))
}

#[cfg(unix)]
fn by_interrupt(status: &ExitStatus) -> bool {
    const SIGINT: i32 = 2;
    std::os::unix::process::ExitStatusExt::signal(status) == Some(SIGINT)
}

#[cfg(not(unix))]
fn by_interrupt(_: &ExitStatus) -> bool {
    false
}

/// Reads both streams line by line until the child ends; `None` when it was stopped by the flag.
fn follow(
    child: &mut Child,
    cancel: &AtomicBool,
    mut line: impl FnMut(&str) -> io::Result<()>,
) -> io::Result<Option<ExitStatus>> {
    let (sender, lines) = mpsc::channel();
    let streams: [Option<Box<dyn Read + Send>>; 2] = [
        child.stdout.take().map(|s| Box::new(s) as _),
        child.stderr.take().map(|s| Box::new(s) as _),
    ];
    for stream in streams.into_iter().flatten() {
        let sender = sender.clone();
        thread::spawn(move || {
            for text in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
                let text = String::from_utf8_lossy(&text);
                if sender.send(text.trim_end().to_owned()).is_err() {
                    break;
                }
            }
        });
    }
    drop(sender);
    let mut failed = Ok(());
    loop {
        match lines.recv_timeout(Duration::from_millis(100)) {
            Ok(text) => {
                if failed.is_ok() {
                    failed = line(&text);
                }
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => break,
            Err(mpsc::RecvTimeoutError::Timeout) => {}
        }
        if cancel.load(Ordering::SeqCst) || failed.is_err() {
            child.kill()?;
            child.wait()?;
            return failed.map(|()| None);
        }
    }
    child.wait().map(Some)
}

fn discard(step: &Step, dir: &Path) {
    for output in &step.outputs {
        // What cannot be removed is removed by the next build's `prepare`, or named by it.
        let _ = fs::remove_file(dir.join(output));
    }
}
