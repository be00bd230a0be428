//! What can go wrong between Verilog text and a running simulation.

use thiserror::Error;

use crate::bits::Bits;

/// Result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Where in the source something was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Name of the source as the caller gave it.
    pub file: String,
    /// Line, from 1.
    pub line: u32,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// An error of the front end, of a pass, or of the use of a simulator.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Error {
    /// The text is not Verilog of any kind.
    #[error("{at}: syntax error: expected {expected}, found {found}")]
    Syntax {
        /// Place of the offending token.
        at: Place,
        /// What the grammar allows here.
        expected: String,
        /// What stands there.
        found: String,
    },
    /// Valid Verilog outside the subset of this crate.
    #[error("{at}: {construct} is outside the supported subset (see the table in sim/README.md)")]
    Unsupported {
        /// Place of the construct.
        at: Place,
        /// Name of the construct.
        construct: String,
    },
    /// Text that parses and means nothing, such as an undeclared name.
    #[error("{at}: {message}")]
    Meaning {
        /// Place of the offending construct.
        at: Place,
        /// What is wrong and what would be right.
        message: String,
    },
    /// A named limit was hit.
    #[error(
        "elaborating the design: {what} exceeds the limit {name} = {limit}; raise it in sim/src/limits.rs if the design is right"
    )]
    Limit {
        /// What grew too large.
        what: String,
        /// Name of the constant.
        name: &'static str,
        /// Its value.
        limit: u64,
    },
    /// Combinational logic feeds itself.
    #[error(
        "levelising the design: combinational loop (or inferred latch) through {path}; register one of these signals or assign it on every path"
    )]
    CombinationalLoop {
        /// The signals on the loop, in order.
        path: String,
    },
    /// A register or memory is clocked by something else than an input.
    #[error("{}resolving clocks: {message}", at.as_ref().map_or(String::new(), |at| format!("{at}: ")))]
    Clock {
        /// Place of the process or assignment, if the netlist comes from Verilog.
        at: Option<Place>,
        /// What was found.
        message: String,
    },
    /// A port, probe or memory of that name does not exist.
    #[error("looking up {kind} `{name}`: {hint}")]
    NoSuchName {
        /// What was looked for.
        kind: &'static str,
        /// The name asked for.
        name: String,
        /// What to do next.
        hint: String,
    },
    /// A value, an index or a buffer does not fit.
    #[error("accessing `{name}`: {message}")]
    Access {
        /// The accessed object.
        name: String,
        /// What does not fit.
        message: String,
    },
    /// A condition that a test bench waited for did not come.
    #[error(
        "running until a condition holds: it did not within {limit} cycles, up to cycle {cycle}"
    )]
    Timeout {
        /// Cycles waited.
        limit: u64,
        /// The simulator's cycle count at the end.
        cycle: u64,
    },
    /// Native code and interpreter disagree.
    #[error(
        "comparing with the interpreter: `{path}` is {found:x} where it should be {expected:x}, first in cycle {cycle}"
    )]
    Mismatch {
        /// Hierarchical path of the first differing signal, in the order of evaluation.
        path: String,
        /// The cycle, from 0.
        cycle: u64,
        /// The interpreter's value.
        expected: Bits,
        /// The native code's value.
        found: Bits,
    },
    /// A file could not be read.
    #[error("reading {path}: {message}")]
    File {
        /// The file.
        path: String,
        /// What happened.
        message: String,
    },
    /// The native code generator failed.
    #[error("compiling to machine code: {0}")]
    Backend(String),
    /// Writing a waveform failed.
    #[error("writing the waveform: {0}")]
    Waveform(String),
}
