//! Reading the text form of a netlist back (see `text`), with every mistake answered by its line.

use super::text::{BINARY, UNARY};
use super::{
    Clock, Input, Memory, Named, Netlist, Node, NodeId, Op, Piece, Register, Reset, Write, check,
};
use crate::bits::Bits;
use crate::error::{Error, Place, Result};
use crate::limits::{MAX_NODES, MAX_SOURCE_BYTES, MAX_WIDTH};

/// Reads a netlist and checks that it is one: widths, indices and order are what passes and back ends rely on.
/// `file` is the name used in messages.
pub(crate) fn parse(file: &str, text: &str) -> Result<Netlist> {
    let limit = |what: &str, name, limit| Error::Limit {
        what: what.into(),
        name,
        limit,
    };
    if text.len() > MAX_SOURCE_BYTES {
        let most = MAX_SOURCE_BYTES as u64;
        return Err(limit("the text's size in bytes", "MAX_SOURCE_BYTES", most));
    }
    let mut netlist = Netlist::default();
    let mut lines = check::Lines::default();
    for (line, words) in (1..).zip(text.lines()) {
        let mut words = Words {
            file,
            line,
            rest: words.split_whitespace(),
        };
        match words.rest.next() {
            None => {}
            Some(comment) if comment.starts_with('#') => {}
            Some(word) => item(&mut netlist, &mut lines, word, &mut words)?,
        }
        if netlist.nodes.len() > MAX_NODES {
            return Err(limit("the number of nodes", "MAX_NODES", MAX_NODES as u64));
        }
    }
    let symbolic = netlist.nodes.iter().any(|n| matches!(n.op, Op::Signal(_)));
    if symbolic || !netlist.drivers.is_empty() {
        netlist.drivers.resize_with(netlist.signals.len(), Vec::new);
    }
    check::check(&netlist, &lines).map_err(|(line, message)| Error::Meaning {
        at: Place {
            file: file.into(),
            line,
        },
        message,
    })?;
    Ok(netlist)
}

fn item(
    netlist: &mut Netlist,
    lines: &mut check::Lines,
    word: &str,
    w: &mut Words<'_>,
) -> Result<()> {
    match word {
        "input" => {
            w.index(netlist.inputs.len())?;
            let (name, width) = (w.name()?, w.width()?);
            netlist.inputs.push(Input { name, width });
        }
        "clock" => {
            let input = w.number("the index of an input")?;
            let falling = w.rest.clone().next().is_some();
            if falling {
                w.word("falling")?;
            }
            netlist.clocks.push(Clock { input, falling });
        }
        "reg" => {
            w.index(netlist.registers.len())?;
            let register = Register {
                path: w.name()?,
                width: w.width()?,
                init: w.word("init").and_then(|()| w.bits())?,
                next: w.word("next").and_then(|()| w.node())?,
                clock: w.word("clock").and_then(|()| w.node())?,
                line: 0,
            };
            netlist.registers.push(register);
            lines.registers.push(w.line);
        }
        "reset" => {
            let active = w.word("if").and_then(|()| w.node())?;
            let value = w.word("to").and_then(|()| w.bits())?;
            let Some(register) = netlist.registers.len().checked_sub(1) else {
                return Err(w.wrong("a register before its resets", "`reset`"));
            };
            netlist.resets.push(Reset {
                register: register as u32,
                active,
                value,
            });
            lines.resets.push(w.line);
        }
        "memory" => {
            w.index(netlist.memories.len())?;
            let memory = Memory {
                path: w.name()?,
                width: w.width()?,
                depth: w.word("x").and_then(|()| w.number("a depth"))?,
                init: Vec::new(),
                writes: Vec::new(),
            };
            netlist.memories.push(memory);
            lines.memories.push(w.line);
        }
        "word" => {
            let word = (w.number("an address")?, w.bits()?);
            match netlist.memories.last_mut() {
                Some(m) => m.init.push(word),
                None => return Err(w.wrong("a memory before its words", "`word`")),
            }
        }
        "write" => {
            let write = Write {
                enable: w.word("if").and_then(|()| w.node())?,
                address: w.word("at").and_then(|()| w.node())?,
                lo: w.word("lo").and_then(|()| w.number("a bit number"))?,
                data: w.word("data").and_then(|()| w.node())?,
                clock: w.word("clock").and_then(|()| w.node())?,
                line: 0,
            };
            match netlist.memories.last_mut() {
                Some(m) => m.writes.push(write),
                None => return Err(w.wrong("a memory before its writes", "`write`")),
            }
        }
        "output" | "signal" => {
            let path = w.name()?;
            w.word("=")?;
            let named = Named {
                path,
                node: w.node()?,
            };
            if word == "output" {
                netlist.outputs.push(named);
                lines.outputs.push(w.line);
            } else {
                netlist.signals.push(named);
                lines.signals.push(w.line);
            }
        }
        "driver" => {
            let (lo, node) = (w.number("a bit number")?, w.node()?);
            let Some(signal) = netlist.signals.len().checked_sub(1) else {
                return Err(w.wrong("a signal before its drivers", "`driver`"));
            };
            let Some(driver) = netlist.nodes.get(node.index()) else {
                return Err(w.wrong("a node that stands above", &format!("%{}", node.0)));
            };
            let width = driver.width;
            netlist.drivers.resize_with(signal + 1, Vec::new);
            netlist.drivers[signal].push(Piece { lo, width, node });
        }
        _ => node(netlist, lines, word, w)?,
    }
    match w.rest.next() {
        None => Ok(()),
        Some(more) => Err(w.wrong("the end of the line", more)),
    }
}

/// `%3:8 = add %2 %1`
fn node(
    netlist: &mut Netlist,
    lines: &mut check::Lines,
    head: &str,
    w: &mut Words<'_>,
) -> Result<()> {
    let expected = format!("an item, or node `%{}:width`", netlist.nodes.len());
    let parts = head.strip_prefix('%').and_then(|h| h.split_once(':'));
    let width = match parts {
        Some((index, width)) if index == netlist.nodes.len().to_string() => {
            width.parse().ok().filter(|w| (1..=MAX_WIDTH).contains(w))
        }
        _ => None,
    };
    let Some(width) = width else {
        return Err(w.wrong(&expected, head));
    };
    w.word("=")?;
    let name = w.next("an operation")?;
    let op = match name {
        "const" => Op::Const(w.bits()?),
        "input" => Op::Input(w.number("the index of an input")?),
        "reg" => Op::Reg(w.number("the index of a register")?),
        "signal" => Op::Signal(w.number("the index of a signal")?),
        "read" => Op::Read(w.number("the index of a memory")?, w.node()?),
        "mux" => Op::Mux(w.node()?, w.node()?, w.node()?),
        "slice" => Op::Slice(w.node()?, w.number("a bit number")?),
        "zext" => Op::Zext(w.node()?),
        "sext" => Op::Sext(w.node()?),
        "concat" => {
            let mut parts = Vec::new();
            while w.rest.clone().next().is_some() {
                parts.push(w.node()?);
            }
            Op::Concat(parts.into())
        }
        _ => {
            if let Some((_, u)) = UNARY.iter().find(|(n, _)| *n == name) {
                Op::Unary(*u, w.node()?)
            } else if let Some((_, o)) = BINARY.iter().find(|(n, _)| *n == name) {
                Op::Binary(*o, w.node()?, w.node()?)
            } else {
                return Err(w.wrong("an operation", name));
            }
        }
    };
    netlist.nodes.push(Node { op, width });
    lines.nodes.push(w.line);
    Ok(())
}

/// The words of one line.
struct Words<'t> {
    file: &'t str,
    line: u32,
    rest: std::str::SplitWhitespace<'t>,
}

impl<'t> Words<'t> {
    fn wrong(&self, expected: &str, found: &str) -> Error {
        const SHOWN: usize = 40;
        Error::Syntax {
            at: Place {
                file: self.file.into(),
                line: self.line,
            },
            expected: expected.into(),
            found: format!("`{}`", found.chars().take(SHOWN).collect::<String>()),
        }
    }
    fn next(&mut self, what: &str) -> Result<&'t str> {
        let next = self.rest.next();
        next.ok_or_else(|| self.wrong(what, "the end of the line"))
    }
    fn word(&mut self, word: &str) -> Result<()> {
        let found = self.next(&format!("`{word}`"))?;
        if found == word {
            return Ok(());
        }
        Err(self.wrong(&format!("`{word}`"), found))
    }
    fn name(&mut self) -> Result<String> {
        self.next("a name").map(str::to_owned)
    }
    fn number<T: std::str::FromStr>(&mut self, what: &str) -> Result<T> {
        let word = self.next(what)?;
        word.parse().map_err(|_| self.wrong(what, word))
    }
    /// The running index that an item repeats for its readers.
    fn index(&mut self, expected: usize) -> Result<()> {
        let found = self.next("an index")?;
        if found == expected.to_string() {
            return Ok(());
        }
        Err(self.wrong(&format!("index {expected}"), found))
    }
    fn width(&mut self) -> Result<u32> {
        let word = self.next("a width")?;
        let width = word.parse().ok().filter(|w| (1..=MAX_WIDTH).contains(w));
        width.ok_or_else(|| self.wrong("a width from 1 to MAX_WIDTH", word))
    }
    fn node(&mut self) -> Result<NodeId> {
        let word = self.next("a node")?;
        let index = word.strip_prefix('%').and_then(|n| n.parse().ok());
        index.map(NodeId).ok_or_else(|| self.wrong("a node", word))
    }
    /// `8'hff`
    fn bits(&mut self) -> Result<Bits> {
        let word = self.next("a constant")?;
        constant(word).ok_or_else(|| self.wrong("a constant such as 8'hff that fits", word))
    }
}

fn constant(word: &str) -> Option<Bits> {
    let (width, digits) = word.split_once("'h")?;
    let width: u32 = width.parse().ok().filter(|w| (1..=MAX_WIDTH).contains(w))?;
    if digits.is_empty() || digits.len() > width.div_ceil(4) as usize {
        return None;
    }
    let mut value = Bits::zero(4 * digits.len() as u32);
    for (i, c) in (0..).zip(digits.chars().rev()) {
        let digit = c.to_digit(16)?;
        (0..4).for_each(|b| value.set(4 * i + b, digit >> b & 1 == 1));
    }
    let cut = value.zext(width);
    (cut.zext(value.width()) == value).then_some(cut)
}
