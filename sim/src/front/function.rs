//! Functions that the text defines.

use super::ast::{Decl, DeclKind, Declarator, Direction, Function};
use super::cursor::Cursor;
use crate::error::Result;

/// Words that begin a declaration which no function of the subset has, with the name used in the refusal.
const REFUSED: [(&str, &str); 8] = [
    ("output", "output argument of a function"),
    ("inout", "inout argument of a function"),
    ("parameter", "parameter inside a function"),
    ("localparam", "parameter inside a function"),
    ("real", "real variable"),
    ("time", "time variable"),
    ("realtime", "realtime variable"),
    ("event", "event"),
];

impl Cursor<'_> {
    /// From `function` to `endfunction`, with arguments in either style.
    pub(super) fn function(&mut self) -> Result<Function> {
        let line = self.line();
        self.expect_word("function")?;
        let automatic = self.eat_word("automatic");
        for word in ["real", "time", "realtime"] {
            if self.is_word(word) {
                return Err(self.unsupported(&format!("{word} function")));
            }
        }
        let mut signed = self.eat_word("signed");
        let kind = match self.eat_word("integer") {
            true => DeclKind::Integer,
            false => DeclKind::Reg,
        };
        signed |= kind == DeclKind::Integer;
        let range = self.range()?;
        let name = self.identifier("a function name")?;
        let result = Declarator {
            line,
            name: name.clone(),
            dimension: None,
            init: None,
        };
        let mut decls = vec![Decl {
            line,
            kind,
            direction: None,
            signed,
            range,
            names: vec![result],
        }];
        if self.eat("(") {
            self.refuse_function_decl()?;
            if !self.is_word("input") {
                return Err(self.expected("`input`"));
            }
            let (_, arguments) = self.header_ports()?;
            decls.extend(arguments);
            self.expect(")")?;
        }
        self.expect(";")?;
        loop {
            self.refuse_function_decl()?;
            if !["input", "reg", "integer"].iter().any(|w| self.is_word(w)) {
                break;
            }
            decls.push(self.decl()?);
        }
        if decls.iter().any(|d| d.direction == Some(Direction::Output)) {
            return Err(self.unsupported("output argument of a function"));
        }
        let body = self.stmt()?;
        self.expect_word("endfunction")?;
        Ok(Function {
            line,
            name,
            automatic,
            decls,
            body,
        })
    }

    fn refuse_function_decl(&self) -> Result<()> {
        match REFUSED.iter().find(|(word, _)| self.is_word(word)) {
            Some((_, name)) => Err(self.unsupported(name)),
            None => Ok(()),
        }
    }
}
