//! Read-only memory maps: the one place of this crate that maps a file.
//!
//! Model files are larger than what a host wants to keep in memory, and their readers touch them
//! in pieces. A map lets the parsers borrow from the file; the kernel keeps only what is in use.

use std::{fs::File, io, ops::Deref, path::Path};

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
        let file = File::open(path)?;
        let meta = file.metadata()?;
        if meta.is_dir() {
            return Err(io::Error::from(io::ErrorKind::IsADirectory));
        }
        if meta.len() == 0 {
            return Ok(Self { map: None });
        }
        // SAFETY: the map is private and read-only, and lives as long as the slice borrowed from it.
        // Another process that shortens the file while it is mapped makes a later read fault
        // (SIGBUS), as with every mapped file; model files are written beside and renamed, so
        // a file that is in use is not rewritten in place.
        let map = unsafe { memmap2::Mmap::map(&file)? };
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
