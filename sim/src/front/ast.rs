//! Syntax tree of the Verilog subset, as written: nothing is resolved here.

use std::sync::Arc;

use crate::bits::Bits;

/// A literal. Unknown and high-impedance digits are zero in `value` and set in their masks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Number {
    pub(crate) signed: bool,
    pub(crate) value: Bits,
    pub(crate) x: Bits,
    pub(crate) z: Bits,
}

#[derive(Debug, Clone)]
pub(crate) struct Expr {
    pub(crate) line: u32,
    pub(crate) kind: ExprKind,
}

#[derive(Debug, Clone)]
pub(crate) enum ExprKind {
    Number(Number),
    Real,
    Str(String),
    Ident(String),
    /// `base[index]`
    Index(Box<Expr>, Box<Expr>),
    /// `base[msb:lsb]`
    Part(Box<Expr>, Box<Expr>, Box<Expr>),
    /// `base[start +: width]`
    PartUp(Box<Expr>, Box<Expr>, Box<Expr>),
    /// `base[start -: width]`
    PartDown(Box<Expr>, Box<Expr>, Box<Expr>),
    Concat(Vec<Expr>),
    Repeat(Box<Expr>, Box<Expr>),
    Unary(Unary, Box<Expr>),
    Binary(Binary, Box<Expr>, Box<Expr>),
    Cond(Box<Expr>, Box<Expr>, Box<Expr>),
    /// `$name(args)`
    System(String, Vec<Expr>),
    /// `name(args)`
    Call(String, Vec<Expr>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unary {
    Plus,
    Minus,
    Not,
    LogicNot,
    And,
    Nand,
    Or,
    Nor,
    Xor,
    Xnor,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Binary {
    Power,
    Mul,
    Div,
    Rem,
    Add,
    Sub,
    Shl,
    Shr,
    /// `<<<`
    Sshl,
    /// `>>>`
    Sshr,
    Lt,
    Le,
    Gt,
    Ge,
    Eq,
    Ne,
    And,
    Xor,
    Xnor,
    Or,
    LogicAnd,
    LogicOr,
}

#[derive(Debug, Clone)]
pub(crate) struct Stmt {
    pub(crate) line: u32,
    pub(crate) kind: StmtKind,
}

#[derive(Debug, Clone)]
pub(crate) enum StmtKind {
    Empty,
    Block(Vec<Stmt>),
    Blocking(Expr, Expr),
    NonBlocking(Expr, Expr),
    If(Expr, Box<Stmt>, Option<Box<Stmt>>),
    Case(CaseKind, Expr, Vec<CaseItem>),
    For(Box<Stmt>, Expr, Box<Stmt>, Box<Stmt>),
    /// `$readmemh(args)`, or `$readmemb` with a radix of 2.
    ReadMemory(u32, Vec<Expr>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CaseKind {
    Exact,
    /// `casez`
    Z,
    /// `casex`
    X,
}

/// No labels mean `default`.
#[derive(Debug, Clone)]
pub(crate) struct CaseItem {
    pub(crate) labels: Vec<Expr>,
    pub(crate) body: Stmt,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    Input,
    Output,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DeclKind {
    /// A port declaration without `reg` or `wire`.
    Port,
    Wire,
    Reg,
    Integer,
}

/// `[left:right]`
pub(crate) type Range = Option<(Expr, Expr)>;

#[derive(Debug, Clone)]
pub(crate) struct Decl {
    pub(crate) line: u32,
    pub(crate) kind: DeclKind,
    pub(crate) direction: Option<Direction>,
    pub(crate) signed: bool,
    pub(crate) range: Range,
    pub(crate) names: Vec<Declarator>,
}

#[derive(Debug, Clone)]
pub(crate) struct Declarator {
    pub(crate) line: u32,
    pub(crate) name: String,
    pub(crate) dimension: Range,
    pub(crate) init: Option<Expr>,
}

#[derive(Debug, Clone)]
pub(crate) struct Param {
    pub(crate) line: u32,
    pub(crate) local: bool,
    pub(crate) signed: bool,
    pub(crate) range: Range,
    pub(crate) name: String,
    pub(crate) value: Expr,
}

#[derive(Debug, Clone)]
pub(crate) enum Sensitivity {
    Comb,
    /// Signals with their edges; `true` is the rising one.
    Edges(Vec<(bool, Expr)>),
}

#[derive(Debug, Clone)]
pub(crate) struct Instance {
    pub(crate) line: u32,
    pub(crate) module: String,
    pub(crate) name: String,
    pub(crate) params: Vec<Connection>,
    pub(crate) ports: Vec<Connection>,
}

/// A named or positional connection; an absent expression leaves the port open.
#[derive(Debug, Clone)]
pub(crate) struct Connection {
    pub(crate) line: u32,
    pub(crate) name: Option<String>,
    pub(crate) value: Option<Expr>,
}

/// A user's function; its first declaration is its result.
#[derive(Debug, Clone)]
pub(crate) struct Function {
    pub(crate) line: u32,
    pub(crate) name: String,
    pub(crate) automatic: bool,
    /// The result, then arguments and variables in order.
    pub(crate) decls: Vec<Decl>,
    pub(crate) body: Stmt,
}

#[derive(Debug, Clone)]
pub(crate) enum Item {
    Decl(Decl),
    Function(Arc<Function>),
    Param(Param),
    Assign(u32, Expr, Expr),
    Always(u32, Sensitivity, Stmt),
    Initial(u32, Stmt),
    Instance(Instance),
}

#[derive(Debug, Clone)]
pub(crate) struct Module {
    pub(crate) line: u32,
    pub(crate) name: String,
    /// Port names in header order.
    pub(crate) ports: Vec<String>,
    pub(crate) items: Vec<Item>,
}
