//! What the inputs of each site look like on a text.
//!
//! A [`Recorder`] stands between a model and whoever computes its products, and sums up what goes by;
//! [`calibrate`] runs a text through the model with one and gives the [`Calibration`].

use crate::container::SiteKey;
use crate::model::{
    Logits, Matrix, Model, ModelError, Place, ProjectionError, Projections, Session,
};
use std::collections::HashMap;
use std::sync::Arc;

/// Magnitudes kept a site, spread evenly over the text.
const SAMPLES: usize = 1 << 16;

/// Statistics of one site.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SiteCalibration {
    /// Tokens seen.
    pub tokens: usize,
    /// Sum of squares of each input.
    pub squares: Vec<f64>,
    /// Magnitudes of the inputs: every `stride`-th of those seen behind the dense positions.
    samples: Vec<f32>,
    stride: usize,
    seen: usize,
}

impl SiteCalibration {
    /// Root of the sum of squares of each input over the text.
    #[must_use]
    pub fn norms(&self) -> Vec<f32> {
        self.squares.iter().map(|s| s.sqrt() as f32).collect()
    }

    /// The magnitude that a `share` of the inputs is below, or `None` without samples.
    #[must_use]
    pub fn quantile(&self, share: f32) -> Option<f32> {
        let mut sorted = self.samples.clone();
        let at = (sorted.len() as f32 * share) as usize;
        if sorted.is_empty() {
            return None;
        }
        let at = at.min(sorted.len() - 1);
        Some(*sorted.select_nth_unstable_by(at, f32::total_cmp).1)
    }

    fn sample(&mut self, x: f32) {
        if self.seen.is_multiple_of(self.stride.max(1)) {
            if self.samples.len() == SAMPLES {
                // Keep every other one, and from now on take half as many.
                let mut i = 0;
                self.samples.retain(|_| {
                    i += 1;
                    i % 2 == 1
                });
                self.stride = self.stride.max(1) * 2;
            }
            self.samples.push(x.abs());
        }
        self.seen += 1;
    }
}

/// Statistics of all sites.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Calibration {
    sites: HashMap<SiteKey, SiteCalibration>,
}

impl Calibration {
    /// Those of one site, if it was seen.
    #[must_use]
    pub fn site(&self, key: SiteKey) -> Option<&SiteCalibration> {
        self.sites.get(&key)
    }

    /// Adds the inputs `x` of `key`, whose first row stands at `first_position`. Rows before `dense_positions` do not
    /// count for quantiles, because nothing is skipped there.
    pub fn add(&mut self, key: SiteKey, x: &Matrix, first_position: usize, dense_positions: usize) {
        let site = self.sites.entry(key).or_default();
        site.squares.resize(x.cols(), 0.0);
        site.tokens += x.rows();
        for t in 0..x.rows() {
            for (sum, &v) in site.squares.iter_mut().zip(x.row(t)) {
                *sum += f64::from(v) * f64::from(v);
            }
            if first_position + t >= dense_positions {
                x.row(t).iter().for_each(|&v| site.sample(v));
            }
        }
    }
}

/// Passes products through and keeps statistics of their inputs.
#[derive(Debug)]
pub struct Recorder<P> {
    inner: P,
    dense_positions: usize,
    calibration: Calibration,
}

impl<P: Projections> Recorder<P> {
    /// Records what `inner` is asked for.
    pub fn new(inner: P, dense_positions: usize) -> Self {
        Self {
            inner,
            dense_positions,
            calibration: Calibration::default(),
        }
    }

    /// What was recorded.
    pub fn into_calibration(self) -> Calibration {
        self.calibration
    }
}

impl<P: Projections> Projections for Recorder<P> {
    fn project(
        &mut self,
        place: Place,
        x: &Matrix,
        out: &mut Matrix,
    ) -> Result<(), ProjectionError> {
        let key = SiteKey {
            layer: place.layer,
            site: place.site,
        };
        let dense = self.dense_positions;
        self.calibration.add(key, x, place.first_position, dense);
        self.inner.project(place, x, out)
    }
}

/// How a calibration text is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Windows {
    /// Tokens of a window; each starts with an empty cache. What does not fill one is left out, unless the text is
    /// shorter than one.
    pub tokens: usize,
    /// Tokens that are run together.
    pub batch: usize,
    /// Positions at the start of a window that do not count for thresholds.
    pub dense_positions: usize,
}

/// Runs `text` through `model`, its products by `projections`, and gives the statistics of every site but the head.
/// `progress` is told the tokens done and all of them.
///
/// # Errors
/// What [`Session::step`] reports.
///
/// # Panics
/// When a window or a batch has no tokens.
pub fn calibrate<P: Projections>(
    model: &Arc<Model>,
    projections: P,
    text: &[u32],
    windows: Windows,
    mut progress: impl FnMut(usize, usize),
) -> Result<Calibration, ModelError> {
    let length = windows.tokens.min(text.len()).max(1);
    let total = text.len() / length * length;
    let mut recorder = Recorder::new(projections, windows.dense_positions);
    let mut session = Session::new(Arc::clone(model), length);
    let mut done = 0;
    for window in text.chunks_exact(length) {
        session.truncate(0);
        for batch in window.chunks(windows.batch) {
            session.step(batch, Logits::None, &mut recorder)?;
            done += batch.len();
            progress(done, total);
        }
    }
    Ok(recorder.into_calibration())
}
