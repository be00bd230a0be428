//! The serial link: frames of `weft_protocol::serial` on one side, the core's two streams on the other.

pub mod answers;
mod config;
pub mod crc;
pub mod deframer;
pub mod feeder;
pub mod framer;
pub mod ledger;
pub mod pairs;
pub mod tally;
mod top;
pub mod uart;

pub use config::{BAUD_TOLERANCE, LinkConfig, LinkError, clocks_per_bit};
pub use top::Link;

use crate::core::CoreConfig;
use crate::rtl::*;

/// Name of the link's module.
pub const TOP: &str = "weft_link";

/// Name of the module that makes beats of eight bytes.
pub const PAIRS: &str = "weft_pairs";

/// The Verilog of a link in front of `core`, module `weft_link`; with `weft_pairs` for a core that takes eight bytes.
///
/// # Errors
/// [`crate::Error`] for a configuration that cannot be built.
pub fn generate_verilog(config: &LinkConfig, core: &CoreConfig) -> Result<String, crate::Error> {
    config.check()?;
    let mut link = Link::new(config, core);
    link.clock.connect();
    link.reset.connect();
    link.serial_rx.connect();
    link.request_ready.connect();
    link.answer_valid.connect();
    link.answer_word.connect();
    link.connect_all();
    check_connected(&link).map_err(|cause| crate::Error::Link {
        cause: format!("{cause:?}"),
    })?;
    let mut modules = ModuleDefines::default();
    link.accept(TOP, &mut modules);
    let mut text = modules.defines();
    if core.stream_bytes == 8 {
        let mut pairs = pairs::Pairs::default();
        pairs.clock.connect();
        pairs.in_valid.connect();
        pairs.in_data.connect();
        pairs.out_ready.connect();
        pairs.connect_all();
        let mut modules = ModuleDefines::default();
        pairs.accept(PAIRS, &mut modules);
        text += &modules.defines();
    }
    Ok(text)
}
