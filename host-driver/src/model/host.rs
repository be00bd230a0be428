//! Tensors that stay on the host.

use super::{ModelConfig, ModelError};
use crate::gguf::{Gguf, GgufError};
use std::{error::Error, fmt, sync::Arc};

/// Looks embedding rows up.
pub trait Embedding: Send + Sync {
    /// Writes the embedding of `token` into `out`, which is `d_model` long. `token` is inside the
    /// vocabulary.
    ///
    /// # Errors
    /// When the row cannot be read, or is damaged.
    fn embed(&self, token: u32, out: &mut [f32]) -> Result<(), Box<dyn Error + Send + Sync>>;
}

/// The small tensors and the embedding.
pub struct HostTensors {
    /// Norm before the attention, per layer, `d_model` each.
    pub attn_norm: Vec<Vec<f32>>,
    /// Bias of the fused query, key and value product, per layer; empty where there is none.
    pub attn_in_bias: Vec<Vec<f32>>,
    /// Norm before the feed-forward part, per layer, `d_model` each.
    pub ffn_norm: Vec<Vec<f32>>,
    /// Norm before the head, `d_model`.
    pub output_norm: Vec<f32>,
    /// Each rotary frequency is divided by its factor (`rope.dims / 2` of them); empty for none.
    pub rope_factors: Vec<f32>,
    /// The embedding.
    pub embedding: Box<dyn Embedding>,
}

impl fmt::Debug for HostTensors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostTensors")
            .field("layers", &self.attn_norm.len())
            .finish_non_exhaustive()
    }
}

/// Embedding rows straight from a GGUF file.
#[derive(Debug)]
pub struct GgufEmbedding(pub Arc<Gguf>);

impl Embedding for GgufEmbedding {
    fn embed(&self, token: u32, out: &mut [f32]) -> Result<(), Box<dyn Error + Send + Sync>> {
        let tensor = self.0.tensor("token_embd.weight")?;
        Ok(tensor.dequantize_row(token as usize, out)?)
    }
}

impl HostTensors {
    /// Reads the host's tensors from a GGUF file, with the embedding left in it.
    ///
    /// # Errors
    /// A tensor that is missing, misshapen or not finite; or a tensor that the architecture does
    /// not have, since a model that needs it would give wrong results without.
    pub fn from_gguf(gguf: &Arc<Gguf>, config: &ModelConfig) -> Result<Self, ModelError> {
        let embedding = Box::new(GgufEmbedding(Arc::clone(gguf)));
        Self::with_embedding(gguf, config, embedding)
    }

    /// As [`HostTensors::from_gguf`] with another source of embeddings.
    ///
    /// # Errors
    /// As [`HostTensors::from_gguf`].
    pub fn with_embedding(
        gguf: &Gguf,
        config: &ModelConfig,
        embedding: Box<dyn Embedding>,
    ) -> Result<Self, ModelError> {
        refuse_unknown_tensors(gguf, config)?;
        gguf.tensor_of("token_embd.weight", config.vocab, config.d_model)?;
        let vector = |name: &str, len: usize| -> Result<Vec<f32>, GgufError> {
            gguf.tensor_of(name, 1, len)?.dequantize()
        };
        let per_layer = |part: &str| -> Result<Vec<Vec<f32>>, GgufError> {
            (0..config.layers)
                .map(|l| vector(&format!("blk.{l}.{part}"), config.d_model))
                .collect()
        };
        let mut attn_in_bias = Vec::with_capacity(config.layers);
        for l in 0..config.layers {
            let name = |part: &str| format!("blk.{l}.attn_{part}.bias");
            let widths = [config.heads, config.kv_heads, config.kv_heads];
            let mut bias = Vec::new();
            if ["q", "k", "v"].iter().any(|p| gguf.has_tensor(&name(p))) {
                for (part, heads) in ["q", "k", "v"].iter().zip(widths) {
                    bias.extend(vector(&name(part), heads * config.head_dim)?);
                }
            }
            attn_in_bias.push(bias);
        }
        let rope_factors = if gguf.has_tensor("rope_freqs.weight") {
            vector("rope_freqs.weight", config.rope.dims / 2)?
        } else {
            Vec::new()
        };
        Ok(Self {
            attn_norm: per_layer("attn_norm.weight")?,
            attn_in_bias,
            ffn_norm: per_layer("ffn_norm.weight")?,
            output_norm: vector("output_norm.weight", config.d_model)?,
            rope_factors,
            embedding,
        })
    }
}

fn refuse_unknown_tensors(gguf: &Gguf, config: &ModelConfig) -> Result<(), ModelError> {
    const GLOBAL: [&str; 4] = [
        "token_embd.weight",
        "output_norm.weight",
        "output.weight",
        "rope_freqs.weight",
    ];
    const LAYER: [&str; 12] = [
        "attn_norm.weight",
        "attn_q.weight",
        "attn_k.weight",
        "attn_v.weight",
        "attn_q.bias",
        "attn_k.bias",
        "attn_v.bias",
        "attn_output.weight",
        "ffn_norm.weight",
        "ffn_gate.weight",
        "ffn_up.weight",
        "ffn_down.weight",
    ];
    for t in gguf.tensors() {
        let known = GLOBAL.contains(&t.name.as_str())
            || t.name.strip_prefix("blk.").is_some_and(|rest| {
                rest.split_once('.').is_some_and(|(n, part)| {
                    n.parse().is_ok_and(|n: usize| n < config.layers) && LAYER.contains(&part)
                })
            });
        if !known {
            return Err(ModelError::Feature {
                feature: format!("a tensor `{}`", t.name),
            });
        }
    }
    Ok(())
}
