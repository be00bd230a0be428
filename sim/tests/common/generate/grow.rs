//! Random expressions.

use weft_sim::Bits;

use super::Generator;
use super::coverage::{ARITHMETIC, CLASSES, COMPARISON, LOGIC, SHIFT, UNARY};
use super::tree::{Expr, Select, Var};

/// Wider concatenations are not grown.
const MAX_GROWN: u32 = 300;

impl Generator<'_> {
    pub(super) fn width(&mut self) -> u32 {
        match self.rng.below(10) {
            0 => 1,
            1 => *self.rng.pick(&[8, 16, 32, 64]),
            2 => *self.rng.pick(&[31, 33, 63, 65, 127, 128, 129]),
            3..=6 => 1 + self.rng.below(24) as u32,
            7 | 8 => 1 + self.rng.below(64) as u32,
            _ => 1 + self.rng.below(130) as u32,
        }
    }

    /// A width of a class.
    pub(super) fn width_of(&mut self, class: usize) -> u32 {
        let (_, lo, hi) = CLASSES[class];
        lo + self.rng.below(u64::from(hi - lo) + 1) as u32
    }

    /// A variable with a random declaration.
    pub(super) fn var(&mut self, name: String) -> Var {
        let (width, signed) = (self.width(), self.rng.chance(40));
        let (low, ascending) = match self.rng.below(10) {
            0 => (1 + self.rng.below(9) as u32, false),
            1 => (0, true),
            2 => (1 + self.rng.below(9) as u32, true),
            _ => (0, false),
        };
        Var {
            name,
            width,
            signed,
            low,
            ascending,
        }
    }

    fn any(&mut self) -> Var {
        self.rng.pick(&self.vars).clone()
    }

    pub(super) fn leaf(&mut self) -> Expr {
        if self.rng.chance(20) {
            return self.literal();
        }
        let v = self.any();
        if self.rng.chance(55) {
            return Expr::Name(v);
        }
        self.select(v)
    }

    /// A random select of a random sort.
    fn select(&mut self, v: Var) -> Expr {
        let sort = self.rng.below(7) as usize;
        self.select_of(v, sort)
    }

    /// A select of a sort, numbered as in the table of coverage.
    pub(super) fn select_of(&mut self, v: Var, sort: usize) -> Expr {
        let select = self.bits_of(&v, sort);
        Expr::Select(v, select)
    }

    pub(super) fn bits_of(&mut self, v: &Var, sort: usize) -> Select {
        let w = u64::from(v.width);
        let lo = self.rng.below(w) as u32;
        let n = 1 + self.rng.below(w - u64::from(lo)) as u32;
        let computed = sort >= 4 && v.plain() && v.width > 1;
        let only = Box::new(Expr::Literal(Bits::new(8, v.index(0).into()), false));
        match sort {
            // Verilator looks at no more bits of an index than the vector needs, so give it no more.
            4 if computed => {
                if !v.width.is_power_of_two() {
                    self.coverage.construct("select past the vector");
                }
                Select::BitAt(Box::new(self.small(32 - (v.width - 1).leading_zeros())))
            }
            // What is partly outside is unknown there, and Verilator and the simulator know different things about it.
            5 | 6 if computed => {
                let room = 1 + self.rng.below(w.ilog2().into()) as u32;
                let n = v.width + 1 - (1 << room);
                let at = Box::new(self.small(room));
                let n = n - self.rng.below(n.into()) as u32;
                if sort == 5 {
                    Select::UpAt(at, n)
                } else {
                    Select::DownAt(at, n)
                }
            }
            4 if v.width == 1 => Select::BitAt(only),
            5 if v.width == 1 => Select::UpAt(only, 1),
            6 if v.width == 1 => Select::DownAt(only, 1),
            0 | 4 => Select::Bit(lo),
            1 => Select::Part(lo + n - 1, lo),
            2 | 5 => Select::Up(lo, n),
            _ => Select::Down(lo + n - 1, n),
        }
    }

    /// `bits` bits of an input: no constant can hide in it, so Verilator folds no index or amount made of it.
    pub(super) fn small(&mut self, bits: u32) -> Expr {
        let wide: Vec<Var> = self
            .vars
            .iter()
            .filter(|v| v.width >= bits && v.name.starts_with('i'))
            .cloned()
            .collect();
        let v = self.rng.pick(&wide).clone();
        // A negative index is none, so a signed input gives its bits.
        if v.width == bits && !v.signed {
            return Expr::Name(v);
        }
        let lo = self.rng.below(u64::from(v.width - bits) + 1) as u32;
        Expr::Select(v, Select::Part(lo + bits - 1, lo))
    }

    pub(super) fn literal_of(&mut self, width: u32, signed: bool) -> Expr {
        let limbs: Vec<u64> = (0..width.div_ceil(64)).map(|_| self.rng.word()).collect();
        Expr::Literal(Bits::from_limbs(width, &limbs), signed)
    }

    fn literal(&mut self) -> Expr {
        if self.rng.chance(25) {
            return Expr::Number(self.rng.below(1000) as u32);
        }
        let (width, signed) = (self.width(), self.rng.chance(35));
        self.literal_of(width, signed)
    }

    /// An input or register, whose value Verilator keeps in a word of its own.
    fn solid(&mut self) -> Expr {
        let solid: Vec<Var> = self.vars.iter().filter(|v| is_solid(v)).cloned().collect();
        Expr::Name(self.rng.pick(&solid).clone())
    }

    /// The same expression, or one with an input in it, where Verilator would compute with a C++ `int` that is -1 or
    /// -2 and shift it arithmetically (see "Where Verilator is not followed" in sim/DESIGN.md).
    pub(super) fn safe(&mut self, e: Expr) -> Expr {
        if e.solid() {
            return e;
        }
        let with = self.solid();
        Expr::Binary("^", Box::new(with), Box::new(e))
    }

    pub(super) fn expr(&mut self, depth: u32) -> Expr {
        if depth == 0 || self.rng.chance(10) {
            return self.leaf();
        }
        match self.rng.below(22) {
            0..=2 => {
                let op = *self.rng.pick(&UNARY);
                let e = self.expr(depth - 1);
                self.unary(op, e)
            }
            3..=7 => {
                let op = *self.rng.pick(&ARITHMETIC);
                let (a, b) = (self.expr(depth - 1), self.expr(depth - 1));
                self.binary(op, a, b)
            }
            8 | 9 => {
                let op = *self.rng.pick(&COMPARISON);
                let (a, b) = (self.expr(depth - 1), self.expr(depth - 1));
                self.binary(op, a, b)
            }
            10 => {
                let op = *self.rng.pick(&LOGIC);
                let (a, b) = (self.expr(depth - 1), self.expr(depth - 1));
                self.binary(op, a, b)
            }
            11..=13 => {
                let op = *self.rng.pick(&SHIFT);
                let amount = if self.rng.chance(30) {
                    Expr::Number(self.rng.below(140) as u32)
                } else {
                    let bits = 1 + self.rng.below(9) as u32;
                    self.small(bits)
                };
                let a = self.expr(depth - 1);
                self.binary(op, a, amount)
            }
            14 | 15 => Expr::Conditional(
                Box::new(self.expr(depth - 1)),
                Box::new(self.expr(depth - 1)),
                Box::new(self.expr(depth - 1)),
            ),
            16 => {
                let mut parts = vec![self.sized(depth - 1)];
                for _ in 0..self.rng.below(3) {
                    let part = self.sized(depth - 1);
                    let sum: u32 = parts.iter().map(|p| p.shape().width).sum();
                    if sum + part.shape().width <= MAX_GROWN {
                        parts.push(part);
                    }
                }
                Expr::Concat(parts)
            }
            17 => {
                let e = self.sized(depth - 1);
                let most = u64::from((MAX_GROWN / e.shape().width).clamp(1, 4));
                Expr::Repeat(1 + self.rng.below(most) as u32, Box::new(e))
            }
            18 => {
                let f = *self.rng.pick(&["$signed", "$unsigned"]);
                Expr::Cast(f, Box::new(self.expr(depth - 1)))
            }
            19 | 20 => self.call(depth - 1),
            _ => {
                let op = *self.rng.pick(&["/", "%"]);
                self.division(op)
            }
        }
    }

    pub(super) fn unary(&mut self, op: &'static str, e: Expr) -> Expr {
        let e = if matches!(op, "-" | "~") {
            self.safe(e)
        } else {
            e
        };
        Expr::Unary(op, Box::new(e))
    }

    pub(super) fn binary(&mut self, op: &'static str, a: Expr, b: Expr) -> Expr {
        let a = if matches!(op, "-" | "~^") && !b.solid() {
            self.safe(a)
        } else {
            a
        };
        Expr::Binary(op, Box::new(a), Box::new(b))
    }

    /// A quotient that nothing widens beyond 64 bits. The divisor is odd: Verilator takes `x / x` for 1 even where
    /// it is unknown (division by zero is tested where both operands are inputs of their own).
    fn division(&mut self, op: &'static str) -> Expr {
        let narrow: Vec<Var> = self
            .vars
            .iter()
            .filter(|v| v.width <= 64)
            .cloned()
            .collect();
        let divide = |a: Expr, b: Expr| Expr::Binary(op, Box::new(a), Box::new(b));
        let odd = |e: Expr| {
            let one = Expr::Literal(Bits::new(1, 1), e.shape().signed);
            Expr::Binary("|", Box::new(e), Box::new(one))
        };
        if narrow.is_empty() {
            let (a, b) = (self.small(1), Expr::Literal(Bits::new(5, 19), false));
            return Expr::Concat(vec![divide(a, b)]);
        }
        let (a, b) = (
            self.rng.pick(&narrow).clone(),
            self.rng.pick(&narrow).clone(),
        );
        Expr::Concat(vec![divide(Expr::Name(a), odd(Expr::Name(b)))])
    }

    /// An expression that is no unsized number, as concatenation wants.
    fn sized(&mut self, depth: u32) -> Expr {
        let e = self.expr(depth);
        if unsized_number(&e) || e.shape().width > MAX_GROWN {
            let v = self.any();
            return Expr::Name(v);
        }
        e
    }
}

/// Whether the width of `e` comes from a number without a size.
fn unsized_number(e: &Expr) -> bool {
    match e {
        Expr::Number(_) => true,
        Expr::Unary(_, a) | Expr::Cast(_, a) => unsized_number(a),
        Expr::Binary(_, a, b) | Expr::Conditional(_, a, b) => {
            unsized_number(a) || unsized_number(b)
        }
        _ => false,
    }
}

fn is_solid(v: &Var) -> bool {
    v.name.starts_with(['i', 'a', 'b', 'r'])
}

impl Expr {
    /// Whether Verilator computes this on an unsigned word.
    fn solid(&self) -> bool {
        match self {
            Expr::Name(v) => is_solid(v),
            Expr::Unary("+" | "-" | "~", a) => a.solid(),
            Expr::Binary(op, a, b) if ARITHMETIC.contains(op) => a.solid() || b.solid(),
            Expr::Binary(op, a, _) if SHIFT.contains(op) => a.solid(),
            _ => false,
        }
    }
}
