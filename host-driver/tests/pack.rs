//! The packer: what comes out of a `.weft` is what went in.

mod synthetic;

use std::io::Cursor;
use std::sync::Arc;
use synthetic::{Noise, input, open};
use weft_host::container::{ContainerError, SiteKey, Weft, host_tensors};
use weft_host::device::{Cpu, PackedModel};
use weft_host::gguf::{GROUP, Gguf};
use weft_host::model::{Matrix, ModelConfig, Place, Site};
use weft_host::pack::{Calibration, Method, Options, Prune, Report, Skip, Weights, pack_into};
use weft_protocol::g4;
use weft_protocol::layout::{Kind, round_order};

fn packed(
    gguf: &Gguf,
    config: &ModelConfig,
    options: &Options,
    calibration: Option<&Calibration>,
) -> (Arc<Weft>, Report) {
    let sink = Cursor::new(Vec::new());
    let (sink, report) = pack_into(
        &input(gguf, config),
        options,
        calibration,
        sink,
        &mut |_| {},
    )
    .unwrap();
    (
        Arc::new(Weft::from_bytes(sink.into_inner()).unwrap()),
        report,
    )
}

fn small_tiles() -> Options {
    Options {
        tile_rows: 192,
        ..Options::default()
    }
}

/// Every weight of a site as it stands in the file: code (or `None` when masked) and value.
fn weights(weft: &Weft, key: SiteKey) -> Vec<Vec<(Option<u8>, f32)>> {
    let site = weft.site(key).unwrap();
    let banks = weft.meta().options.banks;
    let mut out = vec![vec![(None, 0.0); site.cols]; site.outputs];
    for m in &site.matrices {
        let outputs: Vec<usize> = m
            .parts
            .iter()
            .flat_map(|p| p.output..p.output + p.rows)
            .collect();
        let mut first = 0;
        for tile in &m.tiles {
            let padded = tile.padded_rows();
            for g in 0..tile.groups.len() {
                let data = weft.group(site.cols, m.kind, tile, g).unwrap();
                for (c, bundle) in data.bundles().enumerate() {
                    let (order, codes) = if data.masked {
                        (
                            round_order(&bundle[..padded / 8], banks),
                            &bundle[padded / 8..],
                        )
                    } else {
                        ((0..padded as u32).collect(), bundle)
                    };
                    for (i, r) in order.into_iter().enumerate() {
                        let r = r as usize;
                        let (code, w) = match m.kind {
                            Kind::I8 => (codes[i], codes[i] as i8),
                            Kind::G4 => {
                                let q = codes[i / 2] >> (4 * (i % 2)) & 15;
                                let s = &data.scales.unwrap()[2 * r..];
                                (q, g4::expand(q, s[0], s[1] as i8))
                            }
                        };
                        if r < tile.rows {
                            let value = f32::from(w) * m.row_scales[first + r];
                            out[outputs[first + r]][g * GROUP + c] = (Some(code), value);
                        } else {
                            assert_eq!(w, 0, "padding rows are zero");
                        }
                    }
                }
            }
            first += tile.rows;
        }
    }
    out
}

fn keys(config: &ModelConfig) -> Vec<SiteKey> {
    let layers =
        (0..config.layers).flat_map(|layer| Site::LAYER.map(|site| SiteKey { layer, site }));
    let head = SiteKey {
        layer: 0,
        site: Site::Head,
    };
    layers.chain([head]).collect()
}

#[test]
fn four_bit_codes_come_back_bit_for_bit_and_weights_close() {
    let (gguf, config) = open(1);
    let (weft, report) = packed(&gguf, &config, &small_tiles(), None);
    weft.verify().unwrap();
    let mut kept = 0;
    for key in keys(&config) {
        let found = weights(&weft, key);
        let mut output = 0;
        for (name, rows) in key.site.tensors(&config, key.layer) {
            let t = gguf.tensor(&name).unwrap();
            let mut exact = vec![0.0; t.cols];
            for r in 0..rows {
                t.dequantize_row(r, &mut exact).unwrap();
                let largest = exact.iter().fold(0.0f32, |m, w| m.max(w.abs()));
                for (c, (code, value)) in found[output].iter().enumerate() {
                    assert!((value - exact[c]).abs() <= 0.02 * largest, "{name} {r} {c}");
                    if t.ty.is_four_bit() && key.site != Site::Head {
                        let q = t.group4(r, c / GROUP).unwrap().codes[c % GROUP];
                        assert_eq!(*code, Some(q), "{name} row {r} column {c}");
                        kept += 1;
                    }
                }
                output += 1;
            }
        }
    }
    assert_eq!(
        kept,
        2 * (256 * 256 * 3 + 512 * 256 + 512 * 512) + 128 * 256 - 256 * 256
    );
    assert_eq!(report.notes.len(), 1);
    assert!(
        report.notes[0].contains("blk.0.attn_k.weight is Q6_K"),
        "{:?}",
        report.notes
    );
}

#[test]
fn the_embedding_norms_and_tokenizer_come_back() {
    let (gguf, config) = open(2);
    let (weft, report) = packed(&gguf, &config, &Options::default(), None);
    assert_eq!(report.file_bytes, weft.file_bytes());
    assert_eq!(weft.meta().model, config);
    assert_eq!(weft.tokenizer(), b"{\"synthetic\":true}");
    let embedding = gguf.tensor("token_embd.weight").unwrap();
    let (mut a, mut b) = (vec![0.0; 256], vec![0.0; 256]);
    for token in [0, 1, 69] {
        embedding.dequantize_row(token, &mut a).unwrap();
        weft.embed(token, &mut b).unwrap();
        assert_eq!(a, b);
    }
    assert!(matches!(
        weft.embed(70, &mut b),
        Err(ContainerError::Token { .. })
    ));
    let host = host_tensors(&weft).unwrap();
    let norm = |name: &str| gguf.tensor(name).unwrap().dequantize().unwrap();
    assert_eq!(host.output_norm, norm("output_norm.weight"));
    assert_eq!(host.ffn_norm[1], norm("blk.1.ffn_norm.weight"));
    assert_eq!(host.attn_in_bias, [Vec::<f32>::new(), Vec::new()]);
}

fn random_input(seed: u64, tokens: usize, cols: usize) -> Matrix {
    let mut noise = Noise::new(seed);
    let data = (0..tokens * cols).map(|i| {
        // A few inputs are far larger than the rest, as in real models.
        noise.value() * if i % 97 == 5 { 12.0 } else { 1.0 }
    });
    Matrix::from_vec(tokens, cols, data.collect())
}

fn place(key: SiteKey, first_position: usize) -> Place {
    Place {
        layer: key.layer,
        site: key.site,
        first_position,
    }
}

fn cpu() -> Cpu {
    Cpu::new(Cpu::default_core(), 2).unwrap()
}

#[test]
fn products_are_those_of_the_model_file() {
    let (gguf, config) = open(3);
    for weights in [Weights::G4, Weights::I8] {
        let options = Options {
            weights,
            ..small_tiles()
        };
        let (weft, _) = packed(&gguf, &config, &options, None);
        let mut model = PackedModel::new(weft, cpu()).unwrap();
        for key in keys(&config) {
            let x = random_input(7, 3, key.site.inputs(&config));
            let mut y = Matrix::zeros(3, key.site.outputs(&config));
            model.product(place(key, 0), &x, &mut y).unwrap();
            let (mut error, mut energy, mut output) = (0.0, 0.0, 0);
            for (name, rows) in key.site.tensors(&config, key.layer) {
                let t = gguf.tensor(&name).unwrap();
                let mut row = vec![0.0; t.cols];
                for r in 0..rows {
                    t.dequantize_row(r, &mut row).unwrap();
                    for token in 0..3 {
                        let exact: f32 = row.iter().zip(x.row(token)).map(|(w, x)| w * x).sum();
                        error += (y.row(token)[output] - exact).powi(2);
                        energy += exact.powi(2);
                    }
                    output += 1;
                }
            }
            let relative = (error / energy).sqrt();
            assert!(relative < 0.03, "{key} {weights:?}: {relative}");
        }
    }
}

#[test]
fn a_batch_gives_each_token_what_it_gets_alone() {
    let (gguf, config) = open(4);
    let mut seen = Calibration::default();
    for key in keys(&config) {
        seen.add(key, &random_input(5, 64, key.site.inputs(&config)), 0, 4);
    }
    let options = Options {
        skip: Skip::uneven(0.4),
        ..small_tiles()
    };
    let (weft, _) = packed(&gguf, &config, &options, Some(&seen));
    let mut model = PackedModel::new(weft, cpu()).unwrap();
    for key in keys(&config) {
        let x = random_input(11, 21, key.site.inputs(&config));
        let mut together = Matrix::zeros(21, key.site.outputs(&config));
        model.product(place(key, 0), &x, &mut together).unwrap();
        for t in 0..21 {
            let alone = Matrix::from_vec(1, x.cols(), x.row(t).to_vec());
            let mut y = Matrix::zeros(1, together.cols());
            model.product(place(key, t), &alone, &mut y).unwrap();
            assert_eq!(y.row(0), together.row(t), "{key}, token {t}");
        }
    }
}

#[test]
fn thresholds_skip_the_share_that_was_asked_for_and_never_the_first_positions() {
    let (gguf, config) = open(5);
    let mut seen = Calibration::default();
    for key in keys(&config) {
        seen.add(key, &random_input(9, 128, key.site.inputs(&config)), 0, 4);
    }
    let options = Options {
        skip: "attn_in=0.3,ffn_down=0.6".parse().unwrap(),
        ..Options::default()
    };
    let (weft, report) = packed(&gguf, &config, &options, Some(&seen));
    let mut model = PackedModel::new(weft, cpu()).unwrap();
    let mut share = |site, position| {
        let key = SiteKey { layer: 1, site };
        let x = random_input(21, 1, site.inputs(&config));
        let mut y = Matrix::zeros(1, site.outputs(&config));
        model.take_work();
        model.product(place(key, position), &x, &mut y).unwrap();
        let work = model.take_work()[0];
        work.live_columns as f64 / work.columns as f64
    };
    assert!((share(Site::AttnIn, 4) - 0.7).abs() < 0.1);
    assert!((share(Site::FfnDown, 100) - 0.4).abs() < 0.1);
    // What is left out there is only what rounds to zero.
    assert!(share(Site::FfnDown, 3) > 0.9);
    assert!(share(Site::FfnIn, 100) > 0.9);
    assert!(report.share_read() > 0.7 && report.share_read() < 0.95);
}

#[test]
fn masks_keep_the_largest_and_change_nothing_else() {
    let (gguf, config) = open(6);
    let mut seen = Calibration::default();
    for key in keys(&config) {
        seen.add(key, &random_input(13, 32, key.site.inputs(&config)), 0, 0);
    }
    for (kind, method, density) in [
        (Weights::G4, Method::Wanda, 0.5),
        (Weights::G4, Method::Magnitude, 0.1),
        (Weights::I8, Method::Magnitude, 0.5),
    ] {
        let dense = Options {
            weights: kind,
            ..small_tiles()
        };
        let masked = Options {
            prune: Some(Prune { method, density }),
            banks: 4,
            ..dense.clone()
        };
        let (all, _) = packed(&gguf, &config, &dense, None);
        let (some, report) = packed(&gguf, &config, &masked, Some(&seen));
        assert!(report.bytes_per_token() < 9 * all.weight_bytes() / 10);
        let key = SiteKey {
            layer: 1,
            site: Site::FfnIn,
        };
        let norms = seen.site(key).unwrap().norms();
        let (all, some_) = (weights(&all, key), weights(&some, key));
        for (a, s) in all.iter().zip(&some_) {
            let alive = s.iter().filter(|w| w.0.is_some()).count();
            assert_eq!(alive, (a.len() as f32 * density).ceil() as usize);
            let score = |c: usize| match method {
                Method::Wanda => a[c].1.abs() * norms[c],
                Method::Magnitude => a[c].1.abs(),
            };
            let kept = (0..a.len()).filter(|&c| s[c].0.is_some());
            let least = kept.map(score).fold(f32::INFINITY, f32::min);
            let lost = (0..a.len()).filter(|&c| s[c].0.is_none());
            let most = lost.map(score).fold(0.0, f32::max);
            // The packer scores the file's weights, this test the packed ones, which are rounded.
            assert!(least > 0.8 * most, "{least} {most}");
            if kind == Weights::G4 {
                assert!(a.iter().zip(s).all(|(a, s)| s.0.is_none() || a == s));
            }
        }
        // The device agrees with the weights as read here, and refuses another order.
        let x = random_input(3, 1, key.site.inputs(&config));
        let mut y = Matrix::zeros(1, key.site.outputs(&config));
        let four = weft_host::device::CoreInfo {
            banks: 4,
            depth: 1024,
            ..Cpu::default_core()
        };
        let device = Cpu::new(four, 2).unwrap();
        let mut model = PackedModel::new(Arc::clone(&some), device).unwrap();
        model.product(place(key, 0), &x, &mut y).unwrap();
        let exact: Vec<f32> = some_
            .iter()
            .map(|w| w.iter().zip(x.row(0)).map(|(w, x)| w.1 * x).sum())
            .collect();
        let norm = |v: &mut dyn Iterator<Item = f32>| v.map(|v| v * v).sum::<f32>().sqrt();
        let error = norm(&mut y.row(0).iter().zip(&exact).map(|(a, b)| a - b));
        assert!(error < 0.02 * norm(&mut exact.iter().copied()), "{kind:?}");
        let refused = PackedModel::new(some, cpu()).unwrap_err();
        assert!(refused.to_string().contains("--banks 8"), "{refused}");
    }
}
