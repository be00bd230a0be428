//! Assignment targets.

use super::Elaborator;
use super::process::Env;
use super::scope::{Scope, Symbol};
use super::select::Offset;
use crate::error::{Error, Result};
use crate::front::ast::{Expr, ExprKind};
use crate::ir::NodeId;
use crate::limits::MAX_WIDTH;

/// One assigned part.
#[derive(Debug, Clone)]
pub(super) enum Target {
    Signal {
        id: u32,
        offset: Offset,
        width: u32,
        total: u32,
    },
    /// Bits from `lo` on of a memory word.
    Memory {
        id: u32,
        address: NodeId,
        lo: u32,
        width: u32,
    },
}

impl Target {
    pub(super) fn width(&self) -> u32 {
        match self {
            Target::Signal { width, .. } | Target::Memory { width, .. } => *width,
        }
    }
}

impl Elaborator<'_> {
    /// The parts that `e` assigns, most significant first.
    pub(super) fn targets(
        &mut self,
        scope: &mut Scope,
        env: &Env<'_>,
        e: &Expr,
    ) -> Result<Vec<Target>> {
        let mut out = Vec::new();
        self.collect_targets(scope, env, e, &mut out)?;
        Ok(out)
    }

    /// Bits that `targets` have together.
    pub(super) fn total_width(&self, line: u32, targets: &[Target]) -> Result<u32> {
        let width = targets.iter().map(|t| u64::from(t.width())).sum::<u64>();
        if width > MAX_WIDTH.into() {
            return Err(Error::Limit {
                what: format!(
                    "the width {width} of the assignment at {}:{line}",
                    self.file
                ),
                name: "MAX_WIDTH",
                limit: MAX_WIDTH.into(),
            });
        }
        Ok(width as u32)
    }

    fn collect_targets(
        &mut self,
        scope: &mut Scope,
        env: &Env<'_>,
        e: &Expr,
        out: &mut Vec<Target>,
    ) -> Result<()> {
        match &e.kind {
            ExprKind::Concat(parts) => {
                return parts
                    .iter()
                    .try_for_each(|p| self.collect_targets(scope, env, p, out));
            }
            ExprKind::Ident(name) => match *self.symbol(scope, e.line, name)? {
                Symbol::Signal { id, shape, .. } => {
                    let (width, total) = (shape.width, shape.width);
                    out.push(Target::Signal {
                        id,
                        offset: Offset::Known(0),
                        width,
                        total,
                    });
                }
                Symbol::Memory { .. } => {
                    return Err(self.meaning(e.line, format!("memory `{name}` needs an index")));
                }
                _ => {
                    return Err(
                        self.meaning(e.line, format!("parameter `{name}` cannot be assigned"))
                    );
                }
            },
            ExprKind::Index(base, index) if self.memory_name(scope, base).is_some() => {
                let Some((id, shape)) = self.memory_name(scope, base) else {
                    unreachable!("just matched")
                };
                let address = self.address(scope, env, base, index)?;
                out.push(Target::Memory {
                    id,
                    address,
                    lo: 0,
                    width: shape.width,
                });
            }
            ExprKind::Index(..)
            | ExprKind::Part(..)
            | ExprKind::PartUp(..)
            | ExprKind::PartDown(..) => {
                let width = self.shape(scope, e)?.width;
                let (base, offset) = self.offset(scope, env, e)?;
                match &base.kind {
                    ExprKind::Ident(name) => match *self.symbol(scope, e.line, name)? {
                        Symbol::Signal { id, shape, .. } => {
                            out.push(Target::Signal {
                                id,
                                offset,
                                width,
                                total: shape.width,
                            });
                        }
                        _ => {
                            return Err(self.meaning(
                                e.line,
                                format!("parameter `{name}` cannot be assigned"),
                            ));
                        }
                    },
                    ExprKind::Index(memory, index) => {
                        let Some((id, shape)) = self.memory_name(scope, memory) else {
                            return Err(self.unsupported(e.line, "select of a select"));
                        };
                        let address = self.address(scope, env, memory, index)?;
                        let Offset::Known(lo) = offset else {
                            return Err(self
                                .unsupported(e.line, "write to a computed part of a memory word"));
                        };
                        if lo < 0 || lo.saturating_add(width.into()) > shape.width.into() {
                            return Err(self.meaning(
                                e.line,
                                "the assigned part lies outside the memory word",
                            ));
                        }
                        out.push(Target::Memory {
                            id,
                            address,
                            lo: lo as u32,
                            width,
                        });
                    }
                    _ => return Err(self.unsupported(e.line, "select of a select")),
                }
            }
            _ => return Err(self.meaning(e.line, "this expression cannot be assigned")),
        }
        Ok(())
    }
}
