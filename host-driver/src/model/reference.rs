//! The unpacked model: products in `f32` straight from the GGUF file.
//!
//! Rows are dequantised as they are used, so memory stays at a few rows a thread. What a packed
//! model costs in quality is measured against this.

use super::{Matrix, ModelConfig, ModelError, Place, ProjectionError, Projections, Site, kernels};
use crate::gguf::{Gguf, GgufError};
use rayon::prelude::*;
use std::{collections::HashMap, sync::Arc};

/// Rows that share one pass over the activations.
const ROWS: usize = 4;

/// Weight products from the model file, in `f32`.
#[derive(Debug)]
pub struct Reference {
    gguf: Arc<Gguf>,
    /// The stacked matrices of each product: name and outputs.
    tensors: HashMap<(usize, Site), Vec<(String, usize)>>,
    transposed: Vec<f32>,
}

impl Reference {
    /// Checks that all weight matrices are there with the right shapes.
    ///
    /// # Errors
    /// A tensor that is missing or misshapen.
    pub fn new(gguf: Arc<Gguf>, config: &ModelConfig) -> Result<Self, ModelError> {
        let mut tensors = HashMap::new();
        let layers = (0..config.layers).flat_map(|l| Site::LAYER.map(|s| (l, s)));
        for (layer, site) in layers.chain([(0, Site::Head)]) {
            let parts = site.tensors(config, layer);
            for (name, rows) in &parts {
                gguf.tensor_of(name, *rows, site.inputs(config))?;
            }
            tensors.insert((layer, site), parts);
        }
        Ok(Self {
            gguf,
            tensors,
            transposed: Vec::new(),
        })
    }
}

impl Projections for Reference {
    fn project(
        &mut self,
        place: Place,
        x: &Matrix,
        out: &mut Matrix,
    ) -> Result<(), ProjectionError> {
        let n = x.rows();
        // Outputs x tokens, so that each thread writes its own rows.
        self.transposed.resize(out.cols() * n, 0.0);
        let mut done = 0;
        for (name, rows) in &self.tensors[&(place.layer, place.site)] {
            let tensor = self.gguf.tensor(name)?;
            let part = &mut self.transposed[done * n..(done + rows) * n];
            part.par_chunks_mut(ROWS * n)
                .enumerate()
                .try_for_each_init(
                    || vec![0.0; ROWS * tensor.cols],
                    |weights, (block, out)| -> Result<(), GgufError> {
                        let here = out.len() / n;
                        for (i, w) in weights.chunks_exact_mut(tensor.cols).enumerate().take(here) {
                            tensor.dequantize_row(block * ROWS + i, w)?;
                        }
                        let (w0, w) = weights.split_at(tensor.cols);
                        let (w1, w) = w.split_at(tensor.cols);
                        let (w2, w3) = w.split_at(tensor.cols);
                        for t in 0..n {
                            let y = kernels::dot4([w0, w1, w2, w3], x.row(t));
                            for i in 0..here {
                                out[i * n + t] = y[i];
                            }
                        }
                        Ok(())
                    },
                )?;
            done += rows;
        }
        for t in 0..n {
            for (o, y) in out.row_mut(t).iter_mut().enumerate() {
                *y = self.transposed[o * n + t];
            }
        }
        Ok(())
    }
}
