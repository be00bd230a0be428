//! A line of bytes, as the operating system gives it.

use std::io;
use std::time::Duration;

use serialport::{ClearBuffer, SerialPort};

/// Something that carries bytes both ways and may lose them.
pub trait Port: Send {
    /// Sends all of `bytes`.
    ///
    /// # Errors
    /// When the line is gone or takes nothing for the time-out.
    fn send(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Waits up to `wait` for bytes; 0 when none came.
    ///
    /// # Errors
    /// When the line is gone.
    fn receive(&mut self, buffer: &mut [u8], wait: Duration) -> io::Result<usize>;

    /// Changes the rate, and drops what is under way.
    ///
    /// # Errors
    /// When the line is gone or does not have the rate.
    fn set_baud(&mut self, baud: u32) -> io::Result<()>;
}

/// A serial port of this machine.
pub struct SystemPort {
    port: Box<dyn SerialPort>,
}

/// Longest wait for the operating system to take bytes.
const SEND_TIMEOUT: Duration = Duration::from_secs(5);

impl SystemPort {
    /// Opens the port, for nobody else.
    ///
    /// # Errors
    /// When it is not there, is somebody's, or is no serial port.
    pub fn open(path: &str, baud: u32) -> Result<Self, serialport::Error> {
        let port = serialport::new(path, baud).timeout(SEND_TIMEOUT).open()?;
        Ok(Self { port })
    }
}

impl Port for SystemPort {
    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.port.set_timeout(SEND_TIMEOUT)?;
        io::Write::write_all(&mut self.port, bytes)
    }

    fn receive(&mut self, buffer: &mut [u8], wait: Duration) -> io::Result<usize> {
        // The system's clock has milliseconds; a wait of zero would be none.
        self.port.set_timeout(wait.max(Duration::from_millis(1)))?;
        match io::Read::read(&mut self.port, buffer) {
            Err(e)
                if matches!(
                    e.kind(),
                    io::ErrorKind::TimedOut | io::ErrorKind::Interrupted
                ) =>
            {
                Ok(0)
            }
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            other => other,
        }
    }

    fn set_baud(&mut self, baud: u32) -> io::Result<()> {
        self.port.set_baud_rate(baud)?;
        Ok(self.port.clear(ClearBuffer::All)?)
    }
}
