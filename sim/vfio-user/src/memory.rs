//! Memory that two sides see at once: this process and a device, or this process and another one.
//!
//! It is never handed out as a slice, because the other side may write at any moment. Bytes are copied in and out
//! between bounds that are checked here. This is the one module of the crate with `unsafe` code.

use memmap2::{MmapOptions, MmapRaw};
use rustix::fs::{MemfdFlags, memfd_create};
use std::fs::File;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering, fence};

/// Log2 of the bytes of a huge page.
const HUGE_PAGE_LOG2: u8 = 21;
/// Bytes of a huge page.
pub const HUGE_PAGE: usize = 1 << HUGE_PAGE_LOG2;

/// A mapped range of memory that somebody else may read and write at the same time.
#[derive(Debug)]
pub struct SharedMemory {
    map: MmapRaw,
}

impl SharedMemory {
    /// `bytes` of new memory that other processes cannot reach; in huge pages if `huge`, and then a multiple of them.
    ///
    /// # Errors
    /// The system's, above all when too few huge pages are reserved.
    pub fn anonymous(bytes: usize, huge: bool) -> io::Result<Self> {
        let mut options = MmapOptions::new();
        options.len(bytes).populate();
        if huge {
            options.huge(Some(HUGE_PAGE_LOG2));
        }
        let map = options.map_anon()?.into();
        Ok(Self { map })
    }

    /// `bytes` of new memory, and the file through which another process can map it.
    ///
    /// # Errors
    /// The system's.
    pub fn memfd(name: &str, bytes: usize) -> io::Result<(Self, File)> {
        let file = File::from(memfd_create(name, MemfdFlags::CLOEXEC)?);
        file.set_len(bytes as u64)?;
        let map = Self::of_file(&file, bytes)?;
        Ok((map, file))
    }

    /// The first `bytes` of `file`, for reading and writing. A file that is made shorter later faults whoever
    /// touches what is missing, as every mapped file does.
    ///
    /// # Errors
    /// The system's, or a file that is shorter already.
    pub fn of_file(file: &File, bytes: usize) -> io::Result<Self> {
        if file.metadata()?.len() < bytes as u64 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let map = MmapOptions::new().len(bytes).map_raw(file)?;
        Ok(Self { map })
    }

    /// Registers of a device: `bytes` of `file` from `offset` on.
    ///
    /// # Errors
    /// The system's, when the device does not let that be mapped.
    pub fn of_device(
        file: &impl std::os::fd::AsRawFd,
        offset: u64,
        bytes: usize,
    ) -> io::Result<Self> {
        let map = MmapOptions::new()
            .offset(offset)
            .len(bytes)
            .map_raw(file.as_raw_fd())?;
        Ok(Self { map })
    }

    /// Bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.map.len()
    }

    /// Never: memory of no bytes cannot be mapped.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.map.len() == 0
    }

    /// Where it lies in this process. Valid as long as `self`; what it points to may change at any time.
    #[must_use]
    pub fn as_mut_ptr(&self) -> *mut u8 {
        self.map.as_mut_ptr()
    }

    #[track_caller]
    fn at(&self, offset: usize, bytes: usize) -> *mut u8 {
        let end = offset.checked_add(bytes);
        assert!(
            end.is_some_and(|end| end <= self.len()),
            "{bytes} bytes from {offset} on lie inside {} of shared memory",
            self.len()
        );
        self.map.as_mut_ptr().wrapping_add(offset)
    }

    /// Copies `data.len()` bytes from `offset` on. What the other side stored before a value that [`Self::load`]
    /// returned is seen.
    ///
    /// # Panics
    /// When they reach beyond the end.
    #[track_caller]
    pub fn read(&self, offset: usize, data: &mut [u8]) {
        let from = self.at(offset, data.len());
        // SAFETY: the source lies in the mapping, which lives as long as `self`, and a slice of this process's own
        // memory does not overlap it. The other side may write meanwhile: then bytes of before and after mix, and
        // every value of a byte is valid.
        unsafe { std::ptr::copy_nonoverlapping(from, data.as_mut_ptr(), data.len()) }
    }

    /// Copies `data` to `offset` and on. Where both are multiples of eight, the first eight bytes become visible
    /// last and together: who sees them sees the rest.
    ///
    /// # Panics
    /// When they reach beyond the end.
    #[track_caller]
    pub fn write(&self, offset: usize, data: &[u8]) {
        let to = self.at(offset, data.len());
        let aligned = offset.is_multiple_of(8) && data.len().is_multiple_of(8);
        let (first, rest) = match data.split_first_chunk::<8>() {
            Some((first, rest)) if aligned => (Some(u64::from_le_bytes(*first)), rest),
            _ => (None, data),
        };
        let skipped = data.len() - rest.len();
        // SAFETY: as in `read`, with the roles exchanged.
        unsafe {
            std::ptr::copy_nonoverlapping(rest.as_ptr(), to.wrapping_add(skipped), rest.len());
        }
        if let Some(first) = first {
            self.store(offset, first);
        }
    }

    /// Reads eight bytes at once; everything that was stored before them is seen afterwards.
    ///
    /// # Panics
    /// When `offset` is no multiple of eight, or beyond the end.
    #[track_caller]
    #[must_use]
    pub fn load(&self, offset: usize) -> u64 {
        u64::from_le(self.word(offset).load(Ordering::Acquire))
    }

    /// Stores eight bytes at once, after everything that was stored before.
    ///
    /// # Panics
    /// As [`Self::load`].
    #[track_caller]
    pub fn store(&self, offset: usize, value: u64) {
        self.word(offset).store(value.to_le(), Ordering::Release);
    }

    #[track_caller]
    fn word(&self, offset: usize) -> &AtomicU64 {
        assert!(offset.is_multiple_of(8), "words lie at multiples of eight");
        let at = self.at(offset, 8).cast::<u64>();
        // SAFETY: mapped, writable and aligned (mappings begin on a page) for as long as `self` lives; this process
        // touches words that it shares through atomics or the byte copies above only.
        unsafe { AtomicU64::from_ptr(at) }
    }

    /// Reads a 32-bit device register, once and not merged with any other access.
    ///
    /// # Panics
    /// When `offset` is no multiple of four, or beyond the end.
    #[track_caller]
    #[must_use]
    pub fn read_register(&self, offset: usize) -> u32 {
        assert!(offset.is_multiple_of(4), "registers lie at multiples of 4");
        let at = self.at(offset, 4).cast::<u32>();
        // SAFETY: mapped and aligned as above; volatile, because a device answers.
        u32::from_le(unsafe { at.read_volatile() })
    }

    /// Writes a 32-bit device register, after everything that was stored to memory before.
    ///
    /// # Panics
    /// As [`Self::read_register`].
    #[track_caller]
    pub fn write_register(&self, offset: usize, value: u32) {
        assert!(offset.is_multiple_of(4), "registers lie at multiples of 4");
        let at = self.at(offset, 4).cast::<u32>();
        fence(Ordering::SeqCst);
        // SAFETY: as in `read_register`.
        unsafe { at.write_volatile(value.to_le()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_maps_of_one_file_show_the_same_bytes() {
        let (ours, file) = SharedMemory::memfd("test", 8192).expect("memory");
        let theirs = SharedMemory::of_file(&file, 8192).expect("mapped");
        ours.write(4096, &[7; 24]);
        ours.write(3, &[1, 2, 3]);
        let mut seen = [0; 24];
        theirs.read(4096, &mut seen);
        assert_eq!(seen, [7; 24]);
        assert_eq!(theirs.load(0), 0x0000_0302_0100_0000);
        theirs.store(8184, 9);
        assert_eq!(ours.load(8184), 9);
        assert!(SharedMemory::of_file(&file, 8193).is_err());
    }

    #[test]
    #[should_panic(expected = "lie inside")]
    fn nothing_is_read_beyond_the_end() {
        let memory = SharedMemory::anonymous(4096, false).expect("memory");
        memory.read(4090, &mut [0; 8]);
    }
}
