//! Procedural statements.

use super::ast::{CaseItem, CaseKind, Expr, ExprKind, Stmt, StmtKind};
use super::cursor::Cursor;
use super::lexer::Token;
use crate::error::Result;

/// Statements that are Verilog but not part of the subset, with the name used in the refusal.
const REFUSED: [(&str, &str); 12] = [
    ("while", "while loop"),
    ("repeat", "repeat loop"),
    ("forever", "forever loop"),
    ("fork", "fork"),
    ("wait", "wait statement"),
    ("disable", "disable statement"),
    ("assign", "procedural assign"),
    ("deassign", "procedural deassign"),
    ("force", "force"),
    ("release", "release"),
    ("task", "task"),
    ("reg", "declaration inside a block"),
];

impl Cursor<'_> {
    pub(super) fn stmt(&mut self) -> Result<Stmt> {
        self.nested(Self::stmt_inner)
    }

    fn stmt_inner(&mut self) -> Result<Stmt> {
        let line = self.line();
        let wrap = |kind| Stmt { line, kind };
        match *self.peek() {
            Token::Symbol(";") => {
                self.advance();
                Ok(wrap(StmtKind::Empty))
            }
            Token::Symbol("#") => Err(self.unsupported("delay")),
            Token::Symbol("@") => Err(self.unsupported("event control inside a process")),
            Token::Symbol("->") => Err(self.unsupported("event trigger")),
            Token::System(name @ ("readmemh" | "readmemb")) => {
                self.advance();
                self.expect("(")?;
                let args = self.list(Self::expr)?;
                self.expect(")")?;
                self.expect(";")?;
                let radix = if name == "readmemh" { 16 } else { 2 };
                Ok(wrap(StmtKind::ReadMemory(radix, args)))
            }
            Token::System(name) => Err(self.unsupported(&format!("system task ${name}"))),
            Token::Ident("begin") => {
                self.advance();
                if self.eat(":") {
                    self.identifier("a block name")?;
                }
                let mut body = Vec::new();
                while !self.eat_word("end") {
                    body.push(self.stmt()?);
                }
                Ok(wrap(StmtKind::Block(body)))
            }
            Token::Ident("if") => {
                self.advance();
                self.expect("(")?;
                let condition = self.expr()?;
                self.expect(")")?;
                let yes = Box::new(self.stmt()?);
                let no = if self.eat_word("else") {
                    Some(Box::new(self.stmt()?))
                } else {
                    None
                };
                Ok(wrap(StmtKind::If(condition, yes, no)))
            }
            Token::Ident("case") => self.case(CaseKind::Exact),
            Token::Ident("casez") => self.case(CaseKind::Z),
            Token::Ident("casex") => self.case(CaseKind::X),
            Token::Ident("for") => {
                self.advance();
                self.expect("(")?;
                let init = Box::new(self.assignment()?);
                self.expect(";")?;
                let condition = self.expr()?;
                self.expect(";")?;
                let step = Box::new(self.assignment()?);
                self.expect(")")?;
                let body = Box::new(self.stmt()?);
                Ok(wrap(StmtKind::For(init, condition, step, body)))
            }
            Token::Ident(word) => {
                if let Some((_, name)) = REFUSED.iter().find(|(w, _)| *w == word) {
                    return Err(self.unsupported(name));
                }
                let s = self.assignment()?;
                self.expect(";")?;
                Ok(s)
            }
            _ => {
                let s = self.assignment()?;
                self.expect(";")?;
                Ok(s)
            }
        }
    }

    fn assignment(&mut self) -> Result<Stmt> {
        let line = self.line();
        let target = self.lvalue()?;
        let blocking = if self.eat("=") {
            true
        } else if self.eat("<=") {
            false
        } else if self.is("(") || self.is(";") {
            return Err(self.unsupported("task call"));
        } else {
            return Err(self.expected("`=` or `<=`"));
        };
        if self.is("#") {
            return Err(self.unsupported("delay"));
        }
        let value = self.expr()?;
        let kind = if blocking {
            StmtKind::Blocking(target, value)
        } else {
            StmtKind::NonBlocking(target, value)
        };
        Ok(Stmt { line, kind })
    }

    /// A name with selects, or a concatenation of such.
    pub(super) fn lvalue(&mut self) -> Result<Expr> {
        let line = self.line();
        if self.eat("{") {
            let parts = self.nested(|c| c.list(Self::lvalue))?;
            self.expect("}")?;
            return Ok(Expr {
                line,
                kind: ExprKind::Concat(parts),
            });
        }
        let name = self.identifier("a statement or an assignment target")?;
        self.selects(Expr {
            line,
            kind: ExprKind::Ident(name),
        })
    }

    fn case(&mut self, kind: CaseKind) -> Result<Stmt> {
        let line = self.line();
        self.advance();
        self.expect("(")?;
        let subject = self.expr()?;
        self.expect(")")?;
        let mut items = Vec::new();
        while !self.eat_word("endcase") {
            let labels = if self.eat_word("default") {
                self.eat(":");
                Vec::new()
            } else {
                let labels = self.list(Self::expr)?;
                self.expect(":")?;
                labels
            };
            items.push(CaseItem {
                labels,
                body: self.stmt()?,
            });
        }
        Ok(Stmt {
            line,
            kind: StmtKind::Case(kind, subject, items),
        })
    }
}
