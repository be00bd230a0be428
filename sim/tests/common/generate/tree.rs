//! Expressions with their widths and signs (IEEE 1364-2001, 4.4 and 4.5), and how they are written.

use weft_sim::Bits;

use super::coverage::{ARITHMETIC, Coverage, DIVISION, Kind, LOGIC, SHIFT, sign, signs};

/// A variable and its declaration.
#[derive(Clone, Debug)]
pub struct Var {
    pub name: String,
    pub width: u32,
    pub signed: bool,
    /// Smallest declared index.
    pub low: u32,
    /// Declared as `[low:high]`.
    pub ascending: bool,
}

impl Var {
    /// The declaration without its kind of net.
    pub fn declaration(&self) -> String {
        let signed = if self.signed { "signed " } else { "" };
        let (l, h) = (self.low, self.low + self.width - 1);
        let (first, last) = if self.ascending { (l, h) } else { (h, l) };
        format!("{signed}[{first}:{last}] {}", self.name)
    }

    /// The index of the bit that is `at` above the least significant one.
    pub fn index(&self, at: u32) -> u32 {
        if self.ascending {
            self.low + self.width - 1 - at
        } else {
            self.low + at
        }
    }

    /// Whether indices are the bit numbers.
    pub fn plain(&self) -> bool {
        self.low == 0 && !self.ascending
    }
}

/// Width and sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    pub width: u32,
    pub signed: bool,
}

/// Bits of a variable; positions count from its least significant bit.
#[derive(Clone, Debug)]
pub enum Select {
    Bit(u32),
    /// Highest and lowest.
    Part(u32, u32),
    /// Lowest and count.
    Up(u32, u32),
    /// Highest and count.
    Down(u32, u32),
    BitAt(Box<Expr>),
    UpAt(Box<Expr>, u32),
    /// The index is what is added to the count less one.
    DownAt(Box<Expr>, u32),
}

#[derive(Clone, Debug)]
pub enum Expr {
    Name(Var),
    Select(Var, Select),
    Literal(Bits, bool),
    /// Without size and base.
    Number(u32),
    Unary(&'static str, Box<Expr>),
    Binary(&'static str, Box<Expr>, Box<Expr>),
    Conditional(Box<Expr>, Box<Expr>, Box<Expr>),
    Concat(Vec<Expr>),
    Repeat(u32, Box<Expr>),
    Cast(&'static str, Box<Expr>),
    /// A function's result, and what is passed with the width it is passed at.
    Call(Var, Vec<(u32, Expr)>),
}

impl Expr {
    /// Self-determined width and sign.
    pub fn shape(&self) -> Shape {
        let bits = |width| Shape {
            width,
            signed: false,
        };
        match self {
            Expr::Name(v) | Expr::Call(v, _) => Shape {
                width: v.width,
                signed: v.signed,
            },
            Expr::Select(_, Select::Bit(_) | Select::BitAt(_)) => bits(1),
            Expr::Select(_, Select::Part(hi, lo)) => bits(hi - lo + 1),
            Expr::Select(
                _,
                Select::Up(_, n) | Select::Down(_, n) | Select::UpAt(_, n) | Select::DownAt(_, n),
            ) => bits(*n),
            Expr::Literal(value, signed) => Shape {
                width: value.width(),
                signed: *signed,
            },
            Expr::Number(_) => Shape {
                width: 32,
                signed: true,
            },
            Expr::Unary("+" | "-" | "~", a) => a.shape(),
            Expr::Unary(..) => bits(1),
            Expr::Binary(op, a, _) if SHIFT.contains(op) || *op == "**" => a.shape(),
            Expr::Binary(op, a, b) if ARITHMETIC.contains(op) || DIVISION.contains(op) => {
                join(a.shape(), b.shape())
            }
            Expr::Binary(..) => bits(1),
            Expr::Conditional(_, a, b) => join(a.shape(), b.shape()),
            Expr::Concat(parts) => bits(parts.iter().map(|p| p.shape().width).sum()),
            Expr::Repeat(n, a) => bits(n * a.shape().width),
            Expr::Cast(f, a) => Shape {
                width: a.shape().width,
                signed: *f == "$signed",
            },
        }
    }

    /// The text of the expression where `width` bits are assigned.
    pub fn assigned(&self, width: u32, c: &mut Coverage) -> String {
        let s = self.shape();
        self.text(s.width.max(width), c)
    }

    /// The text of the expression where nothing widens it.
    pub fn alone(&self, c: &mut Coverage) -> String {
        self.text(self.shape().width, c)
    }

    /// The text in a context of `width` bits, counting what is met.
    fn text(&self, width: u32, c: &mut Coverage) -> String {
        match self {
            Expr::Name(v) => v.name.clone(),
            Expr::Select(v, select) => select.text(v, c),
            Expr::Literal(value, signed) => {
                if *signed {
                    c.construct("signed literal");
                    return format!("{value:x}").replace("'h", "'sh");
                }
                format!("{value:x}")
            }
            Expr::Number(n) => n.to_string(),
            Expr::Unary(op, a) => {
                let s = a.shape();
                let inner = if matches!(*op, "+" | "-" | "~") {
                    width
                } else {
                    s.width
                };
                c.record(Kind::Unary, op, sign(s.signed), inner);
                format!("({op}({}))", a.text(inner, c))
            }
            Expr::Binary(op, a, b) => self.binary(op, a, b, width, c),
            Expr::Conditional(test, a, b) => {
                let s = signs(a.shape().signed, b.shape().signed);
                c.record(Kind::Conditional, "?:", s, width);
                format!(
                    "({} ? {} : {})",
                    test.alone(c),
                    a.text(width, c),
                    b.text(width, c)
                )
            }
            Expr::Concat(parts) => {
                let total = self.shape().width;
                c.record(Kind::Other, "{}", sign(parts[0].shape().signed), total);
                let parts: Vec<String> = parts.iter().map(|p| p.alone(c)).collect();
                format!("{{{}}}", parts.join(", "))
            }
            Expr::Repeat(n, a) => {
                let s = a.shape();
                c.record(Kind::Other, "{n{}}", sign(s.signed), n * s.width);
                format!("{{{n}{{{}}}}}", a.alone(c))
            }
            Expr::Call(v, args) => {
                c.construct("call of a function");
                let args: Vec<String> = args.iter().map(|(w, a)| a.assigned(*w, c)).collect();
                format!("{}({})", v.name, args.join(", "))
            }
            Expr::Cast(f, a) => {
                let s = a.shape();
                c.record(Kind::Other, f, sign(s.signed), s.width);
                format!("{f}({})", a.alone(c))
            }
        }
    }

    fn binary(&self, op: &'static str, a: &Expr, b: &Expr, width: u32, c: &mut Coverage) -> String {
        let (sa, sb) = (a.shape(), b.shape());
        let both = signs(sa.signed, sb.signed);
        if op == "**" {
            c.record(Kind::Other, op, sign(sa.signed), width);
            return format!("({} ** {})", a.text(width, c), b.alone(c));
        }
        if SHIFT.contains(&op) {
            c.record(Kind::Binary, op, both, width);
            if sb.width >= 32 || width >> sb.width == 0 {
                c.construct("shift past the width");
            }
            return format!("({} {op} {})", a.text(width, c), b.alone(c));
        }
        let inner = if ARITHMETIC.contains(&op) || DIVISION.contains(&op) {
            width
        } else {
            sa.width.max(sb.width)
        };
        c.record(Kind::Binary, op, both, inner);
        let (a, b) = if LOGIC.contains(&op) {
            (a.alone(c), b.alone(c))
        } else {
            (a.text(inner, c), b.text(inner, c))
        };
        format!("({a} {op} {b})")
    }
}

fn join(a: Shape, b: Shape) -> Shape {
    Shape {
        width: a.width.max(b.width),
        signed: a.signed && b.signed,
    }
}

impl Select {
    /// The text of these bits of `v`, as a value or as a target.
    pub fn text(&self, v: &Var, c: &mut Coverage) -> String {
        let (name, s) = (&v.name, sign(v.signed));
        if v.ascending {
            c.construct("ascending range");
        }
        if v.low > 0 {
            c.construct("range that does not end at 0");
        }
        let operator = match self {
            Select::Bit(_) => "[bit]",
            Select::Part(..) => "[m:l]",
            Select::Up(..) => "[+:]",
            Select::Down(..) => "[-:]",
            Select::BitAt(_) => "[computed]",
            Select::UpAt(..) => "[computed +:]",
            Select::DownAt(..) => "[computed -:]",
        };
        c.record(Kind::Select, operator, s, v.width);
        match self {
            Select::Bit(at) => format!("{name}[{}]", v.index(*at)),
            Select::Part(hi, lo) => format!("{name}[{}:{}]", v.index(*hi), v.index(*lo)),
            // `+:` and `-:` count declared indices, upwards and downwards from the one given.
            Select::Up(lo, n) if v.ascending => {
                format!("{name}[{} +: {n}]", v.index(lo + n - 1))
            }
            Select::Up(lo, n) => format!("{name}[{} +: {n}]", v.index(*lo)),
            Select::Down(hi, n) if v.ascending => {
                format!("{name}[{} -: {n}]", v.index(hi + 1 - n))
            }
            Select::Down(hi, n) => format!("{name}[{} -: {n}]", v.index(*hi)),
            Select::BitAt(at) => format!("{name}[{}]", at.alone(c)),
            Select::UpAt(at, n) => format!("{name}[{} +: {n}]", at.alone(c)),
            Select::DownAt(at, n) => {
                format!("{name}[({{8'd0, {}}} + 8'd{}) -: {n}]", at.alone(c), n - 1)
            }
        }
    }
}
