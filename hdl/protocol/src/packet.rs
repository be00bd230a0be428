//! Packets. Each begins with a header of eight bytes:
//!
//! | byte | field |
//! |---|---|
//! | 0 | opcode |
//! | 1 | flags |
//! | 2, 3 | `arg16` |
//! | 4 to 7 | `arg32` |
//!
//! | to the core | flags | `arg16` | `arg32` | payload |
//! |---|---|---|---|---|
//! | `Nop` | 0 | 0 | 0 | |
//! | `Tile` | log2 of the batch | rows / 64 | 0 | |
//! | `Group` | [`GroupFlags`] | column bundles, 1 to 64 | payload bytes / 8 | activations, scale words, bundles |
//! | `Drain` | 0 | 0 | tag | |
//! | `Read` | 0 | register | 0 | |
//! | `Reset` | 0 | [`RESET_ARG16`] | [`RESET_ARG32`] | |
//!
//! | from the core | flags | `arg16` | `arg32` | payload |
//! |---|---|---|---|---|
//! | `Result` | log2 of the batch | rows / 64 | tag | `rows << log2_batch` sums, i32, row-major, batch inner |
//! | `Value` | 0 | register | its value | |
//! | `ResetDone` | 0 | 0 | [`crate::registers::VERSION`] | |
//! | `Error` | [`ErrorCode`] | 0 | first word of the offending header | |
//!
//! A tile packet opens a tile; groups add to its accumulators; a drain sends the sums and leaves zeros. Several
//! drains may follow one tile packet. Requests are answered in order. After an error packet the core discards
//! aligned 8-byte units until it meets a reset header. Activations of a group: for each bundle in turn
//! `1 << log2_batch` signed bytes, padded to eight in all; the core never learns which column a bundle was.

use crate::layout::{Kind, activation_bytes, round_order};
use crate::{MAX_COLUMNS, ROW_GRANULE, align};

codes! {
    /// First byte of a header.
    Opcode {
        /// Nothing; eight bytes of filling.
        Nop = 0x00,
        /// Opens a tile.
        Tile = 0x01,
        /// Activations, scales and column bundles.
        Group = 0x02,
        /// Asks for the sums and clears them.
        Drain = 0x03,
        /// Asks for a register.
        Read = 0x04,
        /// Clears accumulators, counters and the error state.
        Reset = 0x05,
        /// Sums of a tile.
        Result = 0x83,
        /// A register's value.
        Value = 0x84,
        /// A reset was carried out.
        ResetDone = 0x85,
        /// A request was refused.
        Error = 0x8e,
    }
}

codes! {
    /// Why a core refused a request.
    ErrorCode {
        /// The opcode is not one of a request.
        Opcode = 1,
        /// A group's payload did not have the length its header gave.
        Length = 2,
        /// A tile's rows are zero or more than the core holds.
        Rows = 3,
        /// A tile's batch is more than the core has lanes.
        Batch = 4,
        /// A group's column count is zero or above 64.
        Columns = 5,
        /// A group or drain came before any tile.
        NoTile = 6,
        /// No such register.
        Register = 7,
        /// A reset header without its magic arguments.
        Reset = 8,
        /// A group keeps scales, but the tile has not sent any.
        Scales = 9,
    }
}

/// Bits of a group header's flags.
#[derive(Clone, Copy, Debug)]
pub struct GroupFlags;

impl GroupFlags {
    /// Bundles are signed 8-bit weights; without it they are `g4` codes.
    pub const I8: u8 = 1 << 0;
    /// Bundles begin with a mask.
    pub const MASKED: u8 = 1 << 1;
    /// No scale words: the last ones that this tile sent still hold. Only with `g4`.
    pub const KEEP_SCALES: u8 = 1 << 2;
}

/// `arg16` of a reset header.
pub const RESET_ARG16: u16 = 0x7e57;
/// `arg32` of a reset header.
pub const RESET_ARG32: u32 = u32::from_le_bytes(*b"RSET");

/// The eight bytes that begin a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Opcode byte, not yet checked.
    pub op: u8,
    /// Flags; meaning by opcode.
    pub flags: u8,
    /// 16-bit argument.
    pub arg16: u16,
    /// 32-bit argument.
    pub arg32: u32,
}

impl Header {
    /// A header of `op` with its three arguments.
    #[must_use]
    pub const fn new(op: Opcode, flags: u8, arg16: u16, arg32: u32) -> Self {
        Self {
            op: op as u8,
            flags,
            arg16,
            arg32,
        }
    }

    /// As it stands on the wire.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 8] {
        let a = self.arg16.to_le_bytes();
        let b = self.arg32.to_le_bytes();
        [self.op, self.flags, a[0], a[1], b[0], b[1], b[2], b[3]]
    }

    /// From the wire.
    #[must_use]
    pub const fn from_bytes(b: [u8; 8]) -> Self {
        Self {
            op: b[0],
            flags: b[1],
            arg16: u16::from_le_bytes([b[2], b[3]]),
            arg32: u32::from_le_bytes([b[4], b[5], b[6], b[7]]),
        }
    }
}

/// One group of column bundles, borrowed from wherever it lies.
#[derive(Clone, Debug)]
pub struct Group<'a> {
    /// What a code is.
    pub kind: Kind,
    /// Whether each bundle begins with a mask.
    pub masked: bool,
    /// `columns << log2_batch` signed bytes: for each bundle its activations, token by token.
    pub activations: &'a [i8],
    /// Scale words, `2 * rows` bytes for `g4`; `None` keeps the last ones, and for `i8`.
    pub scales: Option<&'a [u8]>,
    /// The bundles in the order sent, each a whole bundle of [`crate::layout`].
    pub bundles: Vec<&'a [u8]>,
}

/// A request to the core.
#[derive(Clone, Debug)]
pub enum Request<'a> {
    /// Opens a tile of `rows` rows for `1 << log2_batch` tokens.
    Tile {
        /// Rows, a multiple of 64.
        rows: usize,
        /// Log2 of the tokens.
        log2_batch: u8,
    },
    /// Adds columns to the open tile.
    Group(Group<'a>),
    /// Asks for the sums.
    Drain {
        /// Comes back in the result's header.
        tag: u32,
    },
    /// Asks for a register by its index.
    Read {
        /// The register's index.
        register: u16,
    },
    /// Clears everything.
    Reset,
}

impl Group<'_> {
    /// Payload bytes, a multiple of eight.
    #[must_use]
    pub fn payload_bytes(&self) -> usize {
        align(self.activations.len())
            + self.scales.map_or(0, <[u8]>::len)
            + self.bundles.iter().map(|b| b.len()).sum::<usize>()
    }

    /// Codes that the core will multiply, for a tile of `rows` rows.
    #[must_use]
    pub fn codes(&self, rows: usize) -> usize {
        if !self.masked {
            return rows * self.bundles.len();
        }
        let ones = |b: &&[u8]| {
            b[..rows / 8]
                .iter()
                .map(|m| m.count_ones() as usize)
                .sum::<usize>()
        };
        self.bundles.iter().map(ones).sum()
    }
}

impl Request<'_> {
    /// This request's header.
    #[must_use]
    pub fn header(&self) -> Header {
        match self {
            Request::Tile { rows, log2_batch } => {
                Header::new(Opcode::Tile, *log2_batch, (rows / ROW_GRANULE) as u16, 0)
            }
            Request::Group(g) => {
                let mut flags = 0;
                if g.kind == Kind::I8 {
                    flags |= GroupFlags::I8;
                } else if g.scales.is_none() {
                    flags |= GroupFlags::KEEP_SCALES;
                }
                if g.masked {
                    flags |= GroupFlags::MASKED;
                }
                let units = (g.payload_bytes() / crate::ALIGN) as u32;
                Header::new(Opcode::Group, flags, g.bundles.len() as u16, units)
            }
            Request::Drain { tag } => Header::new(Opcode::Drain, 0, 0, *tag),
            Request::Read { register } => Header::new(Opcode::Read, 0, *register, 0),
            Request::Reset => Header::new(Opcode::Reset, 0, RESET_ARG16, RESET_ARG32),
        }
    }

    /// Bytes of the whole packet.
    #[must_use]
    pub fn bytes(&self) -> usize {
        8 + if let Request::Group(g) = self {
            g.payload_bytes()
        } else {
            0
        }
    }

    /// Appends the packet to `out`, as it stands on the wire.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.header().to_bytes());
        if let Request::Group(g) = self {
            out.extend(g.activations.iter().map(|&x| x as u8));
            out.resize(align(out.len()), 0);
            out.extend_from_slice(g.scales.unwrap_or_default());
            for bundle in &g.bundles {
                out.extend_from_slice(bundle);
            }
        }
    }
}

/// A masked bundle from a dense column: `codes[r]` where `mask` has a one, packed in round order for `banks`.
/// `mask` is `rows / 8` bytes; a `g4` code is the low nibble of its byte.
#[must_use]
pub fn masked_bundle(kind: Kind, mask: &[u8], codes: &[u8], banks: usize) -> Vec<u8> {
    let mut out = mask.to_vec();
    let order = round_order(mask, banks);
    match kind {
        Kind::I8 => out.extend(order.iter().map(|&r| codes[r as usize])),
        Kind::G4 => out.extend(order.chunks(2).map(|pair| {
            let nibble = |i: usize| pair.get(i).map_or(0, |&r| codes[r as usize] & 15);
            nibble(0) | nibble(1) << 4
        })),
    }
    out.resize(align(out.len()), 0);
    out
}

/// Checks a group's shape against an open tile: column count, activation bytes, scale bytes and, for dense
/// bundles, their length. What passes is executed without an error by every core that holds the tile.
///
/// # Errors
/// The [`ErrorCode`] that a core would answer with.
pub fn check_group(group: &Group<'_>, rows: usize, log2_batch: u8) -> Result<(), ErrorCode> {
    let n = group.bundles.len();
    if n == 0 || n > MAX_COLUMNS {
        return Err(ErrorCode::Columns);
    }
    let scales = group.scales.map_or(0, <[u8]>::len);
    let wanted = if group.scales.is_some() {
        group.kind.scale_bytes(rows)
    } else {
        0
    };
    let bundle_fits = |b: &&[u8]| {
        if group.masked {
            b.len() >= rows / 8 && {
                let ones = b[..rows / 8].iter().map(|m| m.count_ones() as usize).sum();
                b.len() == group.kind.masked_bytes(rows, ones)
            }
        } else {
            b.len() == group.kind.dense_bytes(rows)
        }
    };
    let fits = group.activations.len() == n << log2_batch
        && align(group.activations.len()) == activation_bytes(n, log2_batch)
        && scales == wanted
        && group.bundles.iter().all(bundle_fits);
    if fits { Ok(()) } else { Err(ErrorCode::Length) }
}
