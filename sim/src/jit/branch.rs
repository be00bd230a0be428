//! Control flow: what a condition or a case guards.

use cranelift_codegen::ir::{InstBuilder, Value};
use cranelift_frontend::Switch;

use super::lower::Lower;
use crate::ir::NodeId;
use crate::passes::schedule::Step;

impl Lower<'_, '_> {
    /// One of two lists of steps.
    pub(super) fn branch(&mut self, condition: NodeId, then: &[Step], other: &[Step]) {
        let c = self.bit(condition);
        let (yes, join) = (self.b.create_block(), self.b.create_block());
        let no = match other.is_empty() {
            true => join,
            false => self.b.create_block(),
        };
        self.b.ins().brif(c, yes, &[], no, &[]);
        for (block, steps) in [(yes, then), (no, other)] {
            if block != join {
                self.b.switch_to_block(block);
                self.steps(steps);
                self.b.ins().jump(join, &[]);
            }
        }
        self.b.switch_to_block(join);
    }

    /// The list of steps of the value that `selector` has, or the last one.
    pub(super) fn switch(&mut self, selector: NodeId, values: &[u64], arms: &[Vec<Step>]) {
        let at = self.clean(selector);
        let join = self.b.create_block();
        let mut table = Switch::new();
        let mut blocks = Vec::with_capacity(arms.len());
        for arm in arms {
            blocks.push(match arm.is_empty() {
                true => join,
                false => self.b.create_block(),
            });
        }
        for (value, block) in values.iter().zip(&blocks) {
            table.set_entry((*value).into(), *block);
        }
        table.emit(&mut self.b, at, blocks[values.len()]);
        for (block, arm) in blocks.into_iter().zip(arms) {
            if !arm.is_empty() {
                self.b.switch_to_block(block);
                self.steps(arm);
                self.b.ins().jump(join, &[]);
            }
        }
        self.b.switch_to_block(join);
    }

    /// Emits `body` under a condition, if there is one.
    pub(super) fn guarded(&mut self, condition: Option<Value>, body: impl FnOnce(&mut Self)) {
        let Some(c) = condition else {
            return body(self);
        };
        let (yes, join) = (self.b.create_block(), self.b.create_block());
        self.b.ins().brif(c, yes, &[], join, &[]);
        self.b.switch_to_block(yes);
        body(self);
        self.b.ins().jump(join, &[]);
        self.b.switch_to_block(join);
    }
}
