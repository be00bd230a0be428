//! Copying a netlist through a fresh builder, which folds and shares again on the way.

use crate::error::Result;
use crate::ir::{Builder, Netlist, NodeId, Op};

/// Rebuilds `netlist` from the nodes marked in `live`. `replace` may give a node for an operation, in terms of the
/// new builder; otherwise the operation is copied.
pub(super) fn rebuild(
    mut netlist: Netlist,
    live: &[bool],
    mut replace: impl FnMut(&Op, &mut Builder) -> Option<NodeId>,
) -> Result<Netlist> {
    let mut builder = Builder::default();
    let mut moved = vec![NodeId(0); netlist.nodes.len()];
    for (i, n) in netlist.nodes.iter().enumerate() {
        if !live[i] {
            continue;
        }
        moved[i] = match replace(&n.op, &mut builder) {
            Some(id) => id,
            None => {
                let op = n.op.map(|a| moved[a.index()]);
                builder.add(op, n.width)
            }
        };
    }
    netlist.each_root(|id| *id = moved[id.index()]);
    netlist.nodes = builder.finish()?;
    Ok(netlist)
}
