//! Generation as a person watches it and as `--json` reports it.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use serde::Serialize;
use weft_host::device::{RunStats, Work};
use weft_host::link::{self, CLOCK_HZ, Prediction};
use weft_host::model::generate::{self, End, Event, generate};
use weft_host::model::{ModelError, Sampling, Session};
use weft_host::tokenizer::StreamDecoder;

use crate::devices::OnDevice;
use crate::exit::{self, OrExit, fail};
use crate::loaded::Loaded;
use crate::ui::{self, Cancel};

/// What to write.
pub(crate) struct Plan {
    /// Most tokens.
    pub(crate) max_tokens: usize,
    /// How they are chosen.
    pub(crate) sampling: Sampling,
    /// Whether to go on after the model's own end.
    pub(crate) ignore_stop: bool,
    /// Whether the text appears on standard output as it comes.
    pub(crate) stream: bool,
}

/// What `--json` prints.
#[derive(Serialize)]
pub(crate) struct Report {
    /// The text written.
    pub(crate) text: String,
    /// Its tokens.
    pub(crate) tokens: Vec<u32>,
    /// XXH3 over all logits that a token was chosen from, 16 hexadecimal digits.
    pub(crate) logits_hash: String,
    /// The device that wrote the tokens.
    pub(crate) device: String,
    /// `stop`, `length` or `cancelled`.
    end: &'static str,
    prompt_tokens: usize,
    prompt_seconds: f64,
    /// Wall time a token written.
    pub(crate) seconds_per_token: f64,
    /// Counted by the simulated core; otherwise the bound for a core of the device's shape.
    pub(crate) cycles_per_token: f64,
    /// `counted` or `bound`.
    cycles_are: &'static str,
    bound_cycles_per_token: f64,
    /// Bytes to the device, headers and activations included.
    pub(crate) bytes_per_token: f64,
    /// Share of the weight columns that were sent.
    columns_sent: f64,
    bits_per_weight: f64,
    /// What a serial line counted; empty without one.
    #[serde(skip)]
    line: BTreeMap<&'static str, u64>,
    /// Simulation speed; null on cpu.
    pub(crate) sim_cycles_per_second: Option<f64>,
    /// What the device's link counted, the prompt included; absent for devices without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<serde_json::Value>,
    /// Largest resident memory of this process; null where the system does not say.
    peak_rss_bytes: Option<u64>,
    clock_hz: f64,
    /// What each link would give at this clock: predicted, not measured.
    pub(crate) predicted_tokens_per_second: BTreeMap<&'static str, f64>,
    /// The same, with what limits each.
    #[serde(skip)]
    pub(crate) predictions: Vec<Prediction>,
}

/// Runs the prompt (all but its last token on `reader`, if given) and writes tokens on `on`.
pub(crate) fn write(
    model: &Loaded,
    reader: Option<&mut OnDevice>,
    on: &mut OnDevice,
    prompt: &[u32],
    plan: &Plan,
    cancel: &Cancel,
) -> anyhow::Result<Report> {
    let mut session = Session::new(
        model.model.clone(),
        prompt.len().saturating_add(plan.max_tokens),
    );
    if prompt.len().saturating_add(plan.max_tokens) > session.capacity() {
        return Err(fail(
            exit::USAGE,
            format!(
                "{} prompt tokens and {} to write do not fit the model's context of {}: shorten the prompt or lower -n",
                prompt.len(),
                plan.max_tokens,
                session.capacity()
            ),
        ));
    }
    let Some((last, before)) = prompt.split_last() else {
        return Err(fail(
            exit::USAGE,
            "the prompt is empty: give at least one character",
        ));
    };

    // The last token of the prompt is the pass that gives the first token written, so that work over tokens
    // written is work a token. Batches do not change the numbers.
    let start = Instant::now();
    {
        let on = match reader {
            Some(reader) => reader,
            None => &mut *on,
        };
        let passes = before.len().div_ceil(on.batch);
        let view = View::new(on, model, passes, "prompt", plan.stream);
        let batch = on.batch;
        let read = session.prefill(before, batch, &mut on.products, |done| {
            view.at(done.div_ceil(batch));
            !cancel.is_set()
        });
        let failed = read.err();
        view.finish();
        device_error(failed, cancel)?;
        cancel.check()?;
        on.products.take_work();
    }
    let prompt_seconds = start.elapsed().as_secs_f64();

    let options = generate::Options {
        max_tokens: plan.max_tokens,
        batch: on.batch,
        sampling: plan.sampling,
        ignore_stop: plan.ignore_stop,
    };
    let view = View::new(on, model, plan.max_tokens, "tokens", plan.stream);
    let mut decoder = StreamDecoder::new(&model.tokenizer);
    let (mut text, mut written) = (String::new(), 0);
    let cycles = on.watch.cycles();
    let start = Instant::now();
    let result = generate(
        &mut session,
        &mut on.products,
        &[*last],
        &options,
        cancel.flag(),
        |event| {
            if let Event::Token { token, .. } = event {
                let piece = decoder.push(token);
                written += 1;
                view.piece(&piece);
                view.at(written);
                text += &piece;
            }
        },
    );
    let seconds = start.elapsed().as_secs_f64();
    let rest = decoder.finish();
    text += &rest;
    view.end(&text, &rest);
    let generated = match result {
        Ok(generated) => generated,
        Err(e) => {
            return Err(device_error(Some(e), cancel)
                .err()
                .unwrap_or_else(|| fail(exit::DEVICE, "the device failed")));
        }
    };

    // A pass that gives the model's own end writes nothing.
    let passes = (written + usize::from(matches!(generated.end, End::Stop(_)))).max(1) as f64;
    let work = total(on.products.take_work());
    let stats = work.stats;
    let counted = stats.counters.map(|c| c.cycles).filter(|_| on.counts_all);
    let cycles_per_token = counted.unwrap_or(stats.bound_cycles) as f64 / passes;
    let bytes_per_token = stats.stream_bytes as f64 / passes;
    let simulated = on.watch.cycles() - cycles;
    let predictions = link::predict(bytes_per_token, cycles_per_token, CLOCK_HZ);
    let line = on.link_counters();
    Ok(Report {
        text,
        tokens: generated.tokens,
        logits_hash: format!("{:016x}", generated.logits_hash),
        device: on.name.clone(),
        end: match generated.end {
            End::Stop(_) => "stop",
            End::Length => "length",
            End::Cancelled => "cancelled",
        },
        prompt_tokens: prompt.len(),
        prompt_seconds,
        seconds_per_token: seconds / passes,
        cycles_per_token,
        cycles_are: if counted.is_some() {
            "counted"
        } else {
            "bound"
        },
        bound_cycles_per_token: stats.bound_cycles as f64 / passes,
        bytes_per_token,
        columns_sent: work.live_columns as f64 / (work.columns as f64).max(1.0),
        bits_per_weight: model.bits_per_weight(),
        sim_cycles_per_second: (simulated > 0).then(|| simulated as f64 / seconds),
        link: match &on.link {
            Some(link) => Some(link()),
            None if line.is_empty() => None,
            None => Some(serde_json::to_value(&line)?),
        },
        line,
        peak_rss_bytes: peak_rss_bytes(),
        clock_hz: CLOCK_HZ,
        predicted_tokens_per_second: predictions
            .iter()
            .map(|p| (p.link, p.tokens_per_second))
            .collect(),
        predictions,
    })
}

fn total(work: [Work; 2]) -> Work {
    let [mut sum, other] = work;
    let mut stats: RunStats = sum.stats;
    stats.add(&other.stats);
    sum.stats = stats;
    sum.columns += other.columns;
    sum.live_columns += other.live_columns;
    sum
}

fn device_error(error: Option<ModelError>, cancel: &Cancel) -> anyhow::Result<()> {
    match error {
        None => Ok(()),
        Some(_) if cancel.is_set() => Err(fail(exit::INTERRUPTED, "interrupted")),
        Some(e) => Err(e).or_exit(exit::DEVICE),
    }
}

impl Report {
    /// The lines below the text.
    pub(crate) fn print_summary(&self) {
        ui::note(format!(
            "\n{} tokens on {}, {:.3} s a token ({:.2} tokens/s), logits {}",
            self.tokens.len(),
            self.device,
            self.seconds_per_token,
            1.0 / self.seconds_per_token,
            self.logits_hash
        ));
        ui::note(format!(
            "{:.2} M cycles a token ({}, bound {:.2} M), {:.2} MB a token, {:.1}% of the columns sent",
            self.cycles_per_token / 1e6,
            self.cycles_are,
            self.bound_cycles_per_token / 1e6,
            self.bytes_per_token / 1e6,
            100.0 * self.columns_sent
        ));
        if !self.line.is_empty() {
            let counts: Vec<_> = self.line.iter().map(|(n, v)| format!("{v} {n}")).collect();
            ui::note(format!("link: {}", counts.join(", ")));
        }
        if let Some(speed) = self.sim_cycles_per_second {
            ui::note(format!("simulated at {:.2} M cycles/s", speed / 1e6));
        }
        ui::note(format!(
            "predicted tokens/s at {:.0} MHz: {}",
            self.clock_hz / 1e6,
            links(&self.predictions)
        ));
    }
}

/// The text as it comes, and progress beside it.
///
/// On cpu the text streams and needs no bar. A simulated token takes seconds: on a terminal a bar shows the text so
/// far with cycles, rate, time left and predictions, and the text follows whole; piped, the text streams.
struct View {
    bar: Option<ProgressBar>,
    stream: bool,
    /// Passes over the weights that are done.
    done: Arc<AtomicUsize>,
}

impl View {
    fn new(on: &OnDevice, model: &Loaded, passes: usize, what: &'static str, stream: bool) -> Self {
        let done = Arc::new(AtomicUsize::new(0));
        if !on.simulated || !std::io::stderr().is_terminal() {
            return Self {
                bar: None,
                stream,
                done,
            };
        }
        // A pass takes seconds, so the bar counts cycles, unless only some layers are simulated.
        let pass = if on.counts_all {
            on.bound_cycles(model)
        } else {
            0
        };
        let bar = ui::cycle_bar(passes as u64 * pass.max(1));
        bar.set_prefix(format!(
            "predicted tokens/s at {:.0} MHz: {}",
            CLOCK_HZ / 1e6,
            links(&on.expectation(model))
        ));
        let (watch, first, start) = (on.watch.clone(), on.watch.cycles(), Instant::now());
        let (shown, passed) = (bar.downgrade(), done.clone());
        std::thread::spawn(move || {
            while let Some(bar) = shown.upgrade().filter(|b| !b.is_finished()) {
                let cycles = watch.cycles() - first;
                let rate = cycles as f64 / start.elapsed().as_secs_f64();
                let passed = passed.load(Ordering::Relaxed) as u64;
                bar.set_message(format!(
                    "{what} {passed}/{passes}: {:.1} M cycles, {:.2} M/s",
                    cycles as f64 / 1e6,
                    rate / 1e6
                ));
                bar.set_position(if pass > 0 { cycles } else { passed });
                drop(bar);
                std::thread::sleep(Duration::from_millis(200));
            }
        });
        Self {
            bar: Some(bar),
            stream,
            done,
        }
    }

    fn at(&self, passes: usize) {
        self.done.store(passes, Ordering::Relaxed);
    }

    /// Shows a piece of the text.
    fn piece(&self, piece: &str) {
        match &self.bar {
            Some(bar) if self.stream => bar.println(format!("  + {piece:?}")),
            None if self.stream => print_now(piece),
            _ => {}
        }
    }

    /// Ends the text: whole, where pieces were not streamed.
    fn end(&self, text: &str, rest: &str) {
        self.finish();
        if self.stream {
            print_now(if self.bar.is_some() { text } else { rest });
            print_now("\n");
        }
    }

    fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn print_now(piece: &str) {
    let mut out = std::io::stdout();
    let _ = out.write_all(piece.as_bytes()).and_then(|()| out.flush());
}

/// `link rate, link rate`.
fn links(predictions: &[Prediction]) -> String {
    let each = predictions
        .iter()
        .map(|p| format!("{} {:.3}", p.link, p.tokens_per_second));
    each.collect::<Vec<_>>().join(", ")
}

/// The largest resident set of this process so far, in bytes.
fn peak_rss_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|l| l.starts_with("VmHWM:"))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib * 1024)
}
