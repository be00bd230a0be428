//! A card on a socket, served by a thread of the test.
#![allow(dead_code)]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use tempfile::TempDir;
use weft_hdl::CoreConfig;
use weft_host::device::pcie::{Options, PcieCard, Socket};
use weft_host::device::random::{RandomProduct, Shape};
use weft_host::device::{Cpu, Device, RunStats};
use weft_models::vfio_user::{Event, Server, Statistics};
use weft_models::{BehaviouralCard, Card, behaviour};
use weft_protocol::layout::Kind;
use weft_protocol::packet::Request;

/// A served card; the server ends with it.
pub(crate) struct Served {
    folder: TempDir,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<(Statistics, Vec<Event>)>>,
}

/// A card that behaves, with the core of this name.
pub(crate) fn behaving(core: &str) -> BehaviouralCard {
    let core = CoreConfig::named(core).expect("a named core");
    BehaviouralCard::new(core, behaviour::DEFAULT_WINDOW_LOG2)
}

impl Served {
    pub(crate) fn new(core: &str) -> Self {
        Self::with(behaving(core))
    }

    pub(crate) fn with(mut card: impl Card + Send + 'static) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let server = Server::bind(&folder.path().join("card.sock")).expect("listens");
        let stop = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let mut events = Vec::new();
            let statistics = server
                .serve(&mut card, &seen, &mut |e| events.push(e))
                .expect("serves");
            (statistics, events)
        });
        Self {
            folder,
            stop,
            thread: Some(thread),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        Box::leak(Box::new(self.socket()))
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("card.sock")
    }

    /// A driver of it.
    pub(crate) fn card(&self, options: Options) -> PcieCard {
        let socket = Socket::connect(&self.socket()).expect("connects");
        PcieCard::open(Box::new(socket), options).expect("opens")
    }

    /// Ends the server at once, whatever is under way.
    pub(crate) fn stop(mut self) -> Statistics {
        self.end().0
    }

    /// As [`Served::stop`], with everything that was watched.
    pub(crate) fn stop_and_tell(mut self) -> (Statistics, Vec<Event>) {
        self.end()
    }

    fn end(&mut self) -> (Statistics, Vec<Event>) {
        self.stop.store(true, Ordering::Relaxed);
        let thread = self.thread.take().expect("ended once");
        thread.join().expect("the server does not panic")
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        if self.thread.is_some() && !std::thread::panicking() {
            self.end();
        }
    }
}

/// Runs on the device and on the processor, and compares.
#[track_caller]
pub(crate) fn both(device: &mut dyn Device, requests: &[Request<'_>]) -> RunStats {
    let mut cpu = Cpu::new(device.info().clone(), 1).expect("threads");
    let (mut ours, mut wanted) = (Vec::new(), Vec::new());
    let stats = device.run(requests, &mut ours).expect("runs");
    cpu.run(requests, &mut wanted).expect("runs");
    assert!(ours == wanted, "the card's sums are the processor's");
    stats
}

/// Products of several kinds and densities for a core.
pub(crate) fn products(banks: usize, batch: usize) -> Vec<RandomProduct> {
    let kinds = [
        (1.0, Kind::G4),
        (0.4, Kind::G4),
        (1.0, Kind::I8),
        (0.2, Kind::I8),
    ];
    kinds
        .into_iter()
        .enumerate()
        .map(|(seed, (density, kind))| {
            let shape = Shape {
                rows: 192,
                cols: 70,
                log2_batch: batch.trailing_zeros() as u8,
                density,
                kind,
                banks,
            };
            RandomProduct::new(shape, seed as u64)
        })
        .collect()
}
