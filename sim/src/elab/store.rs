//! Procedural assignments: what a target becomes, and what waits for the clock.

use super::Elaborator;
use super::lvalue::Target;
use super::process::{Kind, Process};
use super::scope::Scope;
use super::select::Offset;
use crate::bits::Bits;
use crate::error::Result;
use crate::front::ast::Expr;
use crate::ir::{Binary as Bin, NodeId, Write};

/// Work of a memory write, see [`MAX_WORK`](crate::limits::MAX_WORK).
const WRITE_WORK: u64 = 256;

impl Elaborator<'_> {
    pub(super) fn assignment(
        &mut self,
        scope: &mut Scope,
        p: &mut Process<'_>,
        line: u32,
        target: &Expr,
        value: &Expr,
        later: bool,
    ) -> Result<()> {
        let targets = self.targets(scope, &p.env, target)?;
        let width = self.total_width(line, &targets)?;
        let value = self.assigned(scope, &p.env, value, width)?;
        let mut hi = width;
        for t in targets {
            hi -= t.width();
            let part = self.builder.slice(value, hi, t.width());
            self.store(p, line, t, part, later)?;
        }
        Ok(())
    }

    fn store(
        &mut self,
        p: &mut Process<'_>,
        line: u32,
        target: Target,
        value: NodeId,
        later: bool,
    ) -> Result<()> {
        match target {
            Target::Memory {
                id, address, lo, ..
            } => {
                let clock = match p.kind {
                    Kind::Comb => {
                        return Err(
                            self.unsupported(line, "memory write in a combinational process")
                        );
                    }
                    Kind::Function => {
                        return Err(self.unsupported(line, "memory write in a function"));
                    }
                    Kind::Clocked(clock) => clock,
                    Kind::Initial => address,
                };
                if !later {
                    p.env.write_blocking(id);
                }
                let mut enable = self.builder.value(1, 1);
                for c in &p.path {
                    enable = self.builder.and(enable, *c);
                }
                self.builder.charge(WRITE_WORK);
                self.builder.hold(8 * size_of::<Write>() as u64);
                p.writes.push((
                    id,
                    Write {
                        enable,
                        address,
                        data: value,
                        lo,
                        clock,
                        line,
                    },
                ));
                Ok(())
            }
            Target::Signal {
                id,
                offset,
                width,
                total,
            } => {
                if p.kind == Kind::Function && self.function_variable(id).is_none() {
                    let construct = format!(
                        "assignment to `{}` in a function that does not declare it",
                        self.path(id)
                    );
                    return Err(self.unsupported(line, construct));
                }
                self.builder.charge(u64::from(total / 8));
                let none = Bits::zero(total);
                let (bits, style) = p.assigned.entry(id).or_insert((none, later));
                if *style != later {
                    let path = self.path(id).to_string();
                    return Err(self.unsupported(
                        line,
                        format!("blocking and non-blocking assignments to `{path}` in one process"),
                    ));
                }
                let old = self.current(&p.env, (id, later));
                let new = match offset {
                    Offset::Known(lo) => {
                        let outside = lo < 0 || lo.saturating_add(width.into()) > total.into();
                        if outside {
                            return Err(self.meaning(
                                line,
                                "the assigned part lies outside the declared range",
                            ));
                        }
                        let run = Bits::ones(width).zext(total).shl(lo as u64);
                        *bits = bits.or(&run);
                        self.builder.replace(old, lo as u32, value)
                    }
                    Offset::Computed { at, below } => {
                        *bits = Bits::ones(total);
                        let room = total + below;
                        let ones = self.builder.constant(Bits::ones(width).zext(room));
                        let mask = self.builder.binary(Bin::Shl, ones, at);
                        let mask = self.builder.slice(mask, below, total);
                        let keep = self.builder.not(mask);
                        let wide = self.builder.zext(value, room);
                        let moved = self.builder.binary(Bin::Shl, wide, at);
                        let moved = self.builder.slice(moved, below, total);
                        let kept = self.builder.and(old, keep);
                        self.builder.or(kept, moved)
                    }
                };
                p.env.set((id, later), new);
                Ok(())
            }
        }
    }
}
