//! What the generated modules contain: a table of operator, signs of the operands and width class, counted where the
//! text is written.

use std::collections::{BTreeMap, BTreeSet};

/// Width classes: below, at and above the words that a simulator may choose to compute in.
pub const CLASSES: [(&str, u32, u32); 8] = [
    ("1", 1, 1),
    ("2-31", 2, 31),
    ("32", 32, 32),
    ("33-63", 33, 63),
    ("64", 64, 64),
    ("65-127", 65, 127),
    ("128", 128, 128),
    ("129+", 129, 130),
];

/// Operators must be met at every width up to this.
pub const MAX_WIDTH: u32 = 130;

/// Operators of one operand, and what is counted like them: by the sign and width of the operand.
pub const UNARY: [&str; 10] = ["+", "-", "~", "!", "&", "~&", "|", "~|", "^", "~^"];
/// Binary operators whose operands take the width of the context.
pub const ARITHMETIC: [&str; 7] = ["+", "-", "*", "&", "|", "^", "~^"];
/// Division, computed up to 64 bits.
pub const DIVISION: [&str; 2] = ["/", "%"];
/// Comparisons, sized by their operands.
pub const COMPARISON: [&str; 8] = ["==", "!=", "===", "!==", "<", "<=", ">", ">="];
/// Logic, each operand sized by itself.
pub const LOGIC: [&str; 2] = ["&&", "||"];
/// Shifts, sized by their left operand and the context.
pub const SHIFT: [&str; 4] = ["<<", ">>", "<<<", ">>>"];
/// Selects, by the sign and width of the vector.
pub const SELECT: [&str; 7] = [
    "[bit]",
    "[m:l]",
    "[+:]",
    "[-:]",
    "[computed]",
    "[computed +:]",
    "[computed -:]",
];
/// Statements with a subject.
pub const CASE: [&str; 3] = ["case", "casez", "casex"];
/// Accesses of a memory, by the sign and width of its words.
pub const MEMORY: [&str; 2] = ["word read", "word write"];
/// The rest that has one operand.
pub const OTHER: [&str; 5] = ["{}", "{n{}}", "$signed", "$unsigned", "**"];

/// What has no operands to tell apart; each must occur.
pub const CONSTRUCTS: [&str; 26] = [
    "shift past the width",
    "select past the vector",
    "write past the vector",
    "ascending range",
    "range that does not end at 0",
    "signed literal",
    "if",
    "if else",
    "for in always @(*)",
    "for in a clocked process",
    "case with several labels",
    "variable of a clocked process",
    "write of a part",
    "write of a computed part",
    "two writes of one word",
    "read of the word being written",
    "write of a part of a word",
    "parameter by name",
    "parameter by position",
    "hierarchy of three levels",
    "call of a function",
    "call within a function",
    "automatic function",
    "loop in a function",
    "$readmemh",
    "$readmemb",
];

/// One cell of the table: operator with its kind, signs (`u` or `s` an operand) and width class.
pub type Cell = (Kind, &'static str, &'static str, usize);

/// What a cell's operator applies to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Unary,
    Binary,
    Conditional,
    Select,
    Case,
    Memory,
    Other,
}

/// Counts of cells and constructs.
#[derive(Default)]
pub struct Coverage {
    cells: BTreeMap<Cell, u64>,
    constructs: BTreeMap<&'static str, u64>,
    /// Widths that operators were met at.
    widths: BTreeSet<u32>,
}

/// The class of a width.
pub fn class(width: u32) -> usize {
    CLASSES
        .iter()
        .position(|(_, lo, hi)| (*lo..=*hi).contains(&width))
        .unwrap_or(CLASSES.len() - 1)
}

/// The signs of two operands as a cell names them.
pub fn signs(a: bool, b: bool) -> &'static str {
    match (a, b) {
        (false, false) => "uu",
        (false, true) => "us",
        (true, false) => "su",
        (true, true) => "ss",
    }
}

/// The sign of one operand as a cell names it.
pub fn sign(a: bool) -> &'static str {
    if a { "s" } else { "u" }
}

/// Every cell that must be covered.
pub fn cells() -> Vec<Cell> {
    let mut out = Vec::new();
    let one = ["u", "s"];
    let two = ["uu", "us", "su", "ss"];
    let mut add = |kind, operators: &[&'static str], signs: &[&'static str], classes: usize| {
        for operator in operators {
            for s in signs {
                out.extend((0..classes).map(|c| (kind, *operator, *s, c)));
            }
        }
    };
    let all = CLASSES.len();
    add(Kind::Unary, &UNARY, &one, all);
    for operators in [&ARITHMETIC[..], &COMPARISON, &LOGIC, &SHIFT] {
        add(Kind::Binary, operators, &two, all);
    }
    add(Kind::Binary, &DIVISION, &two, class(64) + 1);
    add(Kind::Conditional, &["?:"], &two, all);
    add(Kind::Select, &SELECT, &one, all);
    add(Kind::Case, &CASE, &one, all);
    add(Kind::Memory, &MEMORY, &one, all);
    add(Kind::Other, &OTHER, &one, all);
    out
}

impl Coverage {
    pub fn record(&mut self, kind: Kind, operator: &'static str, signs: &'static str, width: u32) {
        self.widths.insert(width);
        *self
            .cells
            .entry((kind, operator, signs, class(width)))
            .or_default() += 1;
    }

    pub fn construct(&mut self, what: &'static str) {
        debug_assert!(CONSTRUCTS.contains(&what), "{what}");
        *self.constructs.entry(what).or_default() += 1;
    }

    /// What should occur and does not.
    pub fn missing(&self) -> Vec<String> {
        let cells = cells().into_iter().filter(|c| !self.cells.contains_key(c));
        let cells = cells.map(|(k, op, s, c)| format!("{k:?} {op} {s} {}", CLASSES[c].0));
        let constructs = CONSTRUCTS
            .iter()
            .filter(|c| !self.constructs.contains_key(*c));
        let widths = (1..=MAX_WIDTH).filter(|w| !self.widths.contains(w));
        cells
            .chain(constructs.map(|c| c.to_string()))
            .chain(widths.map(|w| format!("width {w}")))
            .collect()
    }

    /// A table: operators down, width classes across, the signs of the operands summed with the smallest count behind.
    pub fn table(&self) -> String {
        let mut rows: BTreeMap<(Kind, &str), Vec<(u64, u64)>> = BTreeMap::new();
        for cell @ (kind, operator, _, class) in cells() {
            let row = rows
                .entry((kind, operator))
                .or_insert_with(|| vec![(0, u64::MAX); CLASSES.len()]);
            let n = self.cells.get(&cell).copied().unwrap_or(0);
            row[class] = (row[class].0 + n, row[class].1.min(n));
        }
        let mut out = format!("{:28}", "operator");
        for (name, _, _) in CLASSES {
            out += &format!("{name:>13}");
        }
        for ((kind, operator), row) in rows {
            out += &format!("\n{:28}", format!("{kind:?} {operator}"));
            for (sum, least) in row {
                let text = match least {
                    u64::MAX => "-".into(),
                    n => format!("{sum} (>={n})"),
                };
                out += &format!("{text:>13}");
            }
        }
        for (what, n) in &self.constructs {
            out += &format!("\n{what:40}{n:>8}");
        }
        out + &format!("\n{:40}{:>8}", "widths met", self.widths.len())
    }
}
