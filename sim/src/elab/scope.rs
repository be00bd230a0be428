//! The names that one instance of a module declares.

use std::collections::HashMap;

use super::Elaborator;
use super::shape::Shape;
use crate::bits::Bits;
use crate::error::{Error, Result};
use crate::front::ast::Expr;

/// The declared index range of a vector or of a memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct IndexRange {
    pub(super) left: i64,
    pub(super) right: i64,
}

impl IndexRange {
    pub(super) const BIT: IndexRange = IndexRange { left: 0, right: 0 };

    pub(super) fn low(self) -> i64 {
        self.left.min(self.right)
    }
    pub(super) fn high(self) -> i64 {
        self.left.max(self.right)
    }
    pub(super) fn len(self) -> u64 {
        self.high().abs_diff(self.low()).saturating_add(1)
    }
    /// Whether indices grow towards the least significant bit, as in `[0:7]`.
    pub(super) fn ascending(self) -> bool {
        self.left < self.right
    }
}

/// What a name stands for.
#[derive(Debug, Clone)]
pub(super) enum Symbol {
    Signal {
        id: u32,
        range: IndexRange,
        shape: Shape,
    },
    Memory {
        id: u32,
        range: IndexRange,
        words: IndexRange,
        shape: Shape,
    },
    Param {
        value: Bits,
        signed: bool,
    },
    /// A parameter whose value is not a bit vector; an error only where it is used.
    Unusable(&'static str),
}

/// The names and the path of one instance.
pub(super) struct Scope {
    /// Path of the instance with a trailing dot; empty for the top.
    pub(super) prefix: String,
    pub(super) names: HashMap<String, Symbol>,
    /// Shapes by address of the expression, which the syntax tree keeps in place.
    pub(super) shapes: HashMap<*const Expr, Shape>,
}

impl Elaborator<'_> {
    pub(super) fn symbol<'s>(&self, scope: &'s Scope, line: u32, name: &str) -> Result<&'s Symbol> {
        match scope.names.get(name) {
            Some(Symbol::Unusable(what)) => {
                Err(self.unsupported(line, format!("{what} `{name}` in an expression")))
            }
            Some(s) => Ok(s),
            None => Err(self.undeclared(line, name)),
        }
    }
    fn undeclared(&self, line: u32, name: &str) -> Error {
        self.meaning(
            line,
            format!("`{name}` is not declared in this module; declare it before its use"),
        )
    }
}
