//! Weights by direct reads from the model's file: the bytes are the file's, and a model decodes as on the processor.
#![cfg(target_os = "linux")]

mod served;
mod synthetic;

use served::Served;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use weft_host::container::{Weft, host_tensors};
use weft_host::device::pcie::{Options, PcieCard};
use weft_host::device::random::Random;
use weft_host::device::{Cpu, Device, PackedModel};
use weft_host::model::generate::{self, Generated, generate};
use weft_host::model::{Model, Sampling, Session};
use weft_host::pack::{self, Method as Masks, Prune, Weights, pack_into};
use weft_host::stream::{DirectReader, Method};
use weft_vfio_user::SharedMemory;

#[test]
fn every_byte_is_the_files() {
    let mut random = Random::new(9);
    let bytes: Vec<u8> = (0..300_001).map(|_| random.byte()).collect();
    let mut file = tempfile::NamedTempFile::new_in(env!("CARGO_TARGET_TMPDIR")).expect("a file");
    file.write_all(&bytes).expect("written");
    file.as_file().sync_all().expect("on disk");
    let memory = Arc::new(SharedMemory::anonymous(1 << 20, false).expect("memory"));
    for plain in [false, true] {
        let open = if plain {
            DirectReader::plain
        } else {
            DirectReader::open
        };
        let mut reader = open(file.path(), Arc::clone(&memory)).expect("opens");
        assert_eq!(
            reader.method() == Method::Copied,
            plain,
            "{:?}",
            reader.method()
        );
        for round in 0..50 {
            let mut reads = Vec::new();
            for id in 0..16 {
                let page = random.bits() % 74;
                let pages = 1 + random.bits() as usize % 16;
                let (offset, at) = (page * 4096, id * (16 << 12));
                memory.write(at, &vec![0x55; pages << 12]);
                reader
                    .start(id as u64, offset, pages << 12, at)
                    .expect("started");
                reads.push((offset as usize, pages << 12, at));
            }
            let mut left = reads.len();
            while left > 0 {
                match reader.finished().expect("read") {
                    Some(_) => left -= 1,
                    None => reader.wait().expect("waits"),
                }
            }
            assert_eq!(reader.under_way(), 0);
            for (offset, n, at) in reads {
                let mut seen = vec![0; n];
                memory.read(at, &mut seen);
                let there = n.min(bytes.len() - offset);
                assert!(
                    seen[..there] == bytes[offset..offset + there],
                    "round {round}: {n} bytes from {offset} on"
                );
            }
        }
    }
}

#[test]
fn a_read_that_fails_says_where() {
    let file = tempfile::NamedTempFile::new_in(env!("CARGO_TARGET_TMPDIR")).expect("a file");
    file.as_file().set_len(1 << 20).expect("long enough");
    let memory = Arc::new(SharedMemory::anonymous(1 << 20, false).expect("memory"));
    let mut reader = DirectReader::open(file.path(), memory).expect("opens");
    file.as_file().set_len(4096).expect("shortened");
    reader.start(1, 8192, 4096, 0).expect("started");
    reader.wait().expect("waits");
    let error = reader.finished().expect_err("nothing is there");
    assert!(error.to_string().contains("8192"), "{error}");
}

#[test]
fn a_file_that_was_replaced_is_noticed() {
    let (gguf, config) = synthetic::open(1);
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let pack = |name: &str, weights| {
        let options = pack::Options {
            weights,
            tile_rows: 512,
            ..pack::Options::default()
        };
        let path = folder.path().join(name);
        let sink = std::fs::File::create(&path).expect("made");
        let input = synthetic::input(&gguf, &config);
        pack_into(&input, &options, None, sink, &mut |_| ()).expect("packs");
        path
    };
    let (first, second) = (pack("a.weft", Weights::G4), pack("b.weft", Weights::I8));
    let weft = Arc::new(Weft::open(&first).expect("opens"));
    let served = Served::new("8x1");
    let mut card = served.card(Options::default());
    card.stream_from(&weft).expect("the same file");
    std::fs::rename(second, first).expect("replaced");
    let error = card.stream_from(&weft).expect_err("another file");
    assert!(error.to_string().contains("replaced"), "{error}");
}

fn write(weft: &Arc<Weft>, device: Box<dyn Device>) -> Generated {
    let host = host_tensors(weft).expect("host tensors");
    let model = Arc::new(Model::new(weft.meta().model.clone(), host).expect("fits"));
    let mut session = Session::new(model, 32);
    let batch = device.info().batch;
    let mut products = PackedModel::new(weft.clone(), device).expect("fits");
    let options = generate::Options {
        max_tokens: 6,
        batch,
        sampling: Sampling::GREEDY,
        ignore_stop: true,
    };
    let prompt = [3, 1, 4, 1, 5, 9, 2];
    let cancel = AtomicBool::new(false);
    generate(
        &mut session,
        &mut products,
        &prompt,
        &options,
        &cancel,
        |_| (),
    )
    .expect("writes")
}

/// A card that a test can look at after the model had it.
struct Shared(Arc<std::sync::Mutex<PcieCard>>, weft_host::device::CoreInfo);

impl Device for Shared {
    fn info(&self) -> &weft_host::device::CoreInfo {
        &self.1
    }

    fn run(
        &mut self,
        requests: &[weft_protocol::packet::Request<'_>],
        out: &mut Vec<i32>,
    ) -> Result<weft_host::device::RunStats, weft_host::device::DeviceError> {
        self.0.lock().expect("not poisoned").run(requests, out)
    }
}

#[test]
fn a_model_in_a_file_decodes_without_a_copy_of_its_weights() {
    let (gguf, config) = synthetic::open(2);
    let pruned = Prune {
        method: Masks::Magnitude,
        density: 0.5,
    };
    for (weights, prune) in [
        (Weights::G4, None),
        (Weights::G4, Some(pruned)),
        (Weights::I8, None),
    ] {
        let options = pack::Options {
            weights,
            prune,
            tile_rows: 512,
            ..pack::Options::default()
        };
        let file = tempfile::NamedTempFile::new_in(env!("CARGO_TARGET_TMPDIR")).expect("a file");
        let input = synthetic::input(&gguf, &config);
        let sink = file.reopen().expect("opens");
        let (sink, _) = pack_into(&input, &options, None, sink, &mut |_| ()).expect("packs");
        sink.sync_all().expect("on disk");
        let weft = Arc::new(Weft::open(file.path()).expect("opens"));
        let cpu = Cpu::new(Cpu::default_core(), 2).expect("threads");
        let wanted = write(&weft, Box::new(cpu));
        let served = Served::new("8x4");
        let mut card = served.card(Options {
            ring_bytes: 256 << 10,
            ..Options::default()
        });
        card.stream_from(&weft).expect("opens");
        let info = card.info().clone();
        let card = Arc::new(std::sync::Mutex::new(card));
        let shared = Shared(Arc::clone(&card), info);
        assert_eq!(
            write(&weft, Box::new(shared)),
            wanted,
            "{weights:?} {prune:?}"
        );
        let stats = card.lock().expect("not poisoned").link_stats();
        assert_eq!(stats.copied_bytes, 0, "every weight came by a direct read");
        assert!(stats.read_bytes >= stats.host_bytes / 2 && stats.host_bytes > 0);
        assert_eq!(stats.retries, 0);
    }
}
