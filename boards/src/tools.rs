//! Finding the open tools: native ones on the path, or pinned ones in the project's own environment.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::{Deserialize, Serialize};

const FILE: &str = include_str!("../tools.toml");
/// Folder of the pinned tools inside a project.
pub const DEFAULT_DIR: &str = ".venv";

/// `tools.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tools {
    /// Packages with their versions.
    pub packages: Vec<Package>,
    /// Programs and where to look for them.
    pub programs: Vec<Program>,
}

/// A pinned package.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Package {
    /// Name on PyPI.
    pub name: String,
    /// Version.
    pub version: String,
}

/// A program.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Program {
    /// Name that plans use.
    pub name: String,
    /// The package that holds it; absent where none does.
    pub package: Option<String>,
    /// Its name inside the package.
    pub pinned: Option<String>,
    /// Its names on the path.
    pub native: Vec<String>,
    /// Arguments that print its version; absent where it has none.
    #[serde(default)]
    pub version: Vec<String>,
    /// What it is for.
    pub serves: String,
}

/// Where a tool came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// On the path.
    Native,
    /// In the project's environment.
    Pinned,
}

/// A tool that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tool {
    /// Name that plans use.
    pub program: String,
    /// The file to run.
    pub path: PathBuf,
    /// Where it came from.
    pub origin: Origin,
    /// What it says of its version, or the version of its package.
    pub version: Option<String>,
}

/// Why a tool cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ToolError {
    /// `tools.toml` is wrong.
    #[error("cannot read tools.toml: {0}")]
    File(String),
    /// It is nowhere.
    #[error("{program} is not installed ({serves}): {fix}")]
    Missing {
        /// The program.
        program: String,
        /// What it is for.
        serves: String,
        /// How to get it.
        fix: String,
    },
    /// There is one, but it is too old.
    #[error("{path} is {version}, but {oldest} or later is needed here: {fix}")]
    TooOld {
        /// The file.
        path: PathBuf,
        /// Its version.
        version: String,
        /// The oldest that serves.
        oldest: String,
        /// How to get a newer one.
        fix: &'static str,
    },
    /// A step of the installation failed.
    #[error("cannot install the tools: {step} failed: {cause}")]
    Install {
        /// The command.
        step: String,
        /// What it said.
        cause: String,
    },
}

impl Tools {
    /// The pinned versions and names compiled in.
    ///
    /// # Errors
    /// [`ToolError::File`] if the file is wrong, which this crate's tests rule out for the one committed.
    pub fn embedded() -> Result<Self, ToolError> {
        toml::from_str(FILE).map_err(|e| ToolError::File(e.to_string()))
    }

    /// Finds a program: in `path` first, then in the environment `venv`. One that is older than `oldest` (a version
    /// like `0.64`) is passed over.
    ///
    /// # Errors
    /// [`ToolError::Missing`] and [`ToolError::TooOld`] with the way to get it.
    pub fn find(
        &self,
        program: &str,
        oldest: Option<&str>,
        path: &[PathBuf],
        venv: &Path,
    ) -> Result<Tool, ToolError> {
        let mut too_old = None;
        let known = self.programs.iter().find(|p| p.name == program);
        let native_names = known.map_or(vec![program.to_owned()], |p| p.native.clone());
        for name in &native_names {
            if let Some(file) = path.iter().find_map(|dir| executable(dir, name)) {
                let args = known.map(|p| p.version.as_slice()).unwrap_or_default();
                let version = said_version(&file, args);
                if let (Some(oldest), Some(said)) = (oldest, &version)
                    && older(said, oldest)
                {
                    too_old = Some((file, said.clone(), oldest.to_owned()));
                    continue;
                }
                return Ok(Tool {
                    program: program.into(),
                    version,
                    path: file,
                    origin: Origin::Native,
                });
            }
        }
        let pinned = known.and_then(|p| p.pinned.as_deref());
        if let Some(file) = pinned.and_then(|name| executable(&scripts(venv), name)) {
            let package = known.and_then(|p| p.package.as_deref());
            return Ok(Tool {
                program: program.into(),
                version: package.and_then(|name| installed_version(venv, name)),
                path: file,
                origin: Origin::Pinned,
            });
        }
        if let Some((path, version, oldest)) = too_old {
            return Err(ToolError::TooOld {
                path,
                version,
                oldest,
                fix: "run `weft tools install`, or update it",
            });
        }
        Err(ToolError::Missing {
            program: program.into(),
            serves: known.map_or_else(|| "a build".into(), |p| p.serves.clone()),
            fix: if pinned.is_some() {
                "run `weft tools install`, or put a native one on the PATH".into()
            } else {
                "no version of it is pinned; install your distribution's or its makers' and put it on the PATH".into()
            },
        })
    }

    /// The commands that set up the pinned tools in `venv`, in order.
    #[must_use]
    pub fn install_commands(&self, venv: &Path, python: &Path) -> Vec<(PathBuf, Vec<String>)> {
        let mut pip: Vec<String> = ["-m", "pip", "install", "--disable-pip-version-check"]
            .map(str::to_owned)
            .to_vec();
        pip.extend(
            self.packages
                .iter()
                .map(|p| format!("{}=={}", p.name, p.version)),
        );
        let create = ["-m", "venv"].map(str::to_owned).to_vec();
        let create = [create, vec![venv.display().to_string()]].concat();
        vec![
            (python.to_owned(), create),
            (
                scripts(venv).join(format!("python{}", std::env::consts::EXE_SUFFIX)),
                pip,
            ),
        ]
    }

    /// Sets up the pinned tools in `venv`; a repeated call changes nothing.
    ///
    /// # Errors
    /// [`ToolError::Install`] with what the failing command said.
    pub fn install(&self, venv: &Path, python: &Path) -> Result<(), ToolError> {
        for (program, args) in self.install_commands(venv, python) {
            let step = format!("{} {}", program.display(), args.join(" "));
            let fail = |cause: String| ToolError::Install {
                step: step.clone(),
                cause,
            };
            let output = Command::new(&program)
                .args(&args)
                .stdin(Stdio::null())
                .output()
                .map_err(|e| fail(e.to_string()))?;
            if !output.status.success() {
                let said = [output.stdout, output.stderr].concat();
                let said = String::from_utf8_lossy(&said);
                let lines: Vec<_> = said.lines().collect();
                let last = lines[lines.len().saturating_sub(5)..].join("\n");
                return Err(fail(if last.is_empty() {
                    output.status.to_string()
                } else {
                    last
                }));
            }
        }
        Ok(())
    }
}

/// The folder of an environment's programs.
fn scripts(venv: &Path) -> PathBuf {
    venv.join(if cfg!(windows) { "Scripts" } else { "bin" })
}

fn executable(dir: &Path, name: &str) -> Option<PathBuf> {
    let file = dir.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    let meta = fs::metadata(&file).ok()?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        if meta.permissions().mode() & 0o111 == 0 {
            return None;
        }
    }
    meta.is_file().then_some(file)
}

/// The first line with a number like 1.2 in what a program prints.
fn said_version(file: &Path, args: &[String]) -> Option<String> {
    if args.is_empty() {
        return None;
    }
    let output = Command::new(file)
        .args(args)
        .stdin(Stdio::null())
        .output()
        .ok()?;
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    said.lines()
        .find(|line| has_version(line))
        .map(|line| line.trim().to_owned())
}

fn has_version(line: &str) -> bool {
    number(line).is_some()
}

/// The first number like `1.2` in a text: before and after the point.
fn number(text: &str) -> Option<(u32, u32)> {
    text.split(|c: char| !(c.is_ascii_digit() || c == '.'))
        .find_map(|word| {
            let mut parts = word.split('.');
            Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
        })
}

/// Whether a program that says `said` is older than `oldest`; one that names no version is taken for new enough.
fn older(said: &str, oldest: &str) -> bool {
    match (number(said), number(oldest)) {
        (Some(said), Some(oldest)) => said < oldest,
        _ => false,
    }
}

/// The version of a package, from the name of its metadata folder.
fn installed_version(venv: &Path, package: &str) -> Option<String> {
    let wanted = package.replace('-', "_").to_lowercase();
    let libraries = site_packages(venv).ok()?;
    libraries.iter().find_map(|dir| {
        fs::read_dir(dir).ok()?.flatten().find_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let (name, version) = name.strip_suffix(".dist-info")?.rsplit_once('-')?;
            (name.to_lowercase() == wanted).then(|| version.to_owned())
        })
    })
}

fn site_packages(venv: &Path) -> io::Result<Vec<PathBuf>> {
    if cfg!(windows) {
        return Ok(vec![venv.join("Lib").join("site-packages")]);
    }
    Ok(fs::read_dir(venv.join("lib"))?
        .flatten()
        .map(|entry| entry.path().join("site-packages"))
        .collect())
}
