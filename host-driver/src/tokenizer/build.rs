//! From the facts of a vocabulary to a working `tokenizers` pipeline.

use super::{
    TokenizerError, pre,
    spec::{Kind, Spec, USER_DEFINED},
};
use std::collections::HashMap;
use tokenizers::{
    AddedToken, Tokenizer as Pipeline,
    models::bpe::{BPE, Vocab},
};

/// Builds the pipeline. Control tokens are not part of it: the caller cuts text at them.
pub(super) fn pipeline(spec: &Spec) -> Result<Pipeline, TokenizerError> {
    let mut ids: HashMap<&str, u32> = HashMap::with_capacity(spec.tokens.len());
    for (i, token) in spec.tokens.iter().enumerate() {
        // Of equal tokens the first counts; the others can still be decoded.
        ids.entry(token).or_insert(i as u32);
    }
    let merges = match spec.kind {
        Kind::BytePairs => written_merges(spec, &ids)?,
        Kind::SentencePiece => scored_merges(spec, &ids),
    };
    let vocab = ids.iter().map(|(t, &i)| ((*t).to_owned(), i)).collect();
    let mut builder = BPE::builder().vocab_and_merges::<Vocab>(vocab, merges);
    let mut splitter = None;
    match spec.kind {
        Kind::BytePairs => {
            let found =
                pre::pre_tokenizer(&spec.pre).ok_or_else(|| TokenizerError::PreTokenizer {
                    found: spec.pre.clone(),
                })?;
            builder = builder.ignore_merges(found.ignore_merges);
            splitter = Some(found.splitter);
        }
        Kind::SentencePiece => {
            builder = builder.byte_fallback(true).fuse_unk(true);
            if let Some(id) = spec.unknown {
                builder = builder.unk_token(spec.tokens[id as usize].clone());
            }
        }
    }
    let model = builder.build().map_err(TokenizerError::Library)?;
    let mut pipeline = Pipeline::new(model);
    pipeline.with_pre_tokenizer(splitter);
    let own = spec.tokens.iter().zip(&spec.types);
    let own = own.filter(|(token, kind)| **kind == USER_DEFINED && !token.is_empty());
    pipeline
        .add_tokens(own.map(|(token, _)| AddedToken::from(token.clone(), false).normalized(false)))
        .map_err(TokenizerError::Library)?;
    Ok(pipeline)
}

/// The merges of the file, each checked: both parts and the whole must be tokens.
fn written_merges(
    spec: &Spec,
    ids: &HashMap<&str, u32>,
) -> Result<Vec<(String, String)>, TokenizerError> {
    let mut whole = String::new();
    let check = |(i, merge): (usize, &String)| {
        let parts = merge
            .split_once(' ')
            .filter(|(a, b)| ids.contains_key(a) && ids.contains_key(b));
        if let Some((a, b)) = parts {
            whole.clear();
            whole.push_str(a);
            whole.push_str(b);
            if ids.contains_key(whole.as_str()) {
                return Ok((a.to_owned(), b.to_owned()));
            }
        }
        Err(TokenizerError::Vocabulary {
            what: format!("merge {i} (`{merge}`) is not made of its tokens"),
        })
    };
    spec.merges.iter().enumerate().map(check).collect()
}

/// SentencePiece has no list of merges: any two tokens whose whole is a token may merge, best
/// score of the whole first.
fn scored_merges(spec: &Spec, ids: &HashMap<&str, u32>) -> Vec<(String, String)> {
    let mut merges = Vec::new();
    for (token, &score) in spec.tokens.iter().zip(&spec.scores) {
        for (at, _) in token.char_indices().skip(1) {
            let (a, b) = token.split_at(at);
            if let (Some(&left), Some(&right)) = (ids.get(a), ids.get(b)) {
                merges.push((score, left, right, a, b));
            }
        }
    }
    merges.sort_by(|a, b| b.0.total_cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
    let owned = |(.., a, b): (f32, u32, u32, &str, &str)| (a.to_owned(), b.to_owned());
    merges.into_iter().map(owned).collect()
}
