//! Weights on their way: from where they lie, into memory that the card can reach, to the card.
//!
//! The stream is cut into *loads*. A load has its own range of the ring in host memory, is filled, then described to
//! the card in a few slots, and its range is given out again when the card has taken the last of them. Loads are
//! filled in any order and described in the stream's order.

use super::plan::{Piece, Plan};
use super::ring::{Circle, Filled};
use super::source::{Fetched, Source, SourceError};
use super::transport::DmaBuffer;
use super::{CardError, LinkStats};
use std::collections::VecDeque;
use weft_protocol::pcie::ring::{MAX_INLINE, NOTIFY, SLOT_BYTES, Slot, SlotKind};

/// Bytes of the ring after which a load is closed.
const LOAD_BYTES: usize = 256 << 10;
/// Slots, inline bytes included, after which a load is closed.
const LOAD_SLOTS: usize = 256;
/// Reads of one load.
const LOAD_READS: usize = 16;
/// Bytes between two reads for which one longer read is cheaper.
const GAP: u64 = 16 << 10;
/// Loads begin on a page, so that direct reads can fill them.
const PAGE: usize = 4096;

/// What one slot says, in terms of the plan and of the load's range.
#[derive(Clone, Debug)]
enum Say {
    /// Small bytes of the plan.
    Inline(std::ops::Range<usize>),
    /// Bytes of the load, from the first of its range.
    Host { at: usize, bytes: usize },
}

impl Say {
    fn slots(&self) -> usize {
        match self {
            Say::Inline(range) => 1 + range.len().div_ceil(SLOT_BYTES),
            Say::Host { .. } => 1,
        }
    }
}

#[derive(Debug)]
struct Load {
    /// Where its range begins in the ring; `None` if it needs none.
    at: Option<usize>,
    says: Vec<Say>,
    /// Slots that `says` takes.
    slots: usize,
    /// Reads that have not arrived.
    missing: usize,
    cookie: u16,
}

/// All loads of a run.
#[derive(Debug)]
pub(super) struct Loads {
    buffer: DmaBuffer,
    /// Whether the ring lies in the card's window and not in host memory.
    window: bool,
    circle: Circle,
    /// Pieces of the plan that are in a load, and bytes of the next one.
    next: (usize, usize),
    /// Filled or being filled, oldest first.
    preparing: VecDeque<Load>,
    /// Described to the card, oldest first: slots, and whether a range of the ring goes with them.
    given: VecDeque<(u16, usize, bool)>,
    cookie: u16,
}

/// A range of a file that a load reads, and where to.
#[derive(Clone, Copy, Debug)]
struct Extent {
    /// First byte in the file, a multiple of a page.
    offset: u64,
    /// Pages' bytes.
    bytes: usize,
    /// First byte in the load.
    at: usize,
}

impl Loads {
    /// With all of `buffer` as the ring.
    pub(super) fn new(buffer: DmaBuffer) -> Self {
        let circle = Circle::new(buffer.memory.len());
        Self {
            buffer,
            window: false,
            circle,
            next: (0, 0),
            preparing: VecDeque::new(),
            given: VecDeque::new(),
            cookie: 0,
        }
    }

    /// With all of the card's window as the ring; `window` is where the host and other devices find it.
    pub(super) fn in_window(window: DmaBuffer) -> Self {
        let mut loads = Self::new(window);
        loads.window = true;
        loads
    }

    /// The ring's memory.
    pub(super) fn buffer(&self) -> &DmaBuffer {
        &self.buffer
    }

    /// Forgets everything; the card and all reads have stopped.
    pub(super) fn restart(&mut self) {
        self.circle.restart();
        self.next = (0, 0);
        self.preparing.clear();
        self.given.clear();
    }

    /// Loads that the card has not taken.
    pub(super) fn under_way(&self) -> usize {
        self.preparing.len() + self.given.len()
    }

    /// Whether the card has anything to take.
    pub(super) fn at_card(&self) -> bool {
        !self.given.is_empty()
    }

    /// Whether the card has taken all of `plan`.
    pub(super) fn done(&self, plan: &Plan<'_>) -> bool {
        self.next.0 == plan.pieces.len() && self.under_way() == 0
    }

    /// Makes the next load and starts to fill it. False when there is no room, or nothing left.
    pub(super) fn prepare(
        &mut self,
        plan: &Plan<'_>,
        source: &mut Source,
        stats: &mut LinkStats,
    ) -> Result<bool, CardError> {
        let half = self.circle.bytes() / 2;
        if self.next.0 == plan.pieces.len() {
            return Ok(false);
        }
        let mut draft = Draft::default();
        let mut next = self.next;
        while let Some(piece) = plan.pieces.get(next.0) {
            if draft.bytes >= LOAD_BYTES.min(half)
                || draft.slots >= LOAD_SLOTS
                || draft.extents.len() >= LOAD_READS
            {
                break;
            }
            let whole = match piece {
                Piece::Small(range) => {
                    let start = range.start + next.1;
                    let end = range.end.min(start + MAX_INLINE as usize);
                    draft.inline(start..end);
                    next.1 += end - start;
                    end == range.end
                }
                Piece::Data(data) => {
                    let part = &data[next.1..];
                    let part = &part[..part.len().min(LOAD_BYTES.min(half) / 2)];
                    draft.data(part, source);
                    next.1 += part.len();
                    next.1 == data.len()
                }
            };
            if whole {
                next = (next.0 + 1, 0);
            }
        }
        if draft.extents.len() > source.room() {
            return Ok(false);
        }
        let at = match draft.bytes {
            0 => None,
            bytes => match self.circle.take(bytes, PAGE) {
                Some(at) => Some(at),
                None => return Ok(false),
            },
        };
        self.next = next;
        self.cookie = self.cookie.wrapping_add(1);
        let base = at.unwrap_or(0);
        for (data, to) in &draft.copies {
            self.buffer.memory.write(base + to, data);
            stats.copied_bytes += data.len() as u64;
        }
        for e in &draft.extents {
            source
                .read(self.cookie, e.offset, e.bytes, base + e.at)
                .map_err(read_failed)?;
            stats.read_bytes += e.bytes as u64;
        }
        self.preparing.push_back(Load {
            at,
            slots: draft.says.iter().map(Say::slots).sum(),
            says: draft.says,
            missing: draft.extents.len(),
            cookie: self.cookie,
        });
        Ok(true)
    }

    /// Takes the reads that have arrived. True if there were any.
    pub(super) fn arrive(&mut self, source: &mut Source) -> Result<bool, CardError> {
        let mut any = false;
        while let Some(Fetched { load }) = source.arrived().map_err(read_failed)? {
            if let Some(load) = self.preparing.iter_mut().find(|l| l.cookie == load) {
                load.missing -= 1;
            }
            any = true;
        }
        Ok(any)
    }

    /// Describes the oldest load that is filled. False when there is none or no room in the ring of slots.
    pub(super) fn describe(
        &mut self,
        plan: &Plan<'_>,
        ring: &mut Filled,
        stats: &mut LinkStats,
    ) -> bool {
        let ready = |l: &&Load| l.missing == 0 && l.slots <= ring.room();
        if self.preparing.front().filter(ready).is_none() {
            return false;
        }
        let Some(load) = self.preparing.pop_front() else {
            return false;
        };
        let (kind, first) = match self.window {
            true => (SlotKind::Window, 0),
            false => (SlotKind::Host, self.buffer.address),
        };
        let base = first + load.at.unwrap_or(0) as u64;
        let last = load.says.len() - 1;
        for (i, say) in load.says.iter().enumerate() {
            let mut slot = Slot {
                address: 0,
                length: 0,
                kind: SlotKind::Inline as u8,
                flags: if i == last { NOTIFY } else { 0 },
                cookie: load.cookie,
            };
            match say {
                Say::Inline(range) => {
                    slot.length = range.len() as u32;
                    ring.push_inline(slot, &plan.small[range.clone()]);
                    stats.inline_bytes += range.len() as u64;
                }
                Say::Host { at, bytes } => {
                    slot.address = base + *at as u64;
                    slot.length = *bytes as u32;
                    slot.kind = kind as u8;
                    ring.push(&slot.to_bytes());
                    match self.window {
                        true => stats.window_bytes += *bytes as u64,
                        false => stats.host_bytes += *bytes as u64,
                    }
                }
            }
        }
        stats.slots += load.slots as u64;
        self.given
            .push_back((load.cookie, load.slots, load.at.is_some()));
        true
    }

    /// The card has taken the load `cookie`, which must be the oldest.
    pub(super) fn taken(&mut self, cookie: u16, ring: &mut Filled) -> Result<(), CardError> {
        match self.given.pop_front() {
            Some((oldest, slots, has_range)) if oldest == cookie => {
                ring.taken(slots);
                if has_range {
                    self.circle.give_back();
                }
                Ok(())
            }
            other => Err(CardError::Answer {
                found: format!("that it took load {cookie}"),
                wanted: format!("load {:?}", other.map(|o| o.0)),
            }),
        }
    }
}

/// A load that is being put together.
#[derive(Default)]
struct Draft<'a> {
    says: Vec<Say>,
    slots: usize,
    bytes: usize,
    copies: Vec<(&'a [u8], usize)>,
    extents: Vec<Extent>,
}

impl<'a> Draft<'a> {
    fn say(&mut self, say: Say) {
        self.slots += say.slots();
        self.says.push(say);
    }

    fn inline(&mut self, range: std::ops::Range<usize>) {
        self.say(Say::Inline(range));
    }

    /// Bytes of the load at `at`, joined to the slot before if they follow it.
    fn host(&mut self, at: usize, bytes: usize) {
        if let Some(Say::Host {
            at: before,
            bytes: n,
        }) = self.says.last_mut()
            && *before + *n == at
        {
            *n += bytes;
            return;
        }
        self.say(Say::Host { at, bytes });
    }

    fn data(&mut self, data: &'a [u8], source: &Source) {
        match source.locate(data) {
            None => {
                let at = self.bytes;
                self.copies.push((data, at));
                self.bytes += data.len();
                self.host(at, data.len());
            }
            Some(offset) => {
                let at = self.extent(offset, data.len());
                self.host(at, data.len());
            }
        }
    }

    /// Where in the load `bytes` of the file from `offset` on will be.
    fn extent(&mut self, offset: u64, bytes: usize) -> usize {
        let page = PAGE as u64;
        let (first, end) = (
            offset / page * page,
            (offset + bytes as u64).next_multiple_of(page),
        );
        if let Some(e) = self.extents.last_mut() {
            let e_end = e.offset + e.bytes as u64;
            // Nothing was added to the load since, and the pages overlap or follow each other closely.
            if e.at + e.bytes == self.bytes && (e.offset..=e_end + GAP).contains(&first) {
                let more = end.saturating_sub(e_end) as usize;
                e.bytes += more;
                self.bytes += more;
                return e.at + (offset - e.offset) as usize;
            }
        }
        let at = self.bytes.next_multiple_of(PAGE);
        let length = (end - first) as usize;
        self.extents.push(Extent {
            offset: first,
            bytes: length,
            at,
        });
        self.bytes = at + length;
        at + (offset - first) as usize
    }
}

fn read_failed(error: SourceError) -> CardError {
    CardError::Read(Box::new(error))
}
