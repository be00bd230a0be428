//! Choices of the packer.

use super::PackError;
use crate::model::Site;
use std::collections::BTreeMap;
use std::str::FromStr;
use weft_protocol::ROW_GRANULE;

/// What the weights of four-bit tensors become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weights {
    /// The file's own codes, bit for bit, with 8-bit scales and zero points relative to a row scale.
    G4,
    /// Signed bytes with one scale a row.
    I8,
}

impl Weights {
    /// As on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Weights::G4 => "g4",
            Weights::I8 => "i8",
        }
    }
}

/// By what weights are chosen for removal, row by row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Magnitude times the norm of the input column over the calibration text.
    Wanda,
    /// Magnitude.
    Magnitude,
}

impl Method {
    /// As on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Method::Wanda => "wanda",
            Method::Magnitude => "magnitude",
        }
    }
}

/// Static masks for all sites but the head.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prune {
    /// By what.
    pub method: Method,
    /// Share of every row's weights that stays, above 0 and at most 1.
    pub density: f32,
}

/// Shares of the activations below the threshold, by site. The head is never skipped.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Skip(BTreeMap<Site, f32>);

/// No more of a site's activations can be skipped.
const MOST_SKIPPED: f32 = 0.95;

impl Skip {
    /// Nothing is skipped.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// An overall share, spread unevenly: attention output and `down` lose little by it, gate and up lose much.
    #[must_use]
    pub fn uneven(share: f32) -> Self {
        let weights = [
            (Site::AttnIn, 1.0),
            (Site::AttnOut, 1.5),
            (Site::FfnIn, 0.625),
            (Site::FfnDown, 1.5),
        ];
        Self(
            weights
                .map(|(s, w)| (s, (share * w).min(MOST_SKIPPED)))
                .into(),
        )
    }

    /// The share of a site.
    #[must_use]
    pub fn share(&self, site: Site) -> f32 {
        self.0.get(&site).copied().unwrap_or(0.0)
    }

    /// Whether anything is skipped.
    #[must_use]
    pub fn any(&self) -> bool {
        self.0.values().any(|&s| s > 0.0)
    }

    /// By the names of the sites.
    #[must_use]
    pub fn by_name(&self) -> BTreeMap<String, f32> {
        let shares = self.0.iter().filter(|s| *s.1 > 0.0);
        shares
            .map(|(site, &share)| (site.to_string(), share))
            .collect()
    }
}

impl FromStr for Skip {
    type Err = PackError;

    /// `0.4`, or `attn_in=0.4,attn_out=0.6,ffn_in=0.25,ffn_down=0.6` (sites not named skip nothing).
    fn from_str(s: &str) -> Result<Self, PackError> {
        let bad = |reason| PackError::Option {
            option: "--skip",
            found: s.into(),
            reason,
        };
        let share = |text: &str| {
            let v: f32 = text
                .parse()
                .map_err(|_| bad("give a share like 0.4, or attn_in=0.4,ffn_down=0.6"))?;
            if (0.0..=MOST_SKIPPED).contains(&v) {
                Ok(v)
            } else {
                Err(bad("a share is from 0 to 0.95"))
            }
        };
        if !s.contains('=') {
            return share(s).map(Self::uneven);
        }
        let mut skip = Self::none();
        for part in s.split(',') {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let site = Site::LAYER
                .into_iter()
                .find(|site| site.to_string() == name.trim())
                .ok_or_else(|| bad("the sites are attn_in, attn_out, ffn_in and ffn_down"))?;
            skip.0.insert(site, share(value.trim())?);
        }
        Ok(skip)
    }
}

/// All choices.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// What four-bit tensors become.
    pub weights: Weights,
    /// Most rows of a tile, a multiple of 64.
    pub tile_rows: usize,
    /// Banks that masked bundles are ordered for.
    pub banks: usize,
    /// Static masks.
    pub prune: Option<Prune>,
    /// Thresholds.
    pub skip: Skip,
    /// Positions at the start of a sequence where nothing is skipped.
    pub dense_positions: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            weights: Weights::G4,
            tile_rows: 4096,
            banks: 8,
            prune: None,
            skip: Skip::none(),
            dense_positions: 4,
        }
    }
}

impl Options {
    /// Refuses what cannot be.
    ///
    /// # Errors
    /// [`PackError::Option`] naming the first.
    pub fn validate(&self) -> Result<(), PackError> {
        let bad = |option, found: String, reason| {
            Err(PackError::Option {
                option,
                found,
                reason,
            })
        };
        let limit = crate::container::limits::TILE_ROWS as usize;
        if self.tile_rows == 0
            || !self.tile_rows.is_multiple_of(ROW_GRANULE)
            || self.tile_rows > limit
        {
            return bad(
                "--tile-rows",
                self.tile_rows.to_string(),
                "it must be a multiple of 64",
            );
        }
        if self.banks == 0 || self.banks > 1024 {
            return bad(
                "--banks",
                self.banks.to_string(),
                "it must be from 1 to 1024",
            );
        }
        if let Some(p) = self.prune
            && !(p.density > 0.0 && p.density <= 1.0)
        {
            return bad(
                "--density",
                p.density.to_string(),
                "it must be above 0 and at most 1",
            );
        }
        Ok(())
    }
}
