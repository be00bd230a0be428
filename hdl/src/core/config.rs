//! Parameters of a core, and the configurations that have a name.

use super::Error;
use weft_protocol::ROW_GRANULE;

/// What a core is built for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CoreConfig {
    /// Rows computed in parallel: 1, 2, 4, 8 or 16, at most `2 * stream_bytes`.
    pub banks: usize,
    /// Tokens computed in parallel: 1, 2, 4, 8 or 16.
    pub batch: usize,
    /// Bytes the core takes a cycle: 4 or 8.
    pub stream_bytes: usize,
    /// Accumulators a lane: a power of two from 64 to 1024.
    pub depth: usize,
}

impl CoreConfig {
    /// The configurations with a name, `BANKSxBATCH`.
    pub const NAMED: &'static [(&'static str, CoreConfig)] = &[
        ("1x1", CoreConfig::of(1, 1, 4, 512)),
        ("2x1", CoreConfig::of(2, 1, 4, 512)),
        ("4x1", CoreConfig::of(4, 1, 4, 512)),
        ("8x1", CoreConfig::of(8, 1, 4, 512)),
        ("8x2", CoreConfig::of(8, 2, 4, 512)),
        ("8x4", CoreConfig::of(8, 4, 4, 512)),
        ("8x8", CoreConfig::of(8, 8, 4, 512)),
        ("8x16", CoreConfig::of(8, 16, 4, 512)),
        ("16x1", CoreConfig::of(16, 1, 8, 512)),
        ("16x4", CoreConfig::of(16, 4, 8, 512)),
    ];

    const fn of(banks: usize, batch: usize, stream_bytes: usize, depth: usize) -> Self {
        Self {
            banks,
            batch,
            stream_bytes,
            depth,
        }
    }

    /// Clocks that a relay takes: none in a core of one multiplier, where no way is long.
    #[must_use]
    pub const fn hops(&self) -> usize {
        (self.banks * self.batch > 1) as usize
    }

    /// The configuration with this name.
    ///
    /// # Errors
    /// [`Error::Name`] if there is none.
    pub fn named(name: &str) -> Result<Self, Error> {
        let found = Self::NAMED.iter().find(|(n, _)| *n == name);
        found.map(|(_, c)| *c).ok_or_else(|| Error::Name {
            name: name.into(),
            known: Self::NAMED
                .iter()
                .map(|(n, _)| *n)
                .collect::<Vec<_>>()
                .join(", "),
        })
    }

    /// Most rows of one tile.
    #[must_use]
    pub const fn rows(&self) -> usize {
        self.banks * self.depth
    }

    /// Checks every parameter.
    ///
    /// # Errors
    /// [`Error::Parameter`] names the one that cannot be built.
    pub fn check(&self) -> Result<(), Error> {
        let bad = |parameter, value, rule| {
            Err(Error::Parameter {
                parameter,
                value,
                rule,
            })
        };
        if !matches!(self.stream_bytes, 4 | 8) {
            return bad("stream_bytes", self.stream_bytes, "4 or 8");
        }
        if !matches!(self.banks, 1 | 2 | 4 | 8 | 16) || self.banks > 2 * self.stream_bytes {
            let rule = "1, 2, 4, 8 or 16, at most twice the stream bytes";
            return bad("banks", self.banks, rule);
        }
        if !matches!(self.batch, 1 | 2 | 4 | 8 | 16) {
            return bad("batch", self.batch, "1, 2, 4, 8 or 16");
        }
        if !matches!(self.depth, 64 | 128 | 256 | 512 | 1024) || self.rows() < ROW_GRANULE {
            return bad("depth", self.depth, "64, 128, 256, 512 or 1024");
        }
        Ok(())
    }
}

impl std::fmt::Display for CoreConfig {
    /// `BANKSxBATCH`, the name of a named configuration.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}x{}", self.banks, self.batch)
    }
}
