//! Elaboration: the syntax tree becomes one flat netlist, instance by instance.
//!
//! Signals stay symbolic ([`Op::Signal`]) here, because a signal may be read before its driver is seen; the pass
//! `resolve` replaces them. Processes are executed symbolically: blocking assignments become single-assignment
//! values, branches become multiplexers, loops unroll.

mod assigned;
mod expr;
mod function;
mod instance;
mod lvalue;
mod process;
mod read_memory;
mod resets;
mod scope;
mod select;
mod shape;
mod signals;
mod store;

use std::collections::HashMap;
use std::path::Path;

use crate::error::{Error, Place, Result};
use crate::front::ast;
use crate::ir::{Builder, Input, Memory, Named, Netlist, Register, Reset};
use crate::limits::{MAX_HIERARCHY, MAX_INSTANCES};
use function::Variable;
use signals::Signal;

/// State of an elaboration.
struct Elaborator<'m> {
    file: &'m str,
    /// Where files that the text names are looked for.
    folder: Option<&'m Path>,
    modules: HashMap<&'m str, &'m ast::Module>,
    builder: Builder,
    signals: Vec<Signal>,
    inputs: Vec<Input>,
    outputs: Vec<Named>,
    registers: Vec<Register>,
    resets: Vec<Reset>,
    memories: Vec<Memory>,
    memory_bits: u64,
    instances: usize,
    /// Names of the modules from the top down to the current one.
    stack: Vec<&'m str>,
    /// Variables of the functions met so far.
    variables: Vec<Variable>,
    /// Calls that are being executed.
    calls: usize,
    /// What is being elaborated, and its line.
    at: (&'static str, u32),
}

/// Elaborates `top` of `modules` into a netlist with symbolic signals; `file` is the name used in messages, and files
/// that the text names are looked for in `folder`.
pub(crate) fn elaborate(
    file: &str,
    folder: Option<&Path>,
    modules: &[ast::Module],
    top: &str,
) -> Result<Netlist> {
    let mut by_name = HashMap::new();
    for m in modules {
        if by_name.insert(m.name.as_str(), m).is_some() {
            let at = Place {
                file: file.into(),
                line: m.line,
            };
            return Err(Error::Meaning {
                at,
                message: format!("module `{}` is defined twice", m.name),
            });
        }
    }
    let Some(top_module) = by_name.get(top).copied() else {
        let mut names: Vec<&str> = by_name.keys().copied().collect();
        names.sort_unstable();
        names.truncate(12);
        return Err(Error::NoSuchName {
            kind: "top module",
            name: top.into(),
            hint: format!("the text defines {}", names.join(", ")),
        });
    };
    let mut e = Elaborator {
        file,
        folder,
        modules: by_name,
        builder: Builder::default(),
        signals: Vec::new(),
        inputs: Vec::new(),
        outputs: Vec::new(),
        registers: Vec::new(),
        resets: Vec::new(),
        memories: Vec::new(),
        memory_bits: 0,
        instances: 0,
        stack: Vec::new(),
        variables: Vec::new(),
        calls: 0,
        at: ("module", top_module.line),
    };
    let done = e.top(top_module);
    // What else went wrong may come from the placeholders after a limit.
    e.check()?;
    done?;
    let (signals, drivers) = e.drivers();
    e.check()?;
    Ok(Netlist {
        file: file.into(),
        nodes: e.builder.finish()?,
        inputs: e.inputs,
        outputs: e.outputs,
        registers: e.registers,
        resets: e.resets,
        memories: e.memories,
        signals,
        drivers,
        ..Netlist::default()
    })
}

impl<'m> Elaborator<'m> {
    fn meaning(&self, line: u32, message: impl Into<String>) -> Error {
        Error::Meaning {
            at: Place {
                file: self.file.into(),
                line,
            },
            message: message.into(),
        }
    }
    fn unsupported(&self, line: u32, construct: impl Into<String>) -> Error {
        Error::Unsupported {
            at: Place {
                file: self.file.into(),
                line,
            },
            construct: construct.into(),
        }
    }
    /// Fails if a limit of the builder was hit, naming what was being elaborated.
    fn check(&self) -> Result<()> {
        self.builder.check().map_err(|e| match e {
            Error::Limit { what, name, limit } => Error::Limit {
                what: format!("{what} up to the {}", self.construct()),
                name,
                limit,
            },
            other => other,
        })
    }
    /// What is being elaborated, with its place.
    fn construct(&self) -> String {
        format!("{} at {}:{}", self.at.0, self.file, self.at.1)
    }
    /// Counts one more instance of `module` below the current one.
    fn enter(&mut self, module: &'m str) -> Result<()> {
        self.instances += 1;
        let (what, name, limit) = if self.stack.len() >= MAX_HIERARCHY {
            (
                format!(
                    "the hierarchy below module `{module}` at the {}",
                    self.construct()
                ),
                "MAX_HIERARCHY",
                MAX_HIERARCHY,
            )
        } else if self.instances > MAX_INSTANCES {
            (
                format!("the number of instances up to the {}", self.construct()),
                "MAX_INSTANCES",
                MAX_INSTANCES,
            )
        } else {
            self.stack.push(module);
            return Ok(());
        };
        Err(Error::Limit {
            what,
            name,
            limit: limit as u64,
        })
    }
}
