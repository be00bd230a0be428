//! Self-determined widths and signs of expressions (IEEE 1364-2001, sections 4.4 and 4.5).

use super::Elaborator;
use super::scope::{Scope, Symbol};
use crate::error::Error;
use crate::error::Result;
use crate::front::ast::{Binary, Expr, ExprKind, Unary};
use crate::limits::MAX_WIDTH;

/// Width and sign of an expression or of its context.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) width: u32,
    pub(super) signed: bool,
}

impl Shape {
    pub(super) const BIT: Shape = Shape {
        width: 1,
        signed: false,
    };

    pub(super) fn unsigned(width: u32) -> Self {
        Shape {
            width,
            signed: false,
        }
    }
    /// The shape of operands that are brought to a common one.
    pub(super) fn join(self, o: Shape) -> Self {
        Shape {
            width: self.width.max(o.width),
            signed: self.signed && o.signed,
        }
    }
    /// The same sign, at least `width` bits.
    pub(super) fn at_least(self, width: u32) -> Self {
        Shape {
            width: self.width.max(width),
            ..self
        }
    }
}

impl Elaborator<'_> {
    /// The self-determined shape of `e`, remembered for the instance.
    pub(super) fn shape(&mut self, scope: &mut Scope, e: &Expr) -> Result<Shape> {
        if let Some(s) = scope.shapes.get(&std::ptr::from_ref(e)) {
            return Ok(*s);
        }
        let s = self.compute_shape(scope, e)?;
        if s.width > MAX_WIDTH {
            return Err(Error::Limit {
                what: format!(
                    "the width {} of the expression at {}:{}",
                    s.width, self.file, e.line
                ),
                name: "MAX_WIDTH",
                limit: MAX_WIDTH.into(),
            });
        }
        scope.shapes.insert(std::ptr::from_ref(e), s);
        Ok(s)
    }

    fn compute_shape(&mut self, scope: &mut Scope, e: &Expr) -> Result<Shape> {
        Ok(match &e.kind {
            ExprKind::Number(n) => Shape {
                width: n.value.width(),
                signed: n.signed,
            },
            ExprKind::Real => return Err(self.unsupported(e.line, "real number in an expression")),
            ExprKind::Str(_) => return Err(self.unsupported(e.line, "string in an expression")),
            ExprKind::Ident(name) => match self.symbol(scope, e.line, name)? {
                Symbol::Signal { shape, .. } => *shape,
                Symbol::Param { value, signed } => Shape {
                    width: value.width(),
                    signed: *signed,
                },
                Symbol::Memory { .. } => {
                    return Err(
                        self.meaning(e.line, format!("memory `{name}` needs an index here"))
                    );
                }
                Symbol::Text(_) | Symbol::Unusable(_) => unreachable!("refused by `symbol`"),
            },
            ExprKind::Index(base, _) => match self.memory_name(scope, base) {
                Some((_, shape)) => shape,
                None => Shape::BIT,
            },
            ExprKind::Part(base, msb, lsb) => {
                let range = self.select_range(scope, base)?;
                let (m, l) = (
                    self.constant_i64(scope, msb)?,
                    self.constant_i64(scope, lsb)?,
                );
                if m != l && range.ascending() != (m < l) {
                    return Err(self.meaning(
                        e.line,
                        format!("part select [{m}:{l}] runs against the declaration"),
                    ));
                }
                Shape::unsigned(u32::try_from(m.abs_diff(l).saturating_add(1)).unwrap_or(u32::MAX))
            }
            ExprKind::PartUp(_, _, width) | ExprKind::PartDown(_, _, width) => {
                let w = self.constant_i64(scope, width)?;
                if w < 1 {
                    return Err(
                        self.meaning(e.line, format!("a part select of {w} bits selects nothing"))
                    );
                }
                Shape::unsigned(u32::try_from(w).unwrap_or(u32::MAX))
            }
            ExprKind::Concat(parts) => {
                let mut width = 0u32;
                for p in parts {
                    width = width.saturating_add(self.shape(scope, p)?.width);
                }
                Shape::unsigned(width)
            }
            ExprKind::Repeat(count, inner) => {
                let n = self.constant_i64(scope, count)?;
                if n < 1 {
                    return Err(self.meaning(
                        e.line,
                        format!("a replication needs a positive count, not {n}"),
                    ));
                }
                let w = self.shape(scope, inner)?.width;
                Shape::unsigned(w.saturating_mul(u32::try_from(n).unwrap_or(u32::MAX)))
            }
            ExprKind::Unary(Unary::Plus | Unary::Minus | Unary::Not, a) => self.shape(scope, a)?,
            ExprKind::Unary(_, a) => {
                self.shape(scope, a)?;
                Shape::BIT
            }
            ExprKind::Binary(op, a, b) => {
                let (a, b) = (self.shape(scope, a)?, self.shape(scope, b)?);
                match op {
                    Binary::Shl | Binary::Shr | Binary::Sshl | Binary::Sshr | Binary::Power => a,
                    Binary::Lt | Binary::Le | Binary::Gt | Binary::Ge | Binary::Eq | Binary::Ne => {
                        Shape::BIT
                    }
                    Binary::LogicAnd | Binary::LogicOr => Shape::BIT,
                    _ => a.join(b),
                }
            }
            ExprKind::Cond(c, a, b) => {
                self.shape(scope, c)?;
                self.shape(scope, a)?.join(self.shape(scope, b)?)
            }
            ExprKind::Call(name, _) => self.function_shape(scope, e.line, name)?,
            ExprKind::System(name, args) => match (name.as_str(), args.as_slice()) {
                ("signed", [a]) => Shape {
                    signed: true,
                    ..self.shape(scope, a)?
                },
                ("unsigned", [a]) => Shape {
                    signed: false,
                    ..self.shape(scope, a)?
                },
                ("clog2", [_]) => Shape {
                    width: 32,
                    signed: true,
                },
                _ => return Err(self.unsupported(e.line, format!("system function ${name}"))),
            },
        })
    }
}
