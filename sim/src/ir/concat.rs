//! Folding rules for concatenations: parts that meet become one, repeated bits become sign extensions.

use super::{Builder, NodeId, Op};
use crate::bits::Bits;

impl Builder {
    /// Selects between concatenations part by part where their seams agree.
    pub(super) fn fold_mux_of_concats(
        &mut self,
        c: NodeId,
        a: NodeId,
        b: NodeId,
    ) -> Option<NodeId> {
        let (x, y) = (self.parts(a)?, self.parts(b)?);
        let aligned = x.len() == y.len()
            && x.iter()
                .zip(&y)
                .all(|(p, q)| self.width(*p) == self.width(*q));
        if !aligned || !x.iter().zip(&y).any(|(p, q)| p == q) {
            return None;
        }
        let parts: Vec<NodeId> = x.iter().zip(&y).map(|(p, q)| self.mux(c, *p, *q)).collect();
        Some(self.concat(&parts))
    }

    /// The parts of a concatenation, or of a zero extension seen as one.
    fn parts(&mut self, id: NodeId) -> Option<Vec<NodeId>> {
        match self.op(id).clone() {
            Op::Concat(parts) => Some(parts.into_vec()),
            Op::Zext(inner) => {
                let zeros = self.value(self.width(id) - self.width(inner), 0);
                match self.op(inner) {
                    Op::Concat(parts) => Some([&[zeros], &parts[..]].concat()),
                    _ => Some(vec![zeros, inner]),
                }
            }
            _ => None,
        }
    }

    pub(super) fn slice_concat(&mut self, parts: &[NodeId], lo: u32, width: u32) -> NodeId {
        let mut cuts = Vec::new();
        let mut at = 0;
        for p in parts.iter().rev() {
            let w = self.width(*p);
            let (from, to) = (lo.max(at), (lo + width).min(at + w));
            if from < to {
                cuts.push(self.slice(*p, from - at, to - from));
            }
            at += w;
        }
        cuts.reverse();
        self.concat(&cuts)
    }

    pub(super) fn fold_concat(&mut self, parts: &[NodeId]) -> Option<NodeId> {
        if parts.iter().any(|p| matches!(self.op(*p), Op::Concat(_))) {
            let mut flat = Vec::new();
            for p in parts {
                match self.op(*p) {
                    Op::Concat(inner) => flat.extend_from_slice(inner),
                    _ => flat.push(*p),
                }
            }
            return Some(self.concat(&flat));
        }
        if let Some(shorter) = self.fold_repeated_bit(parts) {
            return Some(shorter);
        }
        for i in 0..parts.len() - 1 {
            if let Some(joined) = self.join(parts[i], parts[i + 1]) {
                // One pass over the rest keeps long concatenations linear.
                let mut out: Vec<NodeId> = parts[..i].to_vec();
                out.push(joined);
                for p in &parts[i + 2..] {
                    let last = out[out.len() - 1];
                    match self.join(last, *p) {
                        Some(j) => *out.last_mut()? = j,
                        None => out.push(*p),
                    }
                }
                return Some(self.concat(&out));
            }
        }
        if self.as_const(parts[0]).is_some_and(Bits::is_zero) {
            let width = parts.iter().map(|p| self.width(*p)).sum();
            let rest = self.concat(&parts[1..]);
            return Some(self.zext(rest, width));
        }
        if let Op::Zext(inner) = *self.op(parts[0]) {
            let width = parts.iter().map(|p| self.width(*p)).sum();
            let mut out = parts.to_vec();
            out[0] = inner;
            let low = self.concat(&out);
            return Some(self.zext(low, width));
        }
        if parts.iter().any(|p| matches!(self.op(*p), Op::Zext(_))) {
            // Zeros inside a concatenation belong to it, so that they meet their neighbours.
            let mut out = Vec::with_capacity(parts.len() + 1);
            for p in parts {
                if let Op::Zext(inner) = *self.op(*p) {
                    let gap = self.width(*p) - self.width(inner);
                    out.push(self.value(gap, 0));
                    out.push(inner);
                } else {
                    out.push(*p);
                }
            }
            return Some(self.concat(&out));
        }
        None
    }

    /// A bit repeated down to the value whose sign it is, or at least three times, is a sign extension.
    fn fold_repeated_bit(&mut self, parts: &[NodeId]) -> Option<NodeId> {
        let mut at = 0;
        while at < parts.len() {
            let (bit, used, bits) = self.run_of_bit(&parts[at..]);
            let below = parts
                .get(at + used)
                .copied()
                .filter(|low| self.is_sign(bit, *low));
            let (of, used, width) = match below {
                Some(low) => (low, used + 1, self.width(low) + bits),
                None if used > 1 && bits > 2 => (bit, used, bits),
                None => {
                    at += used;
                    continue;
                }
            };
            let mut out = parts[..at].to_vec();
            out.push(self.sext(of, width));
            out.extend_from_slice(&parts[at + used..]);
            return Some(self.concat(&out));
        }
        None
    }

    /// The bit that the first parts repeat, how many parts do, and how often that is. A bit that is sign-extended
    /// is repeated too.
    fn run_of_bit(&self, parts: &[NodeId]) -> (NodeId, usize, u32) {
        let bit_of = |id: NodeId| match *self.op(id) {
            Op::Sext(inner) if self.width(inner) == 1 => inner,
            _ => id,
        };
        let bit = bit_of(parts[0]);
        if self.width(bit) != 1 || self.as_const(bit).is_some() {
            return (bit, 1, 0);
        }
        let run = parts.iter().take_while(|p| bit_of(**p) == bit);
        let (used, bits) = run.fold((0, 0), |(n, w), p| (n + 1, w + self.width(*p)));
        (bit, used, bits)
    }

    /// Whether `bit` is the highest bit of `low`, which is no bit itself.
    fn is_sign(&self, bit: NodeId, low: NodeId) -> bool {
        let Op::Slice(x, i) = *self.op(bit) else {
            return false;
        };
        let within = match *self.op(low) {
            Op::Slice(y, lo) if y == x => i + 1 == lo + self.width(low),
            _ => low == x && i + 1 == self.width(x),
        };
        within && self.width(bit) == 1
    }

    /// Two neighbours as one node, if they are constants or adjacent slices of one node.
    fn join(&mut self, high: NodeId, low: NodeId) -> Option<NodeId> {
        match (self.op(high).clone(), self.op(low).clone()) {
            (Op::Const(h), Op::Const(l)) => Some(self.constant(h.concat(&l))),
            (Op::Slice(x, hi), Op::Slice(y, lo)) if x == y && lo + self.width(low) == hi => {
                Some(self.slice(x, lo, self.width(high) + self.width(low)))
            }
            _ => None,
        }
    }
}
