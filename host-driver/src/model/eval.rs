//! Perplexity of a text.
//!
//! The tokens are cut into windows of a fixed number of tokens; what does not fill one is left out.
//! Each window is scored by itself: the cache starts empty (after the beginning-of-sequence token,
//! which is not scored, where the model wants one), and every token but the window's first is
//! scored given the window's tokens before it. Perplexity is exp of the mean negative natural
//! logarithm of the probabilities. `host-driver/reference/figures.py` computes the same by llama.cpp.

use super::{Logits, ModelError, Projections, Session, kernels};

/// How a text is scored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Windows {
    /// Tokens of a window, without the beginning-of-sequence token; at least 2.
    pub tokens: usize,
    /// Tokens that are run together.
    pub batch: usize,
    /// Token before every window, where the model wants one.
    pub bos: Option<u32>,
}

/// A text's score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score {
    /// Tokens scored.
    pub tokens: usize,
    /// Mean negative natural logarithm of their probabilities.
    pub mean_nll: f64,
}

impl Score {
    /// Exp of the mean.
    pub fn perplexity(&self) -> f64 {
        self.mean_nll.exp()
    }
}

/// Scores `text`. The session is emptied before every window. `progress` gets the score so far and
/// the number of tokens that will be scored, and stops by saying `false`, which gives the score so
/// far.
///
/// # Errors
/// [`ModelError::ShortText`] when there is not one whole window, [`ModelError::Context`] when a
/// window does not fit the session, [`ModelError::Token`] for one outside the vocabulary, and what [`Session::step`] reports.
///
/// # Panics
/// When a window has less than two tokens, or a batch none.
pub fn perplexity(
    session: &mut Session,
    device: &mut dyn Projections,
    text: &[u32],
    windows: Windows,
    mut progress: impl FnMut(Score, usize) -> bool,
) -> Result<Score, ModelError> {
    let Windows { tokens, batch, bos } = windows;
    assert!(
        tokens >= 2 && batch >= 1,
        "a window scores its second token"
    );
    if text.len() < tokens {
        return Err(ModelError::ShortText {
            tokens: text.len(),
            window: tokens,
        });
    }
    let vocab = session.model().config().vocab;
    if let Some(&token) = text.iter().find(|&&t| t as usize >= vocab) {
        return Err(ModelError::Token { token, vocab });
    }
    let total = text.len() / tokens * (tokens - 1);
    let (mut nll, mut scored) = (0.0, 0);
    let score = |nll: f64, scored: usize| Score {
        tokens: scored,
        mean_nll: nll / scored as f64,
    };
    for window in text.chunks_exact(tokens) {
        session.truncate(0);
        if let Some(bos) = bos {
            session.step(&[bos], Logits::None, device)?;
        }
        let mut done = 0;
        for chunk in window.chunks(batch) {
            let logits = session.step(chunk, Logits::All, device)?;
            done += chunk.len();
            let targets = &window[done + 1 - chunk.len()..tokens.min(done + 1)];
            for (i, &target) in targets.iter().enumerate() {
                nll -= log_probability(logits.row(i), target);
            }
            scored += targets.len();
            if scored > 0 && !progress(score(nll, scored), total) {
                return Ok(score(nll, scored));
            }
        }
    }
    Ok(score(nll, scored))
}

/// Natural logarithm of the probability of `token`.
fn log_probability(logits: &[f32], token: u32) -> f64 {
    let max = logits.iter().fold(f32::NEG_INFINITY, |m, &l| m.max(l));
    let sum = kernels::sum_exp(logits, max);
    f64::from(logits[token as usize]) - f64::from(max) - sum.ln()
}
