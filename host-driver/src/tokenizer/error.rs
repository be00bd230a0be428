//! What can be wrong with a tokenizer.

use crate::gguf::GgufError;

/// Why a tokenizer was refused, or failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenizerError {
    /// The model file is wrong.
    #[error(transparent)]
    Gguf(#[from] GgufError),
    /// A kind of vocabulary that Weft does not know.
    #[error(
        "the file's tokenizer is of kind `{found}`, which is not supported (`gpt2`, byte-level pairs, and `llama`, SentencePiece, are)"
    )]
    Kind {
        /// The kind in the file.
        found: String,
    },
    /// A pre-tokenizer that Weft does not know.
    #[error(
        "the file's pre-tokenizer is `{found}`, which is not supported ({} are)",
        super::pre::NAMES
    )]
    PreTokenizer {
        /// The name in the file.
        found: String,
    },
    /// The vocabulary contradicts itself.
    #[error("the file's vocabulary is damaged: {what}")]
    Vocabulary {
        /// What is wrong.
        what: String,
    },
    /// The text form of a tokenizer could not be read.
    #[error("the stored tokenizer cannot be read: {0}")]
    Json(#[from] serde_json::Error),
    /// The tokenizer library failed.
    #[error("cannot tokenise: {0}")]
    Library(Box<dyn std::error::Error + Send + Sync>),
    /// The file has no chat template.
    #[error("the model has no chat template; give it plain text instead of a chat")]
    NoChatTemplate,
    /// The chat template could not be used.
    #[error("the model's chat template failed: {0:#}")]
    ChatTemplate(minijinja::Error),
}
