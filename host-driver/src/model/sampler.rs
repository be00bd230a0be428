//! Choosing the next token.

use serde::{Deserialize, Serialize};

/// How tokens are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Sampling {
    /// Divides the logits; 0 takes the best token always.
    pub temperature: f32,
    /// Only the best `top_k` tokens are candidates; 0 for all.
    pub top_k: usize,
    /// Only the best tokens that together have this probability are candidates; 1 for all.
    pub top_p: f32,
    /// Start of the random numbers: the same seed gives the same text.
    pub seed: u64,
}

impl Sampling {
    /// Always the best token.
    pub const GREEDY: Self = Self {
        temperature: 0.0,
        top_k: 0,
        top_p: 1.0,
        seed: 0,
    };
}

/// Chooses tokens by a [`Sampling`]; the same logits and seed give the same choices.
#[derive(Debug, Clone)]
pub struct Sampler {
    sampling: Sampling,
    state: u64,
    candidates: Vec<(u32, f32)>,
}

impl Sampler {
    /// A sampler at the start of its random numbers.
    pub fn new(sampling: Sampling) -> Self {
        Self {
            sampling,
            state: sampling.seed,
            candidates: Vec::new(),
        }
    }

    /// Chooses a token; of equal logits the lower token. Logits that are not a number are never
    /// chosen while there is another.
    ///
    /// # Panics
    /// When there are no logits.
    pub fn sample(&mut self, logits: &[f32]) -> u32 {
        assert!(!logits.is_empty(), "a vocabulary has tokens");
        let Sampling {
            temperature,
            top_k,
            top_p,
            ..
        } = self.sampling;
        // A temperature that is not a number counts as zero.
        if temperature.is_nan() || temperature <= 0.0 || top_k == 1 {
            return best(logits);
        }
        let c = &mut self.candidates;
        c.clear();
        let finite = logits.iter().enumerate().filter(|(_, l)| !l.is_nan());
        c.extend(finite.map(|(i, &l)| (i as u32, l)));
        if c.is_empty() {
            return 0;
        }
        let order = |a: &(u32, f32), b: &(u32, f32)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
        if top_k > 0 && top_k < c.len() {
            c.select_nth_unstable_by(top_k - 1, order);
            c.truncate(top_k);
        }
        c.sort_unstable_by(order);
        let max = c[0].1;
        let mut total = 0.0f64;
        for (_, l) in c.iter_mut() {
            // Infinite differences are kept from becoming NaN: the best always weighs 1.
            *l = if *l == max {
                1.0
            } else {
                ((*l - max) / temperature).exp()
            };
            total += f64::from(*l);
        }
        if top_p < 1.0 {
            let mut sum = 0.0;
            let limit = total * f64::from(top_p.max(0.0));
            let keep = c.iter().position(|&(_, w)| {
                sum += f64::from(w);
                sum >= limit
            });
            c.truncate(keep.map_or(c.len(), |k| k + 1));
            total = c.iter().map(|&(_, w)| f64::from(w)).sum();
        }
        let mut at = self.uniform() * total;
        for &(token, w) in &self.candidates {
            at -= f64::from(w);
            if at < 0.0 {
                return token;
            }
        }
        self.candidates[self.candidates.len() - 1].0
    }

    /// The next number in [0, 1): 53 bits of SplitMix64.
    fn uniform(&mut self) -> f64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        (z >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// The token with the highest logit, the lowest of equals.
fn best(logits: &[f32]) -> u32 {
    let mut best = (0, f32::NEG_INFINITY);
    for (i, &l) in logits.iter().enumerate() {
        if l > best.1 {
            best = (i, l);
        }
    }
    best.0 as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draw(sampling: Sampling, logits: &[f32], n: usize) -> Vec<u32> {
        let mut s = Sampler::new(sampling);
        (0..n).map(|_| s.sample(logits)).collect()
    }

    const WARM: Sampling = Sampling {
        temperature: 1.0,
        top_k: 0,
        top_p: 1.0,
        seed: 7,
    };

    #[test]
    fn greedy_takes_the_first_of_the_best() {
        assert_eq!(
            draw(Sampling::GREEDY, &[0.0, 3.0, 3.0, f32::NAN], 2),
            [1, 1]
        );
    }

    #[test]
    fn frequencies_follow_the_probabilities() {
        let logits = [0.0, 1.0, 2.0];
        let total: f64 = logits.iter().map(|&l: &f32| f64::from(l).exp()).sum();
        let drawn = draw(WARM, &logits, 20_000);
        for (token, &l) in logits.iter().enumerate() {
            let share = drawn.iter().filter(|&&t| t == token as u32).count() as f64 / 20_000.0;
            let want = f64::from(l).exp() / total;
            assert!((share - want).abs() < 0.02, "{token}: {share} for {want}");
        }
        assert_eq!(drawn, draw(WARM, &logits, 20_000), "the seed decides");
        assert_ne!(drawn, draw(Sampling { seed: 8, ..WARM }, &logits, 20_000));
    }

    #[test]
    fn limits_remove_candidates() {
        let logits = [0.0, 5.0, 4.0, 1.0];
        let k = draw(Sampling { top_k: 2, ..WARM }, &logits, 500);
        assert!(k.contains(&1) && k.contains(&2) && k.iter().all(|t| [1, 2].contains(t)));
        let p = draw(Sampling { top_p: 0.5, ..WARM }, &logits, 500);
        assert!(
            p.iter().all(|&t| t == 1),
            "the best alone has more than half"
        );
        let cold = draw(
            Sampling {
                temperature: 0.05,
                ..WARM
            },
            &logits,
            500,
        );
        assert!(cold.iter().all(|&t| t == 1));
    }

    #[test]
    fn odd_logits_do_not_panic() {
        let odd = [f32::NEG_INFINITY, f32::INFINITY, f32::NAN, 0.0];
        assert_eq!(draw(WARM, &odd, 50), [1; 50]);
        draw(WARM, &[f32::NAN; 3], 3);
        draw(
            Sampling {
                temperature: f32::NAN,
                top_p: f32::NAN,
                ..WARM
            },
            &odd,
            3,
        );
    }
}
