//! Front end: Verilog text to a syntax tree. A nom lexer, then recursive descent over its tokens.

pub(crate) mod ast;
mod cursor;
mod expr;
mod function;
mod lexer;
mod module;
mod number;
mod stmt;

use crate::error::{Error, Result};
use crate::limits::MAX_SOURCE_BYTES;

/// Parses all modules of `source`; `file` is the name used in messages.
pub(crate) fn parse(file: &str, source: &str) -> Result<Vec<ast::Module>> {
    if source.len() > MAX_SOURCE_BYTES {
        return Err(Error::Limit {
            what: "the source text's size in bytes".into(),
            name: "MAX_SOURCE_BYTES",
            limit: MAX_SOURCE_BYTES as u64,
        });
    }
    let tokens = lexer::tokens(file, source)?;
    let mut cursor = cursor::Cursor::new(file, &tokens);
    let mut modules = Vec::new();
    while !cursor.at_end() {
        modules.push(cursor.module()?);
    }
    Ok(modules)
}
