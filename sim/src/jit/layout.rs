//! Where everything lives in the one block of memory that a simulation instance owns.

use crate::bits::limbs_for;
use crate::ir::{Netlist, Shape};
use crate::passes::schedule::Schedule;
use crate::passes::vectorise::Lanes;

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
        let mut shadows = schedule.shadows.clone();
        shadows.sort_by_key(|r| std::cmp::Reverse(bytes_for(netlist.registers[*r as usize].width)));
        for r in shadows {
            l.registers[r as usize] = l.place(netlist.registers[r as usize].width);
        }
        l.align(COPY_BYTES);
        l.shadows = l.size;
        l.shadow_bytes = l.shadows - l.shadowed;
        l.size += l.shadow_bytes;
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
        for m in &netlist.memories {
            l.align(64);
            let stride = bytes_for(m.width);
            l.memories.push(Array {
                offset: l.size,
                width: m.width,
                stride,
                depth: m.depth,
            });
            l.size += stride * m.depth as usize;
        }
        l.align(64);
        l
    }

    /// Where the registers and memories of `netlist` are, of which `lowered`, laid out here, has the lanes.
    pub(crate) fn of_lanes(&self, netlist: &Netlist, lowered: &Netlist, lanes: &Lanes) -> Self {
        let bytes = |shape: &Option<Shape>| shape.map_or(0, |s| s.lane_bits() as usize / 8);
        let registers = netlist.registers.iter().zip(&lanes.registers);
        let memories = netlist.memories.iter().zip(&lanes.memories);
        Layout {
            registers: registers
                .map(|(r, (index, lane))| {
                    let at = *index as usize;
                    let lane = lane.unwrap_or(0) as usize;
                    Slot {
                        offset: self.registers[at].offset
                            + lane * lowered.shapes.registers.get(at).map_or(0, bytes),
                        width: r.width,
                    }
                })
                .collect(),
            memories: memories
                .map(|(m, (index, lane))| {
                    let at = *index as usize;
                    let lane = lane.unwrap_or(0) as usize;
                    let array = self.memories[at];
                    Array {
                        offset: array.offset
                            + lane * lowered.shapes.memories.get(at).map_or(0, bytes),
                        width: m.width,
                        ..array
                    }
                })
                .collect(),
            ..self.clone()
        }
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
        // What may be vectors is aligned as the machine's vectors.
        match size % COPY_BYTES {
            0 => self.align(COPY_BYTES),
            _ => self.align(size.min(8)),
        }
        let slot = Slot {
            offset: self.size,
            width,
        };
        self.size += size;
        slot
    }
}
