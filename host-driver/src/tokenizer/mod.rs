//! Text to tokens and back, with the vocabulary of the model file itself.
//!
//! Byte-level pair encoding and SentencePiece vocabularies are run by the `tokenizers` crate;
//! special tokens, byte fallback and streaming are handled here, as llama.cpp handles them: text is
//! not normalised, and control tokens are recognised only when asked for.

mod build;
mod chat;
mod error;
mod pre;
mod spec;
mod stream;

pub use chat::Message;
pub use error::TokenizerError;
pub use stream::StreamDecoder;

use crate::gguf::Gguf;
use spec::{BYTE, CONTROL, Kind, Spec, UNKNOWN, USER_DEFINED};

/// The character that stands for a space in SentencePiece vocabularies.
const SPM_SPACE: char = '\u{2581}';

/// A model's tokenizer.
#[derive(Debug)]
pub struct Tokenizer {
    spec: Spec,
    pipeline: tokenizers::Tokenizer,
    /// Control tokens that text may name, longest first.
    control: Vec<(String, u32)>,
}

impl Tokenizer {
    /// Builds the tokenizer of a GGUF file.
    ///
    /// # Errors
    /// A kind of vocabulary or pre-tokenizer that is not supported, by name; or a damaged one.
    pub fn from_gguf(gguf: &Gguf) -> Result<Self, TokenizerError> {
        Self::from_spec(Spec::from_gguf(gguf)?)
    }

    /// Reads what [`Tokenizer::to_json`] wrote.
    ///
    /// # Errors
    /// As [`Tokenizer::from_gguf`], and [`TokenizerError::Json`].
    pub fn from_json(json: &[u8]) -> Result<Self, TokenizerError> {
        let spec: Spec = serde_json::from_slice(json)?;
        spec.check()?;
        Self::from_spec(spec)
    }

    /// The tokenizer as JSON: vocabulary, merges, special tokens and chat template, for the
    /// container to carry. It is built again from the same facts, so both behave the same.
    ///
    /// # Errors
    /// [`TokenizerError::Json`].
    pub fn to_json(&self) -> Result<Vec<u8>, TokenizerError> {
        Ok(serde_json::to_vec(&self.spec)?)
    }

    fn from_spec(spec: Spec) -> Result<Self, TokenizerError> {
        let named = spec.tokens.iter().zip(&spec.types).enumerate();
        let mut control: Vec<(String, u32)> = named
            .filter(|(_, (t, kind))| matches!(**kind, CONTROL | UNKNOWN) && !t.is_empty())
            .map(|(i, (t, _))| (t.clone(), i as u32))
            .collect();
        control.sort_by(|a, b| b.0.len().cmp(&a.0.len()).then(a.1.cmp(&b.1)));
        Ok(Self {
            pipeline: build::pipeline(&spec)?,
            spec,
            control,
        })
    }

    /// Tokens of the vocabulary.
    pub fn vocab_size(&self) -> usize {
        self.spec.tokens.len()
    }

    /// The beginning-of-sequence token.
    pub fn bos(&self) -> Option<u32> {
        self.spec.bos
    }

    /// The end-of-sequence token.
    pub fn eos(&self) -> Option<u32> {
        self.spec.eos
    }

    /// Whether sequences of this model begin with [`Tokenizer::bos`].
    pub fn adds_bos(&self) -> bool {
        self.spec.add_bos && self.spec.bos.is_some()
    }

    /// Tokens of `text`. With `parse_special`, names of control tokens in the text stand for
    /// those tokens; without, they are text like any other.
    ///
    /// # Errors
    /// [`TokenizerError::Library`].
    pub fn encode(&self, text: &str, parse_special: bool) -> Result<Vec<u32>, TokenizerError> {
        let mut out = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let found = if parse_special {
                self.next_control(rest)
            } else {
                None
            };
            let Some((at, len, id)) = found else {
                self.encode_plain(rest, &mut out)?;
                break;
            };
            self.encode_plain(&rest[..at], &mut out)?;
            out.push(id);
            rest = &rest[at + len..];
        }
        Ok(out)
    }

    /// Tokens of a whole sequence: as [`Tokenizer::encode`], with the beginning- and
    /// end-of-sequence tokens where the model wants them.
    ///
    /// # Errors
    /// [`TokenizerError::Library`].
    pub fn encode_sequence(
        &self,
        text: &str,
        parse_special: bool,
    ) -> Result<Vec<u32>, TokenizerError> {
        let mut out: Vec<u32> = self
            .spec
            .bos
            .filter(|_| self.spec.add_bos)
            .into_iter()
            .collect();
        out.extend(self.encode(text, parse_special)?);
        out.extend(self.spec.eos.filter(|_| self.spec.add_eos));
        Ok(out)
    }

    /// Tokens of a prompt: as [`Tokenizer::encode_sequence`] without the end, and without a second
    /// beginning when the text itself names it, as chat templates may.
    ///
    /// # Errors
    /// [`TokenizerError::Library`].
    pub fn encode_prompt(
        &self,
        text: &str,
        parse_special: bool,
    ) -> Result<Vec<u32>, TokenizerError> {
        let mut out = self.encode(text, parse_special)?;
        if let Some(bos) = self.spec.bos.filter(|_| self.spec.add_bos)
            && out.first() != Some(&bos)
        {
            out.insert(0, bos);
        }
        Ok(out)
    }

    /// Where the next control token is named: offset, length, token. Of several at one place the
    /// longest counts.
    fn next_control(&self, text: &str) -> Option<(usize, usize, u32)> {
        let found = self.control.iter().filter_map(|(name, id)| {
            let at = text.find(name.as_str())?;
            Some((at, name.len(), *id))
        });
        found.min_by_key(|&(at, len, _)| (at, std::cmp::Reverse(len)))
    }

    fn encode_plain(&self, text: &str, out: &mut Vec<u32>) -> Result<(), TokenizerError> {
        if text.is_empty() {
            return Ok(());
        }
        let escaped;
        let text = match self.spec.kind {
            Kind::BytePairs => text,
            Kind::SentencePiece => {
                let prefix = if self.spec.add_space { " " } else { "" };
                escaped =
                    format!("{prefix}{text}").replace(' ', SPM_SPACE.encode_utf8(&mut [0; 4]));
                &escaped
            }
        };
        let encoding = self
            .pipeline
            .encode_fast(text, false)
            .map_err(TokenizerError::Library)?;
        out.extend_from_slice(encoding.get_ids());
        Ok(())
    }

    /// Text of `tokens`; bytes that are not UTF-8 become replacement characters. Control tokens
    /// are written by name with `with_special`, and left out without.
    pub fn decode(&self, tokens: &[u32], with_special: bool) -> String {
        let mut bytes = Vec::new();
        for &t in tokens {
            self.bytes_of(t, with_special, &mut bytes);
        }
        let text = String::from_utf8_lossy(&bytes);
        let text = match text.strip_prefix(' ') {
            Some(rest) if self.spec.add_space => rest,
            _ => &text,
        };
        text.to_owned()
    }

    /// Appends the bytes of a token. Tokens outside the vocabulary (heads are often padded) have none.
    fn bytes_of(&self, token: u32, with_special: bool, out: &mut Vec<u8>) {
        let Some(text) = self.spec.tokens.get(token as usize) else {
            return;
        };
        match (self.spec.types[token as usize], self.spec.kind) {
            (CONTROL | UNKNOWN, _) => {
                if with_special {
                    out.extend_from_slice(text.as_bytes());
                }
            }
            (USER_DEFINED, _) => out.extend_from_slice(text.as_bytes()),
            (BYTE, _) => out.extend(byte_token(text)),
            (_, Kind::BytePairs) => {
                for c in text.chars() {
                    match alphabet_byte(c) {
                        Some(b) => out.push(b),
                        None => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
                    }
                }
            }
            (_, Kind::SentencePiece) => {
                out.extend_from_slice(text.replace(SPM_SPACE, " ").as_bytes());
            }
        }
    }
}

/// The byte of a token `<0xNN>`.
fn byte_token(text: &str) -> Option<u8> {
    let digits = text.strip_prefix("<0x")?.strip_suffix('>')?;
    u8::from_str_radix(digits, 16).ok()
}

/// The byte that a character of the byte-level alphabet stands for: printable Latin-1 stands for
/// itself, the other 68 bytes are numbered from U+0100 in ascending order.
fn alphabet_byte(c: char) -> Option<u8> {
    let code = u32::from(c);
    match code {
        0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff => Some(code as u8),
        0x100..=0x120 => Some((code - 0x100) as u8),
        0x121..=0x142 => Some((code - 0x121 + 0x7f) as u8),
        0x143 => Some(0xad),
        _ => None,
    }
}
