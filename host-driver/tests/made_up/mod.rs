//! A small model whose weights are noise, and a device for it.
#![allow(dead_code, reason = "each test binary uses a part")]

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use weft_host::model::generate::{Generated, Options, generate};
use weft_host::model::{
    Arch, Embedding, HostTensors, Matrix, Model, ModelConfig, ModelError, Place, ProjectionError,
    Projections, Rope, RopeStyle, Sampling, Session, Site,
};

/// A number from -1 to 1 that depends on all arguments.
pub(crate) fn noise(a: usize, b: usize, c: usize) -> f32 {
    let mut x = (a as u64) << 40 ^ (b as u64) << 20 ^ c as u64 ^ 0x9e37_79b9;
    for _ in 0..3 {
        x = (x ^ x >> 31).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    }
    (x >> 40) as f32 / (1u64 << 23) as f32 - 1.0
}

pub(crate) struct Noise;

impl Embedding for Noise {
    fn embed(&self, token: u32, out: &mut [f32]) -> Result<(), Box<dyn Error + Send + Sync>> {
        let value = |(i, o): (usize, &mut f32)| *o = noise(1, token as usize, i);
        out.iter_mut().enumerate().for_each(value);
        Ok(())
    }
}

/// Weights made of noise; fails at a chosen call.
#[derive(Default)]
pub(crate) struct Device {
    pub(crate) calls: usize,
    pub(crate) fail_at: Option<usize>,
    pub(crate) places: Vec<(Place, usize)>,
}

impl Projections for Device {
    fn project(
        &mut self,
        place: Place,
        x: &Matrix,
        out: &mut Matrix,
    ) -> Result<(), ProjectionError> {
        self.calls += 1;
        if self.fail_at == Some(self.calls) {
            return Err("the cable fell out".into());
        }
        self.places.push((place, x.rows()));
        for t in 0..x.rows() {
            for o in 0..out.cols() {
                let weight = |i| noise(2 + place.layer * 8 + place.site as usize, o, i);
                let products = x.row(t).iter().enumerate().map(|(i, x)| x * weight(i));
                out.row_mut(t)[o] = products.sum::<f32>() * 0.4;
            }
        }
        Ok(())
    }
}

pub(crate) fn config() -> ModelConfig {
    ModelConfig {
        arch: Arch::Llama,
        name: "made up".into(),
        layers: 2,
        d_model: 24,
        d_ffn: 40,
        heads: 6,
        kv_heads: 2,
        head_dim: 4,
        rope: Rope {
            style: RopeStyle::Interleaved,
            theta: 10_000.0,
            dims: 4,
            linear_factor: 1.0,
        },
        rms_eps: 1e-5,
        vocab: 50,
        tied_head: true,
        context: 64,
        bos: None,
        stop: vec![7],
    }
}

pub(crate) fn model(config: ModelConfig) -> Arc<Model> {
    let norm = vec![vec![1.0; config.d_model]; config.layers];
    let bias = (0..Site::AttnIn.outputs(&config)).map(|i| noise(9, 9, i));
    let host = HostTensors {
        attn_norm: norm.clone(),
        attn_in_bias: vec![Vec::new(), bias.collect()],
        ffn_norm: norm,
        output_norm: vec![1.0; config.d_model],
        rope_factors: Vec::new(),
        embedding: Box::new(Noise),
    };
    Arc::new(Model::new(config, host).unwrap())
}

pub(crate) const TEXT: [u32; 11] = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5];

pub(crate) fn run(
    session: &mut Session,
    device: &mut Device,
    prompt: &[u32],
    max_tokens: usize,
) -> Result<Generated, ModelError> {
    let options = Options {
        max_tokens,
        batch: 4,
        sampling: Sampling::GREEDY,
        ignore_stop: true,
    };
    generate(
        session,
        device,
        prompt,
        &options,
        &AtomicBool::new(false),
        |_| (),
    )
}
