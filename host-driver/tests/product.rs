//! Quantised activations: nothing is lost but what was meant to be.

mod synthetic;

use proptest::prelude::*;
use std::io::Cursor;
use std::sync::Arc;
use synthetic::Noise;
use weft_host::container::{SiteKey, Weft};
use weft_host::device::product::{Activations, Outliers, Plan};
use weft_host::device::{Cpu, Device, PackedModel};
use weft_host::model::{Matrix, Place, Site};
use weft_host::pack::{Options, pack_into};
use weft_protocol::packet::Request;

/// The integer of every column and token: the sum of its bundles.
fn integers(a: &Activations, cols: usize) -> Vec<Vec<i32>> {
    let batch = 1 << a.log2_batch();
    let mut sums = vec![vec![0; batch]; cols];
    for g in 0..cols.div_ceil(32) {
        let (columns, bytes) = a.group(g);
        for (&c, bytes) in columns.iter().zip(bytes.chunks_exact(batch)) {
            for (sum, &x) in sums[32 * g + usize::from(c)].iter_mut().zip(bytes) {
                *sum += i32::from(x);
            }
        }
    }
    sums
}

fn inputs(seed: u64, tokens: usize, cols: usize, outliers: usize) -> Matrix {
    let mut noise = Noise::new(seed);
    let mut x: Vec<f32> = (0..tokens * cols).map(|_| noise.value()).collect();
    for _ in 0..outliers {
        let at = noise.next() as usize % x.len();
        x[at] *= 40.0;
    }
    Matrix::from_vec(tokens, cols, x)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_activation_is_within_half_a_unit(
        seed in any::<u64>(),
        tokens in 1usize..17,
        groups in 1usize..20,
        outliers in 0usize..30,
        share in prop::sample::select(vec![0.0f32, 0.01, 0.3, 4.0]),
        threshold in prop::sample::select(vec![0.0f32, 0.1]),
    ) {
        let cols = 32 * groups - seed as usize % 32;
        let x = inputs(seed, tokens, cols, outliers);
        let dense = tokens / 2;
        let a = Activations::quantise(&x, 0..tokens, threshold, dense, Outliers { share });
        let found = integers(&a, cols);
        let mut live = 0;
        for (c, of_column) in found.iter().enumerate() {
            for (t, &v) in of_column.iter().enumerate() {
                if t >= tokens {
                    prop_assert_eq!(v, 0, "a token that is not there");
                    continue;
                }
                let (x, unit) = (x.row(t)[c], a.scales()[t]);
                if t >= dense && x.abs() < threshold {
                    prop_assert_eq!(v, 0, "below the threshold");
                } else {
                    prop_assert!((v as f32 * unit - x).abs() <= 0.501 * unit + 1e-6 * x.abs());
                }
            }
            live += usize::from(of_column.iter().any(|&v| v != 0));
        }
        prop_assert_eq!(a.live_columns(), live);
        for t in 0..tokens {
            let most = x.row(t).iter().fold(0.0f32, |m, x| m.max(x.abs()));
            prop_assert!(a.scales()[t] <= most / 126.999);
        }
        if tokens == 1 {
            let budget = (cols as f32 * share) as usize;
            prop_assert!(a.bundles() <= live + budget, "{} {live} {budget}", a.bundles());
        }
        if share == 0.0 {
            prop_assert_eq!(a.bundles(), live);
        }
    }
}

#[test]
fn outliers_sent_again_leave_a_finer_unit_to_the_rest() {
    let mut x = inputs(1, 1, 512, 0);
    x.data_mut()[100] = 50.0;
    let unit = |share| Activations::quantise(&x, 0..1, 0.0, 0, Outliers { share }).scales()[0];
    assert!((unit(0.0) - 50.0 / 127.0).abs() < 1e-6);
    // Ten bundles more: the one outlier is cut into eleven.
    assert!((unit(0.02) * 127.0 - 50.0 / 11.0).abs() < 0.01);
}

#[test]
fn tokens_without_anything_to_send_give_zeros() {
    let (gguf, config) = synthetic::open(3);
    let weft = packed(&gguf, &config);
    let mut model = PackedModel::new(weft, cpu()).unwrap();
    for value in [0.0, f32::NAN, f32::INFINITY] {
        let x = Matrix::from_vec(2, 256, vec![value; 512]);
        let mut y = Matrix::from_vec(2, 512, vec![1.0; 1024]);
        let place = Place {
            layer: 0,
            site: Site::AttnIn,
            first_position: 0,
        };
        model.product(place, &x, &mut y).unwrap();
        assert!(y.data().iter().all(|&y| y == 0.0));
    }
}

fn packed(gguf: &weft_host::gguf::Gguf, config: &weft_host::model::ModelConfig) -> Arc<Weft> {
    let sink = Cursor::new(Vec::new());
    let input = synthetic::input(gguf, config);
    let (sink, _) = pack_into(&input, &Options::default(), None, sink, &mut |_| {}).unwrap();
    Arc::new(Weft::from_bytes(sink.into_inner()).unwrap())
}

fn cpu() -> Cpu {
    Cpu::new(Cpu::default_core(), 2).unwrap()
}

/// Rows of the largest weights, inputs of the largest activations, many of them sent several times: only the
/// drains keep the accumulators from wrapping.
#[test]
fn drains_come_before_any_sum_overflows() {
    let (gguf, config) = synthetic::open_heavy(2);
    let weft = packed(&gguf, &config);
    let key = SiteKey {
        layer: 1,
        site: Site::FfnDown,
    };
    let site = weft.site(key).unwrap();
    assert!(site.matrices[0].tiles[0].segments.len() > 1);
    for share in [0.0, 0.5, 4.0, 30.0] {
        let mut x = Matrix::from_vec(1, 512, vec![1.0; 512]);
        for i in 0..60 {
            x.data_mut()[i * 8] = 1.0 + i as f32;
        }
        let a = Activations::quantise(&x, 0..1, 0.0, 0, Outliers { share });
        let exact: i64 = integers(&a, 512)
            .iter()
            .map(|v| i64::from(v[0]) * 127)
            .sum();
        let plan = Plan::new(&weft, site, &a).unwrap();
        let drains = plan.requests().iter();
        let drains = drains
            .filter(|r| matches!(r, Request::Drain { .. }))
            .count();
        assert!(exact < 1 << 23 || drains > 1, "{exact} in {drains} drains");
        let mut sums = Vec::new();
        cpu().run(plan.requests(), &mut sums).unwrap();
        let mut y = Matrix::zeros(1, 256);
        plan.finish(&sums, 0..1, &mut y);
        let wanted = exact as f32 / 127.0 * a.scales()[0];
        for &y in y.data() {
            assert!((y - wanted).abs() < 1e-3 * wanted, "{share}: {y} {wanted}");
        }
    }
}
