//! Everything that can be wrong with a `.weft` file, each named.

use std::{io, path::PathBuf};

/// Why a `.weft` file could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ContainerError {
    /// The file could not be opened or mapped.
    #[error("cannot open the packed model {}: {source}", path.display())]
    Open {
        /// The file that was asked for.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The first eight bytes are another format's.
    #[error("not a .weft file: it starts with {found:02x?}; make one with `weft pack MODEL.gguf`")]
    Magic {
        /// The first bytes of the file, at most eight.
        found: Vec<u8>,
    },
    /// Written by another version of the format.
    #[error(
        "this .weft file has {what} {found}, this program reads {wanted}; pack the model again"
    )]
    Version {
        /// Which version differs.
        what: &'static str,
        /// The file's.
        found: u32,
        /// This program's.
        wanted: u32,
    },
    /// The file ends too early, or a part reaches beyond its end.
    #[error(
        "the .weft file is truncated: {what} needs {needed} bytes and there are {available}; copy or pack it again"
    )]
    Truncated {
        /// The part.
        what: &'static str,
        /// Bytes that it needs, counted from the start of the file or section.
        needed: u64,
        /// Bytes that are there.
        available: u64,
    },
    /// A checksum does not match.
    #[error(
        "the .weft file is damaged: the checksum of {what} is {found:016x} instead of {wanted:016x}; copy or pack it again"
    )]
    Checksum {
        /// The part.
        what: String,
        /// Computed from the bytes.
        found: u64,
        /// Written in the file.
        wanted: u64,
    },
    /// A count or size is over its named limit.
    #[error("the .weft file is damaged: {what} is {found}, over the limit of {limit}")]
    Limit {
        /// The quantity.
        what: &'static str,
        /// Its value in the file.
        found: u64,
        /// The limit.
        limit: u64,
    },
    /// A part contradicts another.
    #[error("the .weft file is damaged: {what}")]
    Invalid {
        /// What is wrong and where.
        what: String,
    },
    /// A section is missing.
    #[error("the .weft file has no {name} section; pack the model again")]
    MissingSection {
        /// Its name.
        name: &'static str,
    },
    /// A JSON section does not parse.
    #[error("the .weft file's {name} section is not understood: {source}; pack the model again")]
    Json {
        /// The section.
        name: &'static str,
        /// Where it went wrong.
        source: serde_json::Error,
    },
    /// A scale, norm or bias is not a finite number.
    #[error("the .weft file is damaged: value {index} of {what} is not a finite number")]
    NotFinite {
        /// The vector.
        what: String,
        /// Its position there.
        index: usize,
    },
    /// The file holds no such site.
    #[error("the .weft file has no weights for {key}")]
    MissingSite {
        /// What was asked for.
        key: String,
    },
    /// The file holds no such norm or bias.
    #[error("the .weft file has no host tensor `{name}`")]
    MissingHost {
        /// Its name.
        name: String,
    },
    /// A token outside the vocabulary.
    #[error("token {token} is outside the embedding of {rows} rows")]
    Token {
        /// What was asked for.
        token: usize,
        /// Rows of the embedding.
        rows: usize,
    },
    /// Writing failed.
    #[error("cannot write the packed model {}: {source}; nothing was left behind", path.display())]
    Write {
        /// The file that was to be made.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Writing into a sink failed.
    #[error("cannot write the packed model ({step}): {source}")]
    Sink {
        /// The part being written.
        step: &'static str,
        /// What the operating system said.
        source: io::Error,
    },
}

impl ContainerError {
    pub(crate) fn invalid(what: impl Into<String>) -> Self {
        Self::Invalid { what: what.into() }
    }
}

/// `found` when it is at most `limit`.
pub(super) fn within(what: &'static str, found: u64, limit: u64) -> Result<u64, ContainerError> {
    if found <= limit {
        Ok(found)
    } else {
        Err(ContainerError::Limit { what, found, limit })
    }
}
