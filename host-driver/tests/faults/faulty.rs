//! A card with a switch for each fault.

use super::served::{Served, behaving};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use weft_models::{Activity, Bus, BusError, Card};
/// A card with a switch for each fault.
pub(crate) struct Faulty<C> {
    pub(crate) card: C,
    pub(crate) faults: Arc<Faults>,
}

/// What shall go wrong.
#[derive(Default)]
pub(crate) struct Faults {
    /// Interrupts are lost.
    pub(crate) silent: AtomicBool,
    /// So many of the next large reads are answered with completer abort.
    pub(crate) aborts: AtomicU32,
    /// Every register reads as ones.
    pub(crate) gone: AtomicBool,
    /// The card does nothing.
    pub(crate) stuck: AtomicBool,
    /// The value that the register at this offset shows instead of its own, if not zero.
    pub(crate) register: AtomicU32,
    pub(crate) value: AtomicU32,
    /// Not a fault: bytes that the card has read so far.
    pub(crate) fetched: AtomicU64,
}

pub(crate) struct FaultyBus<'a> {
    pub(crate) bus: &'a mut dyn Bus,
    pub(crate) faults: &'a Faults,
}

impl Bus for FaultyBus<'_> {
    fn ready(&mut self, address: u64, bytes: usize) -> bool {
        self.bus.ready(address, bytes)
    }

    fn read(&mut self, address: u64, data: &mut [u8]) -> Result<(), BusError> {
        let left = &self.faults.aborts;
        let hit = data.len() > 16
            && left
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1))
                .is_ok();
        self.bus.read(address, data)?;
        let bytes = data.len() as u64;
        self.faults.fetched.fetch_add(bytes, Ordering::Relaxed);
        if hit { Err(BusError::Abort) } else { Ok(()) }
    }

    fn write(&mut self, address: u64, data: &[u8]) {
        self.bus.write(address, data);
    }

    fn interrupt(&mut self, vector: u16) {
        if !self.faults.silent.load(Ordering::Relaxed) {
            self.bus.interrupt(vector);
        }
    }
}

impl<C: Card> Card for Faulty<C> {
    fn bar_bytes(&self, bar: usize) -> u64 {
        self.card.bar_bytes(bar)
    }

    fn bar_read(&mut self, bar: usize, offset: u64, data: &mut [u8]) {
        self.card.bar_read(bar, offset, data);
        if self.faults.gone.load(Ordering::Relaxed) {
            data.fill(0xff);
        }
        let changed = self.faults.value.load(Ordering::Relaxed);
        let register = u64::from(self.faults.register.load(Ordering::Relaxed));
        if changed != 0 && bar == 0 && offset == register {
            data.copy_from_slice(&changed.to_le_bytes());
        }
    }

    fn bar_write(&mut self, bar: usize, offset: u64, data: &[u8]) {
        self.card.bar_write(bar, offset, data);
    }

    fn configure(&mut self, bus_master: bool, max_payload: usize, max_read: usize) {
        self.card.configure(bus_master, max_payload, max_read);
    }

    fn advance(&mut self, bus: &mut dyn Bus) -> Activity {
        if self.faults.stuck.load(Ordering::Relaxed) {
            return Activity::Idle;
        }
        let faults = &*self.faults;
        self.card.advance(&mut FaultyBus { bus, faults })
    }

    fn reset(&mut self) {
        self.card.reset();
    }
}

pub(crate) fn faulty(core: &str) -> (Served, Arc<Faults>) {
    let faults = Arc::new(Faults::default());
    let card = Faulty {
        card: behaving(core),
        faults: Arc::clone(&faults),
    };
    (Served::with(card), faults)
}
