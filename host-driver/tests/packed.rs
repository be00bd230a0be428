//! The packed model, on the processor, against llama.cpp on the same file: logits and perplexity.

mod common;

use std::sync::{Arc, OnceLock};

use common::{SMOLLM2, figures, model_path, own, rms_difference, tokens};
use weft_host::container::{Source, Weft, host_tensors};
use weft_host::device::{Cpu, PackedModel};
use weft_host::gguf::Gguf;
use weft_host::model::eval::{Windows, perplexity};
use weft_host::model::{Model, ModelConfig, Session};
use weft_host::pack::{Input, Options, pack_into};
use weft_host::tokenizer::Tokenizer;

/// Root mean square over the vocabulary, in units of a logit, from llama.cpp on the same weights in F32 with exact
/// activations; llama.cpp's own Q4_1 products, which round activations too, are up to 0.5 away from that.
const TOLERANCE: f64 = 0.8;
/// Most that perplexity may exceed llama.cpp's.
const WORSE: f64 = 1.04;

/// SmolLM2 packed with the default options, once for all tests; `None` where the model file is absent.
fn packed() -> Option<(Arc<Weft>, Arc<Model>, Tokenizer)> {
    static PACKED: OnceLock<Option<Arc<Weft>>> = OnceLock::new();
    let weft = PACKED.get_or_init(|| {
        let path = model_path(SMOLLM2)?;
        let gguf = Gguf::open(&path).unwrap();
        let input = Input {
            gguf: &gguf,
            config: &ModelConfig::from_gguf(&gguf).unwrap(),
            source: Source::of(&path).unwrap(),
            tokenizer: &Tokenizer::from_gguf(&gguf).unwrap().to_json().unwrap(),
        };
        let sink = std::io::Cursor::new(Vec::new());
        let (sink, _) = pack_into(&input, &Options::default(), None, sink, &mut |_| ()).unwrap();
        Some(Arc::new(Weft::from_bytes(sink.into_inner()).unwrap()))
    });
    let weft = weft.clone()?;
    let model = Model::new(weft.meta().model.clone(), host_tensors(&weft).unwrap()).unwrap();
    let tokenizer = Tokenizer::from_json(weft.tokenizer()).unwrap();
    Some((weft, Arc::new(model), tokenizer))
}

fn on_cpu(weft: Arc<Weft>) -> PackedModel<Cpu> {
    PackedModel::new(weft, Cpu::new(Cpu::default_core(), 0).unwrap()).unwrap()
}

#[test]
fn logits_agree() {
    let Some((weft, model, _)) = packed() else {
        return;
    };
    let mut products = on_cpu(weft);
    for (name, prompt) in figures("smollm2-135m-f32")["prompts"].as_object().unwrap() {
        let ids = tokens(&prompt["tokens"]);
        let mut session = Session::new(model.clone(), 512);
        let logits = session.prefill(&ids, 16, &mut products, |_| true).unwrap();
        let rms = rms_difference(logits.row(0), prompt);
        eprintln!("{name}: rms {rms:.4}");
        assert!(rms < TOLERANCE, "{name}: logits differ by {rms:.4}");
    }
}

#[test]
fn perplexity_is_near() {
    let Some((weft, model, tokenizer)) = packed() else {
        return;
    };
    let text = std::fs::read_to_string(own("tests/data/persuasion.txt")).unwrap();
    let windows = Windows {
        tokens: 512,
        batch: 16,
        bos: None,
    };
    let ids = tokenizer.encode(&text, true).unwrap();
    let theirs = &figures("smollm2-135m-f32")["perplexity"]["persuasion"]["windows"][0];
    assert_eq!(theirs["window"], 512);
    let of_window = theirs["first_windows_nll"].as_array().unwrap();
    let ids = &ids[..512 * of_window.len()];
    let mut session = Session::new(model, 512);
    let score = perplexity(&mut session, &mut on_cpu(weft), ids, windows, |_, _| true).unwrap();
    let nll: f64 = of_window.iter().map(|v| v.as_f64().unwrap()).sum();
    let theirs = (nll / score.tokens as f64).exp();
    eprintln!(
        "perplexity {:.4}, llama.cpp {theirs:.4}",
        score.perplexity()
    );
    assert!(score.perplexity() < WORSE * theirs);
}
