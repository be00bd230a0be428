//! A run cut into shares, one a device, and where each share's sums go.

use std::ops::Range;

use weft_protocol::layout::{Kind, rows_fit};
use weft_protocol::packet::{Group, Request};

use super::CoreInfo;

/// What one device does of a run.
#[derive(Debug, Default)]
pub(super) struct Share<'a> {
    /// A whole run of its own.
    pub requests: Vec<Request<'a>>,
    /// Which request of the common run each of them is, or stands for.
    pub origins: Vec<usize>,
    /// For every drain of the share, the words of the common run's results that its sums add to.
    pub drains: Vec<Range<usize>>,
}

impl<'a> Share<'a> {
    fn push(&mut self, origin: usize, request: Request<'a>) {
        self.requests.push(request);
        self.origins.push(origin);
    }
}

/// A whole run, cut.
#[derive(Debug)]
pub(super) struct Shares<'a> {
    /// One a device, in the order of the run; none is empty.
    pub shares: Vec<Share<'a>>,
    /// Words of the common run's results.
    pub words: usize,
}

/// An open tile of the common run.
#[derive(Clone, Copy, Debug)]
struct Tile<'a> {
    index: usize,
    rows: usize,
    log2_batch: u8,
    /// The scale words sent last.
    scales: Option<&'a [u8]>,
}

impl<'a> Shares<'a> {
    /// Cuts `requests` into at most `n` shares that take cores like `core` about the same number of cycles: each
    /// share is a stretch of consecutive groups, so at most one set of sums a cut is asked for twice.
    ///
    /// `None` for a run that no core executes (groups without a tile that fits, sums never asked for, anything that is
    /// not a tile, a group or a drain): any one device can say what is wrong with it.
    pub(super) fn of(requests: &[Request<'a>], core: &CoreInfo, n: usize) -> Option<Self> {
        let costs = costs(requests, core)?;
        let total: u64 = costs.iter().sum();
        let mut shares = vec![Share::default()];
        let mut tile: Option<Tile<'a>> = None;
        // Of the share being filled: whether it has opened the tile, knows its scales, and has sums to drain.
        let (mut opened, mut knows_scales, mut undrained) = (false, false, false);
        let (mut done, mut words) = (0, 0);
        for (index, request) in requests.iter().enumerate() {
            if let Request::Tile { rows, log2_batch } = *request {
                tile = Some(Tile {
                    index,
                    rows,
                    log2_batch,
                    scales: None,
                });
                (opened, knows_scales) = (false, false);
                continue;
            }
            let tile = tile.as_mut()?;
            let results = words..words + (tile.rows << tile.log2_batch);
            match request {
                Request::Group(group) => {
                    if shares.len() < n && done * n as u64 >= total * shares.len() as u64 {
                        if undrained {
                            drain(&mut shares, index, results);
                        }
                        shares.push(Share::default());
                        (opened, knows_scales) = (false, false);
                    }
                    let share = shares.last_mut()?;
                    if !opened {
                        let (rows, log2_batch) = (tile.rows, tile.log2_batch);
                        share.push(tile.index, Request::Tile { rows, log2_batch });
                        opened = true;
                    }
                    tile.scales = group.scales.or(tile.scales);
                    let mut group: Group<'a> = group.clone();
                    if group.kind == Kind::G4 && !knows_scales {
                        group.scales = tile.scales;
                        knows_scales = true;
                    }
                    share.push(index, Request::Group(group));
                    undrained = true;
                }
                _ => {
                    words = results.end;
                    if undrained {
                        drain(&mut shares, index, results);
                        undrained = false;
                    }
                }
            }
            done += costs[index];
        }
        shares.retain(|share| !share.requests.is_empty());
        Some(Self { shares, words })
    }
}

/// Ends the sums of the last share, which are those of `results`.
fn drain(shares: &mut [Share<'_>], origin: usize, results: Range<usize>) {
    if let Some(share) = shares.last_mut() {
        let tag = share.drains.len() as u32;
        share.push(origin, Request::Drain { tag });
        share.drains.push(results);
    }
}

/// Cycles that each request takes a core like `core`, at least; `None` where a core would refuse the order.
fn costs(requests: &[Request<'_>], core: &CoreInfo) -> Option<Vec<u64>> {
    let mut tile = None;
    let mut undrained = false;
    let mut costs = Vec::with_capacity(requests.len());
    for request in requests {
        let bytes = request.bytes() as u64;
        costs.push(match request {
            Request::Tile { .. } if undrained => return None,
            Request::Tile { rows, log2_batch } => {
                let fits = rows_fit(*rows, core.rows()) && 1 << (*log2_batch).min(31) <= core.batch;
                tile = fits.then_some((*rows, *log2_batch));
                0
            }
            Request::Group(group) => {
                undrained = true;
                core.bound_cycles(bytes, group.codes(tile?.0) as u64)
            }
            Request::Drain { .. } => {
                undrained = false;
                let (rows, log2_batch) = tile?;
                (rows as u64) << log2_batch
            }
            Request::Read { .. } | Request::Reset => return None,
        });
    }
    (!undrained).then_some(costs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::random::{RandomProduct, Shape};

    fn core() -> CoreInfo {
        CoreInfo {
            name: "test".into(),
            banks: 8,
            batch: 4,
            stream_bytes: 4,
            depth: 16,
        }
    }

    fn shape() -> Shape {
        Shape {
            rows: 128,
            cols: 640,
            log2_batch: 1,
            density: 1.0,
            kind: Kind::G4,
            banks: 8,
        }
    }

    #[test]
    fn shares_cost_the_same_to_within_a_group_and_lose_nothing() {
        let product = RandomProduct::new(shape(), 1);
        let requests = product.requests();
        let core = core();
        let cost = |requests: &[Request<'_>]| costs(requests, &core).unwrap().iter().sum::<u64>();
        let groups = |requests: &[Request<'_>]| {
            let of = |r: &Request<'_>| matches!(r, Request::Group(_));
            requests.iter().filter(|r| of(r)).count()
        };
        let group = costs(&requests, &core).unwrap().into_iter().max().unwrap();
        for n in 1..=5 {
            let Shares { shares, words } = Shares::of(&requests, &core, n).unwrap();
            assert_eq!((shares.len(), words), (n, 256));
            let even = cost(&requests) / n as u64;
            for share in &shares {
                let cost = cost(&share.requests);
                assert!(cost.abs_diff(even) <= group + 256, "{n}: {cost}, {even}");
                assert_eq!(share.requests.len(), share.origins.len());
                assert_eq!(share.drains, std::slice::from_ref(&(0..256)));
            }
            let sent: usize = shares.iter().map(|s| groups(&s.requests)).sum();
            assert_eq!(sent, groups(&requests));
        }
    }

    #[test]
    fn what_no_core_executes_is_not_cut() {
        let product = RandomProduct::new(shape(), 1);
        let requests = product.requests();
        let none = |requests: &[Request<'_>]| Shares::of(requests, &core(), 2).is_none();
        assert!(none(&requests[1..]), "no tile");
        assert!(none(&requests[..requests.len() - 1]), "no drain");
        assert!(none(&[Request::Reset]));
        let drain = Request::Drain { tag: 0 };
        for (rows, log2_batch) in [(1 << 40, 0), (63, 0), (64, 3), (64, 255)] {
            let tile = Request::Tile { rows, log2_batch };
            assert!(none(&[tile, drain.clone()]), "{rows} {log2_batch}");
        }
    }
}
