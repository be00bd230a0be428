//! `fold`: registers that can never leave their initial value become constants, until there are no more.

use super::rebuild::rebuild;
use crate::error::Result;
use crate::ir::{Netlist, Op};

/// Rounds after which the pass is content; each needs a constant register to feed another one.
const MAX_ROUNDS: usize = 16;

pub(super) fn run(mut netlist: Netlist) -> Result<Netlist> {
    let mut settled = vec![false; netlist.registers.len()];
    // A register that a reset can change never settles.
    for reset in &netlist.resets {
        let r = reset.register as usize;
        settled[r] |= reset.value != netlist.registers[r].init;
    }
    for _ in 0..MAX_ROUNDS {
        let mut constants = vec![None; netlist.registers.len()];
        let mut any = false;
        for (i, r) in netlist
            .registers
            .iter()
            .enumerate()
            .filter(|(i, _)| !settled[*i])
        {
            let holds = netlist.node(r.next).op == Op::Reg(i as u32);
            if holds || netlist.constant(r.next) == Some(&r.init) {
                constants[i] = Some(r.init.clone());
                any = true;
            }
        }
        if !any {
            break;
        }
        for (s, c) in settled.iter_mut().zip(&constants) {
            *s |= c.is_some();
        }
        let live = vec![true; netlist.nodes.len()];
        netlist = rebuild(netlist, &live, |op, b| match op {
            Op::Reg(r) => constants[*r as usize].clone().map(|k| b.constant(k)),
            _ => None,
        })?;
    }
    Ok(netlist)
}
