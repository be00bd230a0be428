//! The files compiled in, and looking things up in them.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;

use crate::check;
use crate::{Board, BoardError, Family, Part, Variant};

macro_rules! embedded {
    ($folder:literal: $($name:literal),* $(,)?) => {
        &[$((concat!($folder, "/", $name, ".toml"),
             include_str!(concat!("../", $folder, "/", $name, ".toml")))),*]
    };
}

/// Family files: path and text.
pub const FAMILIES: &[(&str, &str)] = embedded!("families": "ecp5", "gatemate", "gowin", "ice40");
/// Part files.
pub const PARTS: &[(&str, &str)] = embedded!("parts":
    "ccgm1a1", "gw1nr-9c", "gw2ar-18c", "ice40hx1k", "ice40up5k", "lfe5u-12f", "lfe5u-25f", "lfe5u-45f",
    "lfe5u-85f", "lfe5um5g-45f", "lfe5um5g-85f");
/// Board files.
pub const BOARDS: &[(&str, &str)] = embedded!("boards":
    "colorlight-i5", "colorlight-i9", "ecpix5", "gatemate-a1-evb", "icebreaker", "icestick", "orangecrab",
    "tang-nano-20k", "tang-nano-9k", "ulx3s");

/// Every family, part and board, checked against each other.
#[derive(Debug, Clone, PartialEq)]
pub struct Catalog {
    families: BTreeMap<String, Family>,
    parts: BTreeMap<String, Part>,
    boards: Vec<Board>,
}

/// A board's variant with all that belongs to it.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// The board.
    pub board: &'a Board,
    /// Which of its variants.
    pub variant: &'a Variant,
    /// The part.
    pub part: &'a Part,
    /// The part's family.
    pub family: &'a Family,
}

impl Target<'_> {
    /// The clock that the core is to run at, MHz.
    #[must_use]
    pub fn core_mhz(&self) -> f64 {
        self.variant.core_mhz.unwrap_or(self.board.clock.mhz)
    }
}

impl Catalog {
    /// The catalogue compiled in.
    ///
    /// # Errors
    /// [`BoardError`] if a file is wrong, which the tests of this crate rule out for the files as committed.
    pub fn embedded() -> Result<Self, BoardError> {
        Self::from_texts(FAMILIES, PARTS, BOARDS)
    }

    /// A catalogue from files, each with its path and text; the name inside must be the file's.
    ///
    /// # Errors
    /// [`BoardError::Parse`] names file, line and key; [`BoardError::Check`] says what does not fit.
    pub fn from_texts(
        families: &[(&str, &str)],
        parts: &[(&str, &str)],
        boards: &[(&str, &str)],
    ) -> Result<Self, BoardError> {
        let mut catalog = Self {
            families: BTreeMap::new(),
            parts: BTreeMap::new(),
            boards: Vec::new(),
        };
        for (file, text) in families {
            let family: Family = parse(file, text)?;
            check::name(file, &family.name)?;
            catalog.families.insert(family.name.clone(), family);
        }
        for (file, text) in parts {
            let part: Part = parse(file, text)?;
            check::name(file, &part.name)?;
            check::part(file, &part, &catalog)?;
            catalog.parts.insert(part.name.clone(), part);
        }
        for (file, text) in boards {
            let board: Board = parse(file, text)?;
            check::name(file, &board.name)?;
            check::board(file, &board, &catalog)?;
            catalog.boards.push(board);
        }
        Ok(catalog)
    }

    /// A family by name.
    #[must_use]
    pub fn family(&self, name: &str) -> Option<&Family> {
        self.families.get(name)
    }

    /// A part by name.
    #[must_use]
    pub fn part(&self, name: &str) -> Option<&Part> {
        self.parts.get(name)
    }

    /// Every variant of every board, in the order of the files.
    pub fn targets(&self) -> impl Iterator<Item = Target<'_>> {
        self.boards.iter().flat_map(move |board| {
            board.variants.iter().filter_map(move |variant| {
                let part = self.parts.get(&variant.part)?;
                let family = self.families.get(&part.family)?;
                Some(Target {
                    board,
                    variant,
                    part,
                    family,
                })
            })
        })
    }

    /// The variant with this name.
    ///
    /// # Errors
    /// [`BoardError::UnknownBoard`] with the closest known name.
    pub fn target(&self, name: &str) -> Result<Target<'_>, BoardError> {
        let wanted = name.to_lowercase();
        if let Some(target) = self.targets().find(|t| t.variant.name == wanted) {
            return Ok(target);
        }
        let near = self
            .targets()
            .map(|t| (distance(&wanted, &t.variant.name), &t.variant.name))
            .min()
            .filter(|(d, known)| *d <= 3 || known.starts_with(&wanted))
            .map(|(_, known)| known.clone());
        Err(BoardError::UnknownBoard {
            name: name.into(),
            near,
            known: self.targets().count(),
        })
    }
}

fn parse<T: DeserializeOwned>(file: &str, text: &str) -> Result<T, BoardError> {
    toml::from_str(text).map_err(|e| BoardError::Parse {
        file: file.into(),
        cause: e.to_string().trim_end().into(),
    })
}

/// Edits between two names: how a misspelt board finds its own.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut corner = i;
        row[0] = i + 1;
        for (j, y) in b.bytes().enumerate() {
            let replaced = corner + usize::from(x != y);
            corner = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(corner + 1);
        }
    }
    row[b.len()]
}
