//! From text to a program: the steps that happen once.

use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hasher};
use std::path::Path;
use std::sync::{Arc, OnceLock};

use crate::error::{Error, Result};
use crate::interp::Interpreter;
use crate::ir::{Named, Netlist};
use crate::jit::layout::Layout;
use crate::jit::native::NativeCode;
use crate::passes::cases::cases;
use crate::passes::schedule::schedule;
use crate::passes::vectorise::{vectorise, vectors};
use crate::source::Source;
use crate::{domains, jit, passes};

/// An elaborated design: flat, resolved, not optimised. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Design {
    source: Arc<Source>,
    top: String,
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
        Self::from_source(Source::text(file, source), top)
    }

    /// Reads a Verilog file and elaborates its module `top`.
    pub fn from_file(path: impl AsRef<Path>, top: &str) -> Result<Self> {
        Self::from_source(Source::file(path)?, top)
    }

    /// Elaborates the module `top` of a source.
    pub fn from_source(source: Source, top: &str) -> Result<Self> {
        let netlist = source.elaborate(top, |symbolic| {
            passes::run(symbolic, passes::front(), |_, _| {})
        })?;
        Ok(Design {
            source: Arc::new(source),
            top: top.into(),
            netlist: Arc::new(netlist),
        })
    }

    /// A design of a netlist that comes from no text.
    #[cfg(test)]
    pub(crate) fn of(netlist: Netlist) -> Self {
        Design {
            source: Arc::new(Source::text("netlist", "")),
            top: String::new(),
            netlist: Arc::new(netlist),
        }
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
        if !domains::is_plain(&netlist) {
            return Ok(Arc::new(Program::with_functions(netlist)?));
        }
        let (lowered, lanes) = vectorise(&netlist);
        let (lowered, cases) = cases(&lowered);
        let cycle = schedule(&lowered, &cases, true);
        let own = Layout::new(&lowered, &cycle);
        let code = jit::compile(&lowered, &own, &cycle)?;
        Ok(Arc::new(Program {
            layout: own.of_lanes(&netlist, &lowered, &lanes),
            netlist,
            lowered: Some((lowered, own)),
            code,
            falling: None,
            steps: Vec::new(),
            settle: OnceLock::new(),
            fingerprint: OnceLock::new(),
        }))
    }

    /// The slow truth on this design, before any optimisation.
    pub fn interpreter(&self) -> Interpreter {
        Interpreter::new(self.netlist.clone())
    }

    /// The text form of the design after the named step of [`crate::passes::PASSES`]: a syntax tree after `parse`, a
    /// netlist up to `dead`, the steps of a cycle after `gate` and `schedule`, Cranelift's IR after `lower`.
    pub fn dump_after(&self, pass: &str, options: &Options) -> Result<String> {
        match passes::find(pass)?.name {
            "parse" => return self.source.tree(),
            "elaborate" => return self.source.elaborate(&self.top, |n| Ok(n.to_string())),
            "resolve" | "clock" => {
                return self.source.elaborate(&self.top, |symbolic| {
                    let mut text = String::new();
                    passes::run(symbolic, passes::front(), |name, netlist| {
                        if name == pass {
                            text = netlist.to_string();
                        }
                    })?;
                    Ok(text)
                });
            }
            _ => {}
        }
        let mut text = None;
        let last = self.optimised(options, |name, netlist| {
            if name == pass {
                text = Some(netlist.to_string());
            }
        })?;
        match text {
            Some(text) => Ok(text),
            None => passes::after(pass, &last),
        }
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
        passes::run(netlist, passes::middle(), watch)
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
    /// The netlist with vectors and its layout, of which `layout` is a view, if there is only the cycle's function.
    lowered: Option<(Netlist, Layout)>,
    /// A cycle, or the rising half of it.
    pub(crate) code: NativeCode,
    /// The falling half, if anything is clocked by falling edges too.
    pub(crate) falling: Option<NativeCode>,
    /// A cycle of one clock, by its input; empty where there is only one.
    pub(crate) steps: Vec<(u32, Vec<NativeCode>)>,
    /// The evaluation without an edge, compiled when first used.
    settle: OnceLock<Result<NativeCode>>,
    /// What tells this program's states from another's, computed when first used.
    fingerprint: OnceLock<u64>,
}

impl Program {
    /// The program of a design with more than one plain clock.
    fn with_functions(netlist: Netlist) -> Result<Self> {
        let (layout, functions) = domains::compile(&netlist)?;
        let mut cycle = functions.cycle.into_iter();
        // Resets without clocks leave no cycle; settling is what happens then.
        let (code, settle) = match cycle.next() {
            Some(code) => (code, Some(Ok(functions.settle))),
            None => (functions.settle, None),
        };
        Ok(Program {
            netlist,
            layout,
            code,
            falling: cycle.next(),
            steps: functions.steps,
            lowered: None,
            settle: settle.map_or_else(OnceLock::new, OnceLock::from),
            fingerprint: OnceLock::new(),
        })
    }

    /// The code of the evaluation without an edge.
    pub(crate) fn settle(&self) -> Result<&NativeCode> {
        let code = self.settle.get_or_init(|| {
            let (netlist, layout) = match &self.lowered {
                Some((netlist, layout)) => (netlist, layout),
                None => (&self.netlist, &self.layout),
            };
            jit::compile(netlist, layout, &schedule(netlist, &[], false))
        });
        code.as_ref().map_err(Clone::clone)
    }

    /// A number that tells the states of this program from those of another one.
    pub(crate) fn fingerprint(&self) -> u64 {
        *self.fingerprint.get_or_init(|| {
            let mut hash = TextHasher::default();
            hash.0.write_usize(self.layout.size);
            // Writing to a hasher does not fail.
            let _ = write!(hash, "{}", self.netlist);
            hash.0.finish()
        })
    }

    /// Bytes of state that each simulator of this program owns.
    pub fn state_bytes(&self) -> usize {
        self.layout.size
    }

    /// Number of operations that are computed as vectors, a lane for each of several alike nodes.
    pub fn vectors(&self) -> usize {
        let lowered = self.lowered.as_ref();
        lowered.map_or(0, |(netlist, _)| vectors(netlist))
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

    /// Names of the inputs that are clocks; `cycle` drives them.
    pub fn clocks(&self) -> impl Iterator<Item = &str> {
        let inputs = self.netlist.inputs.iter().enumerate();
        inputs
            .filter(|(i, _)| self.netlist.is_clock(*i as u32))
            .map(|(_, input)| input.name.as_str())
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

/// Hashes what is written to it.
#[derive(Default)]
struct TextHasher(DefaultHasher);

impl std::fmt::Write for TextHasher {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.0.write(text.as_bytes());
        Ok(())
    }
}
