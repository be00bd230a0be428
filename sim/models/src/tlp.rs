//! Transaction-layer packets as values, over the tables of [`weft_protocol::pcie::tlp`].

use weft_protocol::pcie::tlp::{
    ADDRESS_HIGH, ADDRESS_LOW, ADDRESS_SHORT, ANSWERED, ANSWERED_TAG, BYTE_COUNT, COMPLETER,
    COMPLETION, EP, FIRST_BE, FMT, FOUR, FOUR_DATA, Field, LAST_BE, LENGTH, LOWER_ADDRESS, MEMORY,
    REQUESTER, STATUS, TAG, THREE, THREE_DATA, TYPE,
};

/// A packet: its header's doublewords as numbers, and its data in order of address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tlp {
    header: [u32; 4],
    /// Data, a multiple of four bytes; nothing checks them against the header.
    pub data: Vec<u8>,
}

/// Why bytes are not a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TlpError {
    /// The header is not complete.
    #[error("{bytes} bytes are no packet: its header alone has {header}")]
    Header {
        /// Bytes there were.
        bytes: usize,
        /// Bytes of the header.
        header: usize,
    },
    /// The data are not as long as the header says.
    #[error("the packet has {bytes} bytes of data where its header says {length}")]
    Data {
        /// Bytes of data there were.
        bytes: usize,
        /// Bytes that the header gives.
        length: usize,
    },
}

/// First and last byte enables of `bytes` bytes from `address` on, and the doublewords that hold them (2.2.5). No bytes
/// are one doubleword of which nothing is enabled.
#[must_use]
pub fn enables(address: u64, bytes: usize) -> (u32, u32, usize) {
    let first = (address & 3) as usize;
    if bytes == 0 {
        return (0, 0, 1);
    }
    let dwords = (first + bytes).div_ceil(4);
    let end = (first + bytes - 1) % 4;
    let from = (0xf << first) & 0xf;
    let to = 0xf >> (3 - end);
    if dwords == 1 {
        (from & to, 0, 1)
    } else {
        (from, to, dwords)
    }
}

impl Tlp {
    /// A memory request without data of its own.
    fn request(requester: u16, tag: u8, address: u64, bytes: usize) -> Self {
        let mut tlp = Self {
            header: [0; 4],
            data: Vec::new(),
        };
        let long = address >> 32 != 0;
        let (first, last, dwords) = enables(address, bytes);
        tlp.set(FMT, if long { FOUR } else { THREE });
        tlp.set(TYPE, MEMORY);
        tlp.set(LENGTH, dwords as u32);
        tlp.set(REQUESTER, requester.into());
        tlp.set(TAG, tag.into());
        tlp.set(FIRST_BE, first);
        tlp.set(LAST_BE, last);
        if long {
            tlp.set(ADDRESS_HIGH, (address >> 32) as u32);
            tlp.set(ADDRESS_LOW, address as u32 >> 2);
        } else {
            tlp.set(ADDRESS_SHORT, address as u32 >> 2);
        }
        tlp
    }

    /// A memory read of `bytes` bytes, at most 4,096 with those before the first and behind the last one.
    #[must_use]
    pub fn read(requester: u16, tag: u8, address: u64, bytes: usize) -> Self {
        Self::request(requester, tag, address, bytes)
    }

    /// A memory write.
    #[must_use]
    pub fn write(requester: u16, address: u64, data: &[u8]) -> Self {
        let mut tlp = Self::request(requester, 0, address, data.len());
        let with_data = if tlp.long() { FOUR_DATA } else { THREE_DATA };
        tlp.set(FMT, with_data);
        tlp.data = vec![0; (address & 3) as usize];
        tlp.data.extend_from_slice(data);
        tlp.data.resize(4 * tlp.dwords(), 0);
        tlp
    }

    /// A completion of `request` by `completer`: data of `bytes` bytes from `address` on if the status is success,
    /// `owed` bytes with those still to come.
    #[must_use]
    pub fn completion(
        completer: u16,
        request: &Tlp,
        status: u32,
        owed: usize,
        part: Part<'_>,
    ) -> Self {
        let mut tlp = Self {
            header: [0; 4],
            data: part.data.to_vec(),
        };
        let lower = (part.address & 0x7f) as u32;
        tlp.set(
            FMT,
            if part.data.is_empty() {
                THREE
            } else {
                THREE_DATA
            },
        );
        tlp.set(TYPE, COMPLETION);
        tlp.set(LENGTH, (part.data.len() / 4) as u32);
        tlp.set(COMPLETER, completer.into());
        tlp.set(STATUS, status);
        tlp.set(BYTE_COUNT, owed as u32);
        tlp.set(ANSWERED, request.get(REQUESTER));
        tlp.set(ANSWERED_TAG, request.get(TAG));
        tlp.set(LOWER_ADDRESS, lower);
        tlp
    }

    /// The value of a field.
    #[must_use]
    pub const fn get(&self, field: Field) -> u32 {
        field.get(&self.header)
    }

    /// Sets a field, whatever the others say.
    pub const fn set(&mut self, field: Field, value: u32) {
        field.set(&mut self.header, value);
    }

    /// The header has four doublewords.
    #[must_use]
    pub const fn long(&self) -> bool {
        self.get(FMT) & 1 != 0
    }

    /// Data follow the header.
    #[must_use]
    pub const fn has_data(&self) -> bool {
        self.get(FMT) & 2 != 0
    }

    /// A memory read.
    #[must_use]
    pub const fn is_read(&self) -> bool {
        self.get(TYPE) == MEMORY && !self.has_data()
    }

    /// A memory write.
    #[must_use]
    pub const fn is_write(&self) -> bool {
        self.get(TYPE) == MEMORY && self.has_data()
    }

    /// A completion.
    #[must_use]
    pub const fn is_completion(&self) -> bool {
        self.get(TYPE) == COMPLETION
    }

    /// The data are poisoned.
    #[must_use]
    pub const fn poisoned(&self) -> bool {
        self.get(EP) != 0
    }

    /// Doublewords that the length field says, 1 to 1,024.
    #[must_use]
    pub const fn dwords(&self) -> usize {
        let length = self.get(LENGTH) as usize;
        if length == 0 { 1024 } else { length }
    }

    /// Address of a request's first doubleword.
    #[must_use]
    pub const fn address(&self) -> u64 {
        if self.long() {
            (self.get(ADDRESS_HIGH) as u64) << 32 | (self.get(ADDRESS_LOW) as u64) << 2
        } else {
            (self.get(ADDRESS_SHORT) as u64) << 2
        }
    }

    /// Enabled bytes of a request: address of the first and bytes to behind the last one; a request of no bytes counts
    /// as one byte, as its completion does (table 2-38).
    #[must_use]
    pub fn span(&self) -> (u64, usize) {
        let first = self.get(FIRST_BE);
        let last = if self.dwords() == 1 {
            first
        } else {
            self.get(LAST_BE)
        };
        if first == 0 {
            return (self.address(), 1);
        }
        let before = first.trailing_zeros() as usize;
        let behind = (last << 28).leading_zeros().min(3) as usize;
        (
            self.address() + before as u64,
            4 * self.dwords() - before - behind,
        )
    }

    /// Bytes of the header.
    #[must_use]
    pub const fn header_bytes(&self) -> usize {
        if self.long() { 16 } else { 12 }
    }

    /// As it stands on the wire, from the header's first byte on.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let header = self.header.iter().flat_map(|d| d.to_be_bytes());
        header
            .take(self.header_bytes())
            .chain(self.data.iter().copied())
            .collect()
    }

    /// From the wire.
    ///
    /// # Errors
    /// [`TlpError`] if there is less, or another amount of data, than the header says.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, TlpError> {
        let mut tlp = Self {
            header: [0; 4],
            data: Vec::new(),
        };
        for (dword, four) in tlp.header.iter_mut().zip(bytes.chunks_exact(4)) {
            *dword = u32::from_be_bytes([four[0], four[1], four[2], four[3]]);
        }
        let header = tlp.header_bytes();
        if bytes.len() < header {
            return Err(TlpError::Header {
                bytes: bytes.len(),
                header,
            });
        }
        if !tlp.long() {
            tlp.header[3] = 0;
        }
        tlp.data = bytes[header..].to_vec();
        let length = if tlp.has_data() { 4 * tlp.dwords() } else { 0 };
        if tlp.data.len() != length {
            return Err(TlpError::Data {
                bytes: tlp.data.len(),
                length,
            });
        }
        Ok(tlp)
    }
}

/// What one completion carries.
#[derive(Clone, Copy, Debug)]
pub struct Part<'a> {
    /// Address of the first enabled byte.
    pub address: u64,
    /// Whole doublewords, or nothing.
    pub data: &'a [u8],
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_survive_the_wire() {
        let packets = [
            Tlp::read(0x100, 3, 0x1_2345_6788, 512),
            Tlp::read(0x100, 3, 0x2345_6789, 1),
            Tlp::write(0x100, 0xfffe, &[1, 2, 3, 4, 5]),
            Tlp::write(0x100, 0xffff_ffff_0000_0000, &[7; 128]),
        ];
        for tlp in &packets {
            assert_eq!(Tlp::from_bytes(&tlp.to_bytes()).as_ref(), Ok(tlp));
        }
        let part = Part {
            address: 0x2345_6789,
            data: &[9; 4],
        };
        let answer = Tlp::completion(0, &packets[1], 0, 1, part);
        assert_eq!(Tlp::from_bytes(&answer.to_bytes()), Ok(answer.clone()));
        assert_eq!(answer.get(LOWER_ADDRESS), 0x09);
        assert_eq!(
            Tlp::from_bytes(&answer.to_bytes()[..15]),
            Err(TlpError::Data {
                bytes: 3,
                length: 4
            })
        );
        assert_eq!(
            Tlp::from_bytes(&[0x20, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]),
            Err(TlpError::Header {
                bytes: 12,
                header: 16
            })
        );
    }

    #[test]
    fn enables_and_span_agree_for_every_offset_and_length() {
        for offset in 0..8 {
            for bytes in 1..40 {
                let tlp = Tlp::read(0, 0, 0x1000 + offset, bytes);
                assert_eq!(tlp.span(), (0x1000 + offset, bytes));
            }
        }
        let nothing = Tlp::read(0, 0, 0x1000, 0);
        assert_eq!((nothing.get(FIRST_BE), nothing.dwords()), (0, 1));
        assert_eq!(nothing.span(), (0x1000, 1));
    }
}
