//! Shared by the integration tests: where the models are, and the reference figures.
#![allow(dead_code)]

use serde_json::Value;
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};
use weft_host::{
    gguf::Gguf,
    model::{HostTensors, Model, ModelConfig, Reference},
};

/// The file that `weft get smollm2-135m` stores.
pub(crate) const SMOLLM2: &str = "SmolLM2-135M-Instruct.Q4_1.gguf";
/// Qwen2.5-Coder-1.5B-Instruct, Q4_K_M.
pub(crate) const QWEN: &str = "Qwen2.5-Coder-1.5B-Instruct.Q4_K_M.gguf";

/// The model in the user's cache; says loudly that the test is skipped when it is not there.
pub(crate) fn model_path(name: &str) -> Option<PathBuf> {
    let cache = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::home_dir().map(|h| h.join(".cache")))?;
    let path = cache.join("weft/models").join(name);
    if path.exists() {
        return Some(path);
    }
    // Continuous integration runs the demo first, which fetches this one.
    assert!(
        name != SMOLLM2 || std::env::var_os("CI").is_none(),
        "{} is not there",
        path.display()
    );
    eprintln!(
        "\n*** SKIPPED: {} is not there; fetch it with `weft get` to run this test ***\n",
        path.display()
    );
    None
}

/// A file of this crate's `host-driver/` folder.
pub(crate) fn own(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Reference figures by llama.cpp.
pub(crate) fn figures(name: &str) -> Value {
    let text = std::fs::read_to_string(own(&format!("reference/{name}.json"))).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// The unpacked model.
pub(crate) fn unpacked(name: &str) -> Option<(Arc<Gguf>, Arc<Model>, Reference)> {
    let gguf = Arc::new(Gguf::open(&model_path(name)?).unwrap());
    let config = ModelConfig::from_gguf(&gguf).unwrap();
    let reference = Reference::new(Arc::clone(&gguf), &config).unwrap();
    let host = HostTensors::from_gguf(&gguf, &config).unwrap();
    let model = Arc::new(Model::new(config, host).unwrap());
    Some((gguf, model, reference))
}

/// Token numbers of a JSON array.
pub(crate) fn tokens(v: &Value) -> Vec<u32> {
    let array = v.as_array().unwrap();
    array.iter().map(|t| t.as_u64().unwrap() as u32).collect()
}

/// Root of the mean square difference between logits and the reference's sample of them.
pub(crate) fn rms_difference(logits: &[f32], prompt: &Value) -> f64 {
    let every = prompt["every"].as_u64().unwrap() as usize;
    let sample = prompt["sample"].as_array().unwrap();
    let ours = logits.iter().step_by(every);
    assert_eq!(ours.len(), sample.len());
    let square = |(a, b): (&f32, &Value)| (f64::from(*a) - b.as_f64().unwrap()).powi(2);
    (ours.zip(sample).map(square).sum::<f64>() / sample.len() as f64).sqrt()
}
