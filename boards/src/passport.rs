//! The passport beside an image: what it is, how it was made, and the hash that ties the two together.
//!
//! An image may be compressed (`weft.bit.gz`); its passport (`weft.toml`) describes the image inside.

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::board::Core;
use crate::report::{ClockResult, Usage};

/// Version of the passport's form.
pub const FORM: u32 = 2;
/// Largest image that is unpacked, bytes; the largest part's uncompressed text is a tenth of it.
pub const IMAGE_LIMIT: u64 = 256 << 20;
/// Extension of a compressed image.
pub const COMPRESSED: &str = "gz";

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
    /// Commit of the source, with `+changes` where files differed from it; absent where there was no repository.
    pub commit: Option<String>,
    /// SHA-256 of the Verilog, lower-case hex.
    pub verilog_sha256: String,
    /// Hash over everything that host and core must agree on, `0x` and eight hex digits.
    pub map_hash: String,
    /// Clock that was asked for, MHz.
    pub target_mhz: f64,
    /// Seed of placement.
    pub seed: u32,
    /// Parameters of the core; absent where there is none in the design.
    pub core: Option<Core>,
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
    /// Size and hash of an image.
    #[must_use]
    pub fn of(file: &str, bytes: &[u8]) -> Self {
        Self {
            file: file.into(),
            bytes: bytes.len() as u64,
            sha256: sha256(bytes),
        }
    }
}

/// Whether a path names a compressed image.
#[must_use]
pub fn compressed(image: &Path) -> bool {
    image.extension().is_some_and(|e| e == COMPRESSED)
}

/// The bytes of an image file, decompressed where its name says that it is compressed.
///
/// # Errors
/// [`PassportError::File`]; an image above [`IMAGE_LIMIT`] is one.
pub fn load(image: &Path) -> Result<Vec<u8>, PassportError> {
    let bytes = read(image)?;
    if !compressed(image) {
        return Ok(bytes);
    }
    let error = |cause| PassportError::File {
        action: "decompress",
        file: image.into(),
        cause,
    };
    let mut out = Vec::new();
    let mut source = GzDecoder::new(bytes.as_slice()).take(IMAGE_LIMIT + 1);
    source.read_to_end(&mut out).map_err(error)?;
    if out.len() as u64 > IMAGE_LIMIT {
        let cause = format!("it holds more than {IMAGE_LIMIT} bytes");
        return Err(error(io::Error::other(cause)));
    }
    Ok(out)
}

impl Passport {
    /// Where the passport of an image stands.
    #[must_use]
    pub fn path_of(image: &Path) -> PathBuf {
        let inner = image.with_extension("");
        let image = if compressed(image) { &inner } else { image };
        image.with_extension("toml")
    }

    /// Writes the image, compressed, and its passport into a folder, each whole or not at all, the passport last;
    /// returns both paths. The same image gives the same bytes.
    ///
    /// # Errors
    /// [`PassportError::File`].
    pub fn keep(&self, image: &[u8], dir: &Path) -> Result<(PathBuf, PathBuf), PassportError> {
        let path = dir.join(format!("{}.{COMPRESSED}", self.image.file));
        let error = |cause| PassportError::File {
            action: "write",
            file: path.clone(),
            cause,
        };
        fs::create_dir_all(dir).map_err(error)?;
        // No name and no time in the header.
        let mut packer = GzEncoder::new(Vec::new(), Compression::best());
        let packed = packer.write_all(image).and_then(|()| packer.finish());
        replace(&path, &packed.map_err(error)?)?;
        let passport = self.write(&path)?;
        Ok((path, passport))
    }

    /// Writes it beside its image, whole or not at all.
    ///
    /// # Errors
    /// [`PassportError::File`].
    pub fn write(&self, image: &Path) -> Result<PathBuf, PassportError> {
        let path = Self::path_of(image);
        let text = toml::to_string_pretty(self).map_err(|e| PassportError::File {
            action: "write",
            file: path.clone(),
            cause: io::Error::other(e),
        })?;
        replace(&path, text.as_bytes())?;
        Ok(path)
    }

    /// Reads a passport, whatever became of its image.
    ///
    /// # Errors
    /// [`PassportError::File`] and [`PassportError::Form`].
    pub fn read(path: &Path) -> Result<Self, PassportError> {
        let text = String::from_utf8_lossy(&read(path)?).into_owned();
        let form = |cause: String| PassportError::Form {
            file: path.into(),
            cause,
        };
        // The form first: another one has other keys.
        let any: toml::Table = toml::from_str(&text).map_err(|e| form(message(&e)))?;
        match any.get("form").and_then(toml::Value::as_integer) {
            Some(n) if n != i64::from(FORM) => {
                Err(form(format!("it has form {n}, this program reads {FORM}")))
            }
            _ => toml::from_str(&text).map_err(|e| form(message(&e))),
        }
    }

    /// Reads the passport of an image and checks that the image is the one it describes.
    ///
    /// # Errors
    /// [`PassportError`]; a missing image is [`PassportError::File`].
    pub fn read_checked(image: &Path) -> Result<Self, PassportError> {
        let found = sha256(&load(image)?);
        let path = Self::path_of(image);
        if !path.exists() {
            return Err(PassportError::None {
                image: image.into(),
                passport: path,
            });
        }
        let passport = Self::read(&path)?;
        if found != passport.image.sha256 {
            return Err(PassportError::Changed {
                image: image.into(),
                found,
                wanted: passport.image.sha256,
            });
        }
        Ok(passport)
    }
}

fn message(error: &toml::de::Error) -> String {
    error.to_string().trim_end().into()
}

/// Writes a file beside its place and renames it.
fn replace(path: &Path, bytes: &[u8]) -> Result<(), PassportError> {
    let dir = path.parent().filter(|d| !d.as_os_str().is_empty());
    let error = |cause| PassportError::File {
        action: "write",
        file: path.into(),
        cause,
    };
    let mut file = tempfile::NamedTempFile::new_in(dir.unwrap_or(Path::new("."))).map_err(error)?;
    file.write_all(bytes).map_err(error)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let readable = fs::Permissions::from_mode(0o644);
        file.as_file().set_permissions(readable).map_err(error)?;
    }
    file.persist(path).map_err(|e| error(e.error))?;
    Ok(())
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
