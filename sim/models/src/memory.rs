//! Host memory as a card sees it: a few ranges of bus addresses.

use crate::{Bus, BusError};
use std::collections::VecDeque;

/// Ranges of memory; reads elsewhere are unsupported requests, writes elsewhere are lost and counted.
#[derive(Clone, Debug, Default)]
pub struct HostMemory {
    ranges: Vec<(u64, Vec<u8>)>,
    /// Vectors that were signalled and not looked at, oldest first.
    pub interrupts: VecDeque<u16>,
    /// Writes that nobody took.
    pub lost_writes: usize,
}

impl HostMemory {
    /// Memory of these ranges of addresses and bytes, all zero. They must not overlap.
    #[must_use]
    pub fn new(ranges: &[(u64, usize)]) -> Self {
        Self {
            ranges: ranges
                .iter()
                .map(|&(base, bytes)| (base, vec![0; bytes]))
                .collect(),
            ..Self::default()
        }
    }

    /// The bytes from `address` on.
    ///
    /// # Errors
    /// [`BusError::Unsupported`] if not all of them are in one range.
    pub fn slice_mut(&mut self, address: u64, bytes: usize) -> Result<&mut [u8], BusError> {
        for (base, data) in &mut self.ranges {
            let Some(offset) = address.checked_sub(*base) else {
                continue;
            };
            let Ok(offset) = usize::try_from(offset) else {
                continue;
            };
            if let Some(found) = offset
                .checked_add(bytes)
                .and_then(|end| data.get_mut(offset..end))
            {
                return Ok(found);
            }
        }
        Err(BusError::Unsupported)
    }
}

impl Bus for HostMemory {
    fn read(&mut self, address: u64, data: &mut [u8]) -> Result<(), BusError> {
        let found = self.slice_mut(address, data.len())?;
        data.copy_from_slice(found);
        Ok(())
    }

    fn write(&mut self, address: u64, data: &[u8]) {
        match self.slice_mut(address, data.len()) {
            Ok(found) => found.copy_from_slice(data),
            Err(_) => self.lost_writes += 1,
        }
    }

    fn interrupt(&mut self, vector: u16) {
        self.interrupts.push_back(vector);
    }
}
