//! An open packed model: container, host tensors, tokenizer.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use weft_host::container::{Weft, host_tensors};
use weft_host::model::Model;
use weft_host::tokenizer::Tokenizer;

use crate::exit::{self, OrExit};

/// What every verb that runs a model needs of its file.
pub(crate) struct Loaded {
    /// The container; its weights stay in the file.
    pub(crate) weft: Arc<Weft>,
    /// Hyper-parameters and the host's tensors.
    pub(crate) model: Arc<Model>,
    /// The tokenizer that the container carries.
    pub(crate) tokenizer: Tokenizer,
}

impl Loaded {
    /// Weights of all matrices.
    pub(crate) fn weights(&self) -> u64 {
        let matrices = self
            .weft
            .sites()
            .iter()
            .flat_map(|s| s.matrices.iter().map(move |m| m.rows * s.cols));
        matrices.sum::<usize>() as u64
    }

    /// Bits of weights, scales and masks in the file for one weight.
    pub(crate) fn bits_per_weight(&self) -> f64 {
        8.0 * self.weft.weight_bytes() as f64 / self.weights() as f64
    }
}

/// Opens and checks a `.weft` file.
pub(crate) fn open(path: &Path) -> anyhow::Result<Loaded> {
    let read = || -> anyhow::Result<Loaded> {
        let weft = Arc::new(Weft::open(path)?);
        let host = host_tensors(&weft)?;
        let model = Arc::new(Model::new(weft.meta().model.clone(), host)?);
        let tokenizer = Tokenizer::from_json(weft.tokenizer())?;
        Ok(Loaded {
            weft,
            model,
            tokenizer,
        })
    };
    read()
        .with_context(|| format!("cannot use {}", path.display()))
        .or_exit(exit::INPUT)
}

/// The text of a file that must be UTF-8.
pub(crate) fn read_text(path: &Path) -> anyhow::Result<String> {
    let bytes = std::fs::read(path)
        .with_context(|| format!("cannot read {}", path.display()))
        .or_exit(exit::MISSING)?;
    String::from_utf8(bytes).map_err(|e| {
        exit::fail(
            exit::INPUT,
            format!(
                "{} is not UTF-8 text: byte {} is {:#04x}; convert it, for example with iconv",
                path.display(),
                e.utf8_error().valid_up_to(),
                e.as_bytes()[e.utf8_error().valid_up_to()]
            ),
        )
    })
}
