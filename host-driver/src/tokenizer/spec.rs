//! What a tokenizer is made from: read from a GGUF file, carried by the container.

use super::{TokenizerError, pre};
use crate::gguf::Gguf;
use serde::{Deserialize, Serialize};

/// Kind of vocabulary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    /// Pairs of bytes, in the printable alphabet of GPT-2.
    BytePairs,
    /// SentencePiece pairs with byte fallback.
    SentencePiece,
}

/// Token types of the GGUF format.
pub(super) const UNKNOWN: u8 = 2;
pub(super) const CONTROL: u8 = 3;
pub(super) const USER_DEFINED: u8 = 4;
pub(super) const BYTE: u8 = 6;

/// Bytes of a token, far above what vocabularies have.
const MAX_TOKEN: usize = 1024;

/// The facts of a tokenizer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Spec {
    pub(super) kind: Kind,
    /// Name of the pre-tokenizer; empty for SentencePiece.
    pub(super) pre: String,
    pub(super) tokens: Vec<String>,
    /// A type for each token.
    pub(super) types: Vec<u8>,
    /// `left right`, best first.
    pub(super) merges: Vec<String>,
    /// A score for each token; SentencePiece only.
    pub(super) scores: Vec<f32>,
    pub(super) bos: Option<u32>,
    pub(super) eos: Option<u32>,
    pub(super) unknown: Option<u32>,
    pub(super) add_bos: bool,
    pub(super) add_eos: bool,
    /// Whether text is preceded by a space; SentencePiece only.
    pub(super) add_space: bool,
    pub(super) chat_template: Option<String>,
}

impl Spec {
    pub(super) fn from_gguf(gguf: &Gguf) -> Result<Self, TokenizerError> {
        let key = |part: &str| format!("tokenizer.ggml.{part}");
        let kind = match gguf.get_str(&key("model"))? {
            "gpt2" => Kind::BytePairs,
            "llama" => Kind::SentencePiece,
            other => {
                return Err(TokenizerError::Kind {
                    found: other.into(),
                });
            }
        };
        let tokens = gguf.get_strings(&key("tokens"))?.to_vec();
        let types = match gguf.find_ints(&key("token_type"))? {
            Some(types) => types
                .iter()
                .map(|&t| u8::try_from(t).unwrap_or(u8::MAX))
                .collect(),
            None => vec![1; tokens.len()],
        };
        let (pre, merges, scores, default_bos) = match kind {
            Kind::BytePairs => {
                let name = gguf.get_str(&key("pre"))?;
                let Some(known) = pre::pre_tokenizer(name) else {
                    return Err(TokenizerError::PreTokenizer { found: name.into() });
                };
                let merges = gguf.get_strings(&key("merges"))?.to_vec();
                (name.to_owned(), merges, Vec::new(), known.add_bos)
            }
            Kind::SentencePiece => {
                let scores = gguf.get_floats(&key("scores"))?;
                let scores = scores.iter().map(|&s| s as f32).collect();
                (String::new(), Vec::new(), scores, true)
            }
        };
        let spec = Self {
            kind,
            pre,
            tokens,
            types,
            merges,
            scores,
            bos: gguf.find_u32(&key("bos_token_id"))?,
            eos: gguf.find_u32(&key("eos_token_id"))?,
            unknown: gguf.find_u32(&key("unknown_token_id"))?,
            add_bos: gguf
                .find_bool(&key("add_bos_token"))?
                .unwrap_or(default_bos),
            add_eos: gguf.find_bool(&key("add_eos_token"))?.unwrap_or(false),
            add_space: kind == Kind::SentencePiece
                && gguf.find_bool(&key("add_space_prefix"))?.unwrap_or(true),
            chat_template: gguf.find_str("tokenizer.chat_template")?.map(str::to_owned),
        };
        spec.check()?;
        Ok(spec)
    }

    /// Checks what both the model file and the container may get wrong.
    pub(super) fn check(&self) -> Result<(), TokenizerError> {
        let damaged = |what: String| Err(TokenizerError::Vocabulary { what });
        let n = self.tokens.len();
        if n == 0 {
            return damaged("it is empty".into());
        }
        if self.types.len() != n {
            return damaged(format!("{n} tokens have {} types", self.types.len()));
        }
        if self.kind == Kind::SentencePiece && self.scores.len() != n {
            return damaged(format!("{n} tokens have {} scores", self.scores.len()));
        }
        if let Some(i) = self.tokens.iter().position(|t| t.len() > MAX_TOKEN) {
            return damaged(format!("token {i} is longer than {MAX_TOKEN} bytes"));
        }
        for (name, id) in [
            ("beginning-of-sequence", self.bos),
            ("end-of-sequence", self.eos),
            ("unknown", self.unknown),
        ] {
            if let Some(id) = id.filter(|&id| id as usize >= n) {
                return damaged(format!(
                    "the {name} token {id} is not one of its {n} tokens"
                ));
            }
        }
        Ok(())
    }
}
