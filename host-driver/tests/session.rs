//! The session on a small made-up model: batching, going back, errors, and generation.

use std::{
    error::Error,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};
use weft_host::model::Session;
use weft_host::model::{
    Arch, Embedding, HostTensors, Logits, Matrix, Model, ModelConfig, ModelError, Place,
    ProjectionError, Projections, Rope, RopeStyle, Sampling, Site,
    eval::{Windows, perplexity},
    generate::{End, Event, Options, generate},
};

/// A number from -1 to 1 that depends on all arguments.
fn noise(a: usize, b: usize, c: usize) -> f32 {
    let mut x = (a as u64) << 40 ^ (b as u64) << 20 ^ c as u64 ^ 0x9e37_79b9;
    for _ in 0..3 {
        x = (x ^ x >> 31).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    }
    (x >> 40) as f32 / (1u64 << 23) as f32 - 1.0
}

struct Noise;

impl Embedding for Noise {
    fn embed(&self, token: u32, out: &mut [f32]) -> Result<(), Box<dyn Error + Send + Sync>> {
        let value = |(i, o): (usize, &mut f32)| *o = noise(1, token as usize, i);
        out.iter_mut().enumerate().for_each(value);
        Ok(())
    }
}

/// Weights made of noise; fails at a chosen call.
#[derive(Default)]
struct Device {
    calls: usize,
    fail_at: Option<usize>,
    places: Vec<(Place, usize)>,
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

fn config() -> ModelConfig {
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

fn model(config: ModelConfig) -> Arc<Model> {
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

const TEXT: [u32; 11] = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5];

#[test]
fn batches_of_any_size_give_the_same_bits() {
    let model = model(config());
    let mut whole = Session::new(model.clone(), 64);
    let all = whole
        .step(&TEXT, Logits::All, &mut Device::default())
        .unwrap()
        .clone();
    assert_eq!((all.rows(), all.cols()), (11, 50));
    for batch in [1, 2, 3, 11] {
        let mut session = Session::new(model.clone(), 64);
        let mut told = Vec::new();
        let last = session
            .prefill(&TEXT, batch, &mut Device::default(), |done| {
                told.push(done);
                true
            })
            .unwrap();
        assert_eq!(last.data(), all.row(10), "batch {batch}");
        assert_eq!(
            (told.len(), told.last()),
            (11usize.div_ceil(batch), Some(&11))
        );
        assert_eq!(session.position(), 11);
    }
}

#[test]
fn going_back_forgets() {
    let mut session = Session::new(model(config()), 64);
    let device = &mut Device::default();
    let first = session.prefill(&TEXT, 4, device, |_| true).unwrap().clone();
    session.step(&[8, 9, 10], Logits::None, device).unwrap();
    assert_eq!(session.logits().rows(), 0);
    session.truncate(6);
    session.truncate(40);
    assert_eq!(session.position(), 6);
    let again = session.prefill(&TEXT[6..], 4, device, |_| true).unwrap();
    assert_eq!(again, &first);
}

#[test]
fn places_say_layer_site_and_position() {
    let mut session = Session::new(model(config()), 64);
    let mut device = Device::default();
    session.step(&TEXT[..3], Logits::None, &mut device).unwrap();
    device.places.clear();
    session
        .step(&TEXT[3..5], Logits::Last, &mut device)
        .unwrap();
    let place = |layer, site, first_position| Place {
        layer,
        site,
        first_position,
    };
    let mut want: Vec<(Place, usize)> = (0..2)
        .flat_map(|l| Site::LAYER.map(|s| (place(l, s, 3), 2)))
        .collect();
    want.push((place(0, Site::Head, 4), 1));
    assert_eq!(device.places, want);
}

#[test]
fn a_failing_device_leaves_the_sequence_as_it_was() {
    let model = model(config());
    let mut session = Session::new(model.clone(), 64);
    let good = &mut Device::default();
    session.step(&TEXT[..5], Logits::None, good).unwrap();
    for fail_at in [1, 2, 6, 9] {
        let mut bad = Device {
            fail_at: Some(fail_at),
            ..Device::default()
        };
        let error = session
            .step(&TEXT[5..], Logits::Last, &mut bad)
            .unwrap_err();
        assert!(error.to_string().contains("the cable fell out"), "{error}");
        assert_eq!(session.position(), 5);
    }
    let after = session
        .step(&TEXT[5..], Logits::Last, good)
        .unwrap()
        .clone();
    let mut fresh = Session::new(model, 64);
    assert_eq!(&after, fresh.prefill(&TEXT, 11, good, |_| true).unwrap());
}

#[test]
fn sequences_that_do_not_fit_are_refused_before_any_work() {
    let device = &mut Device::default();
    let mut session = Session::new(model(config()), 1000);
    assert_eq!(session.capacity(), 64, "cut to the model's context");
    let long = [1; 65];
    let step = session.step(&long, Logits::Last, device);
    assert!(matches!(step, Err(ModelError::Context { tokens: 65, .. })));
    let prefill = session.prefill(&long, 8, device, |_| true);
    assert!(matches!(prefill, Err(ModelError::Context { .. })));
    let too_long = run(&mut session, device, &TEXT, 54);
    assert!(matches!(too_long, Err(ModelError::Context { .. })));
    let outside = session.step(&[50], Logits::Last, device);
    assert!(matches!(
        outside,
        Err(ModelError::Token {
            token: 50,
            vocab: 50
        })
    ));
    assert_eq!(device.calls, 0);
    assert!(run(&mut session, device, &TEXT, 53).is_ok());
}

fn run(
    session: &mut Session,
    device: &mut Device,
    prompt: &[u32],
    max_tokens: usize,
) -> Result<weft_host::model::generate::Generated, ModelError> {
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

#[test]
fn generation_is_repeatable_and_told() {
    let model = model(config());
    let device = &mut Device::default();
    let a = run(&mut Session::new(model.clone(), 64), device, &TEXT, 9).unwrap();
    let b = run(&mut Session::new(model.clone(), 64), device, &TEXT, 9).unwrap();
    assert_eq!(a, b);
    assert_eq!((a.tokens.len(), a.end), (9, End::Length));
    let other = run(&mut Session::new(model.clone(), 64), device, &TEXT[1..], 9).unwrap();
    assert_ne!(a.logits_hash, other.logits_hash);
    let empty = run(&mut Session::new(model.clone(), 64), device, &[], 9);
    assert!(matches!(empty, Err(ModelError::EmptyPrompt)));
    let none = run(&mut Session::new(model.clone(), 64), device, &TEXT, 0).unwrap();
    assert!(none.tokens.is_empty());

    // The greedy tokens are the best of the logits that are told, and the hash is theirs.
    let mut hash = xxhash_rust::xxh3::Xxh3::new();
    let mut told = Vec::new();
    let options = Options {
        max_tokens: 9,
        batch: 4,
        sampling: Sampling::GREEDY,
        ignore_stop: true,
    };
    let mut session = Session::new(model, 64);
    let on_event = |event: Event<'_>| {
        if let Event::Token { token, logits } = event {
            logits
                .iter()
                .for_each(|l| hash.update(&l.to_bits().to_le_bytes()));
            assert!(logits.iter().all(|&l| l <= logits[token as usize]));
            told.push(token);
        }
    };
    let no = AtomicBool::new(false);
    generate(&mut session, device, &TEXT, &options, &no, on_event).unwrap();
    assert_eq!((told, hash.digest()), (a.tokens, a.logits_hash));
}

#[test]
fn stop_tokens_end_and_cancelling_ends() {
    let device = &mut Device::default();
    let free = run(&mut Session::new(model(config()), 64), device, &TEXT, 9).unwrap();
    let mut stopping = config();
    stopping.stop = vec![free.tokens[4]];
    let first = free
        .tokens
        .iter()
        .position(|t| *t == free.tokens[4])
        .unwrap();
    let options = Options {
        max_tokens: 9,
        batch: 4,
        sampling: Sampling::GREEDY,
        ignore_stop: false,
    };
    let no = AtomicBool::new(false);
    let mut session = Session::new(model(stopping), 64);
    let ended = generate(&mut session, device, &TEXT, &options, &no, |_| ()).unwrap();
    assert_eq!(ended.tokens, free.tokens[..first]);
    assert_eq!(ended.end, End::Stop(free.tokens[4]));

    // Cancelled after the first batch of the prompt, and after the third token.
    for (when, want) in [(0, 0), (3, 3)] {
        let cancel = AtomicBool::new(false);
        let mut tokens = 0;
        let mut session = Session::new(model(config()), 64);
        let cancelled = generate(&mut session, device, &TEXT, &options, &cancel, |event| {
            tokens += usize::from(matches!(event, Event::Token { .. }));
            cancel.store(tokens == when, Ordering::Relaxed);
        })
        .unwrap();
        assert_eq!(
            (cancelled.tokens.len(), cancelled.end),
            (want, End::Cancelled)
        );
    }
}

#[test]
fn perplexity_is_that_of_the_windows() {
    let model = model(config());
    let device = &mut Device::default();
    let mut session = Session::new(model.clone(), 64);
    let windows = |tokens, batch, bos| Windows { tokens, batch, bos };
    let score = perplexity(&mut session, device, &TEXT, windows(5, 5, None), |_, _| {
        true
    })
    .unwrap();
    // By definition: two windows of five, four scored tokens each.
    let mut want = 0.0;
    for window in TEXT.chunks_exact(5) {
        let mut fresh = Session::new(model.clone(), 64);
        let logits = fresh.step(window, Logits::All, device).unwrap();
        for (i, &target) in window[1..].iter().enumerate() {
            let row = logits.row(i);
            let sum: f64 = row.iter().map(|&l| f64::from(l).exp()).sum();
            want += sum.ln() - f64::from(row[target as usize]);
        }
    }
    assert_eq!(score.tokens, 8);
    assert!((score.mean_nll - want / 8.0).abs() < 1e-5);
    assert!((score.perplexity() - (want / 8.0).exp()).abs() < 1e-2);
    for batch in [1, 2, 3] {
        let w = windows(5, batch, None);
        let same = perplexity(&mut session, device, &TEXT, w, |_, _| true).unwrap();
        assert!(
            (same.mean_nll - score.mean_nll).abs() < 1e-12,
            "batch {batch}"
        );
    }
    let with_bos = perplexity(
        &mut session,
        device,
        &TEXT,
        windows(5, 5, Some(2)),
        |_, _| true,
    );
    assert_ne!(with_bos.unwrap().mean_nll, score.mean_nll);
    let mut told = Vec::new();
    let cut = perplexity(&mut session, device, &TEXT, windows(5, 5, None), |s, of| {
        told.push((s.tokens, of));
        false
    });
    assert_eq!((told, cut.unwrap().tokens), (vec![(4, 8)], 4));
    let short = perplexity(&mut session, device, &TEXT, windows(12, 5, None), |_, _| {
        true
    });
    assert!(matches!(
        short,
        Err(ModelError::ShortText {
            tokens: 11,
            window: 12
        })
    ));
    let outside = perplexity(
        &mut session,
        device,
        &[1, 99],
        windows(2, 2, None),
        |_, _| true,
    );
    assert!(matches!(outside, Err(ModelError::Token { token: 99, .. })));
}

/// Swaps the pairing of components: what one style calls (2 i, 2 i + 1), the other calls (i, i + 2).
struct Permuted(Device);

impl Projections for Permuted {
    fn project(
        &mut self,
        place: Place,
        x: &Matrix,
        out: &mut Matrix,
    ) -> Result<(), ProjectionError> {
        self.0.project(place, x, out)?;
        if place.site == Site::AttnIn {
            for t in 0..out.rows() {
                // Eight rotated heads of four: six of queries, two of keys.
                for head in out.row_mut(t)[..32].chunks_exact_mut(4) {
                    head.swap(1, 2);
                }
            }
        }
        Ok(())
    }
}

#[test]
fn both_rotary_styles_are_the_same_rotation() {
    let mut half = config();
    half.rope.style = RopeStyle::Half;
    let logits = |config: ModelConfig, device: &mut dyn Projections| {
        let norm = vec![vec![1.0; config.d_model]; config.layers];
        let host = HostTensors {
            attn_norm: norm.clone(),
            attn_in_bias: vec![Vec::new(); 2],
            ffn_norm: norm,
            output_norm: vec![1.0; config.d_model],
            rope_factors: vec![1.0, 4.0],
            embedding: Box::new(Noise),
        };
        let mut session = Session::new(Arc::new(Model::new(config, host).unwrap()), 64);
        session.prefill(&TEXT, 3, device, |_| true).unwrap().clone()
    };
    let a = logits(config(), &mut Device::default());
    let b = logits(half.clone(), &mut Permuted(Device::default()));
    let c = logits(half, &mut Device::default());
    let far = |x: &Matrix, y: &Matrix| {
        let pairs = x.data().iter().zip(y.data());
        pairs.fold(0.0f32, |m, (a, b)| m.max((a - b).abs()))
    };
    assert!(far(&a, &b) < 1e-4, "{}", far(&a, &b));
    assert!(far(&a, &c) > 1e-2, "{}", far(&a, &c));
}

#[test]
fn parameters_that_do_not_fit_are_named() {
    let refused = |change: &dyn Fn(&mut ModelConfig), what: &str| {
        let mut c = config();
        change(&mut c);
        let error = c.validate().unwrap_err().to_string();
        assert!(error.contains(what), "{error}");
    };
    refused(&|c| c.layers = 0, "number of layers");
    refused(&|c| c.kv_heads = 4, "key and value heads");
    refused(&|c| c.rope.dims = 3, "rotated components");
    refused(&|c| c.rope.dims = 6, "rotated components");
    refused(&|c| c.rope.theta = f32::NAN, "rotary base");
    refused(&|c| c.rms_eps = -1.0, "norm epsilon");
    refused(&|c| c.vocab = usize::MAX, "vocabulary");
    refused(&|c| c.stop = vec![50], "special token");
    let json = serde_json::to_string(&config()).unwrap();
    assert_eq!(
        serde_json::from_str::<ModelConfig>(&json).unwrap(),
        config()
    );
}
