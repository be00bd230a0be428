//! Expressions, by precedence climbing.

use super::ast::{Binary, Expr, ExprKind, Unary};
use super::cursor::Cursor;
use super::lexer::Token;
use crate::error::Result;

/// Binary operators from the loosest to the tightest level, as in IEEE 1364-2001 table 22.
fn binary(symbol: &str) -> Option<(u8, Binary)> {
    Some(match symbol {
        "||" => (1, Binary::LogicOr),
        "&&" => (2, Binary::LogicAnd),
        "|" => (3, Binary::Or),
        "^" => (4, Binary::Xor),
        "~^" | "^~" => (4, Binary::Xnor),
        "&" => (5, Binary::And),
        "==" | "===" => (6, Binary::Eq),
        "!=" | "!==" => (6, Binary::Ne),
        "<" => (7, Binary::Lt),
        "<=" => (7, Binary::Le),
        ">" => (7, Binary::Gt),
        ">=" => (7, Binary::Ge),
        "<<" => (8, Binary::Shl),
        ">>" => (8, Binary::Shr),
        "<<<" => (8, Binary::Sshl),
        ">>>" => (8, Binary::Sshr),
        "+" => (9, Binary::Add),
        "-" => (9, Binary::Sub),
        "*" => (10, Binary::Mul),
        "/" => (10, Binary::Div),
        "%" => (10, Binary::Rem),
        "**" => (11, Binary::Power),
        _ => return None,
    })
}

fn unary(symbol: &str) -> Option<Unary> {
    Some(match symbol {
        "+" => Unary::Plus,
        "-" => Unary::Minus,
        "~" => Unary::Not,
        "!" => Unary::LogicNot,
        "&" => Unary::And,
        "~&" => Unary::Nand,
        "|" => Unary::Or,
        "~|" => Unary::Nor,
        "^" => Unary::Xor,
        "~^" | "^~" => Unary::Xnor,
        _ => return None,
    })
}

impl Cursor<'_> {
    pub(super) fn expr(&mut self) -> Result<Expr> {
        self.nested(|c| {
            let condition = c.binary_expr(1)?;
            if !c.eat("?") {
                return Ok(condition);
            }
            let line = condition.line;
            let mut height = c.height;
            let yes = c.expr()?;
            height = height.max(c.height);
            c.expect(":")?;
            let no = c.expr()?;
            c.grow(height.max(c.height))?;
            Ok(Expr {
                line,
                kind: ExprKind::Cond(Box::new(condition), Box::new(yes), Box::new(no)),
            })
        })
    }

    fn binary_expr(&mut self, level: u8) -> Result<Expr> {
        let mut left = self.unary_expr()?;
        loop {
            let height = self.height;
            let Token::Symbol(symbol) = *self.peek() else {
                return Ok(left);
            };
            let Some((found, op)) = binary(symbol).filter(|(l, _)| *l >= level) else {
                return Ok(left);
            };
            let line = self.line();
            self.advance();
            let right = self.nested(|c| c.binary_expr(found + 1))?;
            self.grow(height.max(self.height))?;
            left = Expr {
                line,
                kind: ExprKind::Binary(op, Box::new(left), Box::new(right)),
            };
        }
    }

    fn unary_expr(&mut self) -> Result<Expr> {
        let line = self.line();
        if let Token::Symbol(symbol) = *self.peek()
            && let Some(op) = unary(symbol)
        {
            self.advance();
            let operand = self.nested(Self::unary_expr)?;
            self.grow(self.height)?;
            return Ok(Expr {
                line,
                kind: ExprKind::Unary(op, Box::new(operand)),
            });
        }
        self.primary()
    }

    fn primary(&mut self) -> Result<Expr> {
        let line = self.line();
        let wrap = |kind| Expr { line, kind };
        self.height = 1;
        match self.peek().clone() {
            Token::Number(n) => {
                self.advance();
                Ok(wrap(ExprKind::Number(n)))
            }
            Token::Real => {
                self.advance();
                Ok(wrap(ExprKind::Real))
            }
            Token::Str(text) => {
                self.advance();
                Ok(wrap(ExprKind::Str(text.into())))
            }
            Token::System(name) => {
                self.advance();
                if !self.is("(") {
                    return Err(self.unsupported(&format!("system function ${name}")));
                }
                Ok(wrap(ExprKind::System(name.into(), self.arguments()?)))
            }
            Token::Symbol("(") => {
                self.advance();
                let inner = self.expr()?;
                self.expect(")")?;
                Ok(inner)
            }
            Token::Symbol("{") => self.braces(),
            _ => {
                let name = self.identifier("an expression")?;
                if self.is("(") {
                    return Ok(wrap(ExprKind::Call(name, self.arguments()?)));
                }
                self.selects(wrap(ExprKind::Ident(name)))
            }
        }
    }

    /// `(a, b)`, at least one.
    fn arguments(&mut self) -> Result<Vec<Expr>> {
        self.expect("(")?;
        let mut height = 0;
        let args = self.list(|c| {
            let arg = c.expr()?;
            height = height.max(c.height);
            Ok(arg)
        })?;
        self.grow(height)?;
        self.expect(")")?;
        Ok(args)
    }

    /// The selects after a name: `[i]`, `[m:l]`, `[s +: w]`, `[s -: w]`.
    pub(super) fn selects(&mut self, mut base: Expr) -> Result<Expr> {
        if self.is(".") {
            return Err(self.unsupported("hierarchical name"));
        }
        self.height = 1;
        for _ in 0..4 {
            if !self.eat("[") {
                return Ok(base);
            }
            let mut height = self.height;
            let line = self.line();
            let first = Box::new(self.expr()?);
            height = height.max(self.height);
            let inner = Box::new(base);
            let kind = if self.eat(":") {
                ExprKind::Part(inner, first, Box::new(self.expr()?))
            } else if self.eat("+:") {
                ExprKind::PartUp(inner, first, Box::new(self.expr()?))
            } else if self.eat("-:") {
                ExprKind::PartDown(inner, first, Box::new(self.expr()?))
            } else {
                ExprKind::Index(inner, first)
            };
            self.grow(height.max(self.height))?;
            self.expect("]")?;
            base = Expr { line, kind };
        }
        Err(self.unsupported("more than one dimension of memory"))
    }

    fn braces(&mut self) -> Result<Expr> {
        let line = self.line();
        self.expect("{")?;
        let first = self.expr()?;
        let kind = if self.is("{") {
            let height = self.height;
            let inner = self.nested(Self::braces)?;
            self.grow(height.max(self.height))?;
            ExprKind::Repeat(Box::new(first), Box::new(inner))
        } else {
            let mut parts = vec![first];
            let mut height = self.height;
            while self.eat(",") {
                parts.push(self.expr()?);
                height = height.max(self.height);
            }
            self.grow(height)?;
            ExprKind::Concat(parts)
        };
        self.expect("}")?;
        Ok(Expr { line, kind })
    }
}
