//! Headers of transaction-layer packets as tables: which bits of which doubleword each field has, and the section of
//! the PCI Express Base Specification (revision 2.1) that says so. RTL, models and checker read these.
//!
//! A header is three or four doublewords. A doubleword is a number here, as the specification draws it: its first byte
//! on the wire is bits 31 to 24.

/// A field of a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name in the specification.
    pub name: &'static str,
    /// The doubleword that has it, 0 to 3.
    pub dword: usize,
    /// Its highest bit.
    pub high: u32,
    /// Its lowest bit.
    pub low: u32,
    /// Section of the specification.
    pub section: &'static str,
}

impl Field {
    /// Bits.
    #[must_use]
    pub const fn width(&self) -> u32 {
        self.high - self.low + 1
    }

    /// The largest value that it holds.
    #[must_use]
    pub const fn mask(&self) -> u32 {
        u32::MAX >> (32 - self.width())
    }

    /// Its value in a header.
    #[must_use]
    pub const fn get(&self, header: &[u32; 4]) -> u32 {
        (header[self.dword] >> self.low) & self.mask()
    }

    /// Sets its value in a header; superfluous bits are dropped.
    pub const fn set(&self, header: &mut [u32; 4], value: u32) {
        let old = header[self.dword] & !(self.mask() << self.low);
        header[self.dword] = old | (value & self.mask()) << self.low;
    }
}

macro_rules! fields {
    ($($(#[$doc:meta])* $id:ident = $name:literal, $dword:literal, $high:literal : $low:literal, $section:literal;)*) => {
        $($(#[$doc])* pub const $id: Field =
            Field { name: $name, dword: $dword, high: $high, low: $low, section: $section };)*

        /// Every field there is, in the order of this file.
        pub const FIELDS: &[Field] = &[$($id,)*];
    };
}

fields! {
    /// [`THREE`], [`FOUR`], [`THREE_DATA`] or [`FOUR_DATA`].
    FMT = "Fmt", 0, 31:29, "2.2.1";
    /// What kind of packet: [`MEMORY`] and the others.
    TYPE = "Type", 0, 28:24, "2.2.1";
    /// Traffic class.
    TC = "TC", 0, 22:20, "2.2.6.6";
    /// Processing hints are present.
    TH = "TH", 0, 16:16, "2.2.1";
    /// A digest (ECRC) follows the data.
    TD = "TD", 0, 15:15, "2.2.3";
    /// The data are poisoned.
    EP = "EP", 0, 14:14, "2.7.2";
    /// Relaxed ordering and no snoop.
    ATTR = "Attr", 0, 13:12, "2.2.6.3";
    /// Address type.
    AT = "AT", 0, 11:10, "2.2.4.1";
    /// Doublewords of data, or asked for; 0 is 1,024.
    LENGTH = "Length", 0, 9:0, "2.2.2";
    /// Bus, device and function that ask.
    REQUESTER = "Requester ID", 1, 31:16, "2.2.6.2";
    /// Number of the transaction.
    TAG = "Tag", 1, 15:8, "2.2.6.2";
    /// Byte enables of the last doubleword, 0 if there is one only.
    LAST_BE = "Last DW BE", 1, 7:4, "2.2.5";
    /// Byte enables of the first doubleword.
    FIRST_BE = "First DW BE", 1, 3:0, "2.2.5";
    /// Address bits 31 to 2 in a header of three doublewords.
    ADDRESS_SHORT = "Address[31:2]", 2, 31:2, "2.2.4.1";
    /// Address bits 63 to 32 in a header of four doublewords.
    ADDRESS_HIGH = "Address[63:32]", 2, 31:0, "2.2.4.1";
    /// Address bits 31 to 2 in a header of four doublewords.
    ADDRESS_LOW = "Address[31:2]", 3, 31:2, "2.2.4.1";
    /// Bus, device and function that answer.
    COMPLETER = "Completer ID", 1, 31:16, "2.2.9";
    /// [`SUCCESS`], [`UNSUPPORTED`], [`RETRY`] or [`ABORT`].
    STATUS = "Compl. Status", 1, 15:13, "2.2.9";
    /// Byte count modified, by PCI-X bridges only.
    BCM = "BCM", 1, 12:12, "2.2.9";
    /// Bytes still owed, these included; 0 is 4,096.
    BYTE_COUNT = "Byte Count", 1, 11:0, "2.2.9";
    /// Requester of the transaction answered.
    ANSWERED = "Requester ID", 2, 31:16, "2.2.9";
    /// Tag of the transaction answered.
    ANSWERED_TAG = "Tag", 2, 15:8, "2.2.9";
    /// Low bits of the address of the first byte answered.
    LOWER_ADDRESS = "Lower Address", 2, 6:0, "2.2.9";
}

/// Fmt: three doublewords, no data.
pub const THREE: u32 = 0b000;
/// Fmt: four doublewords, no data.
pub const FOUR: u32 = 0b001;
/// Fmt: three doublewords and data.
pub const THREE_DATA: u32 = 0b010;
/// Fmt: four doublewords and data.
pub const FOUR_DATA: u32 = 0b011;

/// Type: memory read or write.
pub const MEMORY: u32 = 0b0_0000;
/// Type: memory read, locked.
pub const MEMORY_LOCKED: u32 = 0b0_0001;
/// Type: I/O read or write.
pub const IO: u32 = 0b0_0010;
/// Type: configuration of this device.
pub const CONFIGURATION: u32 = 0b0_0100;
/// Type: completion, with or without data.
pub const COMPLETION: u32 = 0b0_1010;
/// Type: message; the low three bits route it.
pub const MESSAGE: u32 = 0b1_0000;

/// Status: successful completion.
pub const SUCCESS: u32 = 0b000;
/// Status: unsupported request.
pub const UNSUPPORTED: u32 = 0b001;
/// Status: configuration request retry.
pub const RETRY: u32 = 0b010;
/// Status: completer abort.
pub const ABORT: u32 = 0b100;

/// Requests must not cross a multiple of this address (2.2.7).
pub const BOUNDARY: u64 = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_keep_what_is_put_into_them_and_nothing_else() {
        for field in FIELDS {
            let mut header = [0x5a5a_5a5a; 4];
            let before = header;
            field.set(&mut header, u32::MAX);
            assert_eq!(field.get(&header), field.mask(), "{}", field.name);
            field.set(&mut header, field.get(&before));
            assert_eq!(header, before, "{}", field.name);
        }
    }

    #[test]
    fn fields_of_one_header_do_not_overlap() {
        let common = [FMT, TYPE, TC, TH, TD, EP, ATTR, AT, LENGTH];
        let request = [REQUESTER, TAG, LAST_BE, FIRST_BE];
        let completion = [COMPLETER, STATUS, BCM, BYTE_COUNT];
        let answered = [ANSWERED, ANSWERED_TAG, LOWER_ADDRESS];
        for group in [&common[..], &request[..], &completion[..], &answered[..]] {
            let mut seen = 0_u32;
            for field in group {
                let bits = field.mask() << field.low;
                assert_eq!(seen & bits, 0, "{}", field.name);
                seen |= bits;
            }
        }
    }
}
