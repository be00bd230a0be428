//! A position in the tokens, and the errors that are raised there.

use super::lexer::Token;
use crate::error::{Error, Place, Result};
use crate::limits::MAX_NESTING;

pub(super) struct Cursor<'a> {
    file: &'a str,
    tokens: &'a [(Token<'a>, u32)],
    at: usize,
    depth: usize,
    /// Height of the expression parsed last.
    pub(super) height: usize,
}

/// Words that cannot name anything.
const KEYWORDS: [&str; 63] = [
    "module",
    "endmodule",
    "input",
    "output",
    "inout",
    "wire",
    "reg",
    "integer",
    "signed",
    "parameter",
    "localparam",
    "assign",
    "always",
    "initial",
    "begin",
    "end",
    "if",
    "else",
    "case",
    "casez",
    "casex",
    "endcase",
    "default",
    "for",
    "posedge",
    "negedge",
    "or",
    "function",
    "endfunction",
    "automatic",
    "task",
    "endtask",
    "generate",
    "endgenerate",
    "genvar",
    "while",
    "repeat",
    "forever",
    "fork",
    "join",
    "wait",
    "disable",
    "real",
    "time",
    "realtime",
    "event",
    "tri",
    "wand",
    "wor",
    "tri0",
    "tri1",
    "supply0",
    "supply1",
    "specify",
    "primitive",
    "defparam",
    "deassign",
    "force",
    "release",
    "macromodule",
    "and",
    "not",
    "buf",
];

impl<'a> Cursor<'a> {
    pub(super) fn new(file: &'a str, tokens: &'a [(Token<'a>, u32)]) -> Self {
        Cursor {
            file,
            tokens,
            at: 0,
            depth: 0,
            height: 0,
        }
    }
    pub(super) fn peek(&self) -> &Token<'a> {
        &self.tokens[self.at.min(self.tokens.len() - 1)].0
    }
    pub(super) fn line(&self) -> u32 {
        self.tokens[self.at.min(self.tokens.len() - 1)].1
    }
    pub(super) fn advance(&mut self) -> Token<'a> {
        let token = self.peek().clone();
        self.at += 1;
        token
    }
    pub(super) fn at_end(&self) -> bool {
        *self.peek() == Token::End
    }
    pub(super) fn is(&self, symbol: &str) -> bool {
        matches!(self.peek(), Token::Symbol(s) if *s == symbol)
    }
    pub(super) fn is_word(&self, word: &str) -> bool {
        matches!(self.peek(), Token::Ident(s) if *s == word)
    }
    /// Takes `symbol` if it is next.
    pub(super) fn eat(&mut self, symbol: &str) -> bool {
        let found = self.is(symbol);
        self.at += usize::from(found);
        found
    }
    /// Takes the keyword `word` if it is next.
    pub(super) fn eat_word(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        self.at += usize::from(found);
        found
    }
    pub(super) fn expect(&mut self, symbol: &str) -> Result<()> {
        if self.eat(symbol) {
            Ok(())
        } else {
            Err(self.expected(&format!("`{symbol}`")))
        }
    }
    pub(super) fn expect_word(&mut self, word: &str) -> Result<()> {
        if self.eat_word(word) {
            Ok(())
        } else {
            Err(self.expected(&format!("`{word}`")))
        }
    }
    /// A name that is no keyword.
    pub(super) fn identifier(&mut self, what: &str) -> Result<String> {
        match self.peek() {
            Token::Ident(s) if !KEYWORDS.contains(s) => {
                let name = (*s).to_string();
                self.at += 1;
                Ok(name)
            }
            _ => Err(self.expected(what)),
        }
    }
    /// A syntax error at the next token.
    pub(super) fn expected(&self, expected: &str) -> Error {
        let found = self.peek().to_string();
        Error::Syntax {
            at: self.place(),
            expected: expected.into(),
            found,
        }
    }
    pub(super) fn unsupported(&self, construct: &str) -> Error {
        Error::Unsupported {
            at: self.place(),
            construct: construct.into(),
        }
    }
    fn place(&self) -> Place {
        Place {
            file: self.file.into(),
            line: self.line(),
        }
    }
    /// Runs `f` one nesting level deeper.
    pub(super) fn nested<T>(&mut self, f: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.depth == MAX_NESTING {
            return Err(Error::Limit {
                what: format!("the nesting at {}", self.place()),
                name: "MAX_NESTING",
                limit: MAX_NESTING as u64,
            });
        }
        self.depth += 1;
        let out = f(self);
        self.depth -= 1;
        out
    }
    /// Notes that an expression stands on one of height `below`. A tree may be higher than its text is nested: a
    /// chain of operators leans to the left.
    pub(super) fn grow(&mut self, below: usize) -> Result<()> {
        self.height = below + 1;
        if self.height > MAX_NESTING {
            return Err(Error::Limit {
                what: format!("the height of the expression at {}", self.place()),
                name: "MAX_NESTING",
                limit: MAX_NESTING as u64,
            });
        }
        Ok(())
    }
    /// Items separated by commas, at least one.
    pub(super) fn list<T>(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Result<T>,
    ) -> Result<Vec<T>> {
        let mut out = vec![item(self)?];
        while self.eat(",") {
            out.push(item(self)?);
        }
        Ok(out)
    }
}
