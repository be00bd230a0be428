//! Mutants of a core's Verilog: one small change each, in one module, spread over all modules and kinds of change.

use std::collections::BTreeMap;
use std::ops::Range;

use super::modules::{Module, distinct, path};
use super::stream::Random;

/// What sort of change a mutant is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Another operator, or an inverted condition.
    Operator,
    /// Another constant.
    Constant,
    /// A register, signal or part of it, one bit narrower.
    Width,
    /// A condition that is always or never true, an enable stuck.
    Enable,
    /// Another initial value, or a register that is not put back to a constant.
    Reset,
    /// An assignment left out.
    Assignment,
}

/// One changed text.
#[derive(Clone, Debug)]
pub struct Mutant {
    pub kind: Kind,
    /// Path of the module without numbers of arrays.
    pub module: String,
    /// Full name of the module that is changed.
    pub name: String,
    /// Line of the whole text, from 1.
    pub line: usize,
    /// The line before, trimmed, and after.
    pub original: String,
    pub mutated: String,
    range: Range<usize>,
}

impl Mutant {
    /// The whole text with the change.
    pub fn apply(&self, verilog: &str) -> String {
        format!(
            "{}{}{}",
            &verilog[..self.range.start],
            self.mutated,
            &verilog[self.range.end..]
        )
    }
}

/// Operators and what becomes of them.
const OPERATORS: [(&str, &[&str]); 17] = [
    ("<<<", &[">>>"]),
    (">>>", &["<<<"]),
    ("&&", &["||"]),
    ("||", &["&&"]),
    ("==", &["!="]),
    ("!=", &["=="]),
    ("<=", &["<", "=="]),
    (">=", &[">", "=="]),
    ("<<", &[">>"]),
    (">>", &["<<"]),
    ("+", &["-", "|"]),
    ("-", &["+"]),
    ("*", &["+"]),
    ("<", &["<="]),
    (">", &[">="]),
    ("&", &["|"]),
    ("|", &["&"]),
];

/// Mutants of `verilog`, at most `count`: in turn for every kind and module, chosen by `seed`.
pub fn mutants(verilog: &str, seed: u64, count: usize) -> Vec<Mutant> {
    let mut random = Random(seed);
    let mut groups: BTreeMap<(Kind, String), Vec<Mutant>> = BTreeMap::new();
    for module in distinct(verilog) {
        for mutant in sites(verilog, &module) {
            let key = (mutant.kind, group(verilog, &module));
            groups.entry(key).or_default().push(mutant);
        }
    }
    let mut groups: Vec<Vec<Mutant>> = groups.into_values().collect();
    let mut out = Vec::new();
    while out.len() < count && groups.iter().any(|g| !g.is_empty()) {
        for group in &mut groups {
            if !group.is_empty() && out.len() < count {
                out.push(group.swap_remove(random.below(group.len())));
            }
        }
    }
    out
}

/// What a module is counted under: a register, which is a module of its own, under the block that holds it.
fn group(verilog: &str, module: &Module) -> String {
    let path = path(&module.name);
    if verilog[module.range.clone()].contains("(d,q,clock);") {
        let (block, _) = path.rsplit_once('.').unwrap_or(("", ""));
        return format!("registers of {block}");
    }
    path
}

/// Every change of a module's logic.
fn sites(verilog: &str, module: &Module) -> Vec<Mutant> {
    let mut out = Vec::new();
    let mut at = module.range.start;
    let (mut part, mut initial) = ("", false);
    for line in verilog[module.range.clone()].split_inclusive('\n') {
        let text = line.trim();
        let start = at + line.find(text).unwrap_or(0);
        at += line.len();
        if let Some(title) = text.strip_prefix("// ") {
            part = title;
            continue;
        }
        initial = (initial && text != "end") || text.starts_with("initial");
        let changes = match part {
            "Local signals" | "Module arguments" => narrower(text),
            p if !p.starts_with("Update code") => Vec::new(),
            _ if text.contains("clock = clock;") || text.starts_with("always") => Vec::new(),
            _ if initial => initial_value(text),
            _ => logic(text),
        };
        let line = verilog[..start].matches('\n').count() + 1;
        out.extend(changes.into_iter().map(|(kind, mutated)| Mutant {
            kind,
            module: path(&module.name),
            name: module.name.clone(),
            line,
            original: text.to_string(),
            mutated,
            range: start..start + text.len(),
        }));
    }
    out
}

type Change = (Kind, String);

/// `reg  [7:0] x;` or `output reg  [7:0] x;` with a bit less.
fn narrower(text: &str) -> Vec<Change> {
    let signal = text.trim_start_matches("output ");
    let high = signal.strip_prefix("reg").and_then(|rest| {
        let (high, _) = rest.trim_start().strip_prefix('[')?.split_once(":0]")?;
        high.parse::<u32>().ok()
    });
    let Some(high) = high.filter(|h| *h > 0) else {
        return Vec::new();
    };
    let less = text.replacen(&format!("[{high}:0]"), &format!("[{}:0]", high - 1), 1);
    vec![(Kind::Width, less)]
}

fn initial_value(text: &str) -> Vec<Change> {
    let assigned = |(at, value): (Range<usize>, u64)| {
        (text[..at.start].contains('='))
            .then(|| (Kind::Reset, put(text, &at, &literal(text, &at, value ^ 1))))
    };
    literals(text).into_iter().filter_map(assigned).collect()
}

fn logic(text: &str) -> Vec<Change> {
    let mut out = Vec::new();
    let condition = text
        .strip_prefix("if (")
        .and_then(|t| t.strip_suffix(") begin"));
    if let Some(condition) = condition {
        for always in ["1'b1", "1'b0"] {
            out.push((Kind::Enable, format!("if ({always}) begin")));
        }
        out.push((Kind::Operator, format!("if (!({condition})) begin")));
    }
    if let Some((target, value)) = assignment(text) {
        let register = target.ends_with("$d");
        let constant =
            literals(value).len() == 1 && value.trim().len() == literals(value)[0].0.len();
        let kind = if register && constant {
            Kind::Reset
        } else {
            Kind::Assignment
        };
        // A default that a later assignment repeats is no assignment that could be missed.
        if !value.trim().is_empty() && value.trim() != target.replace("$d", "$q") {
            out.push((kind, ";".into()));
        }
        if ["enable", "write", "read", "$d"]
            .iter()
            .any(|e| target.ends_with(e))
            && !constant
        {
            out.push((Kind::Enable, format!("{target} = 1'b0;")));
            if target.contains("write") {
                out.push((Kind::Enable, format!("{target} = 1'b1;")));
            }
        }
    }
    // Memories guard their write on the line of the write.
    if let Some(rest) = text.strip_prefix("if (write_enable) ") {
        out.push((Kind::Enable, rest.into()));
        out.push((Kind::Enable, ";".into()));
    }
    let first = text.find(['=', '(']).map_or(text.len(), |i| i + 1);
    // The first `<=` of a clocked assignment is none of the operators.
    let first = first.max(
        text.find("<= ")
            .filter(|i| !text[..*i].contains('('))
            .map_or(0, |i| i + 2),
    );
    out.extend(operators(text, first));
    for (at, value) in literals(text) {
        let selects = text[..at.start].ends_with(":(") || text[..at.start].ends_with("+:(");
        if selects {
            continue;
        }
        let changed = literal(text, &at, value ^ 1);
        out.push((Kind::Constant, put(text, &at, &changed)));
        // A mask of ones, as a cast writes it, or a part's count.
        if value > 1 && (value & value.wrapping_add(1)) == 0 {
            let half = literal(text, &at, value >> 1);
            out.push((Kind::Width, put(text, &at, &half)));
        }
    }
    for (i, _) in text.match_indices("+:(") {
        let digits = text[i + 3..].split(')').next().unwrap_or("");
        if let Ok(count) = digits.parse::<u32>()
            && count > 1
        {
            let at = i + 3..i + 3 + digits.len();
            out.push((Kind::Width, put(text, &at, &(count - 1).to_string())));
        }
    }
    out
}

/// Target and value of an assignment that stands alone on its line.
fn assignment(text: &str) -> Option<(&str, &str)> {
    let (target, value) = text.strip_suffix(';')?.split_once(" = ")?;
    let plain = target
        .chars()
        .all(|c| c.is_alphanumeric() || c == '_' || c == '$');
    plain.then_some((target, value))
}

fn operators(text: &str, from: usize) -> Vec<Change> {
    let mut out = Vec::new();
    let mut at = from;
    while at < text.len() {
        let rest = &text[at..];
        if rest.starts_with("+:") || rest.starts_with("-:") {
            at += 2;
            continue;
        }
        let binary = text[..at].ends_with(' ') || text[..at].ends_with(')');
        let found = OPERATORS
            .iter()
            .find(|(op, _)| rest.starts_with(op))
            .filter(|(op, _)| binary && rest[op.len()..].starts_with([' ', '(']));
        if let Some((op, others)) = found {
            for other in *others {
                out.push((Kind::Operator, put(text, &(at..at + op.len()), other)));
            }
            at += op.len();
        } else {
            if rest.starts_with('~') && !rest.starts_with("~|") {
                out.push((Kind::Operator, put(text, &(at..at + 1), "")));
            }
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    out
}

/// Where sized literals stand, and their values, as far as 64 bits hold them.
fn literals(text: &str) -> Vec<(Range<usize>, u64)> {
    let mut out = Vec::new();
    for (quote, _) in text.match_indices('\'') {
        let before = &text[..quote];
        let start = quote
            - before
                .chars()
                .rev()
                .take_while(char::is_ascii_digit)
                .count();
        let base = text[quote + 1..].chars().next();
        let digits: String = text[quote + 2..]
            .chars()
            .take_while(char::is_ascii_hexdigit)
            .collect();
        let radix = match base {
            Some('h') => 16,
            Some('b') => 2,
            Some('d') => 10,
            _ => continue,
        };
        if let Ok(value) = u64::from_str_radix(&digits, radix) {
            out.push((start..quote + 2 + digits.len(), value));
        }
    }
    out
}

/// The literal at `at` with another value.
fn literal(text: &str, at: &Range<usize>, value: u64) -> String {
    let size = text[at.clone()].split('\'').next().unwrap_or("");
    format!("{size}'h{value:x}")
}

fn put(text: &str, at: &Range<usize>, with: &str) -> String {
    format!("{}{with}{}", &text[..at.start], &text[at.end..])
}
