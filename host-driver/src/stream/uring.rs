//! Reads through io_uring into registered memory: the one place of this crate that hands memory to the kernel.

use super::{ReadError, Wanted};
use io_uring::{IoUring, opcode, types};
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::sync::Arc;
use weft_vfio_user::SharedMemory;

/// Most reads under way.
const DEPTH: u32 = 64;
/// Direct reads begin and end on sectors; a rest that does not cannot be read again.
const SECTOR: usize = 512;

/// A read under way.
#[derive(Clone, Copy, Debug)]
struct Read {
    wanted: Wanted,
    /// Bytes asked for, rounded up to pages.
    asked: usize,
    /// Bytes that have arrived.
    done: usize,
}

pub(super) struct Uring {
    ring: IoUring,
    registered: bool,
    /// By the number that the kernel hands back.
    reads: Vec<Option<Read>>,
    /// Completions that were collected and not looked at.
    arrived: Vec<(usize, i32)>,
    // Dropped after the ring, and the ring is only dropped with no read under way.
    memory: Arc<SharedMemory>,
}

impl std::fmt::Debug for Uring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Uring")
            .field("registered", &self.registered)
            .field("under_way", &self.under_way())
            .finish_non_exhaustive()
    }
}

impl Uring {
    pub(super) fn new(memory: &Arc<SharedMemory>) -> io::Result<Self> {
        let ring = IoUring::new(DEPTH)?;
        let all = libc::iovec {
            iov_base: memory.as_mut_ptr().cast(),
            iov_len: memory.len(),
        };
        // SAFETY: the memory is mapped as long as `memory` is held, which is as long as the ring is.
        // Memory that cannot be registered (a limit on locked pages) is read into all the same.
        let registered = unsafe { ring.submitter().register_buffers(&[all]) }.is_ok();
        Ok(Self {
            ring,
            registered,
            reads: vec![None; DEPTH as usize],
            arrived: Vec::new(),
            memory: Arc::clone(memory),
        })
    }

    pub(super) fn room(&self) -> usize {
        self.reads.len() - self.under_way()
    }

    pub(super) fn under_way(&self) -> usize {
        self.reads.iter().flatten().count()
    }

    pub(super) fn start(
        &mut self,
        file: &File,
        wanted: Wanted,
        asked: usize,
    ) -> Result<(), ReadError> {
        let Some(slot) = self.reads.iter().position(Option::is_none) else {
            return Err(ReadError::Ring(io::ErrorKind::ResourceBusy.into()));
        };
        let read = Read {
            wanted,
            asked,
            done: 0,
        };
        self.reads[slot] = Some(read);
        self.submit(file, slot, read)
    }

    fn submit(&mut self, file: &File, slot: usize, read: Read) -> Result<(), ReadError> {
        let fd = types::Fd(file.as_raw_fd());
        let to = self
            .memory
            .as_mut_ptr()
            .wrapping_add(read.wanted.at + read.done);
        let bytes = (read.asked - read.done) as u32;
        let offset = read.wanted.offset + read.done as u64;
        let entry = if self.registered {
            opcode::ReadFixed::new(fd, to, bytes, 0)
                .offset(offset)
                .build()
        } else {
            opcode::Read::new(fd, to, bytes).offset(offset).build()
        };
        let entry = entry.user_data(slot as u64);
        // SAFETY: `to` and `bytes` lie inside the memory (checked by the caller of `start`), which outlives the
        // read: `drop` waits for it. Nobody has a reference to these bytes, only `SharedMemory`'s copies.
        let pushed = unsafe { self.ring.submission().push(&entry) };
        if pushed.is_err() {
            self.reads[slot] = None;
            return Err(ReadError::Ring(io::ErrorKind::ResourceBusy.into()));
        }
        match self.ring.submit() {
            Ok(_) => Ok(()),
            Err(e) if e.kind() == io::ErrorKind::Interrupted => Ok(()),
            Err(e) => Err(ReadError::Ring(e)),
        }
    }

    fn collect(&mut self) {
        let arrived = &mut self.arrived;
        let completions = self.ring.completion();
        arrived.extend(completions.map(|c| (c.user_data() as usize, c.result())));
    }

    pub(super) fn finished(&mut self, file: &File) -> Result<Option<u64>, ReadError> {
        loop {
            if self.arrived.is_empty() {
                self.collect();
            }
            let Some((slot, result)) = self.arrived.pop() else {
                return Ok(None);
            };
            let Some(read) = self.reads.get_mut(slot).and_then(Option::take) else {
                continue;
            };
            let fail = |e| Err(read.wanted.failed(e));
            let Ok(got) = usize::try_from(result) else {
                return fail(io::Error::from_raw_os_error(-result));
            };
            let done = read.done + got;
            if done >= read.wanted.bytes {
                return Ok(Some(read.wanted.id));
            }
            if got == 0 || !got.is_multiple_of(SECTOR) {
                return fail(io::ErrorKind::UnexpectedEof.into());
            }
            let rest = Read { done, ..read };
            self.reads[slot] = Some(rest);
            self.submit(file, slot, rest)?;
        }
    }

    pub(super) fn wait(&mut self) -> Result<(), ReadError> {
        if !self.arrived.is_empty() || self.under_way() == 0 {
            return Ok(());
        }
        match self.ring.submit_and_wait(1) {
            Ok(_) => Ok(()),
            Err(e) if e.kind() == io::ErrorKind::Interrupted => Ok(()),
            Err(e) => Err(ReadError::Ring(e)),
        }
    }

    pub(super) fn drain(&mut self) {
        loop {
            self.collect();
            for (slot, _) in std::mem::take(&mut self.arrived) {
                if let Some(read) = self.reads.get_mut(slot) {
                    *read = None;
                }
            }
            if self.under_way() == 0 || self.wait().is_err() {
                return;
            }
        }
    }
}

impl Drop for Uring {
    fn drop(&mut self) {
        self.drain();
        if self.under_way() > 0 {
            // The kernel may still write there, so the memory must never become anything else.
            std::mem::forget(Arc::clone(&self.memory));
        }
    }
}
