//! Read-only registers: self-description first, counters after. The driver compares [`Register::MapHash`]
//! with [`MAP_HASH`] and refuses a core that was built from another map.

use crate::packet::{ErrorCode, GroupFlags, Opcode};

/// `"WEFT"` read as a little-endian word.
pub const MAGIC: u32 = u32::from_le_bytes(*b"WEFT");
/// Version of the packet stream and of the register map; goes up with every incompatible change.
pub const VERSION: u32 = 1;

macro_rules! registers {
    ($($(#[$doc:meta])* $name:ident = $index:literal,)*) => {
        /// A 32-bit read-only register, named by its index in a read packet. Counters wrap at 2^32;
        /// a driver takes differences.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u16)]
        pub enum Register { $($(#[$doc])* $name = $index,)* }

        impl Register {
            /// Every register, in order of index.
            pub const ALL: &'static [Register] = &[$(Register::$name,)*];

            /// The name as the documents print it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Register::$name => stringify!($name),)* }
            }
        }
    };
}

registers! {
    /// [`MAGIC`].
    Magic = 0,
    /// [`VERSION`].
    Version = 1,
    /// [`MAP_HASH`].
    MapHash = 2,
    /// Rows computed in parallel.
    Banks = 3,
    /// Tokens computed in parallel (lanes a bank).
    Batch = 4,
    /// Bytes the core accepts in one cycle (one beat).
    StreamBytes = 5,
    /// Accumulators a lane: the most rows of one tile in one bank.
    Depth = 6,
    /// Cycles in which a tile was open: from the acceptance of its header to the last word of its result.
    Cycles = 16,
    /// Input beats accepted.
    Beats = 17,
    /// Cycles with a tile open and no drain under way in which the core was ready for a beat and none was offered.
    Starved = 18,
    /// Cycles with a tile open in which a beat was offered and the core was not ready.
    Stalled = 19,
    /// Weight codes multiplied (each counts once, however many tokens it served).
    Nonzeros = 20,
    /// Column bundles finished.
    Columns = 21,
    /// Tiles drained.
    Tiles = 22,
    /// Error packets sent since power-up. A reset packet, which ends an error, leaves this one as it is.
    Errors = 23,
    /// Rounds issued: cycles in which at least one bank started a multiplication.
    Rounds = 24,
    /// Cycles in which a round waited for an accumulator still in flight.
    Hazards = 25,
}

impl Register {
    /// The register with this index, if there is one.
    #[must_use]
    pub fn from_index(index: u16) -> Option<Self> {
        Self::ALL.iter().copied().find(|r| *r as u16 == index)
    }
}

/// 32-bit FNV-1a over everything that both sides must agree on: opcodes, flags, error codes, register names
/// and indices, format constants.
pub const MAP_HASH: u32 = map_hash();

/// One more step of 32-bit FNV-1a.
pub(crate) const fn fnv(mut hash: u32, bytes: &[u8]) -> u32 {
    let mut i = 0;
    while i < bytes.len() {
        hash = (hash ^ bytes[i] as u32).wrapping_mul(0x0100_0193);
        i += 1;
    }
    hash
}

const fn map_hash() -> u32 {
    let mut hash = fnv(0x811c_9dc5, &VERSION.to_le_bytes());
    let mut i = 0;
    while i < Register::ALL.len() {
        let r = Register::ALL[i];
        hash = fnv(hash, r.name().as_bytes());
        hash = fnv(hash, &(r as u16).to_le_bytes());
        i += 1;
    }
    i = 0;
    while i < Opcode::ALL.len() {
        hash = fnv(hash, &[Opcode::ALL[i] as u8]);
        i += 1;
    }
    i = 0;
    while i < ErrorCode::ALL.len() {
        hash = fnv(hash, &[ErrorCode::ALL[i] as u8]);
        i += 1;
    }
    fnv(
        hash,
        &[
            GroupFlags::I8,
            GroupFlags::MASKED,
            GroupFlags::KEEP_SCALES,
            crate::ALIGN as u8,
            crate::ROW_GRANULE as u8,
            crate::GROUP as u8,
            crate::MAX_COLUMNS as u8,
            crate::ACCUMULATOR_BITS as u8,
            crate::g4::ZERO_STEPS as u8,
            crate::g4::SHIFT as u8,
        ],
    )
}
