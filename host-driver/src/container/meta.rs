//! What a `.weft` file says about itself in JSON.

use crate::model::ModelConfig;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{fmt::Write, fs::File, io, io::Read, path::Path};

/// The `META` section.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Meta {
    /// Hyper-parameters.
    pub model: ModelConfig,
    /// How it was packed.
    pub options: PackOptions,
    /// From what.
    pub source: Source,
    /// The token embedding in `EMBED`.
    pub embedding: EmbedInfo,
    /// What is in `HOST`.
    pub host: Vec<HostEntry>,
}

/// Choices made when packing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PackOptions {
    /// `g4` or `i8`: what four-bit tensors became.
    pub weights: String,
    /// Most rows of a tile.
    pub tile_rows: usize,
    /// `wanda` or `magnitude` when weights were masked.
    pub prune: Option<String>,
    /// Share of the weights that survived the masking; 1 without.
    pub density: f32,
    /// Banks that masked bundles are ordered for; dense bundles fit every core.
    pub banks: usize,
    /// Share of the activations skipped at each site, as asked for; empty when nothing is skipped.
    pub skip: std::collections::BTreeMap<String, f32>,
    /// Positions at the start of a sequence where nothing is skipped.
    pub dense_positions: usize,
}

/// The model file that was packed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Its file name, without the folder.
    pub name: String,
    /// Its bytes.
    pub bytes: u64,
    /// SHA-256 of its contents, in hexadecimal.
    pub sha256: String,
}

/// How the token embedding is stored: rows of blocks, bit for bit as in the model file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmbedInfo {
    /// Element format, by its GGUF name.
    pub format: String,
    /// Tokens.
    pub rows: usize,
    /// Values of a token.
    pub cols: usize,
}

/// One vector in `HOST`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostEntry {
    /// Its name, as in the model file.
    pub name: String,
    /// First value, counted in `f32`.
    pub first: usize,
    /// Values.
    pub len: usize,
}

impl Source {
    /// Reads the file at `path` once, in pieces.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn of(path: &Path) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let mut piece = vec![0; 1 << 20];
        let (mut hash, mut bytes) = (Sha256::new(), 0);
        loop {
            let n = file.read(&mut piece)?;
            if n == 0 {
                break;
            }
            hash.update(&piece[..n]);
            bytes += n as u64;
        }
        let mut sha256 = String::new();
        for byte in hash.finalize() {
            let _ = write!(sha256, "{byte:02x}");
        }
        let name = path.file_name().unwrap_or_default();
        Ok(Self {
            name: name.to_string_lossy().into_owned(),
            bytes,
            sha256,
        })
    }
}
