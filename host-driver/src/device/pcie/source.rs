//! Where weights come from: out of this process's memory, by direct reads of the model's file into the ring, or by a
//! drive's own reads into the card.

use crate::container::Weft;
use crate::container::header::HEADER_BYTES;
use crate::device::nvme::{Drive, NvmeError};
use crate::stream::{DirectReader, ReadError};
use std::sync::Arc;
use weft_vfio_user::SharedMemory;

/// Why weights were not read.
#[derive(Debug, thiserror::Error)]
pub(super) enum SourceError {
    #[error(transparent)]
    File(#[from] ReadError),
    #[error(transparent)]
    Drive(#[from] NvmeError),
}

/// A read that has arrived.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fetched {
    /// The load that asked for it.
    pub load: u16,
}

/// Who reads.
enum Reader {
    /// The kernel, into the ring.
    File(Box<DirectReader>),
    /// The drive itself, to this bus address.
    Drive(Box<Drive>, u64),
}

/// A model, and who reads it.
struct Stream {
    weft: Arc<Weft>,
    reader: Reader,
}

/// Where weights come from.
#[derive(Default)]
pub(super) struct Source {
    stream: Option<Stream>,
}

impl Source {
    /// From the file of `weft`, through `reader`, whose memory is the ring.
    pub(super) fn of_file(weft: Arc<Weft>, reader: DirectReader) -> Self {
        let reader = Reader::File(Box::new(reader));
        let stream = Some(Stream { weft, reader });
        Self { stream }
    }

    /// From `drive`, whose first bytes are those of `weft`, to bus address `window`.
    pub(super) fn of_drive(
        weft: Arc<Weft>,
        mut drive: Drive,
        window: u64,
    ) -> Result<Self, NvmeError> {
        // The header has checksums over everything else: whoever has the same one has the same bytes.
        if drive.first_bytes(HEADER_BYTES)? != weft.header() {
            return Err(NvmeError::OtherContent);
        }
        let reader = Reader::Drive(Box::new(drive), window);
        let stream = Some(Stream { weft, reader });
        Ok(Self { stream })
    }

    /// Where `data` lies in the file, if it is to be read from there.
    pub(super) fn locate(&self, data: &[u8]) -> Option<u64> {
        self.stream.as_ref()?.weft.file_offset(data)
    }

    /// Starts to read pages of the file to byte `at` of the ring or window.
    pub(super) fn read(
        &mut self,
        load: u16,
        offset: u64,
        bytes: usize,
        at: usize,
    ) -> Result<(), SourceError> {
        match self.stream.as_mut().map(|s| &mut s.reader) {
            Some(Reader::File(file)) => file.start(u64::from(load), offset, bytes, at)?,
            Some(Reader::Drive(drive, window)) => {
                drive.read(u64::from(load), offset, bytes, *window + at as u64);
            }
            None => {}
        }
        Ok(())
    }

    /// The next read that has arrived.
    pub(super) fn arrived(&mut self) -> Result<Option<Fetched>, SourceError> {
        let done = match self.stream.as_mut().map(|s| &mut s.reader) {
            Some(Reader::File(file)) => file.finished()?,
            Some(Reader::Drive(drive, _)) => drive.finished()?,
            None => None,
        };
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
        match self.stream.as_ref().map(|s| &s.reader) {
            Some(Reader::File(file)) => file.room(),
            Some(Reader::Drive(drive, _)) => drive.room(),
            None => usize::MAX,
        }
    }

    /// Reads under way.
    pub(super) fn under_way(&self) -> usize {
        match self.stream.as_ref().map(|s| &s.reader) {
            Some(Reader::File(file)) => file.under_way(),
            Some(Reader::Drive(drive, _)) => drive.under_way(),
            None => 0,
        }
    }

    /// Waits until a read has arrived.
    pub(super) fn wait(&mut self) -> Result<(), SourceError> {
        match self.stream.as_mut().map(|s| &mut s.reader) {
            Some(Reader::File(file)) => Ok(file.wait()?),
            Some(Reader::Drive(drive, _)) => Ok(drive.wait()?),
            None => Ok(()),
        }
    }

    /// Waits until no read is under way; what arrives and what fails is of no use to anybody.
    pub(super) fn drain(&mut self) {
        match self.stream.as_mut().map(|s| &mut s.reader) {
            Some(Reader::File(file)) => file.drain(),
            Some(Reader::Drive(drive, _)) => drive.drain(),
            None => {}
        }
    }
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Source")
            .field("streams", &self.stream.is_some())
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
