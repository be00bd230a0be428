//! What every netlist keeps to, checked where one comes from outside: widths, indices and order.

use super::{Binary, Netlist, Node, NodeId, Op, Unary};
use crate::limits::{MAX_MEMORY_BITS, MAX_TOTAL_NODE_BITS};

/// Where the items of a text stand.
#[derive(Debug, Default)]
pub(super) struct Lines {
    pub(super) nodes: Vec<u32>,
    pub(super) registers: Vec<u32>,
    pub(super) resets: Vec<u32>,
    pub(super) memories: Vec<u32>,
    pub(super) outputs: Vec<u32>,
    pub(super) signals: Vec<u32>,
}

/// Widest division that the native back end takes, in bits.
const MAX_DIVISION: u32 = 64;

type Outcome = Result<(), String>;

/// Checks `netlist`; a failure names the line.
pub(super) fn check(netlist: &Netlist, lines: &Lines) -> Result<(), (u32, String)> {
    for c in &netlist.clocks {
        if netlist
            .inputs
            .get(c.input as usize)
            .is_none_or(|i| i.width != 1)
        {
            return Err((1, format!("clock {} is no input of one bit", c.input)));
        }
    }
    let mut bits = 0;
    for (i, n) in netlist.nodes.iter().enumerate() {
        let at = |message| (lines.nodes[i], format!("node %{i}: {message}"));
        bits += u64::from(n.width);
        if bits > MAX_TOTAL_NODE_BITS {
            let most = format!("all nodes exceed MAX_TOTAL_NODE_BITS = {MAX_TOTAL_NODE_BITS}");
            return Err(at(most));
        }
        let mut operands = Ok(());
        n.op.each(|a| {
            if a.index() >= i {
                operands = Err(format!("operand %{} stands after its user", a.0));
            }
        });
        operands.map_err(at)?;
        node(netlist, n).map_err(at)?;
    }
    for (i, r) in netlist.registers.iter().enumerate() {
        let at = |message| {
            (
                lines.registers[i],
                format!("register {}: {message}", r.path),
            )
        };
        want(
            r.init.width() == r.width,
            "the initial value has another width",
        )
        .map_err(at)?;
        root(netlist, r.next, r.width).map_err(at)?;
        root(netlist, r.clock, 1).map_err(at)?;
    }
    for (i, r) in netlist.resets.iter().enumerate() {
        let at = |message| (lines.resets[i], format!("reset: {message}"));
        let register = &netlist.registers[r.register as usize];
        want(
            r.value.width() == register.width,
            "the value has another width",
        )
        .map_err(at)?;
        root(netlist, r.active, 1).map_err(at)?;
    }
    let mut bits = 0u64;
    for (i, m) in netlist.memories.iter().enumerate() {
        let at = |message| (lines.memories[i], format!("memory {}: {message}", m.path));
        let size = m.depth.saturating_mul(m.width.next_multiple_of(8).into());
        bits = bits.saturating_add(size);
        if bits > MAX_MEMORY_BITS {
            let most = format!("all memories exceed MAX_MEMORY_BITS = {MAX_MEMORY_BITS}");
            return Err(at(most));
        }
        memory(netlist, m).map_err(at)?;
    }
    for (i, o) in netlist.outputs.iter().enumerate() {
        any_root(netlist, o.node).map_err(|m| (lines.outputs[i], m))?;
    }
    for (i, s) in netlist.signals.iter().enumerate() {
        let at = |message| (lines.signals[i], format!("signal {}: {message}", s.path));
        any_root(netlist, s.node).map_err(at)?;
        drivers(netlist, i).map_err(at)?;
    }
    Ok(())
}

fn want(holds: bool, message: &str) -> Outcome {
    if holds { Ok(()) } else { Err(message.into()) }
}

fn any_root(netlist: &Netlist, id: NodeId) -> Outcome {
    match netlist.nodes.get(id.index()) {
        Some(_) => Ok(()),
        None => Err(format!("there is no node %{}", id.0)),
    }
}

fn root(netlist: &Netlist, id: NodeId, width: u32) -> Outcome {
    any_root(netlist, id)?;
    match netlist.width(id) {
        w if w == width => Ok(()),
        w => Err(format!("%{} has {w} bits where {width} are needed", id.0)),
    }
}

fn memory(netlist: &Netlist, m: &super::Memory) -> Outcome {
    want(m.depth > 0, "the depth is zero")?;
    let ordered = m.init.is_sorted_by(|(a, _), (b, _)| a < b);
    want(
        ordered,
        "words are given in order of their addresses, once each",
    )?;
    for (address, word) in &m.init {
        want(*address < m.depth, "a word lies beyond the depth")?;
        want(word.width() == m.width, "a word has another width")?;
    }
    for w in &m.writes {
        root(netlist, w.enable, 1)?;
        root(netlist, w.clock, 1)?;
        any_root(netlist, w.address)?;
        any_root(netlist, w.data)?;
        let end = u64::from(w.lo) + u64::from(netlist.width(w.data));
        want(end <= m.width.into(), "a write reaches beyond the word")?;
    }
    Ok(())
}

/// The pieces that drive signal `i`, and that its node stands for it.
fn drivers(netlist: &Netlist, i: usize) -> Outcome {
    let pieces = netlist.drivers.get(i).map_or(&[][..], Vec::as_slice);
    let width = netlist.width(netlist.signals[i].node);
    let mut free = 0;
    for p in pieces {
        any_root(netlist, p.node)?;
        let end = u64::from(p.lo) + u64::from(netlist.width(p.node));
        want(
            u64::from(p.lo) >= free,
            "drivers are given from the lowest bit on, without overlap",
        )?;
        want(end <= width.into(), "a driver reaches beyond the signal")?;
        free = end;
    }
    Ok(())
}

fn node(netlist: &Netlist, n: &Node) -> Outcome {
    let width = |id: &NodeId| netlist.width(*id);
    let same = |w: u32| match n.width == w {
        true => Ok(()),
        false => Err(format!("this operation gives {w} bits, not {}", n.width)),
    };
    match &n.op {
        Op::Const(b) => same(b.width()),
        Op::Input(i) => match netlist.inputs.get(*i as usize) {
            Some(input) => same(input.width),
            None => Err(format!("there is no input {i}")),
        },
        Op::Reg(r) => match netlist.registers.get(*r as usize) {
            Some(register) => same(register.width),
            None => Err(format!("there is no register {r}")),
        },
        Op::Signal(s) => match netlist.signals.get(*s as usize) {
            Some(signal) => {
                let own = netlist.nodes.get(signal.node.index());
                want(
                    own == Some(n),
                    "the signal of that index is named at another node",
                )
            }
            None => Err(format!("there is no signal {s}")),
        },
        Op::Read(m, _) => match netlist.memories.get(*m as usize) {
            Some(memory) => same(memory.width),
            None => Err(format!("there is no memory {m}")),
        },
        Op::Unary(Unary::Not | Unary::Neg, a) => same(width(a)),
        Op::Unary(..) => same(1),
        Op::Binary(Binary::Shl | Binary::Lshr | Binary::Ashr, a, _) => same(width(a)),
        Op::Binary(op, a, b) => {
            want(width(a) == width(b), "the operands' widths differ")?;
            match op {
                Binary::Eq | Binary::Ult | Binary::Slt => same(1),
                Binary::Udiv | Binary::Urem | Binary::Sdiv | Binary::Srem
                    if width(a) > MAX_DIVISION =>
                {
                    Err(format!("a division has at most {MAX_DIVISION} bits"))
                }
                _ => same(width(a)),
            }
        }
        Op::Mux(c, a, b) => {
            want(width(c) == 1, "the condition has more than one bit")?;
            want(width(a) == width(b), "the operands' widths differ")?;
            same(width(a))
        }
        Op::Slice(a, lo) => {
            let end = u64::from(*lo) + u64::from(n.width);
            want(
                end <= width(a).into(),
                "the slice reaches beyond its operand",
            )
        }
        Op::Concat(parts) => {
            want(!parts.is_empty(), "a concatenation needs parts")?;
            let sum: u64 = parts.iter().map(|p| u64::from(width(p))).sum();
            want(sum == n.width.into(), "the parts' widths do not add up")
        }
        Op::Vector(_) | Op::Lane(..) => Err("vectors are not read from text".into()),
        Op::Zext(a) | Op::Sext(a) => want(
            width(a) <= n.width,
            "an extension is narrower than its operand",
        ),
    }
}
