//! The messages, as plain data.
//!
//! | byte | header field |
//! |---|---|
//! | 0, 1 | id, chosen by who asks |
//! | 2, 3 | [`command`] |
//! | 4 to 7 | bytes of the whole message |
//! | 8 to 11 | [`flag`]s |
//! | 12 to 15 | error number of a reply |
//!
//! All fields are little endian. Bodies are read through [`Fields`], which ends with an error where a body does.

/// Bytes of a header.
pub const HEADER_BYTES: usize = 16;
/// Most data bytes that one message may carry.
pub const MAX_DATA: usize = 1 << 20;
/// Most bytes of one message: data, and room for any fixed part.
pub const MAX_MESSAGE: usize = MAX_DATA + 4096;
/// Most descriptors with one message.
pub const MAX_FDS: usize = 8;
/// Protocol version, major.
pub const MAJOR: u16 = 0;
/// Protocol version, minor.
pub const MINOR: u16 = 0;

/// Commands.
pub mod command {
    /// Version and capabilities; the first message.
    pub const VERSION: u16 = 1;
    /// Makes client memory reachable.
    pub const DMA_MAP: u16 = 2;
    /// Takes it back.
    pub const DMA_UNMAP: u16 = 3;
    /// Numbers of regions and interrupts.
    pub const DEVICE_INFO: u16 = 4;
    /// Size and flags of a region.
    pub const REGION_INFO: u16 = 5;
    /// Vectors of an interrupt kind.
    pub const IRQ_INFO: u16 = 7;
    /// Where interrupts go.
    pub const SET_IRQS: u16 = 8;
    /// Reads a region.
    pub const REGION_READ: u16 = 9;
    /// Writes a region.
    pub const REGION_WRITE: u16 = 10;
    /// Server to client: reads client memory.
    pub const DMA_READ: u16 = 11;
    /// Server to client: writes client memory.
    pub const DMA_WRITE: u16 = 12;
    /// A function-level reset.
    pub const RESET: u16 = 13;
    /// Several small region writes at once.
    pub const REGION_WRITE_MULTI: u16 = 15;
}

/// Bits of the header's flags.
pub mod flag {
    /// Message type, the low four bits: 0 is a command, 1 a reply.
    pub const TYPE: u32 = 0xf;
    /// A reply.
    pub const REPLY: u32 = 1;
    /// The sender wants no reply.
    pub const NO_REPLY: u32 = 1 << 4;
    /// A reply that carries an error number.
    pub const ERROR: u32 = 1 << 5;
}

/// Region numbers.
pub mod region {
    /// Configuration space.
    pub const CONFIG: u32 = 7;
    /// How many regions a PCI device has.
    pub const COUNT: u32 = 9;
    /// Flag: readable and writable.
    pub const READ_WRITE: u32 = 3;
}

/// Interrupt kinds and the flags of [`command::SET_IRQS`].
pub mod irq {
    /// MSI-X.
    pub const MSIX: u32 = 2;
    /// How many kinds a PCI device has.
    pub const COUNT: u32 = 5;
    /// Info flag: signals an eventfd.
    pub const EVENTFD: u32 = 1;
    /// Info flag: the number of vectors in use is set once.
    pub const NORESIZE: u32 = 1 << 3;
    /// No data follow.
    pub const DATA_NONE: u32 = 1;
    /// A byte a vector follows.
    pub const DATA_BOOL: u32 = 1 << 1;
    /// Descriptors come with the message.
    pub const DATA_EVENTFD: u32 = 1 << 2;
    /// Signal, or say what to signal.
    pub const ACTION_TRIGGER: u32 = 1 << 5;
}

/// Flags of [`command::DMA_MAP`] and [`command::DMA_UNMAP`].
pub mod dma {
    /// The device may read.
    pub const READ: u32 = 1;
    /// The device may write.
    pub const WRITE: u32 = 1 << 1;
    /// Unmap: everything.
    pub const ALL: u32 = 1 << 1;
}

/// Flags of the device info: a PCI device that can be reset.
pub const DEVICE_PCI_RESET: u32 = 3;

/// Error numbers that replies carry, as Linux has them.
pub mod errno {
    /// No such address.
    pub const FAULT: u32 = 14;
    /// Already there.
    pub const EXIST: u32 = 17;
    /// Malformed.
    pub const INVALID: u32 = 22;
    /// No such command.
    pub const NO_SYSTEM_CALL: u32 = 38;
}

/// A body that is shorter than its command needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a message body ends {missing} bytes early")]
pub struct Short {
    /// Bytes missing.
    pub missing: usize,
}

/// Reads fields off the front of a body.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    /// All of `body`.
    #[must_use]
    pub const fn new(body: &'a [u8]) -> Self {
        Self(body)
    }

    /// The next `n` bytes.
    ///
    /// # Errors
    /// [`Short`] if there are fewer.
    pub fn bytes(&mut self, n: usize) -> Result<&'a [u8], Short> {
        let missing = n.saturating_sub(self.0.len());
        let (taken, rest) = self.0.split_at_checked(n).ok_or(Short { missing })?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Short> {
        let taken = self.bytes(N)?;
        Ok(std::array::from_fn(|i| taken[i]))
    }

    /// The next 16 bits.
    ///
    /// # Errors
    /// [`Short`].
    pub fn u16(&mut self) -> Result<u16, Short> {
        self.array().map(u16::from_le_bytes)
    }

    /// The next 32 bits.
    ///
    /// # Errors
    /// [`Short`].
    pub fn u32(&mut self) -> Result<u32, Short> {
        self.array().map(u32::from_le_bytes)
    }

    /// The next 64 bits.
    ///
    /// # Errors
    /// [`Short`].
    pub fn u64(&mut self) -> Result<u64, Short> {
        self.array().map(u64::from_le_bytes)
    }

    /// What is left.
    #[must_use]
    pub const fn rest(self) -> &'a [u8] {
        self.0
    }
}

/// Little-endian words, one after the other: the fixed part of a body.
#[must_use]
pub fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|w| w.to_le_bytes()).collect()
}

/// Body of a region access without its data: offset, region, count.
#[must_use]
pub fn access(offset: u64, region: u32, count: u32) -> [u8; 16] {
    let mut b = [0; 16];
    b[..8].copy_from_slice(&offset.to_le_bytes());
    b[8..12].copy_from_slice(&region.to_le_bytes());
    b[12..].copy_from_slice(&count.to_le_bytes());
    b
}

/// Body of a DMA message without its data: address, count.
#[must_use]
pub fn transfer(address: u64, count: u64) -> [u8; 16] {
    let mut b = [0; 16];
    b[..8].copy_from_slice(&address.to_le_bytes());
    b[8..].copy_from_slice(&count.to_le_bytes());
    b
}

/// Body of a version message; a server also says that it takes [`command::REGION_WRITE_MULTI`].
#[must_use]
pub fn version(server: bool) -> Vec<u8> {
    let mut capabilities = serde_json::json!({
        "max_msg_fds": MAX_FDS,
        "max_data_xfer_size": MAX_DATA,
    });
    if server {
        capabilities["write_multiple"] = true.into();
    }
    let text = serde_json::json!({ "capabilities": capabilities }).to_string();
    let mut body = Vec::new();
    body.extend_from_slice(&MAJOR.to_le_bytes());
    body.extend_from_slice(&MINOR.to_le_bytes());
    body.extend_from_slice(text.as_bytes());
    body.push(0);
    body
}

/// Major and minor version of a version message, and most data bytes that its sender takes in one message.
///
/// # Errors
/// [`Short`] when even the numbers are missing; capabilities that cannot be read count as absent.
pub fn parse_version(body: &[u8]) -> Result<(u16, u16, usize), Short> {
    let mut fields = Fields::new(body);
    let (major, minor) = (fields.u16()?, fields.u16()?);
    let text = fields.rest();
    let text = text.split(|&b| b == 0).next().unwrap_or_default();
    let data = serde_json::from_slice::<serde_json::Value>(text)
        .ok()
        .and_then(|v| v.pointer("/capabilities/max_data_xfer_size")?.as_u64())
        .map_or(MAX_DATA, |n| {
            usize::try_from(n).map_or(MAX_DATA, |n| n.clamp(4096, MAX_DATA))
        });
    Ok((major, minor, data))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_body_is_an_error_and_takes_nothing() {
        let mut fields = Fields::new(&[1, 0, 2, 0, 0]);
        assert_eq!(fields.u16(), Ok(1));
        assert_eq!(fields.u32(), Err(Short { missing: 1 }));
        assert_eq!(fields.u16(), Ok(2));
        assert_eq!(fields.rest(), &[0]);
    }

    #[test]
    fn a_version_is_read_back_and_odd_capabilities_count_as_absent() {
        assert_eq!(parse_version(&version(true)), Ok((MAJOR, MINOR, MAX_DATA)));
        let small = b"\0\0\0\0{\"capabilities\":{\"max_data_xfer_size\":65536}}\0";
        assert_eq!(parse_version(small), Ok((MAJOR, MINOR, 65536)));
        assert_eq!(parse_version(&[0, 0, 1, 0, b'{']), Ok((0, 1, MAX_DATA)));
        assert!(parse_version(&[0, 0, 0]).is_err());
    }
}
