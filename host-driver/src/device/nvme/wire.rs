//! Registers, commands and completions of NVM Express, as far as a reader needs them. Names and offsets are those of
//! the base specification, revision 1.4, sections 3.1 and 4.

/// Byte offsets of the controller's registers (3.1).
pub(super) mod register {
    pub(crate) const CAPABILITIES: usize = 0x00;
    pub(crate) const CONFIGURATION: usize = 0x14;
    pub(crate) const STATUS: usize = 0x1c;
    pub(crate) const ADMIN_QUEUE_SIZES: usize = 0x24;
    pub(crate) const ADMIN_SUBMISSION: usize = 0x28;
    pub(crate) const ADMIN_COMPLETION: usize = 0x30;
    pub(crate) const DOORBELLS: usize = 0x1000;
}

/// Controller configuration (3.1.5): enabled, pages of 4 KiB, entries of 64 and 16 bytes.
pub(super) const ENABLE: u32 = 1 | 6 << 16 | 4 << 20;
/// Controller status (3.1.6): it takes commands.
pub(super) const READY: u32 = 1;
/// Controller status: a fault that only a reset ends.
pub(super) const FATAL: u32 = 2;

/// Bytes of a submission queue's entry.
pub(super) const COMMAND_BYTES: usize = 64;
/// Bytes of a completion queue's entry.
pub(super) const COMPLETION_BYTES: usize = 16;

/// The capabilities register (3.1.1).
#[derive(Clone, Copy, Debug)]
pub(super) struct Capabilities(pub u64);

impl Capabilities {
    /// Most entries of a queue.
    pub(super) fn most_entries(self) -> usize {
        (self.0 & 0xffff) as usize + 1
    }

    /// Longest time from enabled to ready, in halves of a second.
    pub(super) fn timeout_halves(self) -> u64 {
        self.0 >> 24 & 0xff
    }

    /// Bytes from one doorbell to the next.
    pub(super) fn doorbell_stride(self) -> usize {
        4 << (self.0 >> 32 & 0xf)
    }

    /// Bytes of the smallest page that it can work with.
    pub(super) fn smallest_page(self) -> u64 {
        4096 << (self.0 >> 48 & 0xf)
    }
}

/// Opcodes of admin commands (5) and of the one command for data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Opcode {
    CreateSubmission = 0x01,
    /// Read, of the NVM command set.
    Read = 0x02,
    CreateCompletion = 0x05,
    Identify = 0x06,
}

/// A command (4.2).
#[derive(Clone, Copy, Debug)]
pub(super) struct Command {
    pub opcode: Opcode,
    /// Comes back in the completion.
    pub id: u16,
    pub namespace: u32,
    /// First page of the data, and the second one or a list of the rest (4.3).
    pub pages: [u64; 2],
    /// Double words 10 to 12.
    pub arguments: [u32; 3],
}

impl Command {
    /// As it lies in the queue.
    pub(super) fn to_bytes(self) -> [u8; COMMAND_BYTES] {
        let mut b = [0; COMMAND_BYTES];
        b[0] = self.opcode as u8;
        b[2..4].copy_from_slice(&self.id.to_le_bytes());
        b[4..8].copy_from_slice(&self.namespace.to_le_bytes());
        for (i, page) in self.pages.iter().enumerate() {
            b[24 + 8 * i..32 + 8 * i].copy_from_slice(&page.to_le_bytes());
        }
        for (i, word) in self.arguments.iter().enumerate() {
            b[40 + 4 * i..44 + 4 * i].copy_from_slice(&word.to_le_bytes());
        }
        b
    }
}

/// The half of a completion that is looked at (4.6): its second eight bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Completion(pub u64);

impl Completion {
    /// The command's id.
    pub(super) fn id(self) -> u16 {
        (self.0 >> 32) as u16
    }

    /// Changes each time round the queue.
    pub(super) fn phase(self) -> bool {
        self.0 >> 48 & 1 != 0
    }

    /// Status code with its type in bits 10 to 8; 0 is success.
    pub(super) fn status(self) -> u16 {
        (self.0 >> 49) as u16 & 0x7ff
    }
}

/// What `Identify` tells of a controller (5.15, figure 247).
#[derive(Clone, Debug)]
pub(super) struct ControllerPage<'a>(pub &'a [u8]);

impl ControllerPage<'_> {
    /// The model's name: padded with spaces, as the specification has it; zeros are seen, too.
    pub(super) fn model(&self) -> String {
        let name = String::from_utf8_lossy(&self.0[24..64]);
        name.trim_matches([' ', '\0']).to_owned()
    }

    /// Most bytes of one command, with pages of 4 KiB as the smallest; `None` without a limit.
    pub(super) fn most_bytes(&self) -> Option<usize> {
        match self.0[77] {
            0 => None,
            log2 => 4096usize.checked_shl(log2.into()),
        }
    }
}

/// What `Identify` tells of a namespace (5.15, figure 245).
#[derive(Clone, Debug)]
pub(super) struct NamespacePage<'a>(pub &'a [u8]);

impl NamespacePage<'_> {
    /// Sectors.
    pub(super) fn sectors(&self) -> u64 {
        u64::from_le_bytes(std::array::from_fn(|i| self.0[i]))
    }

    fn format(&self) -> [u8; 4] {
        let at = 128 + 4 * usize::from(self.0[26] & 0xf);
        std::array::from_fn(|i| self.0[at + i])
    }

    /// Log2 of a sector's bytes.
    pub(super) fn sector_log2(&self) -> u8 {
        self.format()[2]
    }

    /// Bytes of metadata a sector, which come with the data.
    pub(super) fn metadata_bytes(&self) -> u16 {
        let f = self.format();
        u16::from_le_bytes([f[0], f[1]])
    }
}
