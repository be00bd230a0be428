//! What a cycle does, as nested blocks, and in which of them each node is evaluated.

use crate::ir::{Netlist, NodeId};

/// Index of a block in a plan.
pub(crate) type BlockId = usize;

/// Something that a cycle does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    /// Latches an output or probe.
    Visible(usize, NodeId),
    /// Stores a register's next value.
    Register(u32, NodeId),
    /// Performs a memory write; the flag says that its enable is known to be set here.
    Write {
        memory: u32,
        write: usize,
        enabled: bool,
    },
    If(NodeId, BlockId, BlockId),
    /// One block of several: that of the value that the node has, or the last one.
    Switch {
        selector: NodeId,
        values: Vec<u64>,
        arms: Vec<BlockId>,
    },
}

/// Actions that are taken together.
#[derive(Debug, Clone, Default)]
pub(crate) struct Block {
    pub(crate) parent: BlockId,
    pub(crate) depth: usize,
    pub(crate) actions: Vec<Action>,
}

/// The blocks of a cycle (the first is the root, which is its own parent) and the block of every node.
#[derive(Debug, Clone, Default)]
pub(crate) struct Plan {
    pub(crate) blocks: Vec<Block>,
    /// `None` for nodes that nothing uses.
    pub(crate) place: Vec<Option<BlockId>>,
}

impl Plan {
    /// The innermost block around both.
    pub(crate) fn common(&self, mut a: BlockId, mut b: BlockId) -> BlockId {
        while a != b {
            if self.blocks[a].depth >= self.blocks[b].depth {
                a = self.blocks[a].parent;
            } else {
                b = self.blocks[b].parent;
            }
        }
        a
    }
    /// Whether `inner` is `outer` or inside it.
    pub(crate) fn inside(&self, inner: BlockId, outer: BlockId) -> bool {
        self.common(inner, outer) == outer
    }

    /// The innermost block that contains every use of each node.
    pub(super) fn place(&mut self, netlist: &Netlist) {
        let mut place: Vec<Option<BlockId>> = vec![None; netlist.nodes.len()];
        for (i, block) in self.blocks.iter().enumerate() {
            for a in &block.actions {
                let mut used = |n: NodeId| self.meet(&mut place, n, i);
                match a {
                    Action::Visible(_, n) | Action::Register(_, n) | Action::If(n, _, _) => {
                        used(*n)
                    }
                    Action::Switch { selector, .. } => used(*selector),
                    Action::Write {
                        memory,
                        write,
                        enabled,
                    } => {
                        let w = &netlist.memories[*memory as usize].writes[*write];
                        used(w.address);
                        used(w.data);
                        if !enabled {
                            used(w.enable);
                        }
                    }
                }
            }
        }
        for i in (0..netlist.nodes.len()).rev() {
            if let Some(block) = place[i] {
                netlist.nodes[i]
                    .op
                    .each(|a| self.meet(&mut place, a, block));
            }
        }
        self.place = place;
    }

    fn meet(&self, place: &mut [Option<BlockId>], node: NodeId, block: BlockId) {
        let slot = &mut place[node.index()];
        *slot = Some(match *slot {
            None => block,
            Some(other) => self.common(other, block),
        });
    }
}
