//! Pre-tokenizers: how text is cut before pairs are merged.
//!
//! A GGUF file names one; the rules behind the names are those of the models' own tokenizers.

use tokenizers::{
    SplitDelimiterBehavior,
    pre_tokenizers::{
        PreTokenizerWrapper,
        byte_level::ByteLevel,
        digits::Digits,
        sequence::Sequence,
        split::{Split, SplitPattern},
    },
};

/// The names understood, for messages.
pub(super) const NAMES: &str = "smollm, gpt-2, llama-bpe and qwen2";

/// A pre-tokenizer and what comes with it.
pub(super) struct Pre {
    pub(super) splitter: PreTokenizerWrapper,
    /// A piece that is a token is taken whole, whatever the merges say.
    pub(super) ignore_merges: bool,
    /// Whether a sequence begins with the beginning-of-sequence token when the file does not say.
    pub(super) add_bos: bool,
}

/// Words with the space before them, at most `digits` digits together, punctuation with the line
/// ends after it, line ends with the spaces before them, and spaces up to the last one.
fn words(digits: &str) -> String {
    format!(
        concat!(
            r"(?i:'s|'t|'re|'ve|'m|'ll|'d)",
            r"|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+",
            r"|{}",
            r"| ?[^\s\p{{L}}\p{{N}}]+[\r\n]*",
            r"|\s*[\r\n]+",
            r"|\s+(?!\S)",
            r"|\s+"
        ),
        digits
    )
}

/// The pre-tokenizer with this name in a file.
pub(super) fn pre_tokenizer(name: &str) -> Option<Pre> {
    let bytes = |split: bool| PreTokenizerWrapper::from(ByteLevel::new(false, true, split));
    let in_turn = |first: PreTokenizerWrapper, split: bool| {
        PreTokenizerWrapper::from(Sequence::new(vec![first, bytes(split)]))
    };
    let pattern = |digits: &str| {
        let pattern = SplitPattern::Regex(words(digits));
        Split::new(pattern, SplitDelimiterBehavior::Isolated, false)
            .expect("the pattern is well formed")
            .into()
    };
    let pre = |splitter, ignore_merges| Pre {
        splitter,
        ignore_merges,
        add_bos: ignore_merges,
    };
    Some(match name {
        "gpt-2" | "gpt2" => pre(bytes(true), false),
        "smollm" => pre(in_turn(Digits::new(true).into(), true), false),
        "llama-bpe" | "llama3" | "llama-v3" => pre(in_turn(pattern(r"\p{N}{1,3}"), false), true),
        "qwen2" | "deepseek-r1-qwen" => pre(in_turn(pattern(r"\p{N}"), false), false),
        _ => return None,
    })
}
