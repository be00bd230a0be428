//! Random functions and calls of them.

use super::Generator;
use super::tree::{Expr, Var};

/// A function that may be called.
#[derive(Clone)]
pub(super) struct Function {
    result: Var,
    arguments: Vec<Var>,
}

impl Generator<'_> {
    /// Writes one or two functions of arguments, variables of their own and the module's inputs.
    pub(super) fn functions(&mut self) {
        for n in 0..1 + self.rng.below(2) {
            let function = self.function(n);
            self.functions.push(function);
        }
    }

    fn function(&mut self, n: u64) -> Function {
        let outside = self.vars.clone();
        self.vars.retain(|v| v.name.starts_with('i'));
        let result = self.var(format!("f{n}"));
        let count = 1 + self.rng.below(3);
        let arguments = self.variables("p", count);
        let variable = self.var("l".into());
        let mut automatic = "";
        if self.rng.chance(50) {
            self.coverage.construct("automatic function");
            automatic = "automatic ";
        }
        self.line(format!("  function {automatic}{};", result.declaration()));
        for v in &arguments {
            self.line(format!("    input {};", v.declaration()));
        }
        self.line(format!(
            "    reg {};\n    integer kf;\n    begin",
            variable.declaration()
        ));
        self.vars.extend(arguments.iter().cloned());
        let targets = [result.clone(), variable];
        for v in &targets {
            let e = self.expr(2);
            if matches!(e, Expr::Call(..)) {
                self.coverage.construct("call within a function");
            }
            let text = e.assigned(v.width, self.coverage);
            self.line(format!("    {} = {text};", v.name));
        }
        self.vars.extend(targets.iter().cloned());
        if self.rng.chance(40) {
            self.coverage.construct("loop in a function");
            self.repeat("kf", &targets, "=");
        }
        for _ in 0..1 + self.rng.below(2) {
            self.statement(1, &targets, "=");
        }
        self.line("    end\n  endfunction");
        self.vars = outside;
        Function { result, arguments }
    }

    /// A call, or something simple where there is no function.
    pub(super) fn call(&mut self, depth: u32) -> Expr {
        if self.functions.is_empty() {
            return self.leaf();
        }
        let function = self.rng.pick(&self.functions).clone();
        let arguments = function.arguments.iter();
        let arguments = arguments.map(|v| (v.width, self.expr(depth))).collect();
        Expr::Call(function.result, arguments)
    }
}
