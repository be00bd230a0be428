//! A board on a serial line, without a board: its own top level in the simulator, the line bit by bit, and a
//! pseudo-terminal that a host opens like any serial port.

mod faults;
#[cfg(unix)]
mod terminal;

pub use faults::{FaultCounts, FaultRates, Faults};
#[cfg(unix)]
pub use terminal::{Served, Terminal, serve};

use weft_hdl::board::{self, BoardConfig};
use weft_hdl::link::uart::{LineReceiver, LineSender};
use weft_sim::{Design, Input, Signal, Simulator};

/// Why a virtual board does not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BoardError {
    /// The design's Verilog could not be written.
    #[error("cannot write the Verilog of the board's design: {0}")]
    Verilog(#[from] weft_hdl::Error),
    /// The simulator does not take it.
    #[error("cannot simulate the board's design: {0}")]
    Simulator(#[from] weft_sim::Error),
    /// The system gives no pseudo-terminal, or took it away.
    #[error("cannot {step} the pseudo-terminal: {source}")]
    Terminal {
        /// What was tried.
        step: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
}

/// Clocks from power-up until the link leaves its reset.
const START: u64 = 100;

/// A board's design under the simulator, with bytes at the far end of its serial line.
pub struct VirtualBoard {
    simulator: Simulator,
    rx: Input,
    tx: Signal,
    sender: LineSender,
    receiver: LineReceiver,
}

impl VirtualBoard {
    /// Compiles and starts the design of `config`; its clock multiplier is left out.
    ///
    /// # Errors
    /// When the configuration cannot be built.
    pub fn new(config: &BoardConfig) -> Result<Self, BoardError> {
        let config = config.clone().simulated();
        let verilog = board::generate_verilog(&config)?;
        let program = Design::from_verilog(&verilog, board::TOP)?.compile()?;
        let mut simulator = Simulator::new(program);
        let rx = simulator.input("serial_rx")?;
        let tx = simulator.output("serial_tx")?;
        simulator.poke(rx, 1);
        if config.buttons > 0 {
            let released = if config.button_low { u64::MAX } else { 0 };
            let button = simulator.input("button")?;
            simulator.poke(button, released);
        }
        simulator.run(START);
        let clocks = config.link.clocks_per_bit;
        Ok(Self {
            simulator,
            rx,
            tx,
            sender: LineSender::new(clocks),
            receiver: LineReceiver::new(clocks),
        })
    }

    /// Writes a waveform of the board's pins from now on.
    ///
    /// # Errors
    /// When the waveform's header cannot be written.
    pub fn trace(&mut self, out: impl std::io::Write + Send + 'static) -> Result<(), BoardError> {
        Ok(self.simulator.trace(out)?)
    }

    /// Ends the waveform.
    ///
    /// # Errors
    /// The first error of writing it.
    pub fn finish_trace(&mut self) -> Result<(), BoardError> {
        Ok(self.simulator.finish_trace()?)
    }

    /// Queues bytes for the line to the board.
    pub fn send(&mut self, bytes: &[u8]) {
        self.sender.push(bytes);
    }

    /// Nothing is on the line, in either direction.
    #[must_use]
    pub fn quiet(&self) -> bool {
        self.sender.idle() && self.receiver.idle()
    }

    /// Runs `clocks` clocks and appends the bytes that the board sent.
    pub fn run(&mut self, clocks: u64, out: &mut Vec<u8>) {
        for _ in 0..clocks {
            self.simulator.poke(self.rx, u64::from(self.sender.level()));
            self.simulator.cycle();
            out.extend(self.receiver.take(self.simulator.peek(self.tx) == 1));
        }
    }

    /// Clocks since power-up.
    #[must_use]
    pub fn clocks(&self) -> u64 {
        self.simulator.cycles()
    }
}
