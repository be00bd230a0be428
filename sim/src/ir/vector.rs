//! Alike values side by side: what the pass `vectorise` makes of lanes.
//!
//! A vector node is as wide as the machine's vectors that hold it, lane 0 lowest. A lane of one bit is a mask: all ones
//! or all zeros. Vectors exist only between `vectorise` and machine code; no text is read back into them.

use super::{Binary, NodeId, Unary};

/// Bits of a machine vector.
pub(crate) const VECTOR_BITS: u32 = 128;

/// Lanes of a vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Shape {
    /// How many there are.
    pub(crate) count: u32,
    /// Bits of a lane's value.
    pub(crate) width: u32,
}

impl Shape {
    /// Bits of the machine's lanes: enough for the value, and no fewer than let the lanes fill a vector, so that
    /// narrow values of one number of lanes need no conversion.
    pub(crate) fn lane_bits(self) -> u32 {
        let filling = VECTOR_BITS / self.count.next_power_of_two().min(VECTOR_BITS / 8);
        self.width.next_power_of_two().max(8).max(filling.min(64))
    }
    /// Machine vectors that hold the lanes; the last one may have rubbish above them.
    pub(crate) fn vectors(self) -> usize {
        (self.count * self.lane_bits()).div_ceil(VECTOR_BITS) as usize
    }
    /// Bits of all machine vectors.
    pub(crate) fn bits(self) -> u32 {
        self.vectors() as u32 * VECTOR_BITS
    }
    /// As many lanes of another width.
    pub(crate) fn of(self, width: u32) -> Shape {
        Shape { width, ..self }
    }
}

/// How a vector is computed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Form {
    /// One value in all lanes.
    Splat,
    /// A value for each lane.
    Build,
    /// The lanes are the parts of this word or of these words, lowest first, which they fill.
    Parts,
    /// As the operations of single values, lane by lane.
    Unary(Unary),
    Binary(Binary),
    /// A condition for each lane.
    Mux,
    Slice(u32),
    Concat,
    Zext,
    Sext,
}

/// An operation on vectors.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Vector {
    pub(crate) form: Form,
    pub(crate) shape: Shape,
    pub(crate) args: Box<[NodeId]>,
}

/// The shapes of what is a vector; empty before `vectorise`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shapes {
    pub(crate) nodes: Vec<Option<Shape>>,
    pub(crate) registers: Vec<Option<Shape>>,
    pub(crate) memories: Vec<Option<Shape>>,
}
