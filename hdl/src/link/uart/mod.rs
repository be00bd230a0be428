//! Bytes over two wires: 8 data bits, no parity, one stop bit, lowest bit first.

mod line;
mod receiver;
mod transmitter;

pub use line::{LineReceiver, LineSender};
pub use receiver::UartReceiver;
pub use transmitter::UartTransmitter;

/// Width of the bit timers: up to 4095 clocks a bit.
pub const TIMER: usize = 12;
