//! Value change dumps, the text format that every viewer reads.

use std::io::{BufWriter, Result, Write};

use vcd::{IdCode, TimescaleUnit, Value, VarType, Writer};

use super::{Format, Item};
use crate::bits::Bits;

/// A value change dump.
pub(crate) struct Vcd<W: Write> {
    writer: Writer<BufWriter<W>>,
    variables: Vec<IdCode>,
}

impl<W: Write> Vcd<W> {
    /// Writes the header.
    pub(crate) fn open(out: W, items: &[Item<'_>]) -> Result<Self> {
        let mut writer = Writer::new(BufWriter::new(out));
        let mut variables = Vec::new();
        writer.timescale(1, TimescaleUnit::NS)?;
        for item in items {
            match item {
                Item::Scope(name) => writer.add_module(name)?,
                Item::Variable(name, width) => {
                    variables.push(writer.add_var(VarType::Wire, *width, name, None)?);
                }
                Item::Up => writer.upscope()?,
            }
        }
        writer.enddefinitions()?;
        Ok(Vcd { writer, variables })
    }
}

impl<W: Write + Send> Format for Vcd<W> {
    fn time(&mut self, time: u64) -> Result<()> {
        self.writer.timestamp(time)
    }

    fn change(&mut self, variable: usize, value: &Bits) -> Result<()> {
        let id = self.variables[variable];
        if value.width() == 1 {
            return self.writer.change_scalar(id, value.bit(0));
        }
        let bits = (0..value.width()).rev().map(|i| Value::from(value.bit(i)));
        self.writer.change_vector(id, bits)
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        self.writer.flush()
    }
}
