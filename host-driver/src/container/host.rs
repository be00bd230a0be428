//! The host's tensors of a packed model, in the shape that the model wants.

use super::{ContainerError, Weft};
use crate::model::{Embedding, HostTensors};
use std::error::Error;
use std::sync::Arc;

/// Embedding rows of a packed model.
#[derive(Debug)]
struct Rows(Arc<Weft>);

impl Embedding for Rows {
    fn embed(&self, token: u32, out: &mut [f32]) -> Result<(), Box<dyn Error + Send + Sync>> {
        Ok(self.0.embed(token as usize, out)?)
    }
}

/// Norms, biases and embedding of `weft`.
///
/// # Errors
/// A vector that is missing, of the wrong length or not finite.
pub fn host_tensors(weft: &Arc<Weft>) -> Result<HostTensors, ContainerError> {
    let config = &weft.meta().model;
    let of_length = |name: &str, values: Vec<f32>, wanted: usize| {
        if values.len() == wanted {
            return Ok(values);
        }
        let found = values.len();
        Err(ContainerError::invalid(format!(
            "host tensor `{name}` has {found} values instead of {wanted}"
        )))
    };
    let needed = |name: String, wanted| match weft.host(&name)? {
        Some(values) => of_length(&name, values, wanted),
        None => Err(ContainerError::MissingHost { name }),
    };
    let per_layer = |part: &str| -> Result<Vec<Vec<f32>>, ContainerError> {
        let layers = 0..config.layers;
        layers
            .map(|l| needed(format!("blk.{l}.{part}.weight"), config.d_model))
            .collect()
    };
    let mut attn_in_bias = Vec::with_capacity(config.layers);
    for l in 0..config.layers {
        let name = |part: &str| format!("blk.{l}.attn_{part}.bias");
        let parts = [
            ("q", config.heads),
            ("k", config.kv_heads),
            ("v", config.kv_heads),
        ];
        let mut bias = Vec::new();
        if weft.host(&name("q"))?.is_some() {
            for (part, heads) in parts {
                bias.extend(needed(name(part), heads * config.head_dim)?);
            }
        }
        attn_in_bias.push(bias);
    }
    let factors = "rope_freqs.weight";
    let rope_factors = match weft.host(factors)? {
        Some(values) => of_length(factors, values, config.rope.dims / 2)?,
        None => Vec::new(),
    };
    Ok(HostTensors {
        attn_norm: per_layer("attn_norm")?,
        attn_in_bias,
        ffn_norm: per_layer("ffn_norm")?,
        output_norm: needed("output_norm.weight".into(), config.d_model)?,
        rope_factors,
        embedding: Box::new(Rows(Arc::clone(weft))),
    })
}
