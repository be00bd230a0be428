//! One sequence of tokens through the model.

use super::{
    HostTensors, Matrix, ModelConfig, ModelError, Place, Projections, Site,
    attention::{Cache, attention},
    kernels,
    rope::Rotations,
};
use std::sync::Arc;

/// A model's hyper-parameters and host tensors, checked against each other.
#[derive(Debug)]
pub struct Model {
    config: ModelConfig,
    host: HostTensors,
}

impl Model {
    /// Joins the two.
    ///
    /// # Errors
    /// [`ModelError::Parameter`] when they do not fit each other.
    pub fn new(config: ModelConfig, host: HostTensors) -> Result<Self, ModelError> {
        config.validate()?;
        let wide = |v: &[Vec<f32>]| {
            v.len() == config.layers && v.iter().all(|n| n.len() == config.d_model)
        };
        let bias = |b: &Vec<f32>| b.is_empty() || b.len() == Site::AttnIn.outputs(&config);
        let factors = host.rope_factors.len();
        let fits = wide(&host.attn_norm)
            && wide(&host.ffn_norm)
            && host.output_norm.len() == config.d_model
            && host.attn_in_bias.len() == config.layers
            && host.attn_in_bias.iter().all(bias)
            && (factors == 0 || factors == config.rope.dims / 2);
        if !fits {
            return Err(ModelError::Parameter {
                what: "set of norms and biases",
                found: "of another size".into(),
                reason: "it must fit the model's width and layers",
            });
        }
        Ok(Self { config, host })
    }

    /// Hyper-parameters.
    pub fn config(&self) -> &ModelConfig {
        &self.config
    }
}

/// Which logits a step computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Logits {
    /// None: the step only fills the cache.
    None,
    /// Those after the last token.
    Last,
    /// Those after every token.
    All,
}

/// Activations of one step, kept from step to step.
#[derive(Debug, Default)]
struct Buffers {
    residual: Matrix,
    normed: Matrix,
    fused: Matrix,
    hidden: Matrix,
    back: Matrix,
    logits: Matrix,
}

/// The state of one sequence: its cache and its position.
#[derive(Debug)]
pub struct Session {
    model: Arc<Model>,
    cache: Cache,
    rotations: Rotations,
    position: usize,
    capacity: usize,
    buffers: Buffers,
}

impl Session {
    /// An empty sequence of at most `capacity` tokens, which is cut to the model's context.
    /// The cache grows with the sequence: 8 bytes a token for each component of each key head.
    pub fn new(model: Arc<Model>, capacity: usize) -> Self {
        let config = &model.config;
        Self {
            cache: Cache::new(config),
            rotations: Rotations::new(config, &model.host.rope_factors),
            position: 0,
            capacity: capacity.min(config.context),
            buffers: Buffers::default(),
            model,
        }
    }

    /// The model.
    pub fn model(&self) -> &Arc<Model> {
        &self.model
    }

    /// Tokens so far.
    pub fn position(&self) -> usize {
        self.position
    }

    /// Most tokens that the sequence can hold.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// The logits of the last step; see [`Session::step`].
    pub fn logits(&self) -> &Matrix {
        &self.buffers.logits
    }

    /// Goes back to the first `positions` tokens; does nothing when there are not as many.
    pub fn truncate(&mut self, positions: usize) {
        if positions < self.position {
            self.position = positions;
            self.cache.truncate(positions);
        }
    }

    /// Runs `tokens` as one batch after those so far. The result has one row of logits for each token
    /// asked for, `vocab` wide; none for [`Logits::None`] or when there are no tokens.
    ///
    /// # Errors
    /// [`ModelError::Context`] before anything is computed when the tokens do not fit,
    /// [`ModelError::Token`] for one outside the vocabulary, and what the device or the embedding
    /// reports. After an error the sequence is as before the call.
    pub fn step(
        &mut self,
        tokens: &[u32],
        want: Logits,
        device: &mut dyn Projections,
    ) -> Result<&Matrix, ModelError> {
        if tokens.len() > self.capacity - self.position {
            return Err(ModelError::Context {
                position: self.position,
                tokens: tokens.len(),
                capacity: self.capacity,
            });
        }
        let vocab = self.model.config.vocab;
        if let Some(&token) = tokens.iter().find(|&&t| t as usize >= vocab) {
            return Err(ModelError::Token { token, vocab });
        }
        match self.run(tokens, want, device) {
            Ok(()) => {
                self.position += tokens.len();
                Ok(&self.buffers.logits)
            }
            Err(e) => {
                self.cache.truncate(self.position);
                Err(e)
            }
        }
    }

    /// Runs `tokens` in batches of `batch`; the result is the row of logits after the last.
    /// `progress` is told the tokens done after each batch, and stops the run by saying `false`,
    /// which leaves the sequence after that batch.
    ///
    /// # Errors
    /// As [`Session::step`], and [`ModelError::Context`] before the first batch when not all
    /// tokens fit.
    ///
    /// # Panics
    /// When `batch` is zero.
    pub fn prefill(
        &mut self,
        tokens: &[u32],
        batch: usize,
        device: &mut dyn Projections,
        mut progress: impl FnMut(usize) -> bool,
    ) -> Result<&Matrix, ModelError> {
        if tokens.len() > self.capacity - self.position {
            return Err(ModelError::Context {
                position: self.position,
                tokens: tokens.len(),
                capacity: self.capacity,
            });
        }
        let mut done = 0;
        for chunk in tokens.chunks(batch) {
            done += chunk.len();
            let want = if done == tokens.len() {
                Logits::Last
            } else {
                Logits::None
            };
            self.step(chunk, want, device)?;
            if !progress(done) {
                break;
            }
        }
        Ok(&self.buffers.logits)
    }

    fn run(
        &mut self,
        tokens: &[u32],
        want: Logits,
        device: &mut dyn Projections,
    ) -> Result<(), ModelError> {
        let Model { config, host } = &*self.model;
        let (n, first) = (tokens.len(), self.position);
        let b = &mut self.buffers;
        b.logits.reshape(0, config.vocab);
        if n == 0 {
            return Ok(());
        }
        let mut project = |layer, site: Site, x: &Matrix, first, out: &mut Matrix| {
            out.reshape(x.rows(), site.outputs(config));
            let place = Place {
                layer,
                site,
                first_position: first,
            };
            device
                .project(place, x, out)
                .map_err(|source| ModelError::Projection {
                    layer,
                    site,
                    source,
                })
        };

        b.residual.reshape(n, config.d_model);
        for (i, &token) in tokens.iter().enumerate() {
            host.embedding
                .embed(token, b.residual.row_mut(i))
                .map_err(|source| ModelError::Embedding { token, source })?;
        }
        self.rotations.prepare(first, n);
        for layer in 0..config.layers {
            norm(&b.residual, &host.attn_norm[layer], config, &mut b.normed);
            project(layer, Site::AttnIn, &b.normed, first, &mut b.fused)?;
            let bias = &host.attn_in_bias[layer];
            if !bias.is_empty() {
                for i in 0..n {
                    kernels::add(b.fused.row_mut(i), bias);
                }
            }
            b.hidden.reshape(n, Site::AttnOut.inputs(config));
            attention(
                config,
                &self.rotations,
                &mut self.cache,
                layer,
                first,
                &mut b.fused,
                &mut b.hidden,
            );
            project(layer, Site::AttnOut, &b.hidden, first, &mut b.back)?;
            kernels::add(b.residual.data_mut(), b.back.data());

            norm(&b.residual, &host.ffn_norm[layer], config, &mut b.normed);
            project(layer, Site::FfnIn, &b.normed, first, &mut b.fused)?;
            b.hidden.reshape(n, config.d_ffn);
            for i in 0..n {
                kernels::swiglu(b.fused.row(i), b.hidden.row_mut(i));
            }
            project(layer, Site::FfnDown, &b.hidden, first, &mut b.back)?;
            kernels::add(b.residual.data_mut(), b.back.data());
        }

        let from = match want {
            Logits::None => return Ok(()),
            Logits::Last => n - 1,
            Logits::All => 0,
        };
        b.normed.reshape(n - from, config.d_model);
        for i in from..n {
            let out = b.normed.row_mut(i - from);
            kernels::rms_norm(b.residual.row(i), &host.output_norm, config.rms_eps, out);
        }
        project(0, Site::Head, &b.normed, first + from, &mut b.logits)
    }
}

fn norm(x: &Matrix, gain: &[f32], config: &ModelConfig, out: &mut Matrix) {
    out.reshape(x.rows(), x.cols());
    for i in 0..x.rows() {
        kernels::rms_norm(x.row(i), gain, config.rms_eps, out.row_mut(i));
    }
}
