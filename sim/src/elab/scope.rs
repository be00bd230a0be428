//! The names that one instance of a module declares.

use std::collections::HashMap;

use super::Elaborator;
use super::function::Callable;
use super::shape::Shape;
use crate::bits::Bits;
use crate::error::{Error, Result};
use crate::front::ast::{Expr, ExprKind};

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
    /// A parameter with the name of a file, as `$readmemh` takes it.
    Text(String),
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
    /// The module's functions, also within one of them.
    pub(super) functions: HashMap<String, Callable>,
    /// Whether this is a function's.
    pub(super) function: bool,
    /// In a function that is being executed: the names of the module.
    pub(super) module: HashMap<String, Symbol>,
}

impl Scope {
    pub(super) fn new(prefix: String) -> Self {
        Scope {
            prefix,
            names: HashMap::new(),
            shapes: HashMap::new(),
            functions: HashMap::new(),
            function: false,
            module: HashMap::new(),
        }
    }
    /// The string that `e` is or names.
    pub(super) fn text<'a>(&'a self, e: &'a Expr) -> Option<&'a str> {
        match &e.kind {
            ExprKind::Str(text) => Some(text),
            ExprKind::Ident(name) => match self.get(name) {
                Some(Symbol::Text(text)) => Some(text),
                _ => None,
            },
            _ => None,
        }
    }
    /// What `name` stands for here.
    pub(super) fn get(&self, name: &str) -> Option<&Symbol> {
        let own = self.names.get(name);
        own.or_else(|| self.module.get(name))
    }
    /// The names of the module, also within a function.
    pub(super) fn module_names(&mut self) -> &mut HashMap<String, Symbol> {
        match self.function {
            true => &mut self.module,
            false => &mut self.names,
        }
    }
}

impl Elaborator<'_> {
    pub(super) fn symbol<'s>(&self, scope: &'s Scope, line: u32, name: &str) -> Result<&'s Symbol> {
        match scope.get(name) {
            Some(Symbol::Text(_)) => {
                Err(self.unsupported(line, format!("string constant `{name}` in an expression")))
            }
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
