//! The passport beside an image: what it is, how it was made, and the hash that ties the two together.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::board::Core;
use crate::report::{ClockResult, Usage};

/// Version of the passport's form.
pub const FORM: u32 = 1;

/// An image's passport: `weft.toml` beside `weft.bit`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Passport {
    /// [`FORM`].
    pub form: u32,
    /// Board, by its name on the command line.
    pub board: String,
    /// Part, by the vendor's name.
    pub part: String,
    /// What was built.
    pub design: String,
    /// Program and version that made it.
    pub made_by: String,
    /// SHA-256 of the core's Verilog, lower-case hex.
    pub verilog_sha256: String,
    /// Hash over everything that host and core must agree on, `0x` and eight hex digits.
    pub map_hash: String,
    /// Seed of placement.
    pub seed: u32,
    /// Parameters of the core.
    pub core: Core,
    /// Tools with their versions.
    pub tools: Vec<ToolVersion>,
    /// Clocks.
    pub clocks: Vec<ClockResult>,
    /// Resources.
    pub usage: Vec<Usage>,
    /// The image.
    pub image: Image,
}

/// A tool that took part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ToolVersion {
    /// Program.
    pub name: String,
    /// Version as it tells it, or `unknown`.
    pub version: String,
}

/// The image that a passport belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Image {
    /// File name.
    pub file: String,
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256, lower-case hex.
    pub sha256: String,
}

/// Why a passport is not accepted.
#[derive(Debug, thiserror::Error)]
pub enum PassportError {
    /// A file could not be read or written.
    #[error("cannot {action} {file}: {cause}")]
    File {
        /// What was tried.
        action: &'static str,
        /// Which file.
        file: PathBuf,
        /// Why not.
        cause: io::Error,
    },
    /// There is none.
    #[error(
        "{image} has no passport {passport}: it was not made by `weft build`, or was copied without it"
    )]
    None {
        /// The image.
        image: PathBuf,
        /// The passport looked for.
        passport: PathBuf,
    },
    /// It is not a passport of this form.
    #[error("cannot read the passport {file}: {cause}")]
    Form {
        /// Which file.
        file: PathBuf,
        /// Line and reason.
        cause: String,
    },
    /// The image is not the one that the passport describes.
    #[error(
        "{image} is not the image of its passport: sha256 {found}, the passport says {wanted}; build again"
    )]
    Changed {
        /// The image.
        image: PathBuf,
        /// Its hash.
        found: String,
        /// The passport's.
        wanted: String,
    },
}

impl Image {
    /// Size and hash of an image file.
    ///
    /// # Errors
    /// [`PassportError::File`].
    pub fn of(path: &Path) -> Result<Self, PassportError> {
        let bytes = read(path)?;
        Ok(Self {
            file: path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned(),
            bytes: bytes.len() as u64,
            sha256: sha256(&bytes),
        })
    }
}

impl Passport {
    /// Where the passport of an image stands.
    #[must_use]
    pub fn path_of(image: &Path) -> PathBuf {
        image.with_extension("toml")
    }

    /// Writes it beside its image, whole or not at all.
    ///
    /// # Errors
    /// [`PassportError::File`].
    pub fn write(&self, image: &Path) -> Result<PathBuf, PassportError> {
        let path = Self::path_of(image);
        let dir = path
            .parent()
            .filter(|d| !d.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        let error = |cause| PassportError::File {
            action: "write",
            file: path.clone(),
            cause,
        };
        let text = toml::to_string_pretty(self).map_err(|e| error(io::Error::other(e)))?;
        let mut file = tempfile::NamedTempFile::new_in(dir).map_err(error)?;
        io::Write::write_all(&mut file, text.as_bytes()).map_err(error)?;
        file.persist(&path).map_err(|e| error(e.error))?;
        Ok(path)
    }

    /// Reads the passport of an image and checks that the image is the one it describes.
    ///
    /// # Errors
    /// [`PassportError`]; a missing image is [`PassportError::File`].
    pub fn read_checked(image: &Path) -> Result<Self, PassportError> {
        let found = Image::of(image)?;
        let path = Self::path_of(image);
        if !path.exists() {
            return Err(PassportError::None {
                image: image.into(),
                passport: path,
            });
        }
        let text = String::from_utf8_lossy(&read(&path)?).into_owned();
        let passport: Self = toml::from_str(&text).map_err(|e| PassportError::Form {
            file: path.clone(),
            cause: e.to_string().trim_end().into(),
        })?;
        if passport.form != FORM {
            return Err(PassportError::Form {
                file: path,
                cause: format!("it has form {}, this program reads {FORM}", passport.form),
            });
        }
        if found.sha256 != passport.image.sha256 {
            return Err(PassportError::Changed {
                image: image.into(),
                found: found.sha256,
                wanted: passport.image.sha256,
            });
        }
        Ok(passport)
    }
}

fn read(path: &Path) -> Result<Vec<u8>, PassportError> {
    fs::read(path).map_err(|cause| PassportError::File {
        action: "read",
        file: path.into(),
        cause,
    })
}

/// SHA-256 of some bytes, lower-case hex.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|b| format!("{b:02x}")).collect()
}
