//! The modules of a Verilog text that rust-hdl wrote: one an instance, named by its path from the top with `$` between.

use std::collections::HashSet;
use std::ops::Range;

/// One module.
#[derive(Clone, Debug)]
pub struct Module {
    pub name: String,
    /// Bytes of the text from `module` to `endmodule`.
    pub range: Range<usize>,
}

/// All modules, in order.
pub fn modules(verilog: &str) -> Vec<Module> {
    let mut out = Vec::new();
    let mut at = 0;
    for line in verilog.split_inclusive('\n') {
        if let Some(rest) = line.strip_prefix("module ") {
            let end = rest.find(['(', ' ', ';']).unwrap_or(rest.len());
            out.push(Module {
                name: rest[..end].to_string(),
                range: at..at,
            });
        }
        at += line.len();
        if let Some(open) = out.last_mut().filter(|m| m.range.is_empty())
            && line.starts_with("endmodule")
        {
            open.range = open.range.start..at;
        }
    }
    out
}

/// The modules without those that repeat an earlier one, with all that is below it, under another name.
pub fn distinct(verilog: &str) -> Vec<Module> {
    let all = modules(verilog);
    let mut seen = HashSet::new();
    let is_new = |m: &&Module| {
        let below = format!("{}$", m.name);
        let family = all
            .iter()
            .filter(|o| o.name == m.name || o.name.starts_with(&below));
        let text: String = family.map(|o| &verilog[o.range.clone()]).collect();
        seen.insert(text.replace(&m.name, "@"))
    };
    all.iter().filter(is_new).cloned().collect()
}

/// The path of a module without the top's name and the numbers of arrays: `bank.lane.memory` for `top$bank$3$lane$0$memory`.
pub fn path(name: &str) -> String {
    let parts: Vec<&str> = name
        .split('$')
        .skip(1)
        .filter(|p| p.parse::<u32>().is_err())
        .collect();
    parts.join(".")
}
