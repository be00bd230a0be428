//! From text to a program: the steps that happen once.

use std::sync::{Arc, OnceLock};

use crate::error::{Error, Result};
use crate::interp::Interpreter;
use crate::ir::{Named, Netlist};
use crate::jit::layout::Layout;
use crate::jit::native::NativeCode;
use crate::limits::FRONT_END_STACK;
use crate::passes::schedule::{Schedule, schedule};
use crate::{elab, front, jit, passes};

/// An elaborated design: flat, resolved, not optimised. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Design {
    netlist: Arc<Netlist>,
}

/// Which internal signals a program keeps visible. Outputs, registers that matter and memories always are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Probes {
    /// None: the fastest program.
    #[default]
    None,
    /// These hierarchical paths, such as `bank0.fifo.full` (the top module has no name in a path).
    Paths(Vec<String>),
    /// Every named signal, as a waveform needs it.
    All,
}

/// Choices for [`Design::compile_with`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// The internal signals to keep visible.
    pub probes: Probes,
}

impl Design {
    /// Reads Verilog and elaborates the module `top`. Messages call the text `verilog`.
    pub fn from_verilog(source: &str, top: &str) -> Result<Self> {
        Self::from_verilog_named("verilog", source, top)
    }

    /// As [`Design::from_verilog`], with the name of the file that messages shall carry.
    pub fn from_verilog_named(file: &str, source: &str, top: &str) -> Result<Self> {
        // The front end recurses over nested text, so it gets a stack that fits its nesting limit.
        let netlist = std::thread::scope(|scope| {
            let work = || {
                let modules = front::parse(file, source)?;
                passes::resolve(elab::elaborate(file, &modules, top)?)
            };
            let thread = std::thread::Builder::new()
                .stack_size(FRONT_END_STACK)
                .spawn_scoped(scope, work);
            match thread.map(std::thread::ScopedJoinHandle::join) {
                Ok(Ok(result)) => result,
                Ok(Err(panic)) => std::panic::resume_unwind(panic),
                Err(e) => Err(Error::Backend(format!(
                    "starting the front end's thread: {e}"
                ))),
            }
        })?;
        Ok(Design {
            netlist: Arc::new(netlist),
        })
    }

    /// Names and widths of the inputs, in order of declaration.
    pub fn inputs(&self) -> impl Iterator<Item = (&str, u32)> {
        self.netlist
            .inputs
            .iter()
            .map(|i| (i.name.as_str(), i.width))
    }

    /// Names and widths of the outputs, in order of declaration.
    pub fn outputs(&self) -> impl Iterator<Item = (&str, u32)> {
        self.netlist
            .outputs
            .iter()
            .map(|o| (o.path.as_str(), self.netlist.width(o.node)))
    }

    /// Paths and widths of all named signals.
    pub fn signals(&self) -> impl Iterator<Item = (&str, u32)> {
        self.netlist
            .signals
            .iter()
            .map(|s| (s.path.as_str(), self.netlist.width(s.node)))
    }

    /// Compiles for speed, with no probes.
    pub fn compile(&self) -> Result<Arc<Program>> {
        self.compile_with(&Options::default())
    }

    /// Compiles with choices.
    pub fn compile_with(&self, options: &Options) -> Result<Arc<Program>> {
        let netlist = self.optimised(options, |_, _| {})?;
        let cycle = schedule(&netlist, true);
        let layout = Layout::new(&netlist, &cycle);
        let code = jit::compile(&netlist, &layout, &cycle)?;
        Ok(Arc::new(Program {
            netlist,
            layout,
            code,
            settle: OnceLock::new(),
        }))
    }

    /// The slow truth on this design, before any optimisation.
    pub fn interpreter(&self) -> Interpreter {
        Interpreter::new(self.netlist.clone())
    }

    /// The text form of the netlist after the named pass (see [`crate::passes::PASSES`]), or after `resolve`.
    pub fn dump_after(&self, pass: &str, options: &Options) -> Result<String> {
        if pass == "resolve" {
            return Ok(self.netlist.to_string());
        }
        let mut text = None;
        self.optimised(options, |name, netlist| {
            if name == pass {
                text = Some(netlist.to_string());
            }
        })?;
        text.ok_or_else(|| {
            let names: Vec<&str> = passes::PASSES.iter().map(|p| p.name).collect();
            Error::NoSuchName {
                kind: "pass",
                name: pass.into(),
                hint: format!("resolve, {}", names.join(", ")),
            }
        })
    }

    fn optimised(&self, options: &Options, watch: impl FnMut(&str, &Netlist)) -> Result<Netlist> {
        let mut netlist = (*self.netlist).clone();
        netlist.signals = match &options.probes {
            Probes::None => Vec::new(),
            Probes::All => netlist.signals,
            Probes::Paths(paths) => {
                let mut chosen: Vec<Named> = Vec::new();
                for path in paths {
                    match netlist.signals.iter().find(|s| s.path == *path) {
                        Some(s) => chosen.push(s.clone()),
                        None => return Err(self.no_such_signal(path)),
                    }
                }
                chosen
            }
        };
        passes::run(netlist, watch)
    }

    fn no_such_signal(&self, path: &str) -> Error {
        let last = path.rsplit('.').next().unwrap_or(path);
        let near = self
            .netlist
            .signals
            .iter()
            .map(|s| s.path.as_str())
            .filter(|p| p.ends_with(last))
            .take(4);
        let near: Vec<&str> = near.collect();
        let hint = match near.is_empty() {
            true => "list the paths with Design::signals".to_string(),
            false => format!("did you mean {}?", near.join(", ")),
        };
        Error::NoSuchName {
            kind: "signal",
            name: path.into(),
            hint,
        }
    }
}

/// Native code and the layout of the state that it works on. Shared by all its simulators.
#[derive(Debug)]
pub struct Program {
    pub(crate) netlist: Netlist,
    pub(crate) layout: Layout,
    pub(crate) code: NativeCode,
    /// The evaluation without an edge, compiled when first used.
    settle: OnceLock<Result<NativeCode>>,
}

impl Program {
    /// The code of the evaluation without an edge.
    pub(crate) fn settle(&self) -> Result<&NativeCode> {
        let code = self.settle.get_or_init(|| {
            let settle: Schedule = schedule(&self.netlist, false);
            jit::compile(&self.netlist, &self.layout, &settle)
        });
        code.as_ref().map_err(Clone::clone)
    }

    /// Bytes of state that each simulator of this program owns.
    pub fn state_bytes(&self) -> usize {
        self.layout.size
    }

    /// Paths and widths of the registers that are left after optimisation.
    pub fn registers(&self) -> impl Iterator<Item = (&str, u32)> {
        let registers = self.netlist.registers.iter();
        registers.map(|r| (r.path.as_str(), r.width))
    }

    /// Paths, word widths and depths of the memories that are left after optimisation.
    pub fn memories(&self) -> impl Iterator<Item = (&str, u32, u64)> {
        let memories = self.netlist.memories.iter();
        memories.map(|m| (m.path.as_str(), m.width, m.depth))
    }

    /// Counts of what is left after optimisation: nodes, registers, memories.
    pub fn size(&self) -> (usize, usize, usize) {
        (
            self.netlist.nodes.len(),
            self.netlist.registers.len(),
            self.netlist.memories.len(),
        )
    }
}
