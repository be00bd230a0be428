//! The unpacked model against llama.cpp on the same file.

mod common;

use common::{SMOLLM2, figures, rms_difference, tokens, unpacked};
use weft_host::model::Session;

/// Root mean square over the vocabulary, in units of a logit. On F32 weights llama.cpp keeps
/// activations in full precision, as we do: only the order of sums differs.
const EXACT: f64 = 1e-2;
/// On quantised weights llama.cpp rounds activations to eight bits before each product; we do not.
const ROUNDED: f64 = 0.6;

fn logits_agree(model: &str, figure_file: &str, tolerance: f64) {
    let Some((_, model, mut reference)) = unpacked(model) else {
        return;
    };
    let figures = figures(figure_file);
    for (name, prompt) in figures["prompts"].as_object().unwrap() {
        let ids = tokens(&prompt["tokens"]);
        let mut session = Session::new(model.clone(), 512);
        let logits = session.prefill(&ids, 16, &mut reference, |_| true).unwrap();
        let row = logits.row(0);
        let rms = rms_difference(row, prompt);
        let best = best_of(row);
        let top = prompt["top"][0][0].as_u64().unwrap() as usize;
        eprintln!("{name}: rms {rms:.5}, best {best}, theirs {top}");
        assert!(rms < tolerance, "{name}: logits differ by {rms:.4}");
        // The best token may change only where the reference itself was undecided.
        let margin = prompt["margins"][0].as_f64().unwrap();
        assert!(
            best == top || margin < 4.0 * tolerance,
            "{name}: {best} instead of {top}"
        );
    }
}

fn best_of(row: &[f32]) -> usize {
    (0..row.len())
        .max_by(|&a, &b| row[a].total_cmp(&row[b]))
        .unwrap()
}

#[test]
fn smollm2_logits_agree_exactly() {
    logits_agree(SMOLLM2, "smollm2-135m-f32", EXACT);
}

#[test]
fn smollm2_logits_agree_with_rounded_activations() {
    logits_agree(SMOLLM2, "smollm2-135m", ROUNDED);
}
