//! Damaged `.weft` files: refused with a reason, never a panic, never an absurd allocation.

mod synthetic;

use proptest::prelude::*;
use std::io::Cursor;
use std::sync::OnceLock;
use weft_host::container::{ContainerError, Weft, header, index};
use weft_host::pack::{Options, pack_into};
use xxhash_rust::xxh3::xxh3_64;

fn good() -> &'static [u8] {
    static FILE: OnceLock<Vec<u8>> = OnceLock::new();
    FILE.get_or_init(|| {
        let (gguf, config) = synthetic::open(1);
        let sink = Cursor::new(Vec::new());
        let options = Options {
            tile_rows: 128,
            ..Options::default()
        };
        let input = synthetic::input(&gguf, &config);
        let (sink, _) = pack_into(&input, &options, None, sink, &mut |_| {}).unwrap();
        sink.into_inner()
    })
}

/// Opens and reads everything there is.
fn read_all(bytes: Vec<u8>) -> Result<(), ContainerError> {
    let weft = Weft::from_bytes(bytes)?;
    for entry in &weft.meta().host {
        weft.host(&entry.name)?;
    }
    let mut row = vec![0.0; weft.meta().embedding.cols];
    for token in 0..weft.meta().embedding.rows {
        weft.embed(token, &mut row)?;
    }
    for site in weft.sites() {
        for matrix in &site.matrices {
            for tile in &matrix.tiles {
                for g in 0..tile.groups.len() {
                    let data = weft.group(site.cols, matrix.kind, tile, g)?;
                    assert_eq!(data.bundles().count(), index::group_columns(site.cols, g));
                }
            }
        }
    }
    weft.verify()
}

/// Changes a section and makes all checksums right again.
fn forged(section: &str, change: impl FnOnce(&mut [u8])) -> Vec<u8> {
    let mut bytes = good().to_vec();
    let mut sections = header::parse(&bytes).unwrap();
    let s = sections.iter_mut().find(|s| s.name == section).unwrap();
    change(&mut bytes[s.range()]);
    s.xxh3 = xxh3_64(&bytes[s.range()]);
    let sealed = header::encode(&sections);
    bytes[..sealed.len()].copy_from_slice(&sealed);
    bytes
}

#[test]
fn a_good_file_reads_whole() {
    read_all(good().to_vec()).unwrap();
}

#[test]
fn a_truncated_file_is_refused() {
    let whole = good().len();
    for len in (0..whole)
        .step_by(1000)
        .chain([0, 7, 8, 4095, 4096, whole - 1])
    {
        let error = read_all(good()[..len].to_vec()).unwrap_err();
        let named = matches!(
            error,
            ContainerError::Truncated { .. } | ContainerError::Magic { .. }
        );
        assert!(named, "{len}: {error}");
    }
}

#[test]
fn magic_and_version_are_named() {
    let mut bytes = good().to_vec();
    bytes[..4].copy_from_slice(b"GGUF");
    let error = read_all(bytes).unwrap_err();
    assert!(error.to_string().contains("not a .weft file"), "{error}");
    for (at, what) in [(8, "container version"), (12, "packet version")] {
        let mut bytes = good().to_vec();
        bytes[at] = 99;
        let error = read_all(bytes).unwrap_err().to_string();
        assert!(error.contains(what) && error.contains("99"), "{error}");
    }
}

#[test]
fn a_scale_that_is_not_a_number_is_refused() {
    // The first row scale follows the first site and matrix record and its parts.
    let site = index::SiteKey {
        layer: 0,
        site: weft_host::model::Site::AttnIn,
    };
    let weft = Weft::from_bytes(good().to_vec()).unwrap();
    let matrix = &weft.site(site).unwrap().matrices[0];
    let first = matrix.row_scales[0].to_le_bytes();
    let bytes = forged("INDEX", |index| {
        let at = index.windows(4).position(|w| w == first).unwrap();
        index[at..at + 4].copy_from_slice(&f32::NAN.to_le_bytes());
    });
    let error = read_all(bytes).unwrap_err();
    assert!(matches!(error, ContainerError::NotFinite { .. }), "{error}");
    let bytes = forged("HOST", |host| {
        host[8..12].copy_from_slice(&f32::INFINITY.to_le_bytes())
    });
    let error = read_all(bytes).unwrap_err();
    assert!(matches!(error, ContainerError::NotFinite { .. }), "{error}");
}

#[test]
fn absurd_counts_are_refused_before_anything_is_allocated() {
    let error = |bytes| read_all(bytes).unwrap_err().to_string();
    let word = |at: usize, v: u32| {
        forged("INDEX", move |i| {
            i[at..at + 4].copy_from_slice(&v.to_le_bytes())
        })
    };
    // Sites; columns, outputs of the first site; rows, tiles of its first matrix.
    assert!(error(word(0, u32::MAX)).contains("number of sites"));
    assert!(error(word(12, u32::MAX)).contains("number of columns"));
    assert!(error(word(16, u32::MAX)).contains("number of outputs"));
    assert!(error(word(28, u32::MAX)).contains("number of rows"));
    assert!(!error(word(32, u32::MAX)).is_empty());
    assert!(error(word(4, u32::MAX)).contains("layer"));
    let threshold = forged("INDEX", |i| {
        i[20..24].copy_from_slice(&f32::NAN.to_le_bytes())
    });
    assert!(error(threshold).contains("threshold"));
    let json = forged("META", |m| m[0] = b'!');
    assert!(error(json).contains("META"));
    // A section table that lies about a length.
    let mut bytes = good().to_vec();
    let mut sections = header::parse(&bytes).unwrap();
    sections[0].length = u64::MAX;
    bytes[..4096].copy_from_slice(&header::encode(&sections));
    assert!(error(bytes).contains("truncated"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_flipped_bit_is_found(at in 0..good().len(), bit in 0..8) {
        let mut bytes = good().to_vec();
        bytes[at] ^= 1u8 << bit;
        prop_assert!(read_all(bytes).is_err());
    }

    #[test]
    fn forged_sections_never_panic(
        section in prop::sample::select(vec!["INDEX", "META", "HOST", "BLOCKS"]),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let bytes = forged(section, |s| {
            for (at, v) in &changes {
                let at = at.index(s.len());
                s[at] = *v;
            }
        });
        // Many forgeries are still readable; none may panic.
        let _ = read_all(bytes);
    }

    #[test]
    fn forged_index_heads_never_panic(at in 0usize..64, v in any::<u32>()) {
        let bytes = forged("INDEX", |s| s[at..at + 4].copy_from_slice(&v.to_le_bytes()));
        let _ = read_all(bytes);
    }
}
