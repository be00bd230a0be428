//! The weight matrix products of a model, grouped by shared input.

use super::ModelConfig;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A product. Matrices that share an input are stacked into one row space.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Site {
    /// Query, key and value projections, stacked in that order.
    AttnIn,
    /// The attention's output projection.
    AttnOut,
    /// Gate and up projections of the feed-forward part, stacked in that order.
    FfnIn,
    /// The feed-forward part's down projection.
    FfnDown,
    /// The language-model head.
    Head,
}

impl Site {
    /// The sites of a layer, in order of execution.
    pub const LAYER: [Site; 4] = [Site::AttnIn, Site::AttnOut, Site::FfnIn, Site::FfnDown];

    /// Inputs of the product.
    pub fn inputs(self, config: &ModelConfig) -> usize {
        match self {
            Site::AttnIn | Site::FfnIn | Site::Head => config.d_model,
            Site::AttnOut => config.heads * config.head_dim,
            Site::FfnDown => config.d_ffn,
        }
    }

    /// Outputs of the product: the stacked rows of its matrices.
    pub fn outputs(self, config: &ModelConfig) -> usize {
        match self {
            Site::AttnIn => (config.heads + 2 * config.kv_heads) * config.head_dim,
            Site::AttnOut | Site::FfnDown => config.d_model,
            Site::FfnIn => 2 * config.d_ffn,
            Site::Head => config.vocab,
        }
    }

    /// The stacked matrices in order: name of the tensor in a GGUF file, and its outputs.
    pub fn tensors(self, config: &ModelConfig, layer: usize) -> Vec<(String, usize)> {
        let block = |part: &str, rows| (format!("blk.{layer}.{part}.weight"), rows);
        let kv = config.kv_heads * config.head_dim;
        match self {
            Site::AttnIn => vec![
                block("attn_q", config.heads * config.head_dim),
                block("attn_k", kv),
                block("attn_v", kv),
            ],
            Site::AttnOut => vec![block("attn_output", config.d_model)],
            Site::FfnIn => vec![
                block("ffn_gate", config.d_ffn),
                block("ffn_up", config.d_ffn),
            ],
            Site::FfnDown => vec![block("ffn_down", config.d_model)],
            Site::Head => {
                let name = if config.tied_head {
                    "token_embd.weight"
                } else {
                    "output.weight"
                };
                vec![(name.into(), config.vocab)]
            }
        }
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Site::AttnIn => "attn_in",
            Site::AttnOut => "attn_out",
            Site::FfnIn => "ffn_in",
            Site::FfnDown => "ffn_down",
            Site::Head => "head",
        })
    }
}
