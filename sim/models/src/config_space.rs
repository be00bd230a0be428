//! Configuration space of a Weft card, as system software reads and writes it.
//!
//! | from | what |
//! |---|---|
//! | 0x00 | type 0 header: BAR0 32-bit, BAR2 64-bit and prefetchable |
//! | 0x40 | power management, version 3: D0 and D3hot, no wake-up |
//! | 0x50 | MSI-X: [`VECTORS`] vectors, table and pending bits in BAR0 |
//! | 0x60 | PCI Express endpoint, version 2: payload up to 256 bytes, one lane of generation 2, function-level reset |
//!
//! There are no extended capabilities.

use weft_protocol::pcie::{
    BAR0_BYTES, CLASS, DEVICE, MSIX_PENDING, MSIX_TABLE, VECTORS, VENDOR, VERSION,
};

/// Bytes of configuration space.
pub const CONFIG_BYTES: usize = 4096;
const COMMAND: usize = 0x04;
const BUS_MASTER: u16 = 1 << 2;
const MEMORY: u16 = 1 << 1;
const POWER: usize = 0x40;
const MSIX: usize = 0x50;
const EXPRESS: usize = 0x60;
const DEVICE_CONTROL: usize = EXPRESS + 8;
/// Initiates a function-level reset.
const FLR: u16 = 1 << 15;

/// What a write asks of the card behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nothing but that [`ConfigSpace::settings`] may have changed.
    Settings,
    /// A function-level reset: the card's, and [`ConfigSpace::reset`].
    Reset,
}

/// What configuration space tells the card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Configured {
    /// Whether it may start requests: bus master, and awake.
    pub bus_master: bool,
    /// Whether its BARs answer.
    pub memory: bool,
    /// Most bytes of a write request.
    pub max_payload: usize,
    /// Most bytes that one read request may ask for.
    pub max_read: usize,
}

/// The registers, and which of their bits software may write.
#[derive(Clone, Debug)]
pub struct ConfigSpace {
    bytes: Vec<u8>,
    writable: Vec<u8>,
    window: u64,
}

struct Fields<'a>(&'a mut [u8]);

impl Fields<'_> {
    fn u16(&mut self, at: usize, v: u16) {
        self.0[at..at + 2].copy_from_slice(&v.to_le_bytes());
    }

    fn u32(&mut self, at: usize, v: u32) {
        self.0[at..at + 4].copy_from_slice(&v.to_le_bytes());
    }
}

impl ConfigSpace {
    /// Of a card whose window (BAR2) has `window` bytes, a power of two; 0 for none.
    #[must_use]
    pub fn new(window: u64) -> Self {
        let (mut bytes, mut writable) = (vec![0; CONFIG_BYTES], vec![0; CONFIG_BYTES]);
        let (mut b, mut w) = (Fields(&mut bytes), Fields(&mut writable));
        b.u16(0x00, VENDOR);
        b.u16(0x02, DEVICE);
        // Memory, bus master, parity response, error reports, interrupt disable.
        w.u16(COMMAND, MEMORY | BUS_MASTER | 1 << 6 | 1 << 8 | 1 << 10);
        b.u16(0x06, 1 << 4); // has capabilities
        b.u32(0x08, CLASS << 8 | VERSION & 0xff);
        w.u32(0x0c, 0xff); // cache line size, which nothing uses
        w.u32(0x10, !(BAR0_BYTES as u32 - 1));
        if window > 0 {
            b.u32(0x18, 0b1100); // 64-bit, prefetchable
            let mask = !(window - 1);
            w.u32(0x18, mask as u32);
            w.u32(0x1c, (mask >> 32) as u32);
        }
        b.u16(0x2c, VENDOR);
        b.u16(0x2e, 1);
        b.u32(0x34, POWER as u32);
        w.u32(0x3c, 0xff); // interrupt line, a note for software

        b.u16(POWER, 0x01 | (MSIX as u16) << 8);
        b.u16(POWER + 2, 3);
        b.u16(POWER + 4, 1 << 3); // no soft reset: D3hot keeps the state
        w.u16(POWER + 4, 3);

        b.u16(MSIX, 0x11 | (EXPRESS as u16) << 8);
        b.u16(MSIX + 2, VECTORS as u16 - 1);
        w.u16(MSIX + 2, 0b11 << 14);
        b.u32(MSIX + 4, MSIX_TABLE as u32); // both in BAR0
        b.u32(MSIX + 8, MSIX_PENDING as u32);

        b.u16(EXPRESS, 0x10);
        b.u16(EXPRESS + 2, 2);
        // Function-level reset, role-based error reports, extended tags, payload of 256 bytes.
        b.u32(EXPRESS + 4, 1 << 28 | 1 << 15 | 1 << 5 | 1);
        // Relaxed ordering, no snoop, and a maximal read request of 512 bytes.
        b.u16(DEVICE_CONTROL, 1 << 4 | 1 << 11 | 2 << 12);
        w.u16(DEVICE_CONTROL, !FLR);
        // Generation 2, one lane; the link is up at that.
        b.u32(EXPRESS + 0x0c, 2 | 1 << 4);
        w.u16(EXPRESS + 0x10, 0x00c3);
        b.u16(EXPRESS + 0x12, 2 | 1 << 4);
        b.u32(EXPRESS + 0x24, 1 << 4); // completion time-out may be disabled
        w.u16(EXPRESS + 0x28, 1 << 4);
        b.u32(EXPRESS + 0x2c, 0b11 << 1);
        b.u16(EXPRESS + 0x30, 2);
        w.u16(EXPRESS + 0x30, 0xf);
        Self {
            bytes,
            writable,
            window,
        }
    }

    /// Copies `data.len()` bytes from `offset` on; beyond the end there are zeros.
    pub fn read(&self, offset: usize, data: &mut [u8]) {
        for (i, byte) in data.iter_mut().enumerate() {
            let at = offset.saturating_add(i);
            *byte = self.bytes.get(at).copied().unwrap_or(0);
        }
    }

    /// Writes what may be written of `data` from `offset` on.
    pub fn write(&mut self, offset: usize, data: &[u8]) -> Effect {
        let mut reset = false;
        for (i, &new) in data.iter().enumerate() {
            let at = offset.saturating_add(i);
            let Some(mask) = self.writable.get(at).copied() else {
                break;
            };
            self.bytes[at] = self.bytes[at] & !mask | new & mask;
            reset |= at == DEVICE_CONTROL + 1 && new & (FLR >> 8) as u8 != 0;
        }
        if reset {
            Effect::Reset
        } else {
            Effect::Settings
        }
    }

    /// As after power-on.
    pub fn reset(&mut self) {
        *self = Self::new(self.window);
    }

    fn u16(&self, at: usize) -> u16 {
        u16::from_le_bytes([self.bytes[at], self.bytes[at + 1]])
    }

    /// What the card is to follow.
    #[must_use]
    pub fn settings(&self) -> Configured {
        let (command, control) = (self.u16(COMMAND), self.u16(DEVICE_CONTROL));
        let awake = self.bytes[POWER + 4] & 3 == 0;
        // What the card offers limits what software may ask of it.
        let payload = (control >> 5 & 7).min(1);
        let read = (control >> 12 & 7).min(5);
        Configured {
            bus_master: awake && command & BUS_MASTER != 0,
            memory: awake && command & MEMORY != 0,
            max_payload: 128 << payload,
            max_read: 128 << read,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn u32_at(c: &ConfigSpace, at: usize) -> u32 {
        let mut b = [0; 4];
        c.read(at, &mut b);
        u32::from_le_bytes(b)
    }

    #[test]
    fn bars_answer_their_size_and_the_capabilities_are_a_list() {
        let mut c = ConfigSpace::new(1 << 20);
        assert_eq!(u32_at(&c, 0), u32::from(DEVICE) << 16 | u32::from(VENDOR));
        for at in (0x10..0x28).step_by(4) {
            c.write(at, &[0xff; 4]);
        }
        assert_eq!(u32_at(&c, 0x10), !(BAR0_BYTES as u32 - 1));
        assert_eq!(u32_at(&c, 0x18), 0xfff0_000c);
        assert_eq!(u32_at(&c, 0x1c), u32::MAX);
        assert_eq!([0x14, 0x20, 0x24].map(|at| u32_at(&c, at)), [0; 3]);
        let (mut at, mut seen) = (u32_at(&c, 0x34) as usize, Vec::new());
        while at != 0 {
            let head = u32_at(&c, at);
            seen.push(head as u8);
            at = (head >> 8 & 0xff) as usize;
        }
        assert_eq!(seen, [0x01, 0x11, 0x10], "power, MSI-X, PCI Express");
    }

    #[test]
    fn software_turns_the_card_on_to_sleep_and_resets_it() {
        let mut c = ConfigSpace::new(0);
        assert!(!c.settings().bus_master);
        c.write(COMMAND, &[0x06, 0]);
        let on = c.settings();
        assert!(on.bus_master && on.memory);
        assert_eq!((on.max_payload, on.max_read), (128, 512));
        c.write(DEVICE_CONTROL, &[7 << 5, 5 << 4]);
        let most = c.settings();
        assert_eq!((most.max_payload, most.max_read), (256, 4096));
        c.write(POWER + 4, &[3]);
        assert!(!c.settings().bus_master);
        assert_eq!(c.write(DEVICE_CONTROL, &[0, 0x80]), Effect::Reset);
        assert_eq!(u32_at(&c, DEVICE_CONTROL) & 0x8000, 0, "reads as zero");
        c.reset();
        assert!(!c.settings().memory);
        assert_eq!(c.write(CONFIG_BYTES - 2, &[1; 8]), Effect::Settings);
        let mut beyond = [9; 4];
        c.read(CONFIG_BYTES - 2, &mut beyond);
        assert_eq!(beyond, [0; 4]);
    }
}
