//! Where everything lives in the one block of memory that a simulation instance owns.

use std::collections::{HashMap, HashSet};

use super::vector::VECTOR_BYTES;
use crate::bits::limbs_for;
use crate::ir::Netlist;
use crate::passes::schedule::Schedule;

/// A value in the state block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slot {
    /// Byte offset.
    pub(crate) offset: usize,
    /// Width in bits.
    pub(crate) width: u32,
}

impl Slot {
    /// Bytes that the value occupies.
    pub(crate) fn size(self) -> usize {
        bytes_for(self.width)
    }
}

/// Bytes that hold `width` bits: a power of two up to a word, then whole words.
pub(crate) fn bytes_for(width: u32) -> usize {
    match width {
        0..=8 => 1,
        9..=16 => 2,
        17..=32 => 4,
        _ => 8 * limbs_for(width),
    }
}

/// A memory in the state block.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Array {
    pub(crate) offset: usize,
    pub(crate) width: u32,
    /// Bytes from one word to the next.
    pub(crate) stride: usize,
    pub(crate) depth: u64,
}

/// A write that is remembered until the end of the cycle.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pending {
    pub(crate) enable: Slot,
    pub(crate) address: Slot,
    pub(crate) data: Slot,
}

/// The layout of the state block.
#[derive(Debug, Clone, Default)]
pub(crate) struct Layout {
    pub(crate) inputs: Vec<Slot>,
    /// Outputs, then probes.
    pub(crate) visible: Vec<Slot>,
    pub(crate) registers: Vec<Slot>,
    /// Start of the registers with shadows, start of the shadows, and bytes of each.
    pub(crate) shadowed: usize,
    pub(crate) shadows: usize,
    pub(crate) shadow_bytes: usize,
    pub(crate) pending: Vec<Pending>,
    pub(crate) memories: Vec<Array>,
    /// Bytes in all.
    pub(crate) size: usize,
}

/// Granularity of the copy from shadows to registers, in bytes.
pub(crate) const COPY_BYTES: usize = 16;

impl Layout {
    pub(crate) fn new(netlist: &Netlist, schedule: &Schedule) -> Self {
        let mut l = Layout::default();
        for i in &netlist.inputs {
            let slot = l.place(i.width);
            l.inputs.push(slot);
        }
        for n in netlist.outputs.iter().chain(&netlist.signals) {
            let slot = l.place(netlist.width(n.node));
            l.visible.push(slot);
        }
        l.registers = vec![
            Slot {
                offset: usize::MAX,
                width: 0
            };
            netlist.registers.len()
        ];
        l.align(COPY_BYTES);
        l.shadowed = l.size;
        // Widest first, so that alignment leaves no holes.
        let packs = &schedule.packs;
        let grouped: HashSet<u32> = packs.registers.iter().flatten().copied().collect();
        let is_shadowed: HashSet<u32> = schedule.shadows.iter().copied().collect();
        let (with, without): (Vec<&Vec<u32>>, Vec<&Vec<u32>>) = packs
            .registers
            .iter()
            .partition(|g| is_shadowed.contains(&g[0]));
        for group in with {
            l.place_group(netlist, group);
        }
        let mut shadows = schedule.shadows.clone();
        shadows.retain(|r| !grouped.contains(r));
        shadows.sort_by_key(|r| std::cmp::Reverse(bytes_for(netlist.registers[*r as usize].width)));
        for r in shadows {
            l.registers[r as usize] = l.place(netlist.registers[r as usize].width);
        }
        l.align(COPY_BYTES);
        l.shadows = l.size;
        l.shadow_bytes = l.shadows - l.shadowed;
        l.size += l.shadow_bytes;
        for group in without {
            l.place_group(netlist, group);
        }
        for (i, r) in netlist.registers.iter().enumerate() {
            if l.registers[i].offset == usize::MAX {
                l.registers[i] = l.place(r.width);
            }
        }
        for (m, w) in &schedule.deferred {
            let memory = &netlist.memories[*m as usize];
            let enable = l.place(1);
            let address = l.place(64);
            let data = l.place(netlist.width(memory.writes[*w].data));
            l.pending.push(Pending {
                enable,
                address,
                data,
            });
        }
        let mut group_of: HashMap<u32, &Vec<u32>> = HashMap::new();
        for group in &packs.memories {
            group_of.extend(group.iter().map(|m| (*m, group)));
        }
        l.memories = vec![
            Array {
                offset: usize::MAX,
                width: 0,
                stride: 0,
                depth: 0,
            };
            netlist.memories.len()
        ];
        for i in 0..netlist.memories.len() {
            if l.memories[i].offset == usize::MAX {
                match group_of.get(&(i as u32)) {
                    Some(group) => l.place_memories(netlist, group),
                    None => l.place_memories(netlist, &[i as u32]),
                }
            }
        }
        l.align(64);
        l
    }

    /// Lays the registers of a group side by side.
    fn place_group(&mut self, netlist: &Netlist, group: &[u32]) {
        self.align(VECTOR_BYTES);
        for r in group {
            self.registers[*r as usize] = self.place(netlist.registers[*r as usize].width);
        }
        self.align(VECTOR_BYTES);
    }

    /// Lays memories so that their words at one address are side by side.
    fn place_memories(&mut self, netlist: &Netlist, group: &[u32]) {
        self.align(64);
        let first = &netlist.memories[group[0] as usize];
        let bytes = bytes_for(first.width);
        let stride = match group.len() {
            1 => bytes,
            lanes => (bytes * lanes).next_multiple_of(VECTOR_BYTES),
        };
        for (lane, m) in group.iter().enumerate() {
            self.memories[*m as usize] = Array {
                offset: self.size + lane * bytes,
                width: first.width,
                stride,
                depth: first.depth,
            };
        }
        self.size += stride * first.depth as usize;
    }

    /// The shadow of a register, if it has one.
    pub(crate) fn shadow(&self, register: Slot) -> Option<Slot> {
        let inside =
            register.offset >= self.shadowed && register.offset < self.shadowed + self.shadow_bytes;
        inside.then(|| Slot {
            offset: register.offset + self.shadow_bytes,
            ..register
        })
    }

    fn align(&mut self, to: usize) {
        self.size = self.size.next_multiple_of(to);
    }

    fn place(&mut self, width: u32) -> Slot {
        let size = bytes_for(width);
        self.align(size.min(8));
        let slot = Slot {
            offset: self.size,
            width,
        };
        self.size += size;
        slot
    }
}
