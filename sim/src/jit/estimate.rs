//! What a function will cost to compile, estimated beforehand: wide arithmetic is written out limb by limb, so that a
//! short text can ask for a very long function.

use super::layout::Layout;
use crate::bits::limbs_for;
use crate::error::{Error, Result};
use crate::ir::{Binary, Netlist, Node, Op};
use crate::limits::MAX_CODE;

/// Fails if the function would be longer than [`MAX_CODE`], or the state larger than a function can address.
pub(super) fn check(netlist: &Netlist, layout: &Layout) -> Result<()> {
    let limbs = |width: u32| limbs_for(width) as u64;
    let nodes = netlist.nodes.iter().map(|n| instructions(netlist, n));
    let visible = netlist.outputs.iter().chain(&netlist.signals);
    let visible = visible.map(|n| limbs(netlist.width(n.node)));
    let registers = netlist.registers.iter().map(|r| 2 * limbs(r.width));
    let writes = netlist
        .memories
        .iter()
        .map(|m| (8 + 6 * limbs(m.width)) * m.writes.len() as u64);
    let total = nodes
        .chain(visible)
        .chain(registers)
        .chain(writes)
        .fold(0, u64::saturating_add);
    if total > MAX_CODE {
        return Err(Error::Limit {
            what: format!("the machine code of a cycle, about {total} instructions,"),
            name: "MAX_CODE",
            limit: MAX_CODE,
        });
    }
    if i32::try_from(layout.size).is_err() {
        return Err(Error::Backend(format!(
            "the state takes {} bytes, more than the 2 GiB that one function can address; make the memories smaller",
            layout.size
        )));
    }
    Ok(())
}

/// Instructions of one node: its result, and its operands where they are constants or loads.
fn instructions(netlist: &Netlist, n: &Node) -> u64 {
    let mut limbs = limbs_for(n.width) as u64;
    let mut operands = 0;
    n.op.each(|a| {
        let width = limbs_for(netlist.width(a)) as u64;
        limbs = limbs.max(width);
        operands += width;
    });
    let work = match &n.op {
        Op::Const(_) | Op::Input(_) | Op::Reg(_) | Op::Signal(_) => 0,
        Op::Binary(Binary::Mul, ..) if limbs > 1 => limbs.saturating_pow(3),
        Op::Binary(Binary::Shl | Binary::Lshr | Binary::Ashr, ..) if limbs > 1 => {
            limbs * (5 + u64::from(limbs.ilog2()))
        }
        Op::Binary(..) => 5 * limbs,
        Op::Concat(_) => 3 * operands,
        Op::Vector(v) => 4 * (limbs + v.args.len() as u64) + operands,
        _ => 2 * limbs,
    };
    operands.saturating_add(work)
}
