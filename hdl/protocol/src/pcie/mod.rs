//! What a Weft card looks like on PCI Express: its registers in BAR0 (here) and its rings in host memory
//! ([`ring`]). The packet stream of [`crate::packet`] is what the rings carry; nothing in it changes.
//!
//! | BAR | what | bytes |
//! |---|---|---|
//! | 0 | [`CardRegister`]s from 0, the MSI-X table at [`MSIX_TABLE`], its pending bits at [`MSIX_PENDING`] | [`BAR0_BYTES`] |
//! | 2 | the window: memory on the card that other devices may write, source of `Window` descriptors | `1 <<` [`Capabilities::log2_window`] |
//!
//! Registers are 32 bits, little endian, and answer aligned accesses of four bytes, or of eight for two neighbours.
//! Reads of what is not listed give zero; writes to it, and to read-only registers, do nothing.

pub mod ring;
pub mod tlp;

use crate::registers;

/// Vendor number in configuration space. Not allocated to Weft: QEMU's, for devices of experiments.
pub const VENDOR: u16 = 0x1234;
/// Device number in configuration space.
pub const DEVICE: u16 = 0x57ef;
/// Class code: processing accelerator.
pub const CLASS: u32 = 0x12_0000;
/// Version of the register map and the rings.
pub const VERSION: u32 = 1;
/// Bytes of BAR0.
pub const BAR0_BYTES: usize = 16 << 10;
/// Offset in BAR0 of the MSI-X table: 16 bytes a vector (address low, address high, data, control).
pub const MSIX_TABLE: usize = 0x2000;
/// Offset in BAR0 of the MSI-X pending bits.
pub const MSIX_PENDING: usize = 0x3000;
/// Interrupt vectors: [`VECTOR_COMPLETION`] and [`VECTOR_FAULT`].
pub const VECTORS: usize = 2;
/// Vector that says: the completion ring has news.
pub const VECTOR_COMPLETION: u16 = 0;
/// Vector that says: the card halted on a fault; [`CardRegister::Status`] has it.
pub const VECTOR_FAULT: u16 = 1;

macro_rules! card_registers {
    ($($(#[$doc:meta])* $name:ident = $offset:literal,)*) => {
        /// A 32-bit register in BAR0, named by its byte offset.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u16)]
        pub enum CardRegister { $($(#[$doc])* $name = $offset,)* }

        impl CardRegister {
            /// Every register, in order of offset.
            pub const ALL: &'static [CardRegister] = &[$(CardRegister::$name,)*];

            /// The name as the documents print it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(CardRegister::$name => stringify!($name),)* }
            }

            /// Byte offset in BAR0.
            #[must_use]
            pub const fn offset(self) -> u64 {
                self as u64
            }
        }
    };
}

card_registers! {
    /// [`registers::MAGIC`]. Read only.
    Magic = 0x000,
    /// [`VERSION`]. Read only.
    Version = 0x004,
    /// [`registers::MAP_HASH`]: the packet stream. Read only.
    StreamHash = 0x008,
    /// [`MAP_HASH`]: registers and rings. Read only.
    CardHash = 0x00c,
    /// [`Shape`] of the core. Read only.
    Shape = 0x010,
    /// [`Capabilities`]. Read only.
    Capabilities = 0x014,
    /// Keeps what is written; a loop-back.
    Scratch = 0x018,
    /// [`Control`] bits.
    Control = 0x020,
    /// [`Status`]. Read only.
    Status = 0x024,
    /// Cycles after which an unanswered read counts as lost. At reset 50 ms of 125 MHz.
    Timeout = 0x028,
    /// Interrupt after this many completion records; 0 and 1 both mean each.
    InterruptCount = 0x02c,
    /// Interrupt at the latest this many cycles after the first record that none has announced.
    InterruptDelay = 0x030,
    /// Command ring in host memory, low half. A multiple of 64 bytes; like all ring bases written while stopped.
    CommandBase = 0x040,
    /// High half.
    CommandBaseHigh = 0x044,
    /// Log2 of the command ring's slots, 2 to 15.
    CommandLog2 = 0x048,
    /// Slots written by the host, counted modulo 2^16: the doorbell.
    CommandTail = 0x04c,
    /// Slots taken by the card, counted modulo 2^16. Read only.
    CommandHead = 0x050,
    /// Ring of result buffers in host memory, low half.
    ResultBase = 0x060,
    /// High half.
    ResultBaseHigh = 0x064,
    /// Log2 of its slots, 2 to 15.
    ResultLog2 = 0x068,
    /// Slots written by the host, counted modulo 2^16: the doorbell.
    ResultTail = 0x06c,
    /// Slots taken by the card, counted modulo 2^16. Read only.
    ResultHead = 0x070,
    /// Completion ring in host memory, low half.
    CompletionBase = 0x080,
    /// High half.
    CompletionBaseHigh = 0x084,
    /// Log2 of its records, 2 to 15.
    CompletionLog2 = 0x088,
    /// Records written by the card, counted modulo 2^16. Read only.
    CompletionTail = 0x08c,
    /// Records taken by the host, counted modulo 2^16: makes room. The card waits when the ring is full.
    CompletionHead = 0x090,
    /// Read requests sent. This counter and the next wrap at 2^32; a driver takes differences.
    ReadRequests = 0x100,
    /// Write requests sent, without interrupts.
    WriteRequests = 0x104,
    /// Payload bytes that arrived in completions.
    BytesRead = 0x108,
    /// Payload bytes sent in write requests, without interrupts.
    BytesWritten = 0x10c,
    /// Completions that answer no outstanding tag: late, doubled or misdirected.
    UnexpectedCompletions = 0x110,
    /// Completions with an error status or poisoned data.
    FailedCompletions = 0x114,
    /// Reads that were not answered in time.
    LostCompletions = 0x118,
    /// Requests to the card that it does not support: answered as such, or dropped if nobody waits for an answer.
    UnsupportedRequests = 0x11c,
    /// Interrupts sent.
    Interrupts = 0x120,
    /// Tags whose answer is still owed, the ones of before a reset included. Not a counter.
    OutstandingTags = 0x124,
    /// Writes to the card that were dropped because their data are poisoned.
    PoisonedWrites = 0x128,
}

/// Bits of [`CardRegister::Control`].
#[derive(Clone, Copy, Debug)]
pub struct Control;

impl Control {
    /// Descriptors are taken. Clearing it stops after the descriptor under way; [`Status::IDLE`] tells when.
    pub const RUN: u32 = 1 << 0;
    /// Abandons everything: ring positions become zero, the core is cleared, answers that are still owed are waited
    /// for or dropped when they come. Reads as one until that is done; `RUN` is then clear. Bases and settings stay.
    pub const RESET: u32 = 1 << 1;
}

/// Fields of [`CardRegister::Status`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status(pub u32);

impl Status {
    /// Nothing is under way: no fetch, no write, no answer of the core half stored.
    pub const IDLE: u32 = 1 << 0;
    /// Halted on a fault; only a reset helps. The other fields tell which.
    pub const HALTED: u32 = 1 << 1;

    /// Nothing is under way.
    #[must_use]
    pub const fn idle(self) -> bool {
        self.0 & Self::IDLE != 0
    }

    /// Halted on a fault.
    #[must_use]
    pub const fn halted(self) -> bool {
        self.0 & Self::HALTED != 0
    }

    /// Code of the fault: a [`ring::Outcome`], bits 15 to 8.
    #[must_use]
    pub const fn fault(self) -> u8 {
        (self.0 >> 8) as u8
    }

    /// Cookie of the descriptor that met it, bits 31 to 16.
    #[must_use]
    pub const fn cookie(self) -> u16 {
        (self.0 >> 16) as u16
    }
}

/// [`CardRegister::Shape`]: the core's parameters, a byte each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Rows computed in parallel, bits 7 to 0.
    pub banks: u8,
    /// Tokens computed in parallel, bits 15 to 8.
    pub batch: u8,
    /// Bytes the core accepts in one cycle, bits 23 to 16.
    pub stream_bytes: u8,
    /// Log2 of the accumulators a lane, bits 31 to 24.
    pub log2_depth: u8,
}

impl Shape {
    /// As the register holds it.
    #[must_use]
    pub const fn to_register(self) -> u32 {
        u32::from_le_bytes([self.banks, self.batch, self.stream_bytes, self.log2_depth])
    }

    /// From the register.
    #[must_use]
    pub const fn from_register(v: u32) -> Self {
        let [banks, batch, stream_bytes, log2_depth] = v.to_le_bytes();
        Self {
            banks,
            batch,
            stream_bytes,
            log2_depth,
        }
    }
}

/// [`CardRegister::Capabilities`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// Log2 of the bytes of BAR2, bits 7 to 0.
    pub log2_window: u8,
    /// Reads that may be outstanding at once, bits 15 to 8.
    pub tags: u8,
}

impl Capabilities {
    /// As the register holds it.
    #[must_use]
    pub const fn to_register(self) -> u32 {
        u32::from_le_bytes([self.log2_window, self.tags, 0, 0])
    }

    /// From the register.
    #[must_use]
    pub const fn from_register(v: u32) -> Self {
        let [log2_window, tags, _, _] = v.to_le_bytes();
        Self { log2_window, tags }
    }
}

/// 32-bit FNV-1a over the card's registers, rings and codes.
pub const MAP_HASH: u32 = map_hash();

const fn map_hash() -> u32 {
    let mut hash = registers::fnv(0x811c_9dc5, &VERSION.to_le_bytes());
    let mut i = 0;
    while i < CardRegister::ALL.len() {
        let r = CardRegister::ALL[i];
        hash = registers::fnv(hash, r.name().as_bytes());
        hash = registers::fnv(hash, &(r as u16).to_le_bytes());
        i += 1;
    }
    i = 0;
    while i < ring::Outcome::ALL.len() {
        hash = registers::fnv(hash, &[ring::Outcome::ALL[i] as u8]);
        i += 1;
    }
    i = 0;
    while i < ring::SlotKind::ALL.len() {
        hash = registers::fnv(hash, &[ring::SlotKind::ALL[i] as u8]);
        i += 1;
    }
    registers::fnv(
        hash,
        &[
            ring::SLOT_BYTES as u8,
            ring::RECORD_BYTES as u8,
            ring::NOTIFY,
            (MSIX_TABLE >> 8) as u8,
            (MSIX_PENDING >> 8) as u8,
            VECTORS as u8,
        ],
    )
}
