//! The seam between a card and the system around it.

/// Why a bus did not answer a read with data. Writes are posted: a card never learns what became of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BusError {
    /// Nobody has that address, or the IOMMU refuses it: an unsupported-request completion.
    Unsupported,
    /// Whoever has the address gave up: a completer-abort completion.
    Abort,
}

/// What a card may do to the system around it. Addresses are bus addresses, translated by the IOMMU if there is one.
pub trait Bus {
    /// Whether [`Bus::read`] of these bytes would answer without waiting; starts what is needed if it would not. A card
    /// that asks first, and goes on when it is next advanced, never keeps its own registers waiting for a slow bus.
    fn ready(&mut self, _address: u64, _bytes: usize) -> bool {
        true
    }

    /// Fills `data` from `address` on.
    ///
    /// # Errors
    /// [`BusError`] if any byte of it cannot be read; `data` is then unspecified.
    fn read(&mut self, address: u64, data: &mut [u8]) -> Result<(), BusError>;

    /// Stores `data` from `address` on. What nobody takes is lost, as a posted write is.
    fn write(&mut self, address: u64, data: &[u8]);

    /// Signals an interrupt vector.
    fn interrupt(&mut self, vector: u16);
}

/// Whether a card has something to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    /// Call [`Card::advance`] again soon.
    Busy,
    /// Nothing will happen until a BAR is written, or what [`Bus::ready`] started has come.
    Idle,
}

/// A card, seen from the system that it is plugged into.
pub trait Card {
    /// Bytes of each BAR, 0 where there is none. A BAR of more than one register width is counted once: BAR0
    /// (registers, 32-bit) and BAR2 (window, 64-bit, prefetchable).
    fn bar_bytes(&self, bar: usize) -> u64;

    /// Reads inside one BAR; `data` has 1 to 4,096 bytes and crosses no 4 KiB boundary.
    fn bar_read(&mut self, bar: usize, offset: u64, data: &mut [u8]);

    /// Writes inside one BAR, under the same rules.
    fn bar_write(&mut self, bar: usize, offset: u64, data: &[u8]);

    /// Follows the bus-master bit and the sizes of configuration space. A card that is not bus master starts nothing.
    fn configure(&mut self, bus_master: bool, max_payload: usize, max_read: usize);

    /// Works for a while, at most some milliseconds, on `bus`.
    fn advance(&mut self, bus: &mut dyn Bus) -> Activity;

    /// A function-level reset: as after power-on.
    fn reset(&mut self);
}
