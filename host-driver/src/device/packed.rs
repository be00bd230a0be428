//! A packed model on a device.

use super::product::{Activations, Outliers, Plan};
use super::{Device, DeviceError, RunStats};
use crate::container::{ContainerError, SiteKey, Weft};
use crate::model::{Matrix, Place, ProjectionError, Projections};
use std::sync::Arc;

/// Why a product was not computed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProductError {
    /// The packed model is damaged.
    #[error(transparent)]
    Container(#[from] ContainerError),
    /// The device failed.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// The file's tiles are too tall for the device.
    #[error(
        "{device} holds {rows} rows and {key} has tiles of {tile_rows}; pack the model again with --tile-rows {rows}"
    )]
    Rows {
        /// The device.
        device: String,
        /// Rows that it holds.
        rows: usize,
        /// Rows of the file's tile.
        tile_rows: usize,
        /// Whose tile.
        key: SiteKey,
    },
    /// The file's masked bundles are ordered for another core.
    #[error(
        "{device} has {banks} banks and the model's masks were packed for {wanted}; pack it again with --banks {banks}"
    )]
    Banks {
        /// The device.
        device: String,
        /// Its banks.
        banks: usize,
        /// The file's.
        wanted: usize,
    },
    /// The input is not the site's.
    #[error("{key} has {wanted} inputs and was given {found}")]
    Inputs {
        /// Which site.
        key: SiteKey,
        /// Inputs of the site.
        wanted: usize,
        /// Columns given.
        found: usize,
    },
}

/// What one device did since it was last asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// Summed over all runs.
    pub stats: RunStats,
    /// Columns of the inputs of all runs, for the share that was sent.
    pub columns: u64,
    /// Of those, the columns that were sent.
    pub live_columns: u64,
}

type Route = Box<dyn Fn(SiteKey) -> bool + Send>;

/// A packed model whose products are computed by one device, or by two that share the sites.
pub struct PackedModel<D> {
    weft: Arc<Weft>,
    device: D,
    second: Option<(D, Route)>,
    outliers: Outliers,
    skip: bool,
    work: [Work; 2],
    sums: Vec<i32>,
}

impl<D: Device> std::fmt::Debug for PackedModel<D> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PackedModel")
            .field("device", self.device.info())
            .field("second", &self.second.as_ref().map(|s| s.0.info()))
            .finish_non_exhaustive()
    }
}

impl<D: Device> PackedModel<D> {
    /// All products of `weft` on `device`.
    ///
    /// # Errors
    /// [`ProductError::Rows`] or [`ProductError::Banks`] when the file was packed for another core.
    pub fn new(weft: Arc<Weft>, device: D) -> Result<Self, ProductError> {
        fits(&weft, device.info(), |_| true)?;
        Ok(Self {
            weft,
            device,
            second: None,
            outliers: Outliers::default(),
            skip: true,
            work: [Work::default(); 2],
            sums: Vec::new(),
        })
    }

    /// Computes the sites for which `route` is true on `device` instead.
    ///
    /// # Errors
    /// As [`PackedModel::new`].
    pub fn with_second(
        mut self,
        device: D,
        route: impl Fn(SiteKey) -> bool + Send + 'static,
    ) -> Result<Self, ProductError> {
        fits(&self.weft, device.info(), &route)?;
        self.second = Some((device, Box::new(route)));
        Ok(self)
    }

    /// Spends another share of bundles on outliers.
    #[must_use]
    pub fn with_outliers(mut self, outliers: Outliers) -> Self {
        self.outliers = outliers;
        self
    }

    /// Sends every column, whatever thresholds the file has; for comparison.
    #[must_use]
    pub fn without_skipping(mut self) -> Self {
        self.skip = false;
        self
    }

    /// The packed model.
    pub fn weft(&self) -> &Arc<Weft> {
        &self.weft
    }

    /// The first device, and the second if there is one.
    pub fn devices(&self) -> (&D, Option<&D>) {
        (&self.device, self.second.as_ref().map(|s| &s.0))
    }

    /// What the first and the second device did since this was last called.
    pub fn take_work(&mut self) -> [Work; 2] {
        std::mem::take(&mut self.work)
    }

    /// As [`Projections::project`], with its own errors.
    ///
    /// # Errors
    /// See [`ProductError`].
    ///
    /// # Panics
    /// When `out` has not as many rows as `x`, or not the site's outputs.
    pub fn product(
        &mut self,
        place: Place,
        x: &Matrix,
        out: &mut Matrix,
    ) -> Result<(), ProductError> {
        assert_eq!(x.rows(), out.rows(), "a row a token");
        let key = SiteKey {
            layer: place.layer,
            site: place.site,
        };
        let weft = Arc::clone(&self.weft);
        let site = weft.site(key)?;
        if x.cols() != site.cols {
            return Err(ProductError::Inputs {
                key,
                wanted: site.cols,
                found: x.cols(),
            });
        }
        let (device, work) = match &mut self.second {
            Some((device, route)) if route(key) => (device, &mut self.work[1]),
            _ => (&mut self.device, &mut self.work[0]),
        };
        let threshold = if self.skip { site.threshold } else { 0.0 };
        let dense = weft.meta().options.dense_positions;
        let dense = dense.saturating_sub(place.first_position);
        let batch = device.info().batch;
        for start in (0..x.rows()).step_by(batch) {
            let tokens = start..x.rows().min(start + batch);
            let activations =
                Activations::quantise(x, tokens.clone(), threshold, dense, self.outliers);
            let plan = Plan::new(&weft, site, &activations)?;
            let stats = device.run(plan.requests(), &mut self.sums)?;
            plan.finish(&self.sums, tokens, out);
            work.stats.add(&stats);
            work.columns += site.cols as u64;
            work.live_columns += activations.live_columns() as u64;
        }
        Ok(())
    }
}

fn fits(
    weft: &Weft,
    core: &super::CoreInfo,
    on: impl Fn(SiteKey) -> bool,
) -> Result<(), ProductError> {
    let wanted = weft.meta().options.banks;
    for site in weft.sites().iter().filter(|s| on(s.key)) {
        for tile in site.matrices.iter().flat_map(|m| &m.tiles) {
            if tile.padded_rows() > core.rows() {
                return Err(ProductError::Rows {
                    device: core.name.clone(),
                    rows: core.rows(),
                    tile_rows: tile.padded_rows(),
                    key: site.key,
                });
            }
            if core.banks != wanted && tile.groups.iter().any(|g| !g.masked.is_empty()) {
                return Err(ProductError::Banks {
                    device: core.name.clone(),
                    banks: core.banks,
                    wanted,
                });
            }
        }
    }
    Ok(())
}

impl<D: Device> Projections for PackedModel<D> {
    fn project(
        &mut self,
        place: Place,
        x: &Matrix,
        out: &mut Matrix,
    ) -> Result<(), ProjectionError> {
        Ok(self.product(place, x, out)?)
    }
}
