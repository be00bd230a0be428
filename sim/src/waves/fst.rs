//! FST files: GTKWave's compressed format, a small fraction of a dump's size.

use std::io::{Error, Result, Seek, Write};

use fst_writer::{
    FstBodyWriter, FstFileType, FstHeaderWriter, FstInfo, FstScopeType, FstSignalId, FstSignalType,
    FstVarDirection, FstVarType, FstWriteError,
};

use super::{Format, Item};
use crate::bits::Bits;

/// Changes are held in memory up to about this many bytes, then written as one block.
const BLOCK_BYTES: usize = 64 << 20;

/// An FST file.
pub(crate) struct Fst<W: Write + Seek> {
    body: FstBodyWriter<W>,
    variables: Vec<FstSignalId>,
    digits: Vec<u8>,
}

fn failed(e: FstWriteError) -> Error {
    match e {
        FstWriteError::Io(e) => e,
        other => Error::other(other),
    }
}

impl<W: Write + Seek> Fst<W> {
    /// Writes the header.
    pub(crate) fn open(out: W, items: &[Item<'_>]) -> Result<Self> {
        let info = FstInfo {
            start_time: 0,
            timescale_exponent: -9,
            version: concat!("weft-sim ", env!("CARGO_PKG_VERSION")).into(),
            // No date, so that equal runs give equal files.
            date: String::new(),
            file_type: FstFileType::Verilog,
        };
        let mut header = FstHeaderWriter::new(out, &info).map_err(failed)?;
        let mut variables = Vec::new();
        for item in items {
            match item {
                Item::Scope(name) => header.scope(name, "", FstScopeType::Module),
                Item::Variable(name, width) => header
                    .var(
                        name,
                        FstSignalType::bit_vec(*width),
                        FstVarType::Wire,
                        FstVarDirection::Implicit,
                        None,
                    )
                    .map(|id| variables.push(id)),
                Item::Up => header.up_scope(),
            }
            .map_err(failed)?;
        }
        Ok(Fst {
            body: header.finish().map_err(failed)?,
            variables,
            digits: Vec::new(),
        })
    }
}

impl<W: Write + Seek + Send> Format for Fst<W> {
    fn time(&mut self, time: u64) -> Result<()> {
        if self.body.size() > BLOCK_BYTES {
            self.body.flush().map_err(failed)?;
        }
        self.body.time_change(time).map_err(failed)
    }

    fn change(&mut self, variable: usize, value: &Bits) -> Result<()> {
        self.digits.clear();
        let digits = (0..value.width())
            .rev()
            .map(|i| b'0' + u8::from(value.bit(i)));
        self.digits.extend(digits);
        let id = self.variables[variable];
        self.body.signal_change(id, &self.digits).map_err(failed)
    }

    fn finish(self: Box<Self>) -> Result<()> {
        self.body.finish().map_err(failed)?.flush()
    }
}
