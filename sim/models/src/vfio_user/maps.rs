//! What of the client's memory the card may reach, and how: mapped, or by messages.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;
use weft_vfio_user::SharedMemory;
use weft_vfio_user::wire::{dma, errno};

/// Most mappings: a guest's whole memory in 4 KiB pages would be more than any card needs.
const MAX_MAPS: usize = 1 << 20;

#[derive(Debug)]
struct Map {
    bytes: u64,
    readable: bool,
    writable: bool,
    /// The memory and where in it the map begins; without it, messages.
    memory: Option<(Arc<SharedMemory>, u64)>,
}

/// Where the next bytes of a range are.
pub(super) enum Place<'a> {
    /// Here.
    Memory(&'a SharedMemory, usize),
    /// With the client, who has a descriptor for them that it did not send, or refuses.
    Messages,
}

/// The client's maps by their first address.
#[derive(Debug, Default)]
pub(super) struct Maps {
    maps: BTreeMap<u64, Map>,
    /// Whole files mapped, by device and inode: a guest maps its memory page by page through the same one.
    files: HashMap<(u64, u64), Arc<SharedMemory>>,
}

impl Maps {
    /// Maps that there are.
    pub(super) fn count(&self) -> usize {
        self.maps.len()
    }

    /// Adds one, as a message with `flags` asks for it.
    pub(super) fn add(
        &mut self,
        flags: u32,
        (offset, address, bytes): (u64, u64, u64),
        fd: Option<OwnedFd>,
    ) -> Result<(), u32> {
        let last = bytes.checked_sub(1).and_then(|n| address.checked_add(n));
        let last = last.ok_or(errno::INVALID)?;
        if self.maps.len() >= MAX_MAPS {
            return Err(errno::INVALID);
        }
        let before = self.maps.range(..=last).next_back();
        let same = before.is_some_and(|(&a, m)| a == address && m.bytes == bytes);
        if !same && before.is_some_and(|(a, m)| a + (m.bytes - 1) >= address) {
            return Err(errno::EXIST);
        }
        let memory = match fd {
            None => None,
            Some(fd) => {
                let end = offset.checked_add(bytes).ok_or(errno::INVALID)?;
                let memory = self.file(File::from(fd)).ok_or(errno::INVALID)?;
                if end > memory.len() as u64 {
                    return Err(errno::INVALID);
                }
                Some((memory, offset))
            }
        };
        let map = Map {
            bytes,
            readable: flags & dma::READ != 0,
            writable: flags & dma::WRITE != 0,
            memory,
        };
        self.maps.insert(address, map);
        Ok(())
    }

    fn file(&mut self, file: File) -> Option<Arc<SharedMemory>> {
        let meta = file.metadata().ok()?;
        let key = (meta.dev(), meta.ino());
        let bytes = usize::try_from(meta.len()).ok()?;
        if let Some(known) = self.files.get(&key).filter(|m| m.len() == bytes) {
            return Some(Arc::clone(known));
        }
        let memory = Arc::new(SharedMemory::of_file(&file, bytes).ok()?);
        self.files.insert(key, Arc::clone(&memory));
        Some(memory)
    }

    /// Removes every map that reaches into the range, which may be as large as the address space; how many.
    pub(super) fn remove(&mut self, flags: u32, address: u64, bytes: u64) -> usize {
        let all = flags & dma::ALL != 0;
        let last = address.saturating_add(bytes.saturating_sub(1));
        let before = self.maps.len();
        let hit = |&a: &u64, m: &mut Map| {
            all || bytes > 0 && a <= last && a.saturating_add(m.bytes - 1) >= address
        };
        self.maps.retain(|a, m| !hit(a, m));
        // A file stays mapped while a map of it is left.
        self.files.retain(|_, m| Arc::strong_count(m) > 1);
        before - self.maps.len()
    }

    /// Where `address` is, and how many of `bytes` are there. What is not mapped, or not in this direction, is the
    /// client's to refuse: behind an IOMMU it is reported there.
    pub(super) fn place(&self, address: u64, bytes: usize, write: bool) -> (Place<'_>, usize) {
        if let Some((start, map)) = self.maps.range(..=address).next_back() {
            let inside = address - start;
            if inside < map.bytes {
                let here = usize::try_from(map.bytes - inside).map_or(bytes, |n| n.min(bytes));
                let allowed = if write { map.writable } else { map.readable };
                return match &map.memory {
                    Some((memory, offset)) if allowed => {
                        (Place::Memory(memory, (offset + inside) as usize), here)
                    }
                    _ => (Place::Messages, here),
                };
            }
        }
        let next = address
            .checked_add(1)
            .and_then(|a| self.maps.range(a..).next());
        let here = next.map_or(bytes, |(start, _)| {
            usize::try_from(start - address).map_or(bytes, |n| n.min(bytes))
        });
        (Place::Messages, here)
    }

    /// Whether all of a range is in memory that may be read.
    pub(super) fn all_in_memory(&self, address: u64, bytes: usize) -> bool {
        let mut at = 0;
        while at < bytes {
            match self.place(address.wrapping_add(at as u64), bytes - at, false) {
                (Place::Memory(..), n) => at += n,
                (Place::Messages, _) => return false,
            }
        }
        true
    }
}
