//! Expressions that are made to cover a cell of the table.

use weft_sim::Bits;

use super::Generator;
use super::coverage::{CASE, Cell, Kind, LOGIC, SELECT, SHIFT};
use super::tree::{Expr, Var};

impl Generator<'_> {
    /// A variable of its own as an operand: input `name`.
    fn operand(&mut self, name: String, width: u32, signed: bool) -> Expr {
        let v = Var {
            name,
            width,
            signed,
            low: 0,
            ascending: false,
        };
        self.operands.push(v.clone());
        Expr::Name(v)
    }

    /// Two operands, one of `width` bits, the other of as many or fewer.
    fn operands(&mut self, n: usize, width: u32, signs: &str) -> (Expr, Expr) {
        let less = 1 + self.rng.below(width.into()) as u32;
        let (wa, wb) = match self.rng.below(3) {
            0 => (width, width),
            1 => (less, width),
            _ => (width, less),
        };
        let signed = |i: usize| signs.as_bytes()[i] == b's';
        (
            self.operand(format!("a{n}"), wa, signed(0)),
            self.operand(format!("b{n}"), wb, signed(1)),
        )
    }

    /// Writes the logic that covers `cell` as number `n` of the module; memories are covered by the module itself.
    pub(super) fn cover(&mut self, n: usize, cell: Cell) {
        let (kind, operator, signs, class) = cell;
        let width = self.width_of(class);
        let signed = signs == "s";
        let expr = match kind {
            Kind::Memory => return,
            Kind::Case => return self.cover_case(n, operator, width, signed),
            Kind::Unary => {
                let a = self.operand(format!("a{n}"), width, signed);
                Expr::Unary(operator, Box::new(a))
            }
            Kind::Binary if SHIFT.contains(&operator) => {
                let bits = 1 + self.rng.below(9) as u32;
                let a = self.operand(format!("a{n}"), width, &signs[..1] == "s");
                let b = self.operand(format!("b{n}"), bits, &signs[1..] == "s");
                Expr::Binary(operator, Box::new(a), Box::new(b))
            }
            Kind::Binary => {
                let (a, b) = self.operands(n, width, signs);
                Expr::Binary(operator, Box::new(a), Box::new(b))
            }
            Kind::Conditional => {
                let (a, b) = self.operands(n, width, signs);
                let bits = self.width();
                let test = self.operand(format!("b{n}c"), bits, false);
                Expr::Conditional(Box::new(test), Box::new(a), Box::new(b))
            }
            Kind::Select => {
                let Expr::Name(a) = self.operand(format!("a{n}"), width, signed) else {
                    return;
                };
                let sort = SELECT.iter().position(|s| *s == operator).unwrap_or(0);
                self.vars.push(a.clone());
                self.select_of(a, sort)
            }
            Kind::Other => self.other(n, operator, width, signed),
        };
        // As wide as the expression, so that nothing widens it; sometimes less.
        let own = expr.shape().width;
        let target = if self.rng.chance(70) || LOGIC.contains(&operator) {
            own
        } else {
            1 + self.rng.below(own.into()) as u32
        };
        let text = expr.assigned(target, self.coverage);
        self.outputs.push((format!("d{n}"), target));
        self.line(format!("  assign d{n} = {text};"));
    }

    fn other(&mut self, n: usize, operator: &'static str, width: u32, signed: bool) -> Expr {
        match operator {
            "{}" => {
                let first = 1 + self.rng.below(width.into()) as u32;
                let mut parts = vec![self.operand(format!("a{n}"), first, signed)];
                if first < width {
                    let other = self.rng.chance(50);
                    parts.push(self.operand(format!("b{n}"), width - first, other));
                }
                Expr::Concat(parts)
            }
            "{n{}}" => {
                let divisors: Vec<u32> = (1..=width).filter(|d| width.is_multiple_of(*d)).collect();
                let part = *self.rng.pick(&divisors);
                let a = self.operand(format!("a{n}"), part, signed);
                Expr::Repeat(width / part, Box::new(a))
            }
            "**" => {
                let exponent = Expr::Literal(Bits::new(5, self.rng.below(32)), false);
                let base = self.literal_of(width, signed);
                Expr::Binary("**", Box::new(base), Box::new(exponent))
            }
            cast => {
                let a = self.operand(format!("a{n}"), width, signed);
                Expr::Cast(cast, Box::new(a))
            }
        }
    }

    /// A case statement over an operand with labels of its sign and of the other.
    fn cover_case(&mut self, n: usize, operator: &'static str, width: u32, signed: bool) {
        let Expr::Name(a) = self.operand(format!("a{n}"), width, signed) else {
            return;
        };
        let operator = CASE.iter().find(|c| **c == operator).unwrap_or(&CASE[0]);
        self.outputs.push((format!("d{n}"), 8));
        self.line(format!("  reg [7:0] e{n};\n  assign d{n} = e{n};"));
        self.line("  always @(*)");
        self.case_over(operator, &a, |g| {
            let value = g.rng.below(256);
            g.line(format!("      e{n} = 8'd{value};"));
        });
    }
}
