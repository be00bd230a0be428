//! GGUF files: every type against the format's own package, and files that are damaged.

mod common;

use common::own;
use proptest::prelude::*;
use std::path::Path;
use weft_host::gguf::{Array, GROUP, Gguf, GgufError, TensorType, Value};

fn blocks() -> Vec<u8> {
    std::fs::read(own("tests/data/blocks.gguf")).unwrap()
}

const TYPES: [(&str, TensorType); 11] = [
    ("F32", TensorType::F32),
    ("F16", TensorType::F16),
    ("BF16", TensorType::Bf16),
    ("Q4_0", TensorType::Q4_0),
    ("Q4_1", TensorType::Q4_1),
    ("Q5_0", TensorType::Q5_0),
    ("Q5_1", TensorType::Q5_1),
    ("Q8_0", TensorType::Q8_0),
    ("Q4_K", TensorType::Q4K),
    ("Q5_K", TensorType::Q5K),
    ("Q6_K", TensorType::Q6K),
];

#[test]
fn every_type_dequantises_to_the_bit() {
    let gguf = Gguf::open(&own("tests/data/blocks.gguf")).unwrap();
    for (name, ty) in TYPES {
        let ours = gguf.tensor(name).unwrap();
        let theirs = gguf.tensor(&format!("{name}.values")).unwrap();
        assert_eq!((ours.ty, ours.rows, ours.cols), (ty, 3, 512), "{name}");
        assert_eq!(ty.to_string(), name);
        let (ours, theirs) = (ours.dequantize().unwrap(), theirs.dequantize().unwrap());
        for (i, (a, b)) in ours.iter().zip(&theirs).enumerate() {
            // Zeros may differ in sign.
            assert!(a == b, "{name} value {i}: {a:e} instead of {b:e}");
        }
    }
}

#[test]
fn four_bit_groups_are_the_same_weights() {
    let gguf = Gguf::open(&own("tests/data/blocks.gguf")).unwrap();
    for (name, ty) in TYPES {
        let t = gguf.tensor(name).unwrap();
        if !ty.is_four_bit() {
            assert!(matches!(t.group4(0, 0), Err(GgufError::NotFourBit { .. })));
            continue;
        }
        let values = t.dequantize().unwrap();
        let mut distinct = 0;
        for r in 0..t.rows {
            for g in 0..t.groups_per_row() {
                let group = t.group4(r, g).unwrap();
                assert!(group.scale >= 0.0 && group.codes.iter().all(|&q| q < 16));
                distinct += usize::from(group.codes.iter().any(|&q| q != group.codes[0]));
                let want = &values[r * t.cols + g * GROUP..][..GROUP];
                let size = want.iter().fold(0.0f32, |m, w| m.max(w.abs()));
                let size = size.max(group.scale * group.zero_point.abs());
                for (i, want) in want.iter().enumerate() {
                    let error = (group.weight(i) - want).abs();
                    assert!(
                        error <= 4e-7 * size,
                        "{name} {r},{g},{i}: {error:e} of {size:e}"
                    );
                }
            }
        }
        assert!(distinct >= 32, "{name}: codes are kept");
        assert!(matches!(t.group4(3, 0), Err(GgufError::Row { .. })));
        assert!(matches!(t.group4(0, 16), Err(GgufError::Row { .. })));
    }
}

#[test]
fn every_metadata_type_is_read() {
    let gguf = Gguf::open(&own("tests/data/blocks.gguf")).unwrap();
    let value = |key: &str| gguf.metadata()[key].clone();
    assert_eq!(value("one.uint8"), Value::Int(250));
    assert_eq!(value("one.int8"), Value::Int(-100));
    assert_eq!(value("one.uint16"), Value::Int(65000));
    assert_eq!(value("one.int16"), Value::Int(-30000));
    assert_eq!(value("one.uint32"), Value::Int(4_000_000_000));
    assert_eq!(value("one.int32"), Value::Int(-2_000_000_000));
    assert_eq!(value("one.uint64"), Value::Int(u64::MAX.into()));
    assert_eq!(value("one.int64"), Value::Int(i64::MIN.into()));
    assert_eq!(value("one.float32"), Value::Float(1.5));
    assert_eq!(value("one.float64"), Value::Float(-0.1));
    assert_eq!(value("one.bool"), Value::Bool(true));
    assert_eq!(gguf.get_str("one.string").unwrap(), "zażółć");
    assert_eq!(gguf.get_strings("many.string").unwrap(), ["a", "", "ü"]);
    assert_eq!(gguf.get_ints("many.int32").unwrap(), [1, -2, 3]);
    assert_eq!(gguf.get_floats("many.float32").unwrap(), [0.5, -0.25]);
    assert_eq!(
        value("many.bool"),
        Value::Array(Array::Bool(vec![true, false]))
    );
    assert_eq!(gguf.get_u32("one.uint32").unwrap(), 4_000_000_000);
    assert!(matches!(
        gguf.get_u32("one.int8"),
        Err(GgufError::KeyType { .. })
    ));
    assert!(matches!(
        gguf.get_u32("one.none"),
        Err(GgufError::MissingKey { .. })
    ));
    assert_eq!(gguf.find_f32("one.none").unwrap(), None);
}

/// A file made by hand: metadata entries already encoded, and tensors as (name, dims, type, offset).
fn file(
    version: u32,
    entries: &[Vec<u8>],
    tensors: &[(&str, &[u64], u32, u64)],
    data: usize,
) -> Vec<u8> {
    let mut f = b"GGUF".to_vec();
    f.extend(version.to_le_bytes());
    f.extend((tensors.len() as u64).to_le_bytes());
    f.extend((entries.len() as u64).to_le_bytes());
    entries.iter().for_each(|e| f.extend(e));
    for (name, dims, ty, offset) in tensors {
        f.extend(string(name));
        f.extend((dims.len() as u32).to_le_bytes());
        dims.iter().for_each(|d| f.extend(d.to_le_bytes()));
        f.extend(ty.to_le_bytes());
        f.extend(offset.to_le_bytes());
    }
    f.resize(f.len().next_multiple_of(32) + data, 0);
    f
}

fn string(s: &str) -> Vec<u8> {
    [&(s.len() as u64).to_le_bytes()[..], s.as_bytes()].concat()
}

fn entry(key: &str, kind: u32, value: &[u8]) -> Vec<u8> {
    [&string(key)[..], &kind.to_le_bytes(), value].concat()
}

fn refused(bytes: Vec<u8>, part: &str) {
    let error = Gguf::from_bytes(bytes).expect_err(part).to_string();
    assert!(error.contains(part), "`{error}` does not say `{part}`");
}

#[test]
fn both_versions_open() {
    for version in [2, 3] {
        let f = file(version, &[], &[("a", &[32, 2], 8, 0)], 68);
        let gguf = Gguf::from_bytes(f).unwrap();
        assert_eq!(gguf.version(), version);
        assert_eq!(gguf.tensor("a").unwrap().row(1).unwrap().len(), 34);
        assert!(matches!(
            gguf.tensor("b"),
            Err(GgufError::MissingTensor { .. })
        ));
        assert!(matches!(
            gguf.tensor_of("a", 2, 64),
            Err(GgufError::TensorShape { .. })
        ));
    }
}

#[test]
fn damaged_headers_are_named() {
    let good = file(
        3,
        &[entry("k", 4, &[1, 0, 0, 0])],
        &[("a", &[32], 8, 0)],
        34,
    );
    assert!(Gguf::from_bytes(good.clone()).is_ok());
    refused(b"PK\x03\x04 not a model".to_vec(), "not a GGUF file");
    refused(b"GG".to_vec(), "truncated");
    refused(Vec::new(), "truncated");
    refused(file(1, &[], &[], 0), "version 1");
    refused(file(4, &[], &[], 0), "version 4");
    let mut f = good.clone();
    f[8..16].fill(0xff);
    refused(f, "the number of tensors is 18446744073709551615");
    let mut f = good.clone();
    f[16..24].copy_from_slice(&70_000u64.to_le_bytes());
    refused(f, "the number of metadata entries is 70000");
    let mut f = good.clone();
    f[24..32].copy_from_slice(&(1u64 << 40).to_le_bytes());
    refused(f, "a metadata key is 1099511627776");
    let mut f = good.clone();
    f[32] = 0xff;
    refused(f, "not UTF-8");
    let mut f = good.clone();
    f[33] = 77;
    refused(f, "value type 77");
    for end in 24..good.len() {
        let error = Gguf::from_bytes(good[..end].to_vec()).unwrap_err();
        let truncated = matches!(
            error,
            GgufError::Truncated { .. } | GgufError::Extent { .. }
        );
        assert!(truncated, "{end}: {error}");
    }
    let bool_of_two = file(3, &[entry("k", 7, &[2])], &[], 0);
    refused(bool_of_two, "boolean");
    let twice = file(3, &[entry("k", 0, &[1]), entry("k", 0, &[1])], &[], 0);
    refused(twice, "`k` appears twice");
}

#[test]
fn absurd_arrays_are_named() {
    let array = |kind: u32, len: u64| [&kind.to_le_bytes()[..], &len.to_le_bytes()].concat();
    refused(
        file(3, &[entry("k", 9, &array(4, 1 << 50))], &[], 0),
        "array's length",
    );
    refused(
        file(3, &[entry("k", 9, &array(4, 4_000_000))], &[], 0),
        "truncated",
    );
    let nested: Vec<u8> = (0..9).flat_map(|_| array(9, 1)).collect();
    refused(file(3, &[entry("k", 9, &nested)], &[], 0), "nesting");
}

#[test]
fn damaged_tensors_are_named() {
    let one = |dims: &[u64], ty, offset| file(3, &[], &[("w", dims, ty, offset)], 64);
    refused(one(&[32], 10, 0), "Q2_K (number 10)");
    refused(one(&[32], 4242, 0), "unknown (number 4242)");
    refused(one(&[], 0, 0), "no dimensions");
    refused(one(&[8, 0], 0, 0), "dimension is zero");
    refused(one(&[33], 8, 0), "whole blocks");
    refused(one(&[32, 2], 8, 0), "beyond the end");
    refused(one(&[32], 8, 5), "not aligned");
    refused(one(&[32], 8, u64::MAX - 31), "beyond the end");
    refused(one(&[1 << 40], 0, 0), "a tensor's dimension");
    refused(one(&[1 << 31, 1 << 31, 1 << 31], 0, 0), "overflows");
    refused(one(&[1 << 31, 1 << 31, 2], 0, 0), "overflows");
    refused(one(&[1, 1, 1, 1, 1], 0, 0), "number of dimensions is 5");
    let twice = file(3, &[], &[("w", &[1], 0, 0), ("w", &[1], 0, 0)], 64);
    refused(twice, "`w` appears twice");
    for bad in [0u32, 3, 1 << 21] {
        let e = entry("general.alignment", 4, &bad.to_le_bytes());
        refused(file(3, &[e], &[], 0), "alignment");
    }
}

#[test]
fn scales_that_are_not_numbers_are_named() {
    for (name, ty) in TYPES {
        let mut bytes = blocks();
        let gguf = Gguf::from_bytes(bytes.clone()).unwrap();
        let tensor = gguf.tensor(name).unwrap();
        // The last block's bytes, all ones: every half or float in it is then not a number.
        let at = tensor.bytes.as_ptr() as usize - gguf_start(&gguf);
        let block = at + tensor.bytes.len() - ty.block_bytes();
        bytes[block..block + ty.block_bytes()].fill(0xff);
        let gguf = Gguf::from_bytes(bytes).unwrap();
        let tensor = gguf.tensor(name).unwrap();
        let last = tensor.cols / ty.block_len() - 1;
        let error = tensor.dequantize().unwrap_err().to_string();
        let want = format!("tensor `{name}` row 2, block {last}:");
        assert!(error.contains(&want), "{error}");
        if ty.is_four_bit() {
            let group = tensor.group4(2, tensor.groups_per_row() - 1);
            assert!(matches!(group, Err(GgufError::NotFinite { .. })));
        }
    }
}

/// Address of the file's first byte, by a tensor whose offset is known from the file itself.
fn gguf_start(gguf: &Gguf) -> usize {
    let bytes = blocks();
    let first = gguf.tensor("F32").unwrap().bytes;
    let at = bytes.windows(64).position(|w| w == &first[..64]).unwrap();
    first.as_ptr() as usize - at
}

#[test]
fn missing_files_and_folders_are_named() {
    for path in ["/no/such/model.gguf", env!("CARGO_MANIFEST_DIR")] {
        let error = Gguf::open(Path::new(path)).unwrap_err().to_string();
        assert!(error.contains(path), "{error}");
    }
}

proptest! {
    /// Whatever is done to a file, it is read or refused; what is read can be used.
    #[test]
    fn mutated_files_never_panic(
        flips in prop::collection::vec((0usize..4096, any::<u8>()), 1..12),
        cut in prop::option::of(0usize..4096),
    ) {
        let mut bytes = blocks();
        for (at, byte) in flips {
            bytes[at] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut);
        }
        if let Ok(gguf) = Gguf::from_bytes(bytes) {
            for t in gguf.tensors() {
                let view = gguf.tensor(&t.name).unwrap();
                let _ = view.dequantize();
                let _ = view.group4(0, 0);
            }
        }
    }
}
