//! The session on a small made-up model: batching, going back, errors, and what its parameters may be.

mod made_up;

use std::sync::Arc;

use made_up::{Device, Noise, TEXT, config, model, run};
use weft_host::model::{
    HostTensors, Logits, Matrix, Model, ModelConfig, ModelError, Place, ProjectionError,
    Projections, RopeStyle, Session, Site,
};

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
