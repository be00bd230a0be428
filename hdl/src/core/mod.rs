//! The core: blocks wired together, its parameters, its Verilog and its twin.

pub mod config;
pub mod spmm;
pub mod twin;
pub mod verilog;

pub use config::CoreConfig;
pub use spmm::SpmmCore;
pub use verilog::{TOP, generate_verilog, generate_verilog_for};

/// Why a core cannot be described.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// A parameter is outside what can be built.
    #[error("cannot describe a core with {parameter} = {value}: it must be {rule}")]
    Parameter {
        /// Field of the configuration.
        parameter: &'static str,
        /// What it was.
        value: usize,
        /// What it must be.
        rule: &'static str,
    },
    /// No configuration has this name.
    #[error("no core configuration is called {name:?}; choose one of {known}")]
    Name {
        /// The name asked for.
        name: String,
        /// The names there are.
        known: String,
    },
    /// A parameter of the serial link is outside what can be built.
    #[error(transparent)]
    LinkParameter(#[from] crate::link::LinkError),
    /// The description of the link is not well formed.
    #[error(
        "the description of the serial link is not well formed: {cause}; this is a bug in weft-hdl"
    )]
    Link {
        /// What rust-hdl found.
        cause: String,
    },
    /// The description is not well formed: a signal without a driver, a logic loop, an input written.
    #[error(
        "the description of core {config:?} is not well formed: {cause}; this is a bug in weft-hdl"
    )]
    Description {
        /// The configuration asked for.
        config: CoreConfig,
        /// What rust-hdl found.
        cause: String,
    },
}
