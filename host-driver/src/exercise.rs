//! Reads everything that a file claims to hold: what the fuzz targets and the hostile-input tests run.
//!
//! A damaged file may be refused at any step; it must not panic, hang or allocate what it cannot fill.

use crate::container::{Weft, reseal};
use crate::gguf::Gguf;
use crate::model::ModelConfig;
use crate::tokenizer::Tokenizer;

/// Opens `bytes` as a GGUF file and reads all of it. True when nothing was refused.
#[must_use]
pub fn gguf(bytes: Vec<u8>) -> bool {
    let Ok(gguf) = Gguf::from_bytes(bytes) else {
        return false;
    };
    let mut whole = ModelConfig::from_gguf(&gguf).is_ok();
    whole &= Tokenizer::from_gguf(&gguf).is_ok();
    for info in gguf.tensors() {
        let Ok(tensor) = gguf.tensor(&info.name) else {
            whole = false;
            continue;
        };
        let mut values = vec![0.0; tensor.cols];
        for row in 0..tensor.rows {
            whole &= tensor.dequantize_row(row, &mut values).is_ok();
        }
    }
    whole
}

/// Opens `bytes` as a packed model and reads all of it. True when nothing was refused.
#[must_use]
pub fn container(bytes: Vec<u8>) -> bool {
    let Ok(weft) = Weft::from_bytes(bytes) else {
        return false;
    };
    let mut whole = weft.verify().is_ok();
    for entry in &weft.meta().host {
        whole &= weft.host(&entry.name).is_ok();
    }
    let mut values = vec![0.0; weft.meta().model.d_model.min(1 << 20)];
    whole &= weft.embed(0, &mut values).is_ok();
    for site in weft.sites() {
        for matrix in &site.matrices {
            for tile in &matrix.tiles {
                for g in 0..tile.groups.len() {
                    whole &= weft
                        .group(site.cols, matrix.kind, tile, g)
                        .is_ok_and(|d| d.bundles().count() > 0);
                }
            }
        }
    }
    whole
}

/// As [`container`], with the checksums put right first: damage that someone means.
#[must_use]
pub fn sealed_container(mut bytes: Vec<u8>) -> bool {
    reseal(&mut bytes);
    container(bytes)
}
