//! Hyper-parameters.

use super::ModelError;
use crate::gguf::Gguf;
use serde::{Deserialize, Serialize};

/// Model families that can be run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Arch {
    /// Llama and what shares its shape (Mistral, SmolLM, TinyLlama).
    Llama,
    /// Qwen2 and Qwen2.5: biases on query, key and value.
    Qwen2,
}

/// Which components of a head a rotation pairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RopeStyle {
    /// `2 i` with `2 i + 1` (llama files, whose query and key rows are permuted for it).
    Interleaved,
    /// `i` with `i + dims / 2` (qwen2 files).
    Half,
}

/// Rotary position embedding.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Rope {
    /// Pairing.
    pub style: RopeStyle,
    /// Base of the frequencies.
    pub theta: f32,
    /// Components of a head that are rotated, from the first; even.
    pub dims: usize,
    /// Positions are divided by this (linear scaling); 1 for none.
    pub linear_factor: f32,
}

/// What the model is: read from the model file, carried by the container.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelConfig {
    /// Family.
    pub arch: Arch,
    /// The model's own name, empty when the file has none.
    pub name: String,
    /// Transformer layers.
    pub layers: usize,
    /// Width of the residual stream.
    pub d_model: usize,
    /// Width of the feed-forward part.
    pub d_ffn: usize,
    /// Query heads.
    pub heads: usize,
    /// Key and value heads; divides `heads`.
    pub kv_heads: usize,
    /// Components of a head.
    pub head_dim: usize,
    /// Rotary position embedding.
    pub rope: Rope,
    /// Added to the mean square by the RMS norms.
    pub rms_eps: f32,
    /// Tokens of the vocabulary.
    pub vocab: usize,
    /// Whether the head uses the embedding's weights.
    pub tied_head: bool,
    /// Longest sequence that the model was made for.
    pub context: usize,
    /// Beginning-of-sequence token.
    pub bos: Option<u32>,
    /// Tokens that end a generation: end of sequence, of turn, of message.
    pub stop: Vec<u32>,
}

/// Far above any published model; a hyper-parameter over it is damage.
const MAX_PARAMETER: usize = 1 << 24;

impl ModelConfig {
    /// Reads the hyper-parameters of a GGUF file.
    ///
    /// # Errors
    /// An unknown architecture or feature by name, or a missing or impossible parameter.
    pub fn from_gguf(gguf: &Gguf) -> Result<Self, ModelError> {
        let prefix = gguf.get_str("general.architecture")?;
        let (arch, style) = match prefix {
            "llama" => (Arch::Llama, RopeStyle::Interleaved),
            "qwen2" => (Arch::Qwen2, RopeStyle::Half),
            other => {
                return Err(ModelError::Architecture {
                    found: other.into(),
                });
            }
        };
        let key = |part: &str| format!("{prefix}.{part}");
        let count = |part: &str| gguf.get_u32(&key(part)).map(|v| v as usize);
        refuse_features(gguf, &key)?;

        let d_model = count("embedding_length")?;
        let heads = count("attention.head_count")?;
        let kv_heads = gguf
            .find_u32(&key("attention.head_count_kv"))?
            .map_or(heads, |v| v as usize);
        if heads == 0
            || (gguf.find_u32(&key("attention.key_length"))?.is_none() && d_model % heads != 0)
        {
            return Err(ModelError::Parameter {
                what: "number of heads",
                found: heads.to_string(),
                reason: "the width must be a multiple of it",
            });
        }
        let head_dim = gguf
            .find_u32(&key("attention.key_length"))?
            .map_or(d_model / heads, |v| v as usize);
        let value_dim = gguf
            .find_u32(&key("attention.value_length"))?
            .map_or(head_dim, |v| v as usize);
        if value_dim != head_dim {
            return Err(ModelError::Feature {
                feature: format!("value heads of {value_dim} beside key heads of {head_dim}"),
            });
        }
        let embedding = gguf.tensor("token_embd.weight")?;
        let config = Self {
            arch,
            name: gguf.find_str("general.name")?.unwrap_or("").into(),
            layers: count("block_count")?,
            d_model,
            d_ffn: count("feed_forward_length")?,
            heads,
            kv_heads,
            head_dim,
            rope: Rope {
                style,
                theta: gguf.find_f32(&key("rope.freq_base"))?.unwrap_or(10_000.0),
                dims: gguf
                    .find_u32(&key("rope.dimension_count"))?
                    .map_or(head_dim, |v| v as usize),
                linear_factor: linear_factor(gguf, &key)?,
            },
            rms_eps: gguf.get_f32(&key("attention.layer_norm_rms_epsilon"))?,
            vocab: embedding.rows,
            tied_head: !gguf.has_tensor("output.weight"),
            context: count("context_length")?,
            bos: gguf.find_u32("tokenizer.ggml.bos_token_id")?,
            stop: stop_tokens(gguf)?,
        };
        config.validate()?;
        Ok(config)
    }

    /// Checks that the parameters fit each other; containers are checked with it too.
    ///
    /// # Errors
    /// [`ModelError::Parameter`] naming the first that does not.
    pub fn validate(&self) -> Result<(), ModelError> {
        let bad = |what, found: String, reason| {
            Err(ModelError::Parameter {
                what,
                found,
                reason,
            })
        };
        for (what, v) in [
            ("number of layers", self.layers),
            ("width", self.d_model),
            ("feed-forward width", self.d_ffn),
            ("number of heads", self.heads),
            ("number of key and value heads", self.kv_heads),
            ("width of a head", self.head_dim),
            ("vocabulary", self.vocab),
            ("context length", self.context),
        ] {
            if v == 0 || v > MAX_PARAMETER {
                return bad(what, v.to_string(), "it must be from 1 to 2^24");
            }
        }
        if !self.heads.is_multiple_of(self.kv_heads) {
            let found = format!("{} beside {} heads", self.kv_heads, self.heads);
            return bad(
                "number of key and value heads",
                found,
                "it must divide the number of heads",
            );
        }
        if self.heads * self.head_dim > MAX_PARAMETER {
            let found = format!("{} x {}", self.heads, self.head_dim);
            return bad("attention width", found, "it must be from 1 to 2^24");
        }
        let r = &self.rope;
        if r.dims == 0 || !r.dims.is_multiple_of(2) || r.dims > self.head_dim {
            return bad(
                "number of rotated components",
                r.dims.to_string(),
                "it must be even and within a head",
            );
        }
        for (what, v) in [
            ("rotary base", r.theta),
            ("rotary scaling factor", r.linear_factor),
            ("norm epsilon", self.rms_eps),
        ] {
            if !(v.is_finite() && v > 0.0) {
                return bad(what, v.to_string(), "it must be a positive number");
            }
        }
        if let Some(&t) = self
            .stop
            .iter()
            .chain(&self.bos)
            .find(|&&t| t as usize >= self.vocab)
        {
            return bad(
                "special token",
                t.to_string(),
                "it must be inside the vocabulary",
            );
        }
        Ok(())
    }
}

/// Features of other models of these families, which would give wrong results when ignored.
fn refuse_features(gguf: &Gguf, key: &impl Fn(&str) -> String) -> Result<(), ModelError> {
    let experts = gguf.find_u32(&key("expert_count"))?.unwrap_or(0);
    if experts > 0 {
        return Err(ModelError::Feature {
            feature: format!("a mixture of {experts} experts"),
        });
    }
    match gguf.find_str(&key("rope.scaling.type"))? {
        None | Some("none" | "linear") => Ok(()),
        Some(other) => Err(ModelError::Feature {
            feature: format!("rotary scaling of type `{other}`"),
        }),
    }
}

fn linear_factor(gguf: &Gguf, key: &impl Fn(&str) -> String) -> Result<f32, ModelError> {
    let factor = match gguf.find_str(&key("rope.scaling.type"))? {
        Some("linear") => gguf.find_f32(&key("rope.scaling.factor"))?,
        Some(_) => None,
        None => gguf.find_f32(&key("rope.scale_linear"))?,
    };
    Ok(factor.unwrap_or(1.0))
}

/// Ends of generation: the tokens that the file names, and the turn markers that its vocabulary
/// has as control tokens (many files name only one of them).
fn stop_tokens(gguf: &Gguf) -> Result<Vec<u32>, ModelError> {
    const CONTROL: i64 = 3;
    const MARKERS: [&str; 4] = ["<|im_end|>", "<|eot_id|>", "<|eom_id|>", "<|endoftext|>"];
    let mut stop = Vec::new();
    for part in ["eos_token_id", "eot_token_id", "eom_token_id"] {
        stop.extend(gguf.find_u32(&format!("tokenizer.ggml.{part}"))?);
    }
    if let (Some(tokens), Some(types)) = (
        gguf.find_strings("tokenizer.ggml.tokens")?,
        gguf.find_ints("tokenizer.ggml.token_type")?,
    ) {
        let marked = tokens.iter().zip(types).enumerate();
        stop.extend(
            marked
                .filter(|(_, (s, t))| **t == CONTROL && MARKERS.contains(&s.as_str()))
                .map(|(i, _)| i as u32),
        );
    }
    stop.sort_unstable();
    stop.dedup();
    Ok(stop)
}
