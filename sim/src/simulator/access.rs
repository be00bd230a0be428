//! Reading and writing values in the state block.

use super::{Input, Memory, Register, Signal, Simulator};
use crate::bits::{Bits, limbs_for};
use crate::error::{Error, Result};
use crate::jit::layout::{Array, Slot};

impl Simulator {
    /// Sets an input; bits beyond its width are dropped, those beyond 64 become zero.
    #[inline]
    pub fn poke(&mut self, port: Input, value: u64) {
        self.write_word(port.0, value);
    }

    /// Sets an input of any width from little-endian limbs; missing ones are zero, superfluous bits are dropped.
    pub fn poke_wide(&mut self, port: Input, limbs: &[u64]) {
        self.write_slot(port.0, limbs);
    }

    /// The low 64 bits of an output or probe, as before the clock edge of the last cycle.
    #[inline]
    pub fn peek(&self, signal: Signal) -> u64 {
        self.read_word(signal.0)
    }

    /// The little-endian limbs of an output or probe; `out` is filled with zeros beyond them.
    pub fn peek_wide(&self, signal: Signal, out: &mut [u64]) {
        self.read_slot(signal.0, out);
    }

    /// An output's or probe's whole value.
    pub fn peek_bits(&self, signal: Signal) -> Bits {
        self.slot_bits(signal.0)
    }

    /// A register's current value.
    pub fn read_register(&self, register: Register) -> Bits {
        self.slot_bits(register.0)
    }

    /// Overwrites a register; superfluous bits are dropped.
    pub fn write_register(&mut self, register: Register, limbs: &[u64]) {
        self.set_register(register.0, limbs);
        self.state_replaced();
    }

    /// The low 64 bits of a memory word. Fails beyond the depth.
    pub fn read_memory(&self, memory: Memory, address: u64) -> Result<u64> {
        Ok(self.read_word(self.checked_word(memory, address)?))
    }

    /// A memory word of any width. Fails beyond the depth.
    pub fn read_memory_bits(&self, memory: Memory, address: u64) -> Result<Bits> {
        Ok(self.slot_bits(self.checked_word(memory, address)?))
    }

    /// Overwrites a memory word from little-endian limbs; superfluous bits are dropped. Fails beyond the depth.
    pub fn write_memory(&mut self, memory: Memory, address: u64, limbs: &[u64]) -> Result<()> {
        let slot = self.checked_word(memory, address)?;
        self.write_slot(slot, limbs);
        self.state_replaced();
        Ok(())
    }

    fn checked_word(&self, memory: Memory, address: u64) -> Result<Slot> {
        if address >= memory.0.depth {
            return Err(Error::Access {
                name: "memory".into(),
                message: format!(
                    "address {address} is beyond its depth of {}",
                    memory.0.depth
                ),
            });
        }
        Ok(word_slot(memory.0, address))
    }

    #[inline]
    pub(super) fn read_word(&self, slot: Slot) -> u64 {
        let bytes = &self.state.bytes()[slot.offset..];
        match slot.size() {
            1 => bytes[0].into(),
            2 => u16::from_le_bytes([bytes[0], bytes[1]]).into(),
            4 => u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]).into(),
            _ => word_at(bytes),
        }
    }

    #[inline]
    pub(super) fn write_word(&mut self, slot: Slot, value: u64) {
        let value = value & crate::bits::mask(slot.width);
        let size = slot.size();
        let bytes = &mut self.state.bytes_mut()[slot.offset..slot.offset + size];
        match size {
            1 => bytes[0] = value as u8,
            2 => bytes.copy_from_slice(&(value as u16).to_le_bytes()),
            4 => bytes.copy_from_slice(&(value as u32).to_le_bytes()),
            _ => {
                bytes[..8].copy_from_slice(&value.to_le_bytes());
                bytes[8..].fill(0);
            }
        }
    }

    pub(super) fn read_slot(&self, slot: Slot, out: &mut [u64]) {
        out.fill(0);
        if slot.width <= 64 {
            if let Some(first) = out.first_mut() {
                *first = self.read_word(slot);
            }
            return;
        }
        let bytes = &self.state.bytes()[slot.offset..slot.offset + slot.size()];
        for (o, b) in out.iter_mut().zip(bytes.chunks(8)) {
            *o = word_at(b);
        }
    }

    pub(super) fn slot_bits(&self, slot: Slot) -> Bits {
        let mut limbs = vec![0; limbs_for(slot.width)];
        self.read_slot(slot, &mut limbs);
        Bits::from_limbs(slot.width, &limbs)
    }

    /// Whether a slot holds that value, which has its width.
    pub(super) fn holds(&self, slot: Slot, value: &Bits) -> bool {
        match slot.width {
            0..=64 => self.read_word(slot) == value.low(),
            _ => self.slot_bits(slot) == *value,
        }
    }

    pub(super) fn write_slot(&mut self, slot: Slot, limbs: &[u64]) {
        let value = Bits::from_limbs(slot.width, limbs);
        if slot.width <= 64 {
            return self.write_word(slot, value.low());
        }
        let bytes = &mut self.state.bytes_mut()[slot.offset..slot.offset + slot.size()];
        for (b, l) in bytes.chunks_mut(8).zip(value.limbs()) {
            b.copy_from_slice(&l.to_le_bytes());
        }
    }

    pub(super) fn set_register(&mut self, slot: Slot, limbs: &[u64]) {
        self.write_slot(slot, limbs);
        if let Some(shadow) = self.program.layout.shadow(slot) {
            self.write_slot(shadow, limbs);
        }
    }
}

fn word_at(bytes: &[u8]) -> u64 {
    let mut word = [0; 8];
    word.copy_from_slice(&bytes[..8]);
    u64::from_le_bytes(word)
}

pub(super) fn word_slot(array: Array, address: u64) -> Slot {
    Slot {
        offset: array.offset + array.stride * address as usize,
        width: array.width,
    }
}
