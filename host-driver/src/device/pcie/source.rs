//! Where weights come from: out of this process's memory, or by direct reads of the model's file.

use crate::container::Weft;
use crate::container::header::HEADER_BYTES;
use crate::stream::{DirectReader, ReadError};
use std::sync::Arc;
use weft_vfio_user::SharedMemory;

/// Why weights were not read.
pub(super) type SourceError = ReadError;

/// A read that has arrived.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fetched {
    /// The load that asked for it.
    pub load: u16,
}

/// A model's file, read past the page cache into the ring.
struct Stream {
    weft: Arc<Weft>,
    reader: DirectReader,
}

/// Where weights come from.
#[derive(Default)]
pub(super) struct Source {
    stream: Option<Stream>,
}

impl Source {
    /// From the file of `weft`, through `reader`, whose memory is the ring.
    pub(super) fn of_file(weft: Arc<Weft>, reader: DirectReader) -> Self {
        let stream = Some(Stream { weft, reader });
        Self { stream }
    }

    /// Where `data` lies in the file, if it is to be read from there.
    pub(super) fn locate(&self, data: &[u8]) -> Option<u64> {
        self.stream.as_ref()?.weft.file_offset(data)
    }

    /// Starts to read pages of the file into the ring.
    pub(super) fn read(
        &mut self,
        load: u16,
        offset: u64,
        bytes: usize,
        at: usize,
    ) -> Result<(), SourceError> {
        match &mut self.stream {
            Some(s) => s.reader.start(u64::from(load), offset, bytes, at),
            None => Ok(()),
        }
    }

    /// The next read that has arrived.
    pub(super) fn arrived(&mut self) -> Result<Option<Fetched>, SourceError> {
        let Some(s) = &mut self.stream else {
            return Ok(None);
        };
        let done = s.reader.finished()?;
        Ok(done.map(|id| Fetched { load: id as u16 }))
    }

    /// After a run: what checksums and statistics read of the file's map leaves memory again.
    pub(super) fn rest(&self) {
        if let Some(s) = &self.stream {
            s.weft.release_payload();
        }
    }

    /// Reads that may be started now.
    pub(super) fn room(&self) -> usize {
        self.stream.as_ref().map_or(usize::MAX, |s| s.reader.room())
    }

    /// Reads under way.
    pub(super) fn under_way(&self) -> usize {
        self.stream.as_ref().map_or(0, |s| s.reader.under_way())
    }

    /// Waits until a read has arrived.
    pub(super) fn wait(&mut self) -> Result<(), SourceError> {
        self.stream.as_mut().map_or(Ok(()), |s| s.reader.wait())
    }

    /// Waits until no read is under way; what arrives and what fails is of no use to anybody.
    pub(super) fn drain(&mut self) {
        if let Some(s) = &mut self.stream {
            s.reader.drain();
        }
    }
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Source")
            .field("file", &self.stream.is_some())
            .finish()
    }
}

/// A reader of the file of `weft` into `ring`, which is free; `None` if the model is not in a file.
pub(super) fn reader(
    weft: &Weft,
    ring: &Arc<SharedMemory>,
) -> Result<Option<DirectReader>, ReadError> {
    let Some(path) = weft.path() else {
        return Ok(None);
    };
    let mut reader = DirectReader::open(path, Arc::clone(ring))?;
    // The header has checksums over everything else: whoever has the same one is the same file.
    reader.start(0, 0, HEADER_BYTES, 0)?;
    while reader.finished()?.is_none() {
        reader.wait()?;
    }
    let mut header = vec![0; HEADER_BYTES];
    ring.read(0, &mut header);
    if header != weft.header() {
        let path = path.to_owned();
        return Err(ReadError::Replaced { path });
    }
    Ok(Some(reader))
}
