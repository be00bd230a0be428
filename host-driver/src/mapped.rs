//! Read-only memory maps: the one place of this crate that maps a file.
//!
//! A file, or a block device whose first bytes are one. Model files are larger than what a host wants to keep in memory, and their readers touch them
//! in pieces. A map lets the parsers borrow from the file; the kernel keeps only what is in use.

use std::fs::File;
use std::io::{self, Seek, SeekFrom};
use std::ops::Deref;
use std::path::Path;

/// A whole file, mapped read-only. Dereferences to its bytes.
#[derive(Debug)]
pub struct Mapped {
    // `None` for an empty file, which the system call refuses to map.
    map: Option<memmap2::Mmap>,
}

impl Mapped {
    /// Maps `path`.
    ///
    /// # Errors
    /// What the operating system says when the file cannot be opened or mapped.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut file = File::open(path)?;
        if file.metadata()?.is_dir() {
            return Err(io::Error::from(io::ErrorKind::IsADirectory));
        }
        // Its end tells the size of a block device too, whose metadata say zero.
        let bytes = file.seek(SeekFrom::End(0))?;
        let bytes = usize::try_from(bytes).map_err(|_| io::ErrorKind::FileTooLarge)?;
        if bytes == 0 {
            return Ok(Self { map: None });
        }
        // SAFETY: the map is private and read-only, and lives as long as the slice borrowed from it.
        // Another process that shortens the file while it is mapped makes a later read fault
        // (SIGBUS), as with every mapped file; model files are written beside and renamed, so
        // a file that is in use is not rewritten in place.
        let map = unsafe { memmap2::MmapOptions::new().len(bytes).map(&file)? };
        Ok(Self { map: Some(map) })
    }

    /// Tells the kernel that `range` is not needed for now. Its pages leave this process's memory and come back
    /// from the file when they are read again, so the bytes stay what they are.
    pub fn release(&self, range: std::ops::Range<usize>) {
        #[cfg(unix)]
        if let Some(map) = self.map.as_ref().filter(|m| range.end <= m.len()) {
            // SAFETY: pages of a read-only map of a file hold nothing that the file does not.
            let advised = unsafe {
                map.unchecked_advise_range(
                    memmap2::UncheckedAdvice::DontNeed,
                    range.start,
                    range.len(),
                )
            };
            // Advice that is refused costs memory and nothing else.
            drop(advised);
        }
        #[cfg(not(unix))]
        drop(range);
    }
}

impl Deref for Mapped {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.map.as_deref().unwrap_or(&[])
    }
}
