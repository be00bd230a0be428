//! Cycle-accurate simulator: synthesisable Verilog in, machine code out.
//!
//! ```
//! use weft_sim::{Design, Simulator};
//!
//! let verilog = "
//!     module counter(input wire clock, input wire enable, output reg [7:0] count);
//!         initial count = 0;
//!         always @(posedge clock) if (enable) count <= count + 1;
//!     endmodule";
//! let program = Design::from_verilog(verilog, "counter")?.compile()?;
//! let mut sim = Simulator::new(program);
//! let (enable, count) = (sim.input("enable")?, sim.output("count")?);
//! sim.poke(enable, 1);
//! sim.run(10);
//! sim.cycle();
//! assert_eq!(sim.peek(count), 10); // before the eleventh edge
//! # Ok::<(), weft_sim::Error>(())
//! ```
//!
//! The pipeline is one screen: [`passes`]. What Verilog is accepted is a table in `sim/README.md`; what was tried for
//! speed is one in `sim/DESIGN.md`. Values are two-state: what Verilog leaves unknown is zero.

/// The guide's examples, compiled and run as tests.
#[cfg(doctest)]
#[doc = include_str!("../GUIDE.md")]
struct Guide;

mod bits;
mod design;
mod domains;
mod elab;
mod error;
mod front;
mod interp;
mod ir;
mod jit;
pub mod limits;
pub mod passes;
mod random;
mod simulator;
mod source;
mod waves;

pub use bits::Bits;
pub use design::{Design, Options, Probes, Program};
pub use error::{Error, Place, Result};
pub use interp::Interpreter;
pub use random::Random;
pub use simulator::{
    Clock, In, Input, Memory, Out, PortValue, Register, Signal, Simulator, Snapshot,
};
pub use source::Source;
