//! Symbolic execution of processes: assignments to values, branches to multiplexers, loops unrolled.

use std::collections::{BTreeMap, HashSet};

use super::Elaborator;
use super::scope::Scope;
use crate::bits::Bits;
use crate::error::{Error, Result};
use crate::front::ast::{CaseItem, CaseKind, Expr, ExprKind, Stmt, StmtKind};
use crate::ir::{Binary as Bin, NodeId, Op, WordMap, Write};
use crate::limits::MAX_LOOP_ITERATIONS;

/// Work of executing a statement and of looking through a layer of values, see
/// [`MAX_WORK`](crate::limits::MAX_WORK).
const STATEMENT_WORK: u64 = 256;
const LAYER_WORK: u64 = 8;

/// What a process is triggered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Comb,
    /// None: the body of a function.
    Function,
    /// With the node of its clock.
    Clocked(NodeId),
    Initial,
}

/// A signal's value within a process, and whether it is the one that non-blocking assignments leave for later.
type Slot = (u32, bool);
type Layer = WordMap<Slot, NodeId>;

/// Values that signals have at one point of a process; a layer for each branch that is open.
#[derive(Default)]
pub(super) struct Env<'o> {
    layers: Vec<Layer>,
    /// Memories written by a blocking assignment so far.
    blocking_memories: HashSet<u32>,
    initial: bool,
    /// What a function's caller sees.
    outer: Option<&'o Env<'o>>,
}

impl Env<'_> {
    /// Outside any process.
    pub(super) fn none() -> Self {
        Env::default()
    }
    fn get(&self, slot: Slot) -> Option<NodeId> {
        let own = self.layers.iter().rev().find_map(|l| l.get(&slot)).copied();
        own.or_else(|| self.outer?.get(slot))
    }
    pub(super) fn set(&mut self, slot: Slot, value: NodeId) {
        if let Some(top) = self.layers.last_mut() {
            top.insert(slot, value);
        }
    }
    fn depth(&self) -> u64 {
        self.layers.len() as u64 + self.outer.map_or(0, Env::depth)
    }
    pub(super) fn write_blocking(&mut self, memory: u32) {
        self.blocking_memories.insert(memory);
    }
    pub(super) fn wrote_blocking(&self, memory: u32) -> bool {
        self.blocking_memories.contains(&memory)
            || self.outer.is_some_and(|o| o.wrote_blocking(memory))
    }
}

/// A process under execution.
pub(super) struct Process<'o> {
    pub(super) kind: Kind,
    pub(super) env: Env<'o>,
    /// Conditions of the open branches.
    pub(super) path: Vec<NodeId>,
    /// Memory writes in order.
    pub(super) writes: Vec<(u32, Write)>,
    /// Which bits of which signals are assigned, and whether without blocking.
    pub(super) assigned: BTreeMap<u32, (Bits, bool)>,
    iterations: usize,
}

impl<'o> Process<'o> {
    pub(super) fn new(kind: Kind) -> Self {
        Process {
            kind,
            env: Env {
                layers: vec![Layer::default()],
                initial: kind == Kind::Initial,
                ..Env::default()
            },
            path: Vec::new(),
            writes: Vec::new(),
            assigned: BTreeMap::new(),
            iterations: 0,
        }
    }

    /// The body of a function that is called where `outer` is seen.
    pub(super) fn of_function(outer: &'o Env<'o>) -> Self {
        let mut p = Process::new(Kind::Function);
        p.env.initial = outer.initial;
        p.env.outer = Some(outer);
        p
    }
}

impl Elaborator<'_> {
    /// The value that a read of signal `id` sees.
    pub(super) fn read_signal(&mut self, env: &Env<'_>, id: u32) -> NodeId {
        self.current(env, (id, false))
    }

    pub(super) fn current(&mut self, env: &Env<'_>, slot: Slot) -> NodeId {
        self.builder.charge(LAYER_WORK * env.depth());
        if let Some(node) = env.get(slot) {
            return node;
        }
        if let Some(variable) = self.function_variable(slot.0) {
            let width = variable.width;
            return self.builder.value(width, 0);
        }
        let signal = &self.signals[slot.0 as usize];
        if env.initial {
            let init = signal
                .init
                .clone()
                .unwrap_or_else(|| Bits::zero(signal.width));
            return self.builder.constant(init);
        }
        self.builder.add(Op::Signal(slot.0), signal.width)
    }

    pub(super) fn exec(&mut self, scope: &mut Scope, p: &mut Process<'_>, s: &Stmt) -> Result<()> {
        self.at = ("statement", s.line);
        self.builder.charge(STATEMENT_WORK);
        self.check()?;
        match &s.kind {
            StmtKind::Empty => Ok(()),
            StmtKind::Block(body) => body.iter().try_for_each(|s| self.exec(scope, p, s)),
            StmtKind::Blocking(target, value) => {
                self.assignment(scope, p, s.line, target, value, false)
            }
            StmtKind::NonBlocking(target, value) => {
                let place = match p.kind {
                    Kind::Comb => Some("combinational process"),
                    Kind::Function => Some("function"),
                    Kind::Clocked(_) | Kind::Initial => None,
                };
                if let Some(place) = place {
                    let construct = format!("non-blocking assignment in a {place}");
                    return Err(self.unsupported(s.line, construct));
                }
                self.assignment(scope, p, s.line, target, value, p.kind != Kind::Initial)
            }
            StmtKind::If(condition, yes, no) => {
                let c = self.truth(scope, &p.env, condition)?;
                if let Some(k) = self.builder.as_const(c) {
                    return match (k.is_zero(), no) {
                        (false, _) => self.exec(scope, p, yes),
                        (true, Some(no)) => self.exec(scope, p, no),
                        (true, None) => Ok(()),
                    };
                }
                let then = self.branch(scope, p, c, Some(yes))?;
                let not_c = self.builder.not(c);
                let other = self.branch(scope, p, not_c, no.as_deref())?;
                self.merge(p, c, then, other)
            }
            StmtKind::Case(kind, subject, items) => self.case(scope, p, *kind, subject, items),
            StmtKind::ReadMemory(radix, args) => self.read_memory(scope, p, s.line, *radix, args),
            StmtKind::For(init, condition, step, body) => {
                self.exec(scope, p, init)?;
                loop {
                    let c = self.truth(scope, &p.env, condition)?;
                    let Some(k) = self.builder.as_const(c) else {
                        return Err(
                            self.unsupported(s.line, "for loop whose bounds are not constant")
                        );
                    };
                    if k.is_zero() {
                        return Ok(());
                    }
                    p.iterations += 1;
                    if p.iterations > MAX_LOOP_ITERATIONS {
                        return Err(Error::Limit {
                            what: format!("the loop at {}:{}", self.file, s.line),
                            name: "MAX_LOOP_ITERATIONS",
                            limit: MAX_LOOP_ITERATIONS as u64,
                        });
                    }
                    self.exec(scope, p, body)?;
                    self.exec(scope, p, step)?;
                }
            }
        }
    }

    /// Executes `body` under `condition` and returns what it assigned.
    fn branch(
        &mut self,
        scope: &mut Scope,
        p: &mut Process<'_>,
        condition: NodeId,
        body: Option<&Stmt>,
    ) -> Result<Layer> {
        let Some(body) = body else {
            return Ok(Layer::default());
        };
        p.env.layers.push(Layer::default());
        p.path.push(condition);
        self.exec(scope, p, body)?;
        p.path.pop();
        Ok(p.env.layers.pop().unwrap_or_default())
    }

    /// Brings the two sides of a branch together in the current layer.
    fn merge(&mut self, p: &mut Process<'_>, c: NodeId, then: Layer, other: Layer) -> Result<()> {
        let merged = self.merged(p, c, then, other);
        for (slot, value) in merged {
            p.env.set(slot, value);
        }
        self.check()
    }

    fn merged(&mut self, p: &Process<'_>, c: NodeId, then: Layer, mut other: Layer) -> Layer {
        let mut slots: Vec<Slot> = then.keys().chain(other.keys()).copied().collect();
        slots.sort_unstable();
        slots.dedup();
        for slot in slots {
            let a = then
                .get(&slot)
                .copied()
                .unwrap_or_else(|| self.current(&p.env, slot));
            let b = other
                .get(&slot)
                .copied()
                .unwrap_or_else(|| self.current(&p.env, slot));
            let value = self.builder.mux(c, a, b);
            other.insert(slot, value);
        }
        other
    }

    fn case(
        &mut self,
        scope: &mut Scope,
        p: &mut Process<'_>,
        kind: CaseKind,
        subject: &Expr,
        items: &[CaseItem],
    ) -> Result<()> {
        let mut shape = self.shape(scope, subject)?;
        for label in items.iter().flat_map(|i| &i.labels) {
            shape = shape.join(self.shape(scope, label)?);
        }
        let value = self.lower(scope, &p.env, subject, shape)?;
        let mut arms: Vec<(NodeId, Layer)> = Vec::new();
        let mut default = None;
        let mut none_before = self.builder.value(1, 1);
        for item in items {
            if item.labels.is_empty() {
                if default.replace(&item.body).is_some() {
                    return Err(self.meaning(item.body.line, "a case statement has one default"));
                }
                continue;
            }
            let mut hit = self.builder.value(1, 0);
            for label in &item.labels {
                let keep = self.label_mask(kind, label, shape.width)?;
                let label = self.lower(scope, &p.env, label, shape)?;
                let keep = self.builder.constant(keep);
                let (a, b) = (self.builder.and(value, keep), self.builder.and(label, keep));
                let equal = self.builder.binary(Bin::Eq, a, b);
                hit = self.builder.or(hit, equal);
            }
            if self.builder.as_const(hit).is_some_and(Bits::is_zero) {
                continue;
            }
            let guard = self.builder.and(none_before, hit);
            let layer = self.branch(scope, p, guard, Some(&item.body))?;
            arms.push((hit, layer));
            let miss = self.builder.not(hit);
            none_before = self.builder.and(none_before, miss);
        }
        let mut rest = self.branch(scope, p, none_before, default)?;
        for (hit, layer) in arms.into_iter().rev() {
            rest = self.merged(p, hit, layer, rest);
            self.check()?;
        }
        for (slot, value) in rest {
            p.env.set(slot, value);
        }
        Ok(())
    }

    /// The bits of a case label that count.
    fn label_mask(&self, kind: CaseKind, label: &Expr, width: u32) -> Result<Bits> {
        let ExprKind::Number(n) = &label.kind else {
            return Ok(Bits::ones(width));
        };
        let (x, z) = (n.x.zext(width), n.z.zext(width));
        let ignored = match kind {
            CaseKind::Exact => Bits::zero(width),
            CaseKind::Z => z.clone(),
            CaseKind::X => z.or(&x),
        };
        if !x.or(&z).and(&ignored.not()).is_zero() {
            return Err(self.unsupported(label.line, "x or z in a case label that compares it"));
        }
        Ok(ignored.not())
    }
}
