//! Random statements.

use weft_sim::Bits;

use super::Generator;
use super::coverage::{CASE, Kind, sign};
use super::tree::{Expr, Select, Var};

impl Generator<'_> {
    pub(super) fn statement(&mut self, depth: u32, targets: &[Var], assign: &str) {
        match self.rng.below(if depth == 0 { 2 } else { 5 }) {
            0 | 1 => {
                let v = self.rng.pick(targets).clone();
                let (target, width) = self.target(&v);
                let e = self.expr(2);
                let text = e.assigned(width, self.coverage);
                self.line(format!("    {target} {assign} {text};"));
            }
            2 | 3 => {
                let test = self.expr(2).alone(self.coverage);
                self.line(format!("    if ({test}) begin"));
                self.statement(depth - 1, targets, assign);
                if self.rng.chance(60) {
                    self.coverage.construct("if else");
                    self.line("    end else begin");
                    self.statement(depth - 1, targets, assign);
                } else {
                    self.coverage.construct("if");
                }
                self.line("    end");
            }
            _ => {
                let v = self.rng.pick(&self.vars).clone();
                let operator = *self.rng.pick(&CASE);
                self.case_over(operator, &v, |g| {
                    g.statement(depth - 1, targets, assign);
                });
            }
        }
    }

    /// A case statement over `v`; `arm` writes one statement, or several, of an arm.
    pub(super) fn case_over(
        &mut self,
        operator: &'static str,
        v: &Var,
        mut arm: impl FnMut(&mut Self),
    ) {
        self.coverage
            .record(Kind::Case, operator, sign(v.signed), v.width);
        self.line(format!("    {operator} ({})", v.name));
        let all_signed = v.signed && self.rng.chance(60);
        for _ in 0..1 + self.rng.below(4) {
            let mut labels = vec![self.label(operator, v, all_signed)];
            if self.rng.chance(25) {
                labels.push(self.label(operator, v, all_signed));
                self.coverage.construct("case with several labels");
            }
            self.line(format!("      {}: begin", labels.join(", ")));
            arm(self);
            self.line("      end");
        }
        self.line("      default: begin");
        arm(self);
        self.line("      end\n    endcase");
    }

    /// A label that the stimulus meets now and then: small, nearly all ones, or mostly wildcards. Verilator extends a
    /// short signed label by its sign even where another label is unsigned, so there it has the full width.
    fn label(&mut self, operator: &str, v: &Var, all_signed: bool) -> String {
        let width = if self.rng.chance(70) {
            v.width
        } else {
            1 + self.rng.below(v.width.into()) as u32
        };
        let signed = if all_signed || (width == v.width && self.rng.chance(20)) {
            "s"
        } else {
            ""
        };
        let small = self.rng.below(1 << width.min(3));
        let value = match self.rng.below(3) {
            0 => Bits::new(width, small).not(),
            _ => Bits::new(width, small),
        };
        let wild = match operator {
            "casez" => "?",
            "casex" => "x",
            _ => return format!("{value:x}").replace("'h", &format!("'{signed}h")),
        };
        let free = self.rng.below(3);
        let digits: String = (0..width)
            .rev()
            .map(|i| match (free, self.rng.below(4)) {
                (0, 0) => wild.to_string(),
                (1, _) if i >= 3 => wild.to_string(),
                (_, _) => u8::from(value.bit(i)).to_string(),
            })
            .collect();
        format!("{width}'{signed}b{digits}")
    }

    /// All of `v` or a part of it, and how wide that is.
    fn target(&mut self, v: &Var) -> (String, u32) {
        if self.rng.chance(55) {
            return (v.name.clone(), v.width);
        }
        let sort = self.rng.below(7) as usize;
        let select = self.bits_of(v, sort);
        if matches!(
            select,
            Select::BitAt(_) | Select::UpAt(..) | Select::DownAt(..)
        ) {
            self.coverage.construct("write of a computed part");
            if !v.width.is_power_of_two() && matches!(select, Select::BitAt(_)) {
                self.coverage.construct("write past the vector");
            }
        } else {
            self.coverage.construct("write of a part");
        }
        let text = select.text(v, self.coverage);
        (text, Expr::Select(v.clone(), select).shape().width)
    }

    /// A loop with the variable `k`.
    pub(super) fn repeat(&mut self, k: &str, targets: &[Var], assign: &str) {
        let plain: Vec<&Var> = targets.iter().filter(|v| v.plain()).collect();
        let Some(v) = plain.first().copied().cloned() else {
            return;
        };
        self.coverage.construct(if assign == "=" {
            "for in always @(*)"
        } else {
            "for in a clocked process"
        });
        let (name, n) = (&v.name, 1 + self.rng.below(u64::from(v.width).min(12)));
        let index = self.rng.below(100);
        match self.rng.below(3) {
            0 => self.line(format!(
                "    for ({k} = 0; {k} < {n}; {k} = {k} + 1) {name}[{k}] {assign} i9[{index} % ({k} + 7)] ^ {name}[{k}];"
            )),
            1 => {
                let e = self.expr(1).alone(self.coverage);
                self.line(format!(
                    "    for ({k} = {n}; {k} > 0; {k} = {k} - 2) begin {name} {assign} {name} + ({e} >> {k}); end"
                ));
            }
            _ => {
                let (c, e) = (self.expr(1).alone(self.coverage), self.expr(1).alone(self.coverage));
                self.line(format!(
                    "    for ({k} = 0; {k} < {n}; {k} = {k} + 1) if (i9[{k} + {index}]) begin if ({c}) {name} {assign} {k}; else {name}[{k} +: 1] {assign} {e}; end"
                ));
            }
        }
    }
}
