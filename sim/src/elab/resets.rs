//! Processes of several edges: one is the clock, the others are asynchronous resets.
//!
//! `always @(posedge clk or negedge rst_n) if (!rst_n) q <= 0; else ...` is read as synthesis reads it: the conditions
//! at the top of the process that test one of the edges' signals are resets, and the edge that is left is the clock.
//! A register with a reset is read through a multiplexer on it, so that a reset is seen at once.

use std::collections::BTreeMap;

use super::Elaborator;
use super::process::{Env, Kind, Process};
use super::scope::Scope;
use super::signals::runs;
use crate::bits::Bits;
use crate::error::Result;
use crate::front::ast::{Expr, Stmt, StmtKind};
use crate::ir::{NodeId, Reset};

/// What an asynchronous reset does.
pub(super) struct AsyncReset {
    active: NodeId,
    /// By signal: which bits are reset, and to what.
    values: BTreeMap<u32, (Bits, Bits)>,
}

/// Cuts the runs of signal `id` where some reset begins or ends to apply.
pub(super) fn split(id: u32, runs: Vec<(u32, u32)>, resets: &[AsyncReset]) -> Vec<(u32, u32)> {
    let masks: Vec<&Bits> = resets
        .iter()
        .filter_map(|r| Some(&r.values.get(&id)?.0))
        .collect();
    if masks.is_empty() {
        return runs;
    }
    let mut out = Vec::new();
    for (lo, width) in runs {
        let mut start = lo;
        for bit in lo + 1..=lo + width {
            let cut = bit == lo + width || masks.iter().any(|m| m.bit(bit) != m.bit(bit - 1));
            if cut {
                out.push((start, bit - start));
                start = bit;
            }
        }
    }
    out
}

/// The only statement of a block, however deep.
fn unwrapped(mut s: &Stmt) -> &Stmt {
    while let StmtKind::Block(body) = &s.kind
        && let [only] = body.as_slice()
    {
        s = only;
    }
    s
}

impl Elaborator<'_> {
    /// A process that is sensitive to edges.
    pub(super) fn edge_process(
        &mut self,
        scope: &mut Scope,
        line: u32,
        edges: &[(bool, Expr)],
        body: &Stmt,
    ) -> Result<()> {
        let mut left = Vec::with_capacity(edges.len());
        for (rising, signal) in edges {
            let node = self.truth(scope, &Env::none(), signal)?;
            left.push(if *rising {
                node
            } else {
                self.builder.not(node)
            });
        }
        let mut resets = Vec::new();
        let mut rest = Some(body);
        while left.len() > 1 {
            let test = rest.map(unwrapped).map(|s| &s.kind);
            let Some(StmtKind::If(condition, yes, no)) = test else {
                return Err(self.unsupported(
                    line,
                    "process of several edges that does not begin with `if` on an asynchronous reset",
                ));
            };
            let active = self.truth(scope, &Env::none(), condition)?;
            let Some(at) = left.iter().position(|edge| *edge == active) else {
                return Err(self.unsupported(
                    condition.line,
                    "condition that tests none of the edges as they are in the sensitivity list",
                ));
            };
            let clock = left[(at + 1) % left.len()];
            left.remove(at);
            resets.push(self.async_reset(scope, line, active, clock, yes)?);
            rest = no.as_deref();
        }
        let kind = Kind::Clocked(left[0]);
        self.process_with_resets(scope, kind, line, body, &resets)
    }

    /// What the branch `body` resets while `active`.
    fn async_reset(
        &mut self,
        scope: &mut Scope,
        line: u32,
        active: NodeId,
        clock: NodeId,
        body: &Stmt,
    ) -> Result<AsyncReset> {
        let mut p = Process::new(Kind::Clocked(clock));
        self.exec(scope, &mut p, body)?;
        if !p.writes.is_empty() {
            return Err(self.unsupported(line, "asynchronous reset of a memory"));
        }
        let mut values = BTreeMap::new();
        for (id, (bits, later)) in std::mem::take(&mut p.assigned) {
            let value = self.current(&p.env, (id, later));
            let mut all = Bits::zero(bits.width());
            for (lo, width) in runs(&bits) {
                let part = self.builder.slice(value, lo, width);
                let Some(k) = self.builder.as_const(part) else {
                    return Err(self.unsupported(
                        line,
                        "asynchronous load (a reset to a value that is not constant)",
                    ));
                };
                all = all.or(&k.zext(all.width()).shl(lo.into()));
            }
            values.insert(id, (bits, all));
        }
        Ok(AsyncReset { active, values })
    }

    /// What is read where a register of the bits from `lo` on of signal `id` is `stored`; remembers its resets.
    pub(super) fn reset_reads(
        &mut self,
        register: u32,
        id: u32,
        lo: u32,
        stored: NodeId,
        resets: &[AsyncReset],
    ) -> NodeId {
        let width = self.builder.width(stored);
        let applies = |r: &&AsyncReset| r.values.get(&id).is_some_and(|(bits, _)| bits.bit(lo));
        let own: Vec<(NodeId, Bits)> = resets
            .iter()
            .filter(applies)
            .map(|r| (r.active, r.values[&id].1.slice(lo, width)))
            .collect();
        let mut node = stored;
        for (active, value) in own.iter().rev() {
            let constant = self.builder.constant(value.clone());
            node = self.builder.mux(*active, constant, node);
        }
        self.resets
            .extend(own.into_iter().map(|(active, value)| Reset {
                register,
                active,
                value,
            }));
        node
    }
}
