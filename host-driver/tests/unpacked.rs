//! The unpacked model against llama.cpp on the same file.

mod common;

use common::{QWEN, SMOLLM2, figures, own, rms_difference, tokens, unpacked};
use std::sync::atomic::AtomicBool;
use weft_host::{
    model::{
        Sampling, Session,
        eval::{Windows, perplexity},
        generate::{Options, generate},
    },
    tokenizer::Tokenizer,
};

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

/// Greedy text is the reference's, up to the first token that the reference itself nearly
/// chose otherwise.
#[test]
fn smollm2_greedy_text_agrees() {
    let Some((gguf, model, mut reference)) = unpacked(SMOLLM2) else {
        return;
    };
    let tokenizer = Tokenizer::from_gguf(&gguf).unwrap();
    let figures = figures("smollm2-135m-f32");
    for (name, prompt) in figures["prompts"].as_object().unwrap() {
        let text = prompt["text"].as_str().unwrap();
        let ids = tokenizer.encode_prompt(text, true).unwrap();
        assert_eq!(ids, tokens(&prompt["tokens"]), "{name}");
        let options = Options {
            max_tokens: 16,
            batch: 16,
            sampling: Sampling::GREEDY,
            ignore_stop: true,
        };
        let mut session = Session::new(model.clone(), 512);
        let no = AtomicBool::new(false);
        let ours = generate(&mut session, &mut reference, &ids, &options, &no, |_| ()).unwrap();
        let theirs = tokens(&prompt["greedy"]);
        let margins = prompt["margins"].as_array().unwrap();
        let unsure = margins
            .iter()
            .position(|m| m.as_f64().unwrap() < 4.0 * EXACT);
        let sure = unsure.unwrap_or(theirs.len()).min(16);
        assert_eq!(ours.tokens[..sure], theirs[..sure], "{name}");
        eprintln!("{name}: {:?}", tokenizer.decode(&ours.tokens, true));
    }
}

/// Two windows of Persuasion; the whole text is scored by the figures' own command.
#[test]
fn smollm2_perplexity_agrees() {
    let Some((gguf, model, mut reference)) = unpacked(SMOLLM2) else {
        return;
    };
    let text = std::fs::read_to_string(own("tests/data/persuasion.txt")).unwrap();
    let tokenizer = Tokenizer::from_gguf(&gguf).unwrap();
    let ids = tokenizer.encode(&text, false).unwrap();
    let windows = Windows {
        tokens: 512,
        batch: 128,
        bos: None,
    };
    let mut session = Session::new(model, 512);
    let score = perplexity(
        &mut session,
        &mut reference,
        &ids[..1024],
        windows,
        |_, _| true,
    )
    .unwrap();
    let figures = figures("smollm2-135m-f32");
    let row = &figures["perplexity"]["persuasion"]["windows"][0];
    assert_eq!(row["window"], 512);
    let nll = |i: usize| row["first_windows_nll"][i].as_f64().unwrap();
    let want = (nll(0) + nll(1)) / 1022.0;
    assert_eq!(score.tokens, 1022);
    eprintln!("mean {:.6}, theirs {want:.6}", score.mean_nll);
    assert!((score.mean_nll - want).abs() < 1e-3);
}

#[test]
fn qwen_logits_agree_with_rounded_activations() {
    logits_agree(QWEN, "qwen2.5-coder-1.5b", ROUNDED);
}
