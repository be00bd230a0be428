//! What a board says about itself over the line, and what its link counted.

use super::{CLOCKS_PER_BIT, FILL_GRANULE, LINK_VERSION, MAX_UNITS, SYNC, UNIT};
use crate::registers::{MAGIC, MAP_HASH};

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident = $index:literal,)*) => {
        /// A 16-bit counter of the link. Counters wrap and begin anywhere; a driver takes differences.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Counter { $($(#[$doc])* $name = $index,)* }

        impl Counter {
            /// Every counter, in order of index.
            pub const ALL: [Counter; 8] = [$(Counter::$name,)*];

            /// The name as the documents print it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Counter::$name => stringify!($name),)* }
            }
        }
    };
}

counters! {
    /// Undamaged frames that asked for something new or for nothing.
    Good = 0,
    /// Frames whose payload had been received before.
    Duplicate = 1,
    /// Frames ahead of what was received.
    Gap = 2,
    /// Frames without room.
    Full = 3,
    /// Frames of another session.
    Stale = 4,
    /// Frames with a wrong CRC or an absurd length.
    Bad = 5,
    /// Bytes without a stop bit.
    Broken = 6,
    /// Sessions opened.
    Sessions = 7,
}

/// The payload of a frame with [`super::tell::INFO`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// [`MAP_HASH`] of the core.
    pub map_hash: u32,
    /// [`link_hash`] of the link.
    pub link_hash: u32,
    /// Rows computed in parallel.
    pub banks: u8,
    /// Tokens computed in parallel.
    pub batch: u8,
    /// Bytes the core takes a cycle.
    pub stream_bytes: u8,
    /// Accumulators a lane.
    pub depth: u16,
    /// [`board_id`] of the board's name; 0 is none.
    pub board: u32,
    /// Clocks of one bit.
    pub clocks_per_bit: u16,
    /// Units of requests that the board can hold.
    pub request_units: u16,
    /// Units of answers that the board can hold.
    pub answer_units: u16,
    /// The counters, by [`Counter`].
    pub counters: [u16; 8],
}

/// Why a payload is not an identity that this driver can talk to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// It has another length.
    #[error("its identity has {found} bytes, {wanted} were expected")]
    Length {
        /// Bytes found.
        found: usize,
        /// Bytes needed.
        wanted: usize,
    },
    /// It begins with another word.
    #[error("it says {found:#010x} where a Weft board says {MAGIC:#010x}")]
    Magic {
        /// The word found.
        found: u32,
    },
    /// Its frames are another version's.
    #[error("its link has version {found}, this driver speaks {LINK_VERSION}")]
    Version {
        /// The version found.
        found: u32,
    },
}

impl Identity {
    /// Words of constants before the counters.
    pub const WORDS: usize = 8;
    /// Bytes on the line.
    pub const BYTES: usize = Self::WORDS * 4 + Counter::ALL.len() * 2;
    /// Units on the line.
    pub const UNITS: usize = Self::BYTES / UNIT;

    /// The constant words, as the board's logic holds them.
    #[must_use]
    pub const fn words(&self) -> [u32; Self::WORDS] {
        [
            MAGIC,
            LINK_VERSION,
            self.map_hash,
            self.link_hash,
            self.banks as u32 | (self.batch as u32) << 8 | (self.stream_bytes as u32) << 16,
            self.depth as u32 | (self.clocks_per_bit as u32) << 16,
            self.board,
            self.request_units as u32 | (self.answer_units as u32) << 16,
        ]
    }

    /// As it stands on the line.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let words = self.words().into_iter().flat_map(u32::to_le_bytes);
        words
            .chain(self.counters.into_iter().flat_map(u16::to_le_bytes))
            .collect()
    }

    /// From the line.
    ///
    /// # Errors
    /// See [`IdentityError`]. The hashes are the caller's to compare.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, IdentityError> {
        if bytes.len() != Self::BYTES {
            return Err(IdentityError::Length {
                found: bytes.len(),
                wanted: Self::BYTES,
            });
        }
        let mut words = [0; Self::WORDS];
        for (word, b) in words.iter_mut().zip(bytes.chunks_exact(4)) {
            *word = u32::from_le_bytes([b[0], b[1], b[2], b[3]]);
        }
        let mut counters = [0; 8];
        for (counter, b) in counters
            .iter_mut()
            .zip(bytes[Self::WORDS * 4..].chunks_exact(2))
        {
            *counter = u16::from_le_bytes([b[0], b[1]]);
        }
        let [
            magic,
            version,
            map_hash,
            link_hash,
            core,
            line,
            board,
            buffers,
        ] = words;
        if magic != MAGIC {
            return Err(IdentityError::Magic { found: magic });
        }
        if version != LINK_VERSION {
            return Err(IdentityError::Version { found: version });
        }
        Ok(Self {
            map_hash,
            link_hash,
            banks: core as u8,
            batch: (core >> 8) as u8,
            stream_bytes: (core >> 16) as u8,
            depth: line as u16,
            clocks_per_bit: (line >> 16) as u16,
            board,
            request_units: buffers as u16,
            answer_units: (buffers >> 16) as u16,
            counters,
        })
    }
}

const fn fnv(mut hash: u32, bytes: &[u8]) -> u32 {
    let mut i = 0;
    while i < bytes.len() {
        hash = (hash ^ bytes[i] as u32).wrapping_mul(0x0100_0193);
        i += 1;
    }
    hash
}

const FNV_START: u32 = 0x811c_9dc5;

/// 32-bit FNV-1a of a board's name, which its identity carries.
#[must_use]
pub const fn board_id(name: &str) -> u32 {
    fnv(FNV_START, name.as_bytes())
}

/// 32-bit FNV-1a over the constants of the frames and the names of the counters.
#[must_use]
pub const fn link_hash() -> u32 {
    let mut hash = fnv(FNV_START, &LINK_VERSION.to_le_bytes());
    hash = fnv(hash, &SYNC);
    let sizes = [
        UNIT as u32,
        MAX_UNITS as u32,
        FILL_GRANULE as u32,
        CLOCKS_PER_BIT[0],
        CLOCKS_PER_BIT[1],
        Identity::BYTES as u32,
        super::CRC_POLYNOMIAL,
    ];
    let mut i = 0;
    while i < sizes.len() {
        hash = fnv(hash, &sizes[i].to_le_bytes());
        i += 1;
    }
    i = 0;
    while i < Counter::ALL.len() {
        hash = fnv(hash, Counter::ALL[i].name().as_bytes());
        i += 1;
    }
    hash
}

/// An identity of this build's core map and link, all else zero.
impl Default for Identity {
    fn default() -> Self {
        Self {
            map_hash: MAP_HASH,
            link_hash: link_hash(),
            banks: 0,
            batch: 0,
            stream_bytes: 0,
            depth: 0,
            board: 0,
            clocks_per_bit: 0,
            request_units: 0,
            answer_units: 0,
            counters: [0; 8],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_comes_back_and_strangers_are_refused() {
        let identity = Identity {
            banks: 8,
            batch: 16,
            stream_bytes: 4,
            depth: 512,
            board: board_id("ulx3s-85f"),
            clocks_per_bit: 33,
            request_units: 256,
            answer_units: 512,
            counters: [1, 2, 3, 4, 5, 6, 7, 65535],
            ..Identity::default()
        };
        let mut bytes = identity.to_bytes();
        assert_eq!(Identity::from_bytes(&bytes), Ok(identity));
        assert!(matches!(
            Identity::from_bytes(&bytes[1..]),
            Err(IdentityError::Length { .. })
        ));
        bytes[4] = 9;
        let version = Identity::from_bytes(&bytes);
        assert_eq!(version, Err(IdentityError::Version { found: 9 }));
        bytes[0] = 0;
        assert!(matches!(
            Identity::from_bytes(&bytes),
            Err(IdentityError::Magic { .. })
        ));
    }
}
