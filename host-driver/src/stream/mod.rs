//! A model's weights from its file, past the page cache, into memory that a device can reach.
//!
//! Reads are direct (`O_DIRECT`) where the file system has that, many at a time through io_uring with the memory
//! registered once, so the bytes go from the drive to where the device fetches them and the processor never touches
//! them. Where io_uring is not there, plain reads do the same with a copy.

#[allow(unsafe_code)]
mod uring;

use serde::Serialize;
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Seek, SeekFrom};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use uring::Uring;
use weft_vfio_user::SharedMemory;

/// Why weights could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The file cannot be opened.
    #[error("cannot open {path}: {source}")]
    Open {
        /// The file.
        path: PathBuf,
        /// What happened.
        source: io::Error,
    },
    /// A read failed.
    #[error("cannot read {bytes} bytes from {offset} on: {source}")]
    Read {
        /// First byte.
        offset: u64,
        /// Bytes.
        bytes: usize,
        /// What happened.
        source: io::Error,
    },
    /// The file at the path is not the one that was opened before.
    #[error("{path} was replaced since it was opened; start again")]
    Replaced {
        /// The file.
        path: PathBuf,
    },
    /// The ring of reads failed.
    #[error("io_uring: {0}")]
    Ring(io::Error),
}

/// How bytes get from the file into memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// Direct reads through io_uring.
    Direct,
    /// Reads through io_uring by way of the page cache: the file system has no direct ones.
    Cached,
    /// Plain reads and a copy.
    Copied,
    /// Not by this reader: a drive delivers into the device by itself.
    Peer,
}

/// A read as it was asked for.
#[derive(Clone, Copy, Debug)]
struct Wanted {
    id: u64,
    offset: u64,
    /// Bytes that the file has of it.
    bytes: usize,
    /// First byte in memory.
    at: usize,
}

/// Reads a file into one piece of shared memory.
#[derive(Debug)]
pub struct DirectReader {
    file: File,
    file_bytes: u64,
    memory: Arc<SharedMemory>,
    method: Method,
    uring: Option<Uring>,
    /// Plain reads that are done.
    copied: VecDeque<u64>,
}

impl DirectReader {
    /// Opens `path` for reads into `memory`.
    ///
    /// # Errors
    /// [`ReadError::Open`].
    pub fn open(path: &Path, memory: Arc<SharedMemory>) -> Result<Self, ReadError> {
        let open = || {
            let direct = rustix::fs::OFlags::DIRECT.bits().cast_signed();
            let tried = File::options().read(true).custom_flags(direct).open(path);
            let (mut file, method) = match tried {
                Ok(file) => (file, Method::Direct),
                Err(e) if e.kind() == io::ErrorKind::InvalidInput => {
                    (File::open(path)?, Method::Cached)
                }
                Err(e) => return Err(e),
            };
            // A block device has no length of its own, but an end.
            Ok((file.seek(SeekFrom::End(0))?, file, method))
        };
        let (file_bytes, file, method) = open().map_err(|source| ReadError::Open {
            path: path.to_owned(),
            source,
        })?;
        match Uring::new(&memory) {
            Ok(uring) => Ok(Self {
                file,
                file_bytes,
                memory,
                method,
                uring: Some(uring),
                copied: VecDeque::new(),
            }),
            Err(_) => Self::plain(path, memory),
        }
    }

    /// As [`DirectReader::open`], with plain reads only: what is used where the kernel has no io_uring.
    ///
    /// # Errors
    /// [`ReadError::Open`].
    pub fn plain(path: &Path, memory: Arc<SharedMemory>) -> Result<Self, ReadError> {
        let open = || {
            let mut file = File::open(path)?;
            Ok((file.seek(SeekFrom::End(0))?, file))
        };
        let (file_bytes, file) = open().map_err(|source| ReadError::Open {
            path: path.to_owned(),
            source,
        })?;
        Ok(Self {
            file,
            file_bytes,
            memory,
            method: Method::Copied,
            uring: None,
            copied: VecDeque::new(),
        })
    }

    /// As it reads.
    #[must_use]
    pub fn method(&self) -> Method {
        self.method
    }

    /// Starts to read `bytes` from `offset` on to byte `at` of the memory, all multiples of 4,096. What lies beyond
    /// the end of the file is left as it is.
    ///
    /// # Errors
    /// [`ReadError`], among others when there is no [`Self::room`].
    ///
    /// # Panics
    /// When the memory has no such bytes.
    pub fn start(
        &mut self,
        id: u64,
        offset: u64,
        bytes: usize,
        at: usize,
    ) -> Result<(), ReadError> {
        assert!(
            at.checked_add(bytes)
                .is_some_and(|end| end <= self.memory.len()),
            "the bytes lie inside the memory"
        );
        let there = self.file_bytes.saturating_sub(offset);
        let wanted = Wanted {
            id,
            offset,
            bytes: usize::try_from(there).map_or(bytes, |n| n.min(bytes)),
            at,
        };
        match &mut self.uring {
            Some(ring) => ring.start(&self.file, wanted, bytes),
            None => {
                let mut data = vec![0; wanted.bytes];
                self.file
                    .read_exact_at(&mut data, offset)
                    .map_err(|e| wanted.failed(e))?;
                self.memory.write(at, &data);
                self.copied.push_back(id);
                Ok(())
            }
        }
    }

    /// The id of the next read that has arrived, if one has.
    ///
    /// # Errors
    /// [`ReadError`], of that read.
    pub fn finished(&mut self) -> Result<Option<u64>, ReadError> {
        match &mut self.uring {
            Some(ring) => ring.finished(&self.file),
            None => Ok(self.copied.pop_front()),
        }
    }

    /// Reads that may be started now.
    #[must_use]
    pub fn room(&self) -> usize {
        self.uring.as_ref().map_or(usize::MAX, Uring::room)
    }

    /// Reads that have not arrived.
    #[must_use]
    pub fn under_way(&self) -> usize {
        self.uring.as_ref().map_or(0, Uring::under_way)
    }

    /// Waits until a read that is under way has arrived.
    ///
    /// # Errors
    /// [`ReadError::Ring`].
    pub fn wait(&mut self) -> Result<(), ReadError> {
        self.uring.as_mut().map_or(Ok(()), Uring::wait)
    }

    /// Waits until no read is under way, and forgets what arrived.
    pub fn drain(&mut self) {
        self.copied.clear();
        if let Some(ring) = &mut self.uring {
            ring.drain();
        }
    }
}

impl Wanted {
    fn failed(&self, source: io::Error) -> ReadError {
        ReadError::Read {
            offset: self.offset,
            bytes: self.bytes,
            source,
        }
    }
}
