//! What can go wrong with a model.

use super::{ProjectionError, Site};
use crate::gguf::GgufError;

/// Why a model was refused, or a step of it failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// The model file is wrong.
    #[error(transparent)]
    Gguf(#[from] GgufError),
    /// An architecture that Weft does not know.
    #[error(
        "the model's architecture is `{found}`, which is not supported (llama and qwen2 are); convert another model"
    )]
    Architecture {
        /// The architecture in the file.
        found: String,
    },
    /// The architecture is known, a feature of this model is not.
    #[error("the model uses {feature}, which is not supported; convert another model")]
    Feature {
        /// The feature.
        feature: String,
    },
    /// A hyper-parameter has an impossible value.
    #[error("the model's {what} is {found}: {reason}; the file is damaged")]
    Parameter {
        /// The hyper-parameter.
        what: &'static str,
        /// Its value.
        found: String,
        /// Why it cannot be.
        reason: &'static str,
    },
    /// A token number beyond the vocabulary.
    #[error("token {token} is outside the model's vocabulary of {vocab}")]
    Token {
        /// The token.
        token: u32,
        /// Size of the vocabulary.
        vocab: usize,
    },
    /// The sequence would grow over its limit.
    #[error(
        "{tokens} more tokens after {position} do not fit the context of {capacity}; shorten the prompt or ask for fewer tokens"
    )]
    Context {
        /// Tokens so far.
        position: usize,
        /// Tokens to be added.
        tokens: usize,
        /// Most tokens.
        capacity: usize,
    },
    /// There is nothing to go on from.
    #[error("the prompt is empty; give at least one character")]
    EmptyPrompt,
    /// A text is shorter than one window.
    #[error(
        "the text has {tokens} tokens, fewer than one window of {window}; give a longer text or a smaller window"
    )]
    ShortText {
        /// Tokens of the text.
        tokens: usize,
        /// Tokens of a window.
        window: usize,
    },
    /// An embedding row could not be read.
    #[error("cannot read the embedding of token {token}: {source}")]
    Embedding {
        /// The token.
        token: u32,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A device failed to compute a product.
    #[error("the {site} product of layer {layer} failed: {source}")]
    Projection {
        /// The layer.
        layer: usize,
        /// Which product.
        site: Site,
        /// What the device said.
        source: ProjectionError,
    },
}
