//! Functions: each call is executed in place, with its arguments as they are there.
//!
//! A function's variables are no signals of the design: they have numbers of their own, from [`FIRST`] on, and live in
//! the environment of the call. They start as zero in every call. The standard keeps those of a function that is not
//! `automatic` from the call before, so such a function must assign what it reads first (`elab/assigned.rs`).

use std::collections::HashSet;
use std::sync::Arc;

use super::Elaborator;
use super::process::{Env, Process};
use super::scope::{Scope, Symbol};
use super::shape::Shape;
use crate::error::{Error, Result};
use crate::front::ast::{DeclKind, Direction, Expr, Function};
use crate::ir::NodeId;
use crate::limits::{MAX_CALLS, MAX_WIDTH};

/// Numbers from here on are those of variables of functions, those below of signals.
const FIRST: u32 = 1 << 31;
/// Work of a call, apart from what it executes, see [`MAX_WORK`](crate::limits::MAX_WORK).
const CALL_WORK: u64 = 256;
/// Bits that a variable takes until the end.
const VARIABLE_BITS: u64 = 512;

/// A variable of a function.
pub(super) struct Variable {
    pub(super) name: String,
    pub(super) width: u32,
}

/// A function of an instance.
pub(super) struct Callable {
    function: Arc<Function>,
    state: State,
}

enum State {
    /// Not called yet.
    New,
    Ready(Box<Frame>),
    /// Its frame is in use.
    Running,
}

/// What a function declares, in one instance.
struct Frame {
    scope: Scope,
    /// Numbers and widths of the arguments.
    arguments: Vec<(u32, u32)>,
    /// Number and shape of the result.
    result: (u32, Shape),
}

impl Elaborator<'_> {
    /// The variable of a function that has this number.
    pub(super) fn function_variable(&self, id: u32) -> Option<&Variable> {
        self.variables.get(id.checked_sub(FIRST)? as usize)
    }

    /// What messages call a signal or a variable of a function.
    pub(super) fn path(&self, id: u32) -> &str {
        match self.function_variable(id) {
            Some(variable) => &variable.name,
            None => &self.signals[id as usize].path,
        }
    }

    pub(super) fn declare_function(
        &mut self,
        scope: &mut Scope,
        function: &Arc<Function>,
    ) -> Result<()> {
        let callable = Callable {
            function: function.clone(),
            state: State::New,
        };
        let name = &function.name;
        self.builder.charge(CALL_WORK);
        if scope.functions.insert(name.clone(), callable).is_some() {
            return Err(self.meaning(function.line, format!("`{name}` is declared twice")));
        }
        Ok(())
    }

    /// Width and sign of what function `name` returns.
    pub(super) fn function_shape(
        &mut self,
        scope: &mut Scope,
        line: u32,
        name: &str,
    ) -> Result<Shape> {
        Ok(self.frame(scope, line, name)?.result.1)
    }

    /// The value of a call.
    pub(super) fn call(
        &mut self,
        scope: &mut Scope,
        env: &Env<'_>,
        line: u32,
        name: &str,
        args: &[Expr],
    ) -> Result<NodeId> {
        let parameters = self.frame(scope, line, name)?.arguments.clone();
        if args.len() != parameters.len() {
            let message = format!(
                "function `{name}` takes {} arguments, not {}",
                parameters.len(),
                args.len()
            );
            return Err(self.meaning(line, message));
        }
        if self.calls == MAX_CALLS {
            return Err(Error::Limit {
                what: format!("the nesting of calls at {}:{line}", self.file),
                name: "MAX_CALLS",
                limit: MAX_CALLS as u64,
            });
        }
        let mut p = Process::of_function(env);
        for (arg, (id, width)) in args.iter().zip(parameters) {
            let value = self.assigned(scope, env, arg, width)?;
            p.env.set((id, false), value);
        }
        self.builder.charge(CALL_WORK);
        let at = self.at;
        let (function, mut frame) = self.begin(scope, line, name)?;
        self.calls += 1;
        self.exec(&mut frame.scope, &mut p, &function.body)?;
        self.calls -= 1;
        let value = self.current(&p.env, (frame.result.0, false));
        end(scope, name, frame);
        self.at = at;
        self.check()?;
        Ok(value)
    }

    /// Takes the frame of `name`, which then sees the names of `scope`.
    fn begin(
        &mut self,
        scope: &mut Scope,
        line: u32,
        name: &str,
    ) -> Result<(Arc<Function>, Box<Frame>)> {
        let Some(callable) = scope.functions.get_mut(name) else {
            return Err(self.no_function(line, name));
        };
        let State::Ready(mut frame) = std::mem::replace(&mut callable.state, State::Running) else {
            return Err(self.recursive(line, name));
        };
        let function = callable.function.clone();
        frame.scope.functions = std::mem::take(&mut scope.functions);
        frame.scope.module = std::mem::take(scope.module_names());
        Ok((function, frame))
    }

    /// What function `name` declares, made at its first call.
    fn frame<'s>(&mut self, scope: &'s mut Scope, line: u32, name: &str) -> Result<&'s Frame> {
        let Some(callable) = scope.functions.get(name) else {
            return Err(self.no_function(line, name));
        };
        if let State::New = callable.state {
            let function = callable.function.clone();
            // Its widths are made of what the module declares, whoever calls first.
            let mut module = Scope::new(scope.prefix.clone());
            std::mem::swap(&mut module.names, scope.module_names());
            std::mem::swap(&mut module.functions, &mut scope.functions);
            let frame = self.open_function(&mut module, &function)?;
            std::mem::swap(&mut module.names, scope.module_names());
            std::mem::swap(&mut module.functions, &mut scope.functions);
            if let Some(callable) = scope.functions.get_mut(name) {
                callable.state = State::Ready(Box::new(frame));
            }
        }
        match scope.functions.get(name).map(|c| &c.state) {
            Some(State::Ready(frame)) => Ok(frame),
            _ => Err(self.recursive(line, name)),
        }
    }

    fn open_function(&mut self, scope: &mut Scope, function: &Function) -> Result<Frame> {
        let name = &function.name;
        if scope.names.contains_key(name) {
            return Err(self.meaning(function.line, format!("`{name}` is declared twice")));
        }
        self.assigned_first(function)?;
        let mut inner = Scope::new(scope.prefix.clone());
        inner.function = true;
        let mut arguments: Vec<(u32, u32)> = Vec::new();
        let mut again = HashSet::new();
        let mut result = (FIRST, Shape::BIT);
        for (n, decl) in function.decls.iter().enumerate() {
            self.at = ("declaration", decl.line);
            let range = match decl.kind {
                DeclKind::Integer => super::scope::IndexRange { left: 31, right: 0 },
                _ => self.range(scope, decl.range.as_ref())?,
            };
            let shape = Shape {
                width: u32::try_from(range.len()).unwrap_or(u32::MAX),
                signed: decl.signed,
            };
            for d in &decl.names {
                if d.dimension.is_some() {
                    return Err(self.unsupported(d.line, "memory inside a function"));
                }
                if d.init.is_some() {
                    return Err(self.unsupported(d.line, "initial value inside a function"));
                }
                if shape.width > MAX_WIDTH {
                    return Err(Error::Limit {
                        what: format!("the width of `{}` at {}:{}", d.name, self.file, d.line),
                        name: "MAX_WIDTH",
                        limit: MAX_WIDTH.into(),
                    });
                }
                // `input [7:0] a; reg [7:0] a;`
                if let Some(Symbol::Signal { id, range: r, .. }) = inner.names.get(&d.name)
                    && *r == range
                    && decl.direction.is_none()
                    && arguments.iter().any(|(argument, _)| argument == id)
                    && again.insert(&d.name)
                {
                    continue;
                }
                let id = FIRST + self.variables.len() as u32;
                self.builder.hold(VARIABLE_BITS + 8 * d.name.len() as u64);
                self.variables.push(Variable {
                    name: d.name.clone(),
                    width: shape.width,
                });
                if n == 0 {
                    result = (id, shape);
                } else if decl.direction == Some(Direction::Input) {
                    arguments.push((id, shape.width));
                }
                let symbol = Symbol::Signal { id, range, shape };
                if inner.names.insert(d.name.clone(), symbol).is_some() {
                    return Err(self.meaning(d.line, format!("`{}` is declared twice", d.name)));
                }
            }
            self.check()?;
        }
        if arguments.is_empty() {
            let message = format!("function `{name}` needs an argument");
            return Err(self.meaning(function.line, message));
        }
        Ok(Frame {
            scope: inner,
            arguments,
            result,
        })
    }

    fn no_function(&self, line: u32, name: &str) -> Error {
        self.meaning(
            line,
            format!("function `{name}` is not defined in this module"),
        )
    }

    fn recursive(&self, line: u32, name: &str) -> Error {
        self.unsupported(line, format!("recursive function `{name}`"))
    }
}

/// Gives the names back to `scope`, and the frame to its function.
fn end(scope: &mut Scope, name: &str, mut frame: Box<Frame>) {
    scope.functions = std::mem::take(&mut frame.scope.functions);
    *scope.module_names() = std::mem::take(&mut frame.scope.module);
    if let Some(callable) = scope.functions.get_mut(name) {
        callable.state = State::Ready(frame);
    }
}
