//! The host's own share of a decode step: norms, rotation, attention, gate, at SmolLM2-135M's shape,
//! with a device that does nothing.

use criterion::{Criterion, criterion_group, criterion_main};
use std::{error::Error, hint::black_box, sync::Arc};
use weft_host::model::{
    Arch, Embedding, HostTensors, Logits, Matrix, Model, ModelConfig, Place, ProjectionError,
    Projections, Rope, RopeStyle, Session,
};

struct Constant;

impl Embedding for Constant {
    fn embed(&self, _: u32, out: &mut [f32]) -> Result<(), Box<dyn Error + Send + Sync>> {
        out.fill(0.1);
        Ok(())
    }
}

/// Leaves the outputs as they are, apart from one value, so that nothing is ever all zero.
struct Nothing;

impl Projections for Nothing {
    fn project(&mut self, _: Place, _: &Matrix, out: &mut Matrix) -> Result<(), ProjectionError> {
        out.data_mut()[0] = 0.5;
        Ok(())
    }
}

fn smollm2() -> Arc<Model> {
    let config = ModelConfig {
        arch: Arch::Llama,
        name: String::new(),
        layers: 30,
        d_model: 576,
        d_ffn: 1536,
        heads: 9,
        kv_heads: 3,
        head_dim: 64,
        rope: Rope {
            style: RopeStyle::Interleaved,
            theta: 1e5,
            dims: 64,
            linear_factor: 1.0,
        },
        rms_eps: 1e-5,
        vocab: 49_152,
        tied_head: true,
        context: 8192,
        bos: None,
        stop: Vec::new(),
    };
    let norm = vec![vec![1.0; config.d_model]; config.layers];
    let host = HostTensors {
        attn_norm: norm.clone(),
        attn_in_bias: vec![Vec::new(); config.layers],
        ffn_norm: norm,
        output_norm: vec![1.0; config.d_model],
        rope_factors: Vec::new(),
        embedding: Box::new(Constant),
    };
    Arc::new(Model::new(config, host).expect("the parts fit"))
}

fn decode(c: &mut Criterion) {
    let model = smollm2();
    for position in [64, 512, 2048] {
        let mut session = Session::new(Arc::clone(&model), 8192);
        let step = |s: &mut Session| {
            let logits = s.step(&[1], Logits::Last, &mut Nothing);
            black_box(logits.expect("the device never fails").row(0)[0]);
            s.truncate(position);
        };
        let prompt = vec![1; position];
        session
            .prefill(&prompt, 64, &mut Nothing, |_| true)
            .expect("the device never fails");
        c.bench_function(
            &format!("host share of a step at position {position}"),
            |b| {
                b.iter(|| step(&mut session));
            },
        );
    }
}

criterion_group!(benches, decode);
criterion_main!(benches);
