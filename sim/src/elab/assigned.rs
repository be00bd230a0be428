//! Which variables a function has assigned before it reads them, on every path.
//!
//! A function that is not `automatic` keeps its variables from one call to the next. One that assigns them before it
//! reads them, its result included, cannot tell; any other is refused. The body of a loop counts as executed, and a
//! part of a variable as the variable.

use std::collections::HashSet;

use super::Elaborator;
use crate::error::Result;
use crate::front::ast::{Direction, Expr, ExprKind, Function, Stmt, StmtKind};

/// A read of a variable that may not be assigned yet: its line and name.
type Early<'f> = (u32, &'f str);
type Found<'f> = std::result::Result<(), Early<'f>>;

/// The variables that are assigned at one point.
#[derive(Clone)]
struct Assigned<'f> {
    variables: &'f HashSet<&'f str>,
    names: HashSet<&'f str>,
}

impl Elaborator<'_> {
    /// Refuses a static function that could see what an earlier call left.
    pub(super) fn assigned_first(&self, function: &Function) -> Result<()> {
        if function.automatic {
            return Ok(());
        }
        let mut variables = HashSet::new();
        let mut names = HashSet::new();
        for decl in &function.decls {
            let input = decl.direction == Some(Direction::Input);
            for d in &decl.names {
                variables.insert(d.name.as_str());
                if input {
                    names.insert(d.name.as_str());
                }
            }
        }
        let mut assigned = Assigned {
            variables: &variables,
            names,
        };
        let name = function.name.as_str();
        let found = assigned
            .stmt(&function.body)
            .and_then(|()| assigned.read(function.line, name));
        found.map_err(|(line, variable)| {
            self.unsupported(
                line,
                format!(
                    "`{variable}`, which function `{name}` does not assign on every path before it is read (an \
                     automatic function would start it at zero),"
                ),
            )
        })
    }
}

impl<'f> Assigned<'f> {
    fn read(&self, line: u32, name: &'f str) -> Found<'f> {
        match self.variables.contains(name) && !self.names.contains(name) {
            true => Err((line, name)),
            false => Ok(()),
        }
    }

    fn expr(&self, e: &'f Expr) -> Found<'f> {
        match &e.kind {
            ExprKind::Number(_) | ExprKind::Real | ExprKind::Str(_) => Ok(()),
            ExprKind::Ident(name) => self.read(e.line, name),
            ExprKind::Unary(_, a) => self.expr(a),
            ExprKind::Index(a, b) | ExprKind::Repeat(a, b) | ExprKind::Binary(_, a, b) => {
                self.expr(a)?;
                self.expr(b)
            }
            ExprKind::Part(a, b, c)
            | ExprKind::PartUp(a, b, c)
            | ExprKind::PartDown(a, b, c)
            | ExprKind::Cond(a, b, c) => [a, b, c].into_iter().try_for_each(|e| self.expr(e)),
            ExprKind::Concat(all) | ExprKind::System(_, all) | ExprKind::Call(_, all) => {
                all.iter().try_for_each(|e| self.expr(e))
            }
        }
    }

    /// What an assignment to `e` reads and assigns.
    fn target(&mut self, e: &'f Expr) -> Found<'f> {
        match &e.kind {
            ExprKind::Ident(name) => {
                self.names.insert(name);
                Ok(())
            }
            ExprKind::Index(base, a) => {
                self.expr(a)?;
                self.target(base)
            }
            ExprKind::Part(base, a, b)
            | ExprKind::PartUp(base, a, b)
            | ExprKind::PartDown(base, a, b) => {
                self.expr(a)?;
                self.expr(b)?;
                self.target(base)
            }
            ExprKind::Concat(parts) => parts.iter().try_for_each(|p| self.target(p)),
            _ => self.expr(e),
        }
    }

    fn stmt(&mut self, s: &'f Stmt) -> Found<'f> {
        match &s.kind {
            StmtKind::Empty | StmtKind::ReadMemory(..) => Ok(()),
            StmtKind::Block(body) => body.iter().try_for_each(|s| self.stmt(s)),
            StmtKind::Blocking(target, value) | StmtKind::NonBlocking(target, value) => {
                self.expr(value)?;
                self.target(target)
            }
            StmtKind::If(condition, yes, no) => {
                self.expr(condition)?;
                let mut then = self.clone();
                then.stmt(yes)?;
                if let Some(no) = no {
                    self.stmt(no)?;
                    self.names.retain(|n| then.names.contains(n));
                }
                Ok(())
            }
            StmtKind::Case(_, subject, items) => {
                self.expr(subject)?;
                let mut common: Option<HashSet<&str>> = None;
                for item in items {
                    item.labels.iter().try_for_each(|l| self.expr(l))?;
                    let mut arm = self.clone();
                    arm.stmt(&item.body)?;
                    common = Some(match common {
                        Some(c) => c.intersection(&arm.names).copied().collect(),
                        None => arm.names,
                    });
                }
                let complete = items.iter().any(|i| i.labels.is_empty());
                self.names
                    .extend(common.filter(|_| complete).into_iter().flatten());
                Ok(())
            }
            StmtKind::For(init, condition, step, body) => {
                self.stmt(init)?;
                self.expr(condition)?;
                self.stmt(body)?;
                self.stmt(step)
            }
        }
    }
}
