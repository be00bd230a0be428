//! Expressions to nodes: operands are brought to the width and sign of their context.

use super::Elaborator;
use super::process::Env;
use super::scope::{Scope, Symbol};
use super::shape::Shape;
use crate::bits::Bits;
use crate::error::Result;
use crate::front::ast::{Binary, Expr, ExprKind, Unary};
use crate::ir::{Binary as Bin, NodeId, Unary as Un};

impl Elaborator<'_> {
    /// The value of a constant expression and its sign.
    pub(super) fn constant(&mut self, scope: &mut Scope, e: &Expr) -> Result<(Bits, bool)> {
        let shape = self.shape(scope, e)?;
        let node = self.lower(scope, &Env::none(), e, shape)?;
        match self.builder.as_const(node) {
            Some(b) => Ok((b.clone(), shape.signed)),
            None => Err(self.meaning(e.line, "this expression must be constant")),
        }
    }
    /// The value of a constant expression as an integer.
    pub(super) fn constant_i64(&mut self, scope: &mut Scope, e: &Expr) -> Result<i64> {
        let (value, signed) = self.constant(scope, e)?;
        Ok(if signed {
            value.to_i64()
        } else {
            value.zext(value.width() + 1).to_i64()
        })
    }
    /// The self-determined value of `e`.
    pub(super) fn value(&mut self, scope: &mut Scope, env: &Env<'_>, e: &Expr) -> Result<NodeId> {
        let shape = self.shape(scope, e)?;
        self.lower(scope, env, e, shape)
    }
    /// The value of `e` as the right side of an assignment to `width` bits.
    pub(super) fn assigned(
        &mut self,
        scope: &mut Scope,
        env: &Env<'_>,
        e: &Expr,
        width: u32,
    ) -> Result<NodeId> {
        let shape = self.shape(scope, e)?.at_least(width);
        let value = self.lower(scope, env, e, shape)?;
        Ok(self.builder.slice(value, 0, width))
    }
    /// One bit: whether `e` is not zero.
    pub(super) fn truth(&mut self, scope: &mut Scope, env: &Env<'_>, e: &Expr) -> Result<NodeId> {
        let value = self.value(scope, env, e)?;
        Ok(self.builder.unary(Un::RedOr, value))
    }
    /// `node` brought to `to`: extended by the sign of the context, as the standard says.
    pub(super) fn extend(&mut self, node: NodeId, to: Shape) -> NodeId {
        if to.signed {
            self.builder.sext(node, to.width)
        } else {
            self.builder.zext(node, to.width)
        }
    }

    /// The value of `e` in a context of shape `to`, which is at least as wide as `e`.
    pub(super) fn lower(
        &mut self,
        scope: &mut Scope,
        env: &Env<'_>,
        e: &Expr,
        to: Shape,
    ) -> Result<NodeId> {
        let node = match &e.kind {
            ExprKind::Unary(op @ (Unary::Plus | Unary::Minus | Unary::Not), a) => {
                let a = self.lower(scope, env, a, to)?;
                return Ok(match op {
                    Unary::Minus => self.builder.unary(Un::Neg, a),
                    Unary::Not => self.builder.not(a),
                    _ => a,
                });
            }
            ExprKind::Binary(op, a, b) => match self.context_binary(scope, env, *op, a, b, to)? {
                Some(node) => return Ok(node),
                None => self.self_determined_binary(scope, env, *op, a, b)?,
            },
            ExprKind::Cond(c, a, b) => {
                let c = self.truth(scope, env, c)?;
                let (a, b) = (
                    self.lower(scope, env, a, to)?,
                    self.lower(scope, env, b, to)?,
                );
                return Ok(self.builder.mux(c, a, b));
            }
            ExprKind::Number(n) => self.builder.constant(n.value.clone()),
            ExprKind::Real => return Err(self.unsupported(e.line, "real number in an expression")),
            ExprKind::Str(_) => return Err(self.unsupported(e.line, "string in an expression")),
            ExprKind::Ident(name) => match self.symbol(scope, e.line, name)? {
                Symbol::Signal { id, .. } => self.read_signal(env, *id),
                Symbol::Param { value, .. } => self.builder.constant(value.clone()),
                _ => {
                    return Err(
                        self.meaning(e.line, format!("memory `{name}` needs an index here"))
                    );
                }
            },
            ExprKind::Index(..)
            | ExprKind::Part(..)
            | ExprKind::PartUp(..)
            | ExprKind::PartDown(..) => self.select(scope, env, e)?,
            ExprKind::Concat(parts) => {
                let mut nodes = Vec::with_capacity(parts.len());
                for p in parts {
                    nodes.push(self.value(scope, env, p)?);
                }
                self.builder.concat(&nodes)
            }
            ExprKind::Repeat(_, inner) => {
                let width = self.shape(scope, e)?.width;
                let inner = self.value(scope, env, inner)?;
                let n = width / self.builder.width(inner);
                self.builder.concat(&vec![inner; n as usize])
            }
            ExprKind::Unary(op, a) => {
                let a = self.value(scope, env, a)?;
                let (reduce, invert) = match op {
                    Unary::And => (Un::RedAnd, false),
                    Unary::Nand => (Un::RedAnd, true),
                    Unary::Xor => (Un::RedXor, false),
                    Unary::Xnor => (Un::RedXor, true),
                    Unary::Or => (Un::RedOr, false),
                    _ => (Un::RedOr, true),
                };
                let r = self.builder.unary(reduce, a);
                if invert { self.builder.not(r) } else { r }
            }
            ExprKind::Call(name, args) => self.call(scope, env, e.line, name, args)?,
            ExprKind::System(name, args) => {
                let a = self.value(scope, env, &args[0])?;
                if name == "clog2" {
                    self.clog2(e.line, a)?
                } else {
                    a
                }
            }
        };
        Ok(self.extend(node, to))
    }

    fn clog2(&mut self, line: u32, a: NodeId) -> Result<NodeId> {
        let Some(v) = self.builder.as_const(a) else {
            return Err(self.meaning(line, "$clog2 needs a constant"));
        };
        let less = v.sub(&Bits::new(v.width(), 1));
        let bits = (0..v.width())
            .rev()
            .find(|i| less.bit(*i))
            .map_or(0, |i| i + 1);
        let bits = if v.is_zero() { 0 } else { bits };
        Ok(self.builder.value(32, bits.into()))
    }

    /// Operators whose operands take the width of the context.
    fn context_binary(
        &mut self,
        scope: &mut Scope,
        env: &Env<'_>,
        op: Binary,
        a: &Expr,
        b: &Expr,
        to: Shape,
    ) -> Result<Option<NodeId>> {
        let bin = match op {
            Binary::Shl | Binary::Sshl => Bin::Shl,
            Binary::Shr => Bin::Lshr,
            Binary::Sshr if to.signed => Bin::Ashr,
            Binary::Sshr => Bin::Lshr,
            Binary::Add => Bin::Add,
            Binary::Sub => Bin::Sub,
            Binary::Mul => Bin::Mul,
            Binary::Div if to.signed => Bin::Sdiv,
            Binary::Div => Bin::Udiv,
            Binary::Rem if to.signed => Bin::Srem,
            Binary::Rem => Bin::Urem,
            Binary::And => Bin::And,
            Binary::Or => Bin::Or,
            Binary::Xor | Binary::Xnor => Bin::Xor,
            Binary::Power => return self.power(scope, env, a, b, to).map(Some),
            _ => return Ok(None),
        };
        let left = self.lower(scope, env, a, to)?;
        let right = match bin {
            Bin::Shl | Bin::Lshr | Bin::Ashr => self.value(scope, env, b)?,
            _ => self.lower(scope, env, b, to)?,
        };
        let divides = matches!(bin, Bin::Udiv | Bin::Urem | Bin::Sdiv | Bin::Srem);
        let constant =
            self.builder.as_const(left).is_some() && self.builder.as_const(right).is_some();
        if divides && to.width > 64 && !constant {
            return Err(self.unsupported(a.line, "division wider than 64 bits"));
        }
        let node = self.builder.binary(bin, left, right);
        Ok(Some(if op == Binary::Xnor {
            self.builder.not(node)
        } else {
            node
        }))
    }

    /// Powers of constants, as widths and depths use them.
    fn power(
        &mut self,
        scope: &mut Scope,
        env: &Env<'_>,
        a: &Expr,
        b: &Expr,
        to: Shape,
    ) -> Result<NodeId> {
        let line = a.line;
        let base = self.lower(scope, env, a, to)?;
        let exponent = self.value(scope, env, b)?;
        let (Some(base), Some(n)) = (self.builder.as_const(base), self.builder.as_const(exponent))
        else {
            return Err(self.unsupported(line, "power of values that are not constant"));
        };
        let (base, n) = (base.clone(), n.clone());
        if n.sign() && self.shape(scope, b)?.signed {
            return Err(self.unsupported(line, "negative exponent"));
        }
        let bits = (0..n.width())
            .rev()
            .find(|i| n.bit(*i))
            .map_or(0, |i| i + 1);
        let (mut result, mut square) = (Bits::new(to.width, 1), base);
        let product = (square.limbs().len() as u64).pow(2);
        self.at = ("power", line);
        for i in 0..bits {
            self.builder.charge(2 * product);
            self.check()?;
            if n.bit(i) {
                result = result.mul(&square);
            }
            if i + 1 < bits {
                square = square.mul(&square);
            }
        }
        Ok(self.builder.constant(result))
    }

    /// Comparisons and logic: one bit, operands sized among themselves.
    fn self_determined_binary(
        &mut self,
        scope: &mut Scope,
        env: &Env<'_>,
        op: Binary,
        a: &Expr,
        b: &Expr,
    ) -> Result<NodeId> {
        if matches!(op, Binary::LogicAnd | Binary::LogicOr) {
            let (a, b) = (self.truth(scope, env, a)?, self.truth(scope, env, b)?);
            return Ok(match op {
                Binary::LogicAnd => self.builder.and(a, b),
                _ => self.builder.or(a, b),
            });
        }
        let shape = self.shape(scope, a)?.join(self.shape(scope, b)?);
        let (a, b) = (
            self.lower(scope, env, a, shape)?,
            self.lower(scope, env, b, shape)?,
        );
        let less = if shape.signed { Bin::Slt } else { Bin::Ult };
        let (bin, x, y, invert) = match op {
            Binary::Lt => (less, a, b, false),
            Binary::Ge => (less, a, b, true),
            Binary::Gt => (less, b, a, false),
            Binary::Le => (less, b, a, true),
            Binary::Ne => (Bin::Eq, a, b, true),
            _ => (Bin::Eq, a, b, false),
        };
        let node = self.builder.binary(bin, x, y);
        Ok(if invert { self.builder.not(node) } else { node })
    }
}
