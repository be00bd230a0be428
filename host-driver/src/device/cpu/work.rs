//! A run, checked and flattened: which groups add to which sums.

use crate::device::{CoreInfo, DeviceError};
use weft_protocol::layout::{Kind, rows_fit};
use weft_protocol::packet::{ErrorCode, Request, check_group};

/// The sums between two drains.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sums {
    /// Rows.
    pub rows: usize,
    /// Log2 of the tokens.
    pub log2_batch: u8,
    /// First word in the results.
    pub first: usize,
}

impl Sums {
    pub(super) fn words(&self) -> usize {
        self.rows << self.log2_batch
    }
}

/// A group and the sums that it adds to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item<'a> {
    /// Which [`Sums`].
    pub sums: usize,
    pub kind: Kind,
    pub masked: bool,
    pub activations: &'a [i8],
    /// Scale words, also when the packet does not repeat them.
    pub scales: &'a [u8],
    pub bundles: &'a [&'a [u8]],
}

/// A whole run.
#[derive(Debug, Default)]
pub(super) struct Work<'a> {
    pub sums: Vec<Sums>,
    pub items: Vec<Item<'a>>,
    /// Words of all results.
    pub words: usize,
}

impl<'a> Work<'a> {
    pub(super) fn of(requests: &'a [Request<'a>], core: &CoreInfo) -> Result<Self, DeviceError> {
        let mut work = Self::default();
        let mut tile: Option<(usize, u8)> = None;
        let mut scales: Option<&[u8]> = None;
        for (index, request) in requests.iter().enumerate() {
            let refused = |code| DeviceError::Refused {
                device: core.name.clone(),
                index,
                code,
            };
            let open = tile.ok_or_else(|| refused(ErrorCode::NoTile));
            match request {
                Request::Tile { rows, log2_batch } => {
                    if !rows_fit(*rows, core.rows()) {
                        return Err(refused(ErrorCode::Rows));
                    }
                    if 1usize
                        .checked_shl((*log2_batch).into())
                        .is_none_or(|b| b > core.batch)
                    {
                        return Err(refused(ErrorCode::Batch));
                    }
                    tile = Some((*rows, *log2_batch));
                    scales = None;
                    work.all_drained(index)?;
                }
                Request::Group(group) => {
                    let (rows, log2_batch) = open?;
                    check_group(group, rows, log2_batch).map_err(refused)?;
                    if group.kind == Kind::G4 {
                        scales = group.scales.or(scales);
                        if scales.is_none() {
                            return Err(DeviceError::NoScales { index });
                        }
                    }
                    work.items.push(Item {
                        sums: work.sums.len(),
                        kind: group.kind,
                        masked: group.masked,
                        activations: group.activations,
                        scales: match group.kind {
                            Kind::G4 => scales.unwrap_or_default(),
                            Kind::I8 => &[],
                        },
                        bundles: &group.bundles,
                    });
                }
                Request::Drain { .. } => {
                    let (rows, log2_batch) = open?;
                    let sums = Sums {
                        rows,
                        log2_batch,
                        first: work.words,
                    };
                    work.words += sums.words();
                    work.sums.push(sums);
                }
                Request::Read { .. } | Request::Reset => {
                    return Err(DeviceError::NotAProduct { index });
                }
            }
        }
        work.all_drained(requests.len())?;
        Ok(work)
    }

    fn all_drained(&self, index: usize) -> Result<(), DeviceError> {
        match self.items.last() {
            Some(item) if item.sums == self.sums.len() => Err(DeviceError::Undrained { index }),
            _ => Ok(()),
        }
    }

    /// Cuts the items into at most `n` runs of about equal cost.
    pub(super) fn pieces(&self, n: usize) -> Vec<&[Item<'a>]> {
        let cost = |item: &Item<'_>| {
            let bytes: usize = item.bundles.iter().map(|b| b.len()).sum();
            bytes + item.scales.len() + 256
        };
        let total: usize = self.items.iter().map(cost).sum();
        let (mut pieces, mut start, mut done) = (Vec::with_capacity(n), 0, 0);
        for (i, item) in self.items.iter().enumerate() {
            done += cost(item);
            if done * n >= total * (pieces.len() + 1) {
                pieces.push(&self.items[start..=i]);
                start = i + 1;
            }
        }
        pieces
    }
}
