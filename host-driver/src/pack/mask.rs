//! Which weights of a row survive.

/// A byte a column: 1 for the `density` share of `weights` with the largest `|weight| * norm`, 0 for the rest.
/// `norms` may be empty for all ones. A tie goes to the earlier column.
pub(super) fn survivors(weights: &[f32], norms: &[f32], density: f32) -> Vec<u8> {
    let keep = (weights.len() as f32 * density).ceil() as usize;
    let mut alive = vec![0; weights.len()];
    if keep >= weights.len() {
        alive.fill(1);
        return alive;
    }
    if keep == 0 {
        return alive;
    }
    let scores = weights.iter().enumerate().map(|(c, w)| {
        let score = w.abs() * norms.get(c).copied().unwrap_or(1.0);
        (score, c)
    });
    let mut scores: Vec<(f32, usize)> = scores.collect();
    scores.select_nth_unstable_by(keep - 1, |a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    for &(_, c) in &scores[..keep] {
        alive[c] = 1;
    }
    alive
}
