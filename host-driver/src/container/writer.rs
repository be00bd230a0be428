//! Writing a `.weft` file: payload first, as it comes; what describes it last; the header at the very end.

use super::error::ContainerError;
use super::header::{self, BLOCK_BYTES, HEADER_BYTES, PAGE, Section, names};
use super::index::{self, SiteEntry};
use super::meta::Meta;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::Path;
use xxhash_rust::xxh3::xxh3_64;

/// Streams a `.weft` file into `sink`. Until [`Writer::finish`] the sink does not hold a valid file.
#[derive(Debug)]
pub struct Writer<W: Write + Seek> {
    sink: BufWriter<W>,
    /// Bytes written so far, the header included.
    at: u64,
    /// Payload bytes that do not fill a checksum block yet.
    block: Vec<u8>,
    blocks: Vec<u64>,
    sections: Vec<Section>,
    data_start: u64,
}

fn sink_error(step: &'static str) -> impl Fn(io::Error) -> ContainerError {
    move |source| ContainerError::Sink { step, source }
}

impl<W: Write + Seek> Writer<W> {
    /// Begins a file whose embedding section is `embedding`, row after row.
    ///
    /// # Errors
    /// [`ContainerError::Sink`], also when `embedding` itself fails to be read.
    pub fn new<'a>(
        sink: W,
        embedding: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<Self, ContainerError> {
        let mut writer = Self {
            sink: BufWriter::with_capacity(1 << 20, sink),
            at: 0,
            block: Vec::with_capacity(BLOCK_BYTES),
            blocks: Vec::new(),
            sections: Vec::new(),
            data_start: 0,
        };
        writer.raw("header", &[0; HEADER_BYTES])?;
        for rows in embedding {
            writer.payload(names::EMBED, rows)?;
        }
        writer.section(names::EMBED, HEADER_BYTES as u64, 0);
        writer.pad()?;
        writer.data_start = writer.at;
        Ok(writer)
    }

    /// Appends one tile and returns its offset in `DATA`.
    ///
    /// # Errors
    /// [`ContainerError::Sink`].
    pub fn tile(&mut self, bytes: &[u8]) -> Result<u64, ContainerError> {
        self.pad()?;
        let offset = self.at - self.data_start;
        self.payload("tiles", bytes)?;
        Ok(offset)
    }

    /// Writes everything else, then the header, and hands the sink back, flushed, with the bytes of the file. `host` is the values that
    /// `meta.host` names, `tokenizer` is JSON.
    ///
    /// # Errors
    /// [`ContainerError::Sink`].
    pub fn finish(
        mut self,
        meta: &Meta,
        tokenizer: &[u8],
        host: &[f32],
        sites: &[SiteEntry],
    ) -> Result<(W, u64), ContainerError> {
        self.section(names::DATA, self.data_start, 0);
        if !self.block.is_empty() {
            self.blocks.push(xxh3_64(&self.block));
        }
        let json = |source| ContainerError::Json {
            name: names::META,
            source,
        };
        let meta = serde_json::to_vec(meta).map_err(json)?;
        self.described(names::META, &meta)?;
        self.described(names::TOKENIZER, tokenizer)?;
        let host: Vec<u8> = host.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.described(names::HOST, &host)?;
        self.described(names::INDEX, &index::encode(sites))?;
        let blocks: Vec<u8> = self.blocks.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.described(names::BLOCKS, &blocks)?;
        let finish = sink_error("header");
        self.sink.seek(SeekFrom::Start(0)).map_err(&finish)?;
        self.sink
            .write_all(&header::encode(&self.sections))
            .map_err(&finish)?;
        self.sink.flush().map_err(&finish)?;
        let sink = self.sink.into_inner();
        Ok((sink.map_err(|e| finish(e.into_error()))?, self.at))
    }

    fn raw(&mut self, step: &'static str, bytes: &[u8]) -> Result<(), ContainerError> {
        self.sink.write_all(bytes).map_err(sink_error(step))?;
        self.at += bytes.len() as u64;
        Ok(())
    }

    fn payload(&mut self, step: &'static str, mut bytes: &[u8]) -> Result<(), ContainerError> {
        self.raw(step, bytes)?;
        while !bytes.is_empty() {
            let (now, rest) = bytes.split_at(bytes.len().min(BLOCK_BYTES - self.block.len()));
            self.block.extend_from_slice(now);
            if self.block.len() == BLOCK_BYTES {
                self.blocks.push(xxh3_64(&self.block));
                self.block.clear();
            }
            bytes = rest;
        }
        Ok(())
    }

    fn pad(&mut self) -> Result<(), ContainerError> {
        let gap = (self.at as usize).next_multiple_of(PAGE) - self.at as usize;
        self.payload("padding", &[0; PAGE][..gap])
    }

    fn section(&mut self, name: &str, offset: u64, xxh3: u64) {
        self.sections.push(Section {
            name: name.into(),
            offset,
            length: self.at - offset,
            xxh3,
        });
    }

    fn described(&mut self, name: &'static str, bytes: &[u8]) -> Result<(), ContainerError> {
        let offset = self.at;
        self.raw(name, bytes)?;
        self.section(name, offset, xxh3_64(bytes));
        Ok(())
    }
}

/// Makes the file at `path` by `write`, which is given a sink in the same folder; the file takes its name only
/// when all of it has reached the disk. On any error nothing is left behind and an older file stays.
///
/// # Errors
/// [`ContainerError::Write`] naming `path`, or what `write` returned.
pub fn create<T, E: From<ContainerError>>(
    path: &Path,
    write: impl FnOnce(std::fs::File) -> Result<(std::fs::File, T), E>,
) -> Result<T, E> {
    let failed = |source| ContainerError::Write {
        path: path.to_owned(),
        source,
    };
    if path.is_dir() {
        return Err(failed(io::Error::from(io::ErrorKind::IsADirectory)).into());
    }
    let folder = match path.parent() {
        Some(p) if !p.as_os_str().is_empty() => p,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix(".weft-").suffix(".part");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // Before the umask, as for any new file.
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let (file, temporary) = builder.tempfile_in(folder).map_err(failed)?.into_parts();
    let (file, value) = write(file)?;
    file.sync_all().map_err(failed)?;
    drop(file);
    temporary.persist(path).map_err(|e| failed(e.error))?;
    Ok(value)
}
