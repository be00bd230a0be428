//! Generation and perplexity on a small made-up model.

mod made_up;

use std::sync::atomic::{AtomicBool, Ordering};

use made_up::{Device, TEXT, config, model, run};
use weft_host::model::eval::{Windows, perplexity};
use weft_host::model::generate::{End, Event, Options, generate};
use weft_host::model::{Logits, ModelError, Sampling, Session};

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
