//! What the driver needs of a way to a card.

use super::CardError;
use std::sync::Arc;
use std::time::Duration;
use weft_protocol::pcie::CardRegister;
use weft_vfio_user::SharedMemory;

/// Memory that the card can reach. Never handed out as a slice: the card may write it at any time.
///
/// The transport keeps the memory, too, and only lets go of it after taking it back from the card. So dropping this
/// handle, or leaking it, never leaves a card writing into memory that has become something else.
#[derive(Clone, Debug)]
pub struct DmaBuffer {
    /// The bytes.
    pub memory: Arc<SharedMemory>,
    /// Bus address of the first one, a multiple of 4,096.
    pub address: u64,
}

/// A way to one card.
pub trait Transport: Send {
    /// The way, as `--device` names it.
    fn name(&self) -> String;

    /// Reads a register. All ones where nothing answers.
    ///
    /// # Errors
    /// When the way to the card is gone.
    fn read(&mut self, register: CardRegister) -> Result<u32, CardError>;

    /// Writes a register, after everything that was stored in [`DmaBuffer`]s before. Does not wait for the card.
    ///
    /// # Errors
    /// When the way to the card is gone.
    fn write(&mut self, register: CardRegister, value: u32) -> Result<(), CardError>;

    /// Zeroed memory that the card may read and write, `bytes` rounded up to whole pages.
    ///
    /// # Errors
    /// When there is none, or the system does not let the card have it.
    fn allocate(&mut self, bytes: usize) -> Result<DmaBuffer, CardError>;

    /// Waits for an interrupt at most `wait`. True if one came.
    ///
    /// # Errors
    /// When the way to the card is gone.
    fn wait(&mut self, wait: Duration) -> Result<bool, CardError>;

    /// Does what the way itself needs while the driver polls.
    ///
    /// # Errors
    /// When the way to the card is gone.
    fn poll(&mut self) -> Result<(), CardError> {
        Ok(())
    }

    /// A function-level reset, after which the card may use its memory again.
    ///
    /// # Errors
    /// When the way to the card is gone.
    fn reset(&mut self) -> Result<(), CardError>;
}
