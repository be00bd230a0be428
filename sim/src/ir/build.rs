//! Building nodes: every request is folded and shared with an equal earlier one.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use super::{Binary, Node, NodeId, Op, Unary};
use crate::bits::{Bits, limbs_for};
use crate::error::{Error, Result};
use crate::limits::{MAX_NODES, MAX_TOTAL_NODE_BITS, MAX_WORK};

/// Work of answering a request that is known, and of one that is new, apart from the sizes of what they touch.
const KNOWN_WORK: u64 = 32;
const NEW_WORK: u64 = 128;
/// Bits that remembering a request takes, apart from what it holds.
const REQUEST_BITS: u64 = 256;

/// A multiplicative hasher: nodes are hashed by the million and no adversary gains from collisions beyond time.
#[derive(Default)]
pub(crate) struct WordHasher(u64);

impl Hasher for WordHasher {
    fn finish(&self) -> u64 {
        self.0 ^ self.0 >> 29
    }
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.write_u64(u64::from_le_bytes(word));
        }
    }
    fn write_u8(&mut self, v: u8) {
        self.write_u64(v.into());
    }
    fn write_u32(&mut self, v: u32) {
        self.write_u64(v.into());
    }
    fn write_u64(&mut self, v: u64) {
        self.0 = (self.0.rotate_left(23) ^ v).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
    fn write_usize(&mut self, v: usize) {
        self.write_u64(v as u64);
    }
}

/// Words that an operation holds by itself.
fn words(op: &Op) -> u64 {
    match op {
        Op::Const(b) => b.limbs().len() as u64,
        Op::Concat(parts) => parts.len() as u64,
        _ => 1,
    }
}

/// A hash map with [`WordHasher`].
pub(crate) type WordMap<K, V> = HashMap<K, V, BuildHasherDefault<WordHasher>>;

/// A growing, folded and shared set of nodes; operands always stand before their users.
#[derive(Default)]
pub(crate) struct Builder {
    nodes: Vec<Node>,
    /// Requests already answered, in folded and in original form.
    known: WordMap<(Op, u32), NodeId>,
    /// Bits held so far, see [`MAX_TOTAL_NODE_BITS`].
    bits: u64,
    /// Work done so far, see [`MAX_WORK`].
    work: u64,
    /// The limit that was hit: its subject, name and value.
    hit: Option<(&'static str, &'static str, u64)>,
    /// What stands for a node of each width once a limit was hit.
    placeholders: WordMap<u32, NodeId>,
    /// How deep the folding rules have called themselves.
    pub(super) depth: u32,
}

impl Builder {
    /// A builder that goes on where these nodes, which are folded and shared, end.
    pub(crate) fn of(nodes: Vec<Node>) -> Self {
        let mut builder = Builder::default();
        for (i, n) in nodes.iter().enumerate() {
            let key = (n.op.clone(), n.width);
            builder.hold(u64::from(n.width) + REQUEST_BITS + 128 * words(&n.op));
            builder.known.insert(key, NodeId(i as u32));
        }
        builder.nodes = nodes;
        builder
    }
    /// How many nodes there are.
    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }
    /// Ends building. Fails if a size limit was hit on the way.
    pub(crate) fn finish(self) -> Result<Vec<Node>> {
        self.check()?;
        Ok(self.nodes)
    }
    /// The nodes, whether a limit was hit or not.
    pub(crate) fn into_nodes(self) -> Vec<Node> {
        self.nodes
    }
    /// Fails if a limit was hit; from then on, nodes are placeholders.
    pub(crate) fn check(&self) -> Result<()> {
        match self.hit {
            None => Ok(()),
            Some((what, name, limit)) => Err(Error::Limit {
                what: what.into(),
                name,
                limit,
            }),
        }
    }
    fn hit(&mut self, what: &'static str, name: &'static str, limit: u64) {
        self.hit.get_or_insert((what, name, limit));
    }
    /// Counts work, in the units of [`MAX_WORK`].
    pub(crate) fn charge(&mut self, work: u64) {
        self.work = self.work.saturating_add(work);
        if self.work > MAX_WORK {
            self.hit("the work", "MAX_WORK", MAX_WORK);
        }
    }
    /// Counts bits that are held until the end.
    pub(crate) fn hold(&mut self, bits: u64) {
        self.bits = self.bits.saturating_add(bits);
        if self.bits > MAX_TOTAL_NODE_BITS {
            let what = "the number of bits held";
            self.hit(what, "MAX_TOTAL_NODE_BITS", MAX_TOTAL_NODE_BITS);
        }
    }
    pub(crate) fn width(&self, id: NodeId) -> u32 {
        self.nodes[id.index()].width
    }
    pub(crate) fn op(&self, id: NodeId) -> &Op {
        &self.nodes[id.index()].op
    }
    pub(crate) fn as_const(&self, id: NodeId) -> Option<&Bits> {
        match self.op(id) {
            Op::Const(b) => Some(b),
            _ => None,
        }
    }
    /// The node for an operation, folded.
    pub(crate) fn add(&mut self, op: Op, width: u32) -> NodeId {
        self.charge(KNOWN_WORK + words(&op));
        let key = (op, width);
        if let Some(id) = self.known.get(&key) {
            return *id;
        }
        self.charge(self.cost(&key.0, width));
        if self.hit.is_some() {
            return self.placeholder(width);
        }
        self.depth += 1;
        let folded = self.fold(&key.0, width);
        self.depth -= 1;
        let id = match folded {
            Some(id) => id,
            None => self.push(key.0.clone(), width),
        };
        self.hold(REQUEST_BITS + 64 * words(&key.0));
        self.known.insert(key, id);
        id
    }
    /// Work of folding a new request: what its operands hold, and the arithmetic if they are constants.
    fn cost(&self, op: &Op, width: u32) -> u64 {
        let limbs = limbs_for(width) as u64;
        let mut size = limbs;
        let mut constant = true;
        op.each(|a| {
            size += words(self.op(a));
            constant &= self.as_const(a).is_some();
        });
        let arithmetic = match op {
            Op::Binary(Binary::Mul, ..) if constant => limbs * limbs,
            Op::Binary(Binary::Udiv | Binary::Urem | Binary::Sdiv | Binary::Srem, ..)
                if constant =>
            {
                4 * limbs * u64::from(width)
            }
            Op::Binary(Binary::And, ..) => width.into(),
            _ => 0,
        };
        NEW_WORK + 4 * size + arithmetic
    }
    fn push(&mut self, op: Op, width: u32) -> NodeId {
        self.hold(u64::from(width) + 64 * words(&op));
        if self.nodes.len() >= MAX_NODES {
            self.hit("the number of nodes", "MAX_NODES", MAX_NODES as u64);
            return self.placeholder(width);
        }
        self.nodes.push(Node { op, width });
        NodeId(self.nodes.len() as u32 - 1)
    }
    /// A node of the right width, for as long as it takes until somebody asks [`Builder::check`].
    fn placeholder(&mut self, width: u32) -> NodeId {
        let nodes = &mut self.nodes;
        *self.placeholders.entry(width).or_insert_with(|| {
            let op = Op::Const(Bits::zero(width));
            nodes.push(Node { op, width });
            NodeId(nodes.len() as u32 - 1)
        })
    }
    pub(crate) fn constant(&mut self, b: Bits) -> NodeId {
        let width = b.width();
        self.add(Op::Const(b), width)
    }
    pub(crate) fn value(&mut self, width: u32, value: u64) -> NodeId {
        self.constant(Bits::new(width, value))
    }
    pub(crate) fn unary(&mut self, op: Unary, a: NodeId) -> NodeId {
        let width = match op {
            Unary::Not | Unary::Neg => self.width(a),
            _ => 1,
        };
        self.add(Op::Unary(op, a), width)
    }
    pub(crate) fn binary(&mut self, op: Binary, a: NodeId, b: NodeId) -> NodeId {
        let width = match op {
            Binary::Eq | Binary::Ult | Binary::Slt => 1,
            _ => self.width(a),
        };
        self.add(Op::Binary(op, a, b), width)
    }
    pub(crate) fn not(&mut self, a: NodeId) -> NodeId {
        self.unary(Unary::Not, a)
    }
    pub(crate) fn and(&mut self, a: NodeId, b: NodeId) -> NodeId {
        self.binary(Binary::And, a, b)
    }
    pub(crate) fn or(&mut self, a: NodeId, b: NodeId) -> NodeId {
        self.binary(Binary::Or, a, b)
    }
    pub(crate) fn mux(&mut self, c: NodeId, a: NodeId, b: NodeId) -> NodeId {
        self.add(Op::Mux(c, a, b), self.width(a))
    }
    /// Bits from `lo` on; those beyond the operand are zero.
    pub(crate) fn slice(&mut self, a: NodeId, lo: u32, width: u32) -> NodeId {
        let have = self.width(a);
        if lo >= have {
            return self.value(width, 0);
        }
        let take = width.min(have - lo);
        let cut = self.add(Op::Slice(a, lo), take);
        self.zext(cut, width)
    }
    /// Most significant part first; parts without bits are not allowed.
    pub(crate) fn concat(&mut self, parts: &[NodeId]) -> NodeId {
        let width = parts.iter().map(|p| self.width(*p)).sum();
        self.add(Op::Concat(parts.into()), width)
    }
    /// Zero extension or truncation.
    pub(crate) fn zext(&mut self, a: NodeId, width: u32) -> NodeId {
        if width < self.width(a) {
            self.add(Op::Slice(a, 0), width)
        } else {
            self.add(Op::Zext(a), width)
        }
    }
    /// Sign extension or truncation.
    pub(crate) fn sext(&mut self, a: NodeId, width: u32) -> NodeId {
        if width < self.width(a) {
            self.add(Op::Slice(a, 0), width)
        } else {
            self.add(Op::Sext(a), width)
        }
    }
    /// `old` with the bits from `lo` on replaced by `new`, which must fit.
    pub(crate) fn replace(&mut self, old: NodeId, lo: u32, new: NodeId) -> NodeId {
        let (width, n) = (self.width(old), self.width(new));
        let mut parts = Vec::with_capacity(3);
        if lo + n < width {
            parts.push(self.slice(old, lo + n, width - lo - n));
        }
        parts.push(new);
        if lo > 0 {
            parts.push(self.slice(old, 0, lo));
        }
        self.concat(&parts)
    }
}
