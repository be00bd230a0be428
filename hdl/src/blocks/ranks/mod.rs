//! Ranks: for each bank, how many bits the codes of the banks before it take.

use crate::rtl::*;

/// Combinational: `before[i]` is four times the number of ones among the lowest `i` bits of `active`. Each is a tree
/// of full adders of its own, so no count waits for its neighbour.
#[derive(LogicBlock)]
pub struct Ranks {
    /// Bank `i` takes part.
    pub active: Signal<In, Bits<16>>,
    /// Four for each bank before bank `i` that takes part; one entry more than there are banks, the last is the total.
    pub before: Vec<Signal<Out, Bits<7>>>,
}

impl Ranks {
    /// For `banks` banks, at most sixteen.
    #[must_use]
    pub fn new(banks: usize) -> Self {
        assert!(banks <= 16);
        Self {
            active: Signal::default(),
            before: vec![Signal::default(); banks + 1],
        }
    }
}

/// Writes the adders that count the bits of `active` below `count`, and names the bits of the result.
fn tree(code: &mut String, count: usize) -> Vec<String> {
    let mut columns: Vec<Vec<String>> = vec![(0..count).map(|b| format!("active[{b}]")).collect()];
    let mut result = Vec::new();
    let mut wires = 0;
    let mut wire = |code: &mut String, expression: String| {
        let name = format!("t{count}_{wires}");
        wires += 1;
        code.push_str(&format!("wire {name} = {expression};\n"));
        name
    };
    let mut at = 0;
    while at < columns.len() {
        let mut column = std::mem::take(&mut columns[at]);
        while column.len() > 1 {
            let a = column.remove(0);
            let b = column.remove(0);
            let (sum, carry) = if column.is_empty() {
                (format!("{a} ^ {b}"), format!("{a} & {b}"))
            } else {
                let c = column.remove(0);
                (
                    format!("{a} ^ {b} ^ {c}"),
                    format!("({a} & {b}) | ({a} & {c}) | ({b} & {c})"),
                )
            };
            column.push(wire(code, sum));
            if columns.len() == at + 1 {
                columns.push(Vec::new());
            }
            let carry = wire(code, carry);
            columns[at + 1].push(carry);
        }
        result.push(column.pop().unwrap_or_else(|| "1'b0".into()));
        at += 1;
    }
    result
}

impl Logic for Ranks {
    fn update(&mut self) {
        let active = self.active.val().to_u64();
        for (i, before) in self.before.iter_mut().enumerate() {
            let ones = (active & ((1 << i) - 1)).count_ones();
            before.next = u64::from(4 * ones).to_bits();
        }
    }

    fn connect(&mut self) {
        for before in &mut self.before {
            before.connect();
        }
    }

    fn hdl(&self) -> Verilog {
        let mut code = String::new();
        for i in 0..self.before.len() {
            let mut bits = tree(&mut code, i);
            bits.truncate(5);
            bits.resize(5, "1'b0".into());
            bits.reverse();
            code.push_str(&format!(
                "assign before${i} = {{{}, 2'b00}};\n",
                bits.join(", ")
            ));
        }
        Verilog::Wrapper(Wrapper {
            code,
            cores: String::new(),
        })
    }
}
