//! Prompt in, tokens out.

use super::{Logits, ModelError, Projections, Sampler, Sampling, Session};
use std::sync::atomic::{AtomicBool, Ordering};
use xxhash_rust::xxh3::Xxh3;

/// What to generate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// Most tokens to generate.
    pub max_tokens: usize,
    /// Tokens of the prompt that are run together.
    pub batch: usize,
    /// How tokens are chosen.
    pub sampling: Sampling,
    /// Whether to go on past the model's own end tokens.
    pub ignore_stop: bool,
}

/// What happens during a generation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Event<'a> {
    /// So many tokens of the prompt are done.
    Prompt {
        /// Tokens done.
        done: usize,
        /// Tokens of the prompt.
        of: usize,
    },
    /// A token was generated.
    Token {
        /// The token.
        token: u32,
        /// The logits it was chosen from.
        logits: &'a [f32],
    },
}

/// Why a generation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The model ended it with this token, which is not among the generated ones.
    Stop(u32),
    /// As many tokens as asked for.
    Length,
    /// The caller cancelled.
    Cancelled,
}

/// The result of a generation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generated {
    /// The tokens, without the one that ended it.
    pub tokens: Vec<u32>,
    /// Why it ended.
    pub end: End,
    /// XXH3 over the bits of all logits that a token was chosen from, little-endian, in order:
    /// equal hashes mean equal arithmetic.
    pub logits_hash: u64,
}

/// Runs `prompt` after what the session holds, then generates. `cancel` is looked at between
/// batches and tokens.
///
/// # Errors
/// [`ModelError::EmptyPrompt`]; [`ModelError::Context`] before anything is computed when the
/// prompt and `max_tokens` do not fit together; and what [`Session::step`] reports.
///
/// # Panics
/// When `options.batch` is zero.
pub fn generate(
    session: &mut Session,
    device: &mut dyn Projections,
    prompt: &[u32],
    options: &Options,
    cancel: &AtomicBool,
    mut on_event: impl FnMut(Event<'_>),
) -> Result<Generated, ModelError> {
    if prompt.is_empty() {
        return Err(ModelError::EmptyPrompt);
    }
    let wanted = prompt.len().saturating_add(options.max_tokens);
    if wanted > session.capacity() - session.position() {
        return Err(ModelError::Context {
            position: session.position(),
            tokens: wanted,
            capacity: session.capacity(),
        });
    }
    let stop = session.model().config().stop.clone();
    let mut sampler = Sampler::new(options.sampling);
    let mut hash = Xxh3::new();
    let mut tokens = Vec::new();
    let cancelled = || cancel.load(Ordering::Relaxed);

    let mut cut = false;
    session.prefill(prompt, options.batch, device, |done| {
        let of = prompt.len();
        on_event(Event::Prompt { done, of });
        cut = done < of && cancelled();
        !cut
    })?;
    let end = loop {
        if cut || cancelled() {
            break End::Cancelled;
        }
        if tokens.len() >= options.max_tokens {
            break End::Length;
        }
        let logits = session.logits().row(0);
        for l in logits {
            hash.update(&l.to_bits().to_le_bytes());
        }
        let token = sampler.sample(logits);
        if !options.ignore_stop && stop.contains(&token) {
            break End::Stop(token);
        }
        tokens.push(token);
        on_event(Event::Token { token, logits });
        // The last token needs no logits after it.
        if tokens.len() < options.max_tokens {
            session.step(&[token], Logits::Last, device)?;
        }
    };
    Ok(Generated {
        tokens,
        end,
        logits_hash: hash.digest(),
    })
}
