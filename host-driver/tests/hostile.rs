//! Damaged files are refused, whatever the damage: the short run of what `fuzz/` does at length.

mod synthetic;

use synthetic::Noise;
use weft_host::exercise;
use weft_host::pack::{Options, pack_into};

fn packed() -> Vec<u8> {
    let (gguf, config) = synthetic::open(7);
    let input = synthetic::input(&gguf, &config);
    let sink = std::io::Cursor::new(Vec::new());
    let (sink, _) = pack_into(&input, &Options::default(), None, sink, &mut |_| ()).expect("packs");
    sink.into_inner()
}

/// Damages a copy: flips bits, overwrites numbers with extreme ones, cuts, or repeats a stretch.
fn damage(good: &[u8], noise: &mut Noise) -> Vec<u8> {
    let mut bytes = good.to_vec();
    // Most of a file is weights; half of the damage goes where the structure is.
    let end = if noise.next() & 1 == 0 {
        good.len()
    } else {
        good.len().min(8192)
    };
    for _ in 0..1 + noise.next() % 4 {
        let at = noise.next() as usize % end;
        let at = at.min(bytes.len().saturating_sub(1));
        match noise.next() % 5 {
            0 | 1 => bytes[at] ^= 1 << (noise.next() % 8),
            2 => {
                let extreme = [
                    u64::MAX,
                    0,
                    1 << 63,
                    u64::from(u32::MAX),
                    0x7fc0_0000_7fc0_0000,
                ];
                let value = extreme[noise.next() as usize % extreme.len()].to_le_bytes();
                let n = value.len().min(bytes.len() - at);
                bytes[at..at + n].copy_from_slice(&value[..n]);
            }
            3 => bytes.truncate(at.max(1)),
            _ => bytes.copy_within(at.., at / 2),
        }
    }
    bytes
}

#[test]
fn damaged_model_files_are_read_or_refused() {
    let good = synthetic::model(7);
    let mut noise = Noise::new(11);
    for _ in 0..400 {
        let _ = exercise::gguf(damage(&good, &mut noise));
    }
}

#[test]
fn damaged_containers_are_refused() {
    let good = packed();
    assert!(exercise::container(good.clone()));
    let mut noise = Noise::new(13);
    for i in 0..400 {
        let bad = damage(&good, &mut noise);
        assert!(
            bad == good || !exercise::container(bad),
            "damage {i} went unseen"
        );
    }
}

#[test]
fn damaged_containers_with_good_checksums_are_read_or_refused() {
    let good = packed();
    assert!(exercise::sealed_container(good.clone()));
    let mut noise = Noise::new(17);
    let read = (0..400).filter(|_| exercise::sealed_container(damage(&good, &mut noise)));
    assert!(
        (20..380).contains(&read.count()),
        "some damage is only to weights, other damage is to their description"
    );
}

#[test]
fn every_flipped_bit_of_the_header_is_seen() {
    let good = packed();
    // The header's used part, and bits all over the rest of the file.
    let stride = good.len() / 500;
    for at in (0..512).chain((512..good.len()).step_by(stride)) {
        let mut bad = good.clone();
        bad[at] ^= 1 << (at % 8);
        assert!(
            !exercise::container(bad),
            "a flipped bit in byte {at} went unseen"
        );
    }
}
